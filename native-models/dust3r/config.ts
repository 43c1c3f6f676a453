import { z } from 'zod';
import type { Weights } from '../onnx/weights.js';

export interface Width {
  width: number;
  depth: number;
  heads: number;
  /** Of the perceptrons. */
  hidden: number;
}

/** What a CroCo-family network looks like, from its tensors; head counts, which no tensor shows, from its config. */
export interface NetworkShape {
  patch: number;
  encoder: Width;
  decoder: Width;
  rotaryBase: number;
}

const configSchema = z.looseObject({
  pos_embed: z.string().optional(),
  enc_embed_dim: z.number().int().optional(),
  enc_depth: z.number().int().optional(),
  enc_num_heads: z.number().int().positive().optional(),
  dec_embed_dim: z.number().int().optional(),
  dec_depth: z.number().int().optional(),
  dec_num_heads: z.number().int().positive().optional(),
  mlp_ratio: z.number().optional(),
  patch_size: z.number().int().optional(),
});

function countBlocks(weights: Weights, prefix: string): number {
  let depth = 0;
  while (weights.has(`${prefix}.${depth}.norm1.weight`)) depth++;
  return depth;
}

/** The published networks all have heads of 64 features; assumed where a config is silent. */
const usualHead = 64;

/** Reads the sizes from the tensors and holds the config against them; contradictions become problems of `weights`. */
export function networkShape(weights: Weights, config: Record<string, unknown>): NetworkShape | undefined {
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) weights.problem(`config ${issue.path.join('.')}: ${issue.message}`);
    return undefined;
  }
  const said = parsed.data;
  const [width, , patch] = weights.shape('patch_embed.proj.weight') ?? [];
  const decoderWidth = weights.shape('decoder_embed.weight')?.[0];
  if (!width || !patch || !decoderWidth) {
    weights.problem('patch_embed.proj.weight or decoder_embed.weight is missing or misshapen');
    return undefined;
  }
  const position = said.pos_embed ?? 'RoPE100';
  const base = /^RoPE(\d+)$/.exec(position)?.[1];
  if (!base) weights.problem(`config pos_embed ${position} is not a rotary embedding`);
  const part = (
    title: string,
    prefix: string,
    size: number,
    depth: number | undefined,
    heads = Math.max(1, size / usualHead),
  ): Width => {
    const found = countBlocks(weights, prefix);
    if (found === 0) weights.problem(`${prefix}.0 is missing`);
    if (depth !== undefined && depth !== found)
      weights.problem(`config ${title}_depth is ${depth} and the tensors have ${found} blocks`);
    if (!Number.isInteger(size / heads) || (size / heads) % 4)
      weights.problem(`config ${title}_num_heads ${heads} does not divide width ${size} into heads of a multiple of 4`);
    const hidden = weights.shape(`${prefix}.0.mlp.fc1.weight`)?.[0] ?? 4 * size;
    return { width: size, depth: found, heads, hidden };
  };
  if (said.enc_embed_dim !== undefined && said.enc_embed_dim !== width)
    weights.problem(`config enc_embed_dim is ${said.enc_embed_dim} and the tensors have ${width}`);
  if (said.dec_embed_dim !== undefined && said.dec_embed_dim !== decoderWidth)
    weights.problem(`config dec_embed_dim is ${said.dec_embed_dim} and the tensors have ${decoderWidth}`);
  if (said.patch_size !== undefined && said.patch_size !== patch)
    weights.problem(`config patch_size is ${said.patch_size} and the tensors have ${patch}`);
  const encoder = part('enc', 'enc_blocks', width, said.enc_depth, said.enc_num_heads);
  const decoder = part('dec', 'dec_blocks', decoderWidth, said.dec_depth, said.dec_num_heads);
  if (weights.has('mask_token')) weights.use('mask_token');
  return { patch, encoder, decoder, rotaryBase: Number(base ?? 100) };
}
