import { z } from 'zod';

/** What a shell tells its engine process, through the environment. */
export const engineSettings = z.object({
  threads: z.number().int().positive().optional(),
  desktop: z.boolean().optional(),
  dataFolder: z.string().optional(),
  samplesFolder: z.string().optional(),
});
export type EngineSettings = z.infer<typeof engineSettings>;

const VARIABLE = 'POINTMAP_ENGINE';

export const settingsVariable = (settings: EngineSettings): Record<string, string> => ({
  [VARIABLE]: JSON.stringify(settings),
});

/** @throws when the variable was set by hand, and wrongly */
export const readSettings = (environment = process.env): EngineSettings =>
  engineSettings.parse(JSON.parse(environment[VARIABLE] ?? '{}'));
