import { z } from 'zod';

/** Of the machine, not of a project. What is not set follows the machine. */
export const preferences = z.object({
  /** Threads that compute. */
  threads: z.number().int().min(1).max(256).optional(),
  /** Gigabytes that decoded pointmaps may take at a time, for projects that set none themselves. */
  memory: z.number().positive().max(4096).optional(),
  /** Networks may run on a graphics processor. */
  gpu: z.boolean().default(true),
});
export type Preferences = z.infer<typeof preferences>;

/** Preferences, and what they are chosen within. */
export const preferenceState = z.object({
  preferences,
  machine: z.object({
    threads: z.number(),
    /** Bytes. */
    memory: z.number(),
    /** Where models, unsaved projects and these preferences lie. */
    dataFolder: z.string(),
  }),
});
