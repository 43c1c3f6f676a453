/** The mesh layer of a project, as a shell shows it. Pure. */
import { z } from 'zod';

export const meshState = z.object({
  state: z.enum(['none', 'building', 'ready', 'failed']),
  /** Of a mesh that is there: part of the URLs of its binaries. */
  revision: z.number().optional(),
  faces: z.number().optional(),
  /** Faces that close holes which no photo measured. */
  inferred: z.number().optional(),
  pages: z.number().optional(),
  textureSize: z.number().optional(),
  /** Ids of the photos that `mesh-photos` names by number. */
  photos: z.array(z.string()).optional(),
  /** The scene was edited, or aligned anew, since. */
  stale: z.boolean().optional(),
  /** While building. */
  stage: z.string().optional(),
  done: z.number().optional(),
  total: z.number().optional(),
  error: z.string().optional(),
});
export type MeshState = z.infer<typeof meshState>;

export const meshRequest = z.object({
  faces: z.number().int().min(1).max(20_000_000).default(500_000),
  textureSize: z.number().int().min(64).max(16_384).default(4096),
  /** Covers over large holes too. */
  closeHoles: z.boolean().default(false),
});

export const meshForecast = z.object({ seconds: z.number(), memory: z.number() });
