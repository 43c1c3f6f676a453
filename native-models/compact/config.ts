import { z } from 'zod';
import type { Weights } from '../onnx/weights.js';

const size = z.number().int().positive();
const configSchema = z.looseObject({
  architecture: z.literal('compact'),
  version: z.literal(1),
  /** The long side of a view at its best. */
  inputSize: size.optional(),
  patch: z.literal(16),
  rotaryBase: z.number().positive(),
  normEpsilon: z.number().positive(),
  width: size,
  headWidth: size.multipleOf(4),
  viewBlocks: size,
  crossBlocks: size,
  matchAfter: size,
  mlpRatio: size,
  stem: z.tuple([size, size, size]),
  matchWidth: size,
  refine: size,
});

/** `config.json` of a compact network: native-models/training/FORMAT.md. */
export type CompactShape = z.infer<typeof configSchema>;

/** Reads the config; what is wrong with it becomes a problem of `weights`, which hold the tensors against it. */
export function compactShape(weights: Weights, config: Record<string, unknown>): CompactShape | undefined {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) weights.problem(`config ${issue.path.join('.')}: ${issue.message}`);
    return undefined;
  }
  const shape = parsed.data;
  if (shape.width % shape.headWidth) {
    weights.problem(`config headWidth ${shape.headWidth} does not divide width ${shape.width}`);
    return undefined;
  }
  if (shape.matchAfter > shape.crossBlocks)
    weights.problem(`config matchAfter is ${shape.matchAfter} and there are ${shape.crossBlocks} cross blocks`);
  return shape;
}
