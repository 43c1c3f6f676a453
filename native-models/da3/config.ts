import { z } from 'zod';
import type { Weights } from '../onnx/weights.js';

/** Where the parts of a Depth Anything 3 checkpoint begin. */
export const backbone = 'model.backbone.pretrained';
export const head = 'model.head';
export const cameraDecoder = 'model.cam_dec';
export const cameraEncoder = 'model.cam_enc';

/** Side of the grid of learned position embeddings. */
export const positionGrid = 37;

/** What a Depth Anything 3 network (any number of views) looks like. */
export interface Da3Shape {
  patch: number;
  width: number;
  heads: number;
  depth: number;
  /** Of the perceptrons. */
  hidden: number;
  /** The first block with a camera token, with normalised and rotated queries; from there on odd blocks are global. */
  alternateFrom: number;
  /** Blocks after which a feature is taken, ascending; the last is the last block. */
  taken: [number, number, number, number];
  /** Channels of the dense head: common to its levels, and of each. */
  features: number;
  channels: [number, number, number, number];
  cameraHeads: number;
  rotaryBase: number;
}

const integer = z.number().int().positive();
const configSchema = z.looseObject({
  config: z.looseObject({
    net: z.looseObject({
      embed_dim: integer.optional(),
      num_heads: integer.optional(),
      depth: integer.optional(),
      out_layers: z.array(z.number().int().nonnegative()).length(4).optional(),
      alt_start: integer.optional(),
      qknorm_start: integer.optional(),
      rope_start: integer.optional(),
      cat_token: z.boolean().optional(),
    }),
    head: z
      .looseObject({ features: integer.optional(), out_channels: z.array(integer).length(4).optional() })
      .optional(),
  }),
});

/** The published networks have heads of 64 features, and 16 heads in the camera encoder. */
const usualHead = 64;
const cameraHeads = 16;

/** Whether these are the tensors of a Depth Anything 3 network. */
export function isDa3(weights: Weights): boolean {
  return weights.has(`${backbone}.patch_embed.proj.weight`);
}

/** Reads the sizes from the tensors and holds the config against them; contradictions become problems of `weights`. */
export function da3Shape(weights: Weights, config: Record<string, unknown>): Da3Shape | undefined {
  const parsed = configSchema.safeParse(Object.hasOwn(config, 'config') ? config : { config: { net: {} } });
  if (!parsed.success) {
    for (const issue of parsed.error.issues) weights.problem(`config ${issue.path.join('.')}: ${issue.message}`);
    return undefined;
  }
  const { net, head: said } = parsed.data.config;
  const [width, , patch] = weights.shape(`${backbone}.patch_embed.proj.weight`) ?? [];
  const channels = [0, 1, 2, 3].map((level) => weights.shape(`${head}.projects.${level}.weight`)?.[0] ?? 0);
  const features = weights.shape(`${head}.scratch.refinenet1.out_conv.weight`)?.[0] ?? 0;
  if (!width || !patch || !features || channels.includes(0)) {
    const message = `${backbone}.patch_embed.proj.weight, ${head}.projects or ${head}.scratch.refinenet1.out_conv is missing or misshapen`;
    weights.problem(message);
    return undefined;
  }
  let depth = 0;
  while (weights.has(`${backbone}.blocks.${depth}.norm1.weight`)) depth++;
  let alternateFrom = 0;
  while (alternateFrom < depth && !weights.has(`${backbone}.blocks.${alternateFrom}.attn.q_norm.weight`))
    alternateFrom++;
  const agree = (name: string, stated: number | undefined, found: number) => {
    if (stated !== undefined && stated !== found)
      weights.problem(`config ${name} is ${stated} and the tensors have ${found}`);
  };
  agree('embed_dim', net.embed_dim, width);
  agree('depth', net.depth, depth);
  agree('alt_start', net.alt_start, alternateFrom);
  agree('qknorm_start', net.qknorm_start, alternateFrom);
  agree('rope_start', net.rope_start, alternateFrom);
  agree('features', said?.features, features);
  said?.out_channels?.forEach((stated, level) => agree(`out_channels ${level}`, stated, channels[level]!));
  if (net.cat_token === false) weights.problem('config cat_token is false: another kind of features');
  const heads = net.num_heads ?? Math.max(1, width / usualHead);
  if (!Number.isInteger(width / heads) || (width / heads) % 4)
    weights.problem(`config num_heads ${heads} does not divide width ${width} into heads of a multiple of 4`);
  const taken = (net.out_layers ?? [5, 7, 9, 11]) as Da3Shape['taken'];
  if (
    taken.some((block, k) => block >= depth || block < (k ? taken[k - 1]! + 1 : alternateFrom)) ||
    taken[3] !== depth - 1
  )
    weights.problem(
      `config out_layers ${taken.join(', ')} do not fit ${depth} blocks that alternate from ${alternateFrom}`,
    );
  if (alternateFrom < 3) weights.problem(`blocks alternate from ${alternateFrom}, expected 3 or later`);
  return {
    patch,
    width,
    heads,
    depth,
    hidden: weights.shape(`${backbone}.blocks.0.mlp.fc1.weight`)?.[0] ?? 4 * width,
    alternateFrom,
    taken,
    features,
    channels: channels as Da3Shape['channels'],
    cameraHeads,
    rotaryBase: 100,
  };
}
