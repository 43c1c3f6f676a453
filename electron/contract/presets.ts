/** What an export is for, and its choices: they belong to one export, not to the project. Pure. */
import { z } from 'zod';

export const presetIds = ['blender', 'splatting', 'survey', 'compositing', 'colmap'] as const;
export type PresetId = (typeof presetIds)[number];

export const presetSettings = z.object({
  preset: z.enum(presetIds),
  /** How much of each photo its undistorted picture shows: no empty pixels, the photo's size, or all that it saw. */
  crop: z.enum(['inside', 'photo', 'all']).default('inside'),
  /** `auto`: PNG for photos that are PNG, JPEG for all others. `png16`: 16 bits a channel. */
  format: z.enum(['auto', 'png', 'png16']).default('auto'),
  /** Of JPEG. */
  quality: z.number().int().min(1).max(100).default(95),
  /** Most points of the cloud that trainers start with. */
  mostPoints: z.number().int().min(1).max(100_000_000).default(200_000),
});
export type PresetSettings = z.output<typeof presetSettings>;

export const exportProgress = z.object({ done: z.number(), total: z.number(), file: z.string().optional() });
export type ExportProgress = z.infer<typeof exportProgress>;
