/** Networks: what is built in, installed, and could be fetched from its publisher. */
import { z } from 'zod';

export const modelUses = ['pointmaps', 'depth', 'matching', 'features', 'masks', 'pretraining'] as const;

export const modelInfo = z.object({
  id: z.string(),
  title: z.string(),
  publisher: z.string(),
  licence: z.string(),
  licenceAddress: z.string().optional(),
  nonCommercial: z.boolean(),
  /** Of what is installed, or about what is fetched; none of what the program carries. */
  bytes: z.number().optional(),
  state: z.enum(['built-in', 'installed', 'available']),
  use: z.enum(modelUses),
  /** What an evaluation found of it, where there is one. */
  verdict: z.string().optional(),
});
export type ModelInfo = z.infer<typeof modelInfo>;

/** What is under way: a file that is fetched, or the graphs that are built from it. */
export const modelProgress = z
  .object({
    id: z.string(),
    step: z.enum(['asking', 'fetching', 'building']),
    /** Who is asked, the file that is fetched, or the graph that is built. */
    what: z.string(),
    share: z.number().optional(),
  })
  .nullable();
