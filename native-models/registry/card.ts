import { z } from 'zod';

export const precisionNames = ['float32', 'float16', 'int8'] as const;

/** What an installed network is; of Segment Anything, which of its two graphs. */
export const architectures = [
  'dust3r',
  'croco',
  'compact',
  'da3',
  'lightglue',
  'aliked',
  'sam-encoder',
  'sam-decoder',
  'sam2-encoder',
  'sam2-decoder',
] as const;

const deviationSchema = z.object({
  /**
   * Largest absolute difference from float32 over the root mean square, and the root mean square difference over the
   * same, by output.
   */
  largest: z.record(z.string(), z.number()),
  typical: z.record(z.string(), z.number()),
});

/** `card.json` in an installed model's folder. */
export const cardSchema = z.object({
  format: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
  title: z.string(),
  architecture: z.enum(architectures),
  licence: z.string(),
  nonCommercial: z.boolean(),
  /** Input size: the long side for 512 models, the square's side for 224 ones. */
  inputSize: z.number().int().positive(),
  patch: z.number().int().positive(),
  /** Whether views are cut to a square (224 models). */
  square: z.boolean(),
  parameters: z.number().int(),
  /** SHA-256 of the built graphs' descriptions; changes whenever outputs could. */
  version: z.string(),
  source: z.string(),
  precisions: z.partialRecord(z.enum(precisionNames), deviationSchema.nullable()),
});

export type ModelCard = z.infer<typeof cardSchema>;
export type Deviation = z.infer<typeof deviationSchema>;
