import { open } from 'node:fs/promises';

/** Sizes of a CroCo-family network; `published` are those of the DUSt3R checkpoints. */
export interface NetworkSizes {
  encoder: { width: number; depth: number; heads: number };
  decoder: { width: number; depth: number; heads: number };
  head: 'linear' | 'dpt' | 'croco';
  /** Of the DPT head. */
  features: number;
  levels: [number, number, number, number];
}

export const published: NetworkSizes = {
  encoder: { width: 1024, depth: 24, heads: 16 },
  decoder: { width: 768, depth: 12, heads: 12 },
  head: 'dpt',
  features: 256,
  levels: [96, 192, 384, 768],
};

export const tiny: NetworkSizes = {
  encoder: { width: 32, depth: 2, heads: 2 },
  decoder: { width: 32, depth: 4, heads: 2 },
  head: 'linear',
  features: 16,
  levels: [8, 8, 16, 16],
};

/** Every tensor of such a network and its shape, in the names of the public checkpoints. */
export function tensorShapes(sizes: NetworkSizes): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const both = (name: string, shape: number[]) =>
    void shapes.set(`${name}.weight`, shape).set(`${name}.bias`, [shape[0]!]);
  const { encoder, decoder } = sizes;
  both('patch_embed.proj', [encoder.width, 3, 16, 16]);
  const block = (name: string, width: number, cross: boolean) => {
    for (const norm of cross ? ['norm1', 'norm2', 'norm3', 'norm_y'] : ['norm1', 'norm2'])
      both(`${name}.${norm}`, [width]);
    both(`${name}.attn.qkv`, [3 * width, width]);
    both(`${name}.attn.proj`, [width, width]);
    if (cross)
      for (const part of ['projq', 'projk', 'projv', 'proj']) both(`${name}.cross_attn.${part}`, [width, width]);
    both(`${name}.mlp.fc1`, [4 * width, width]);
    both(`${name}.mlp.fc2`, [width, 4 * width]);
  };
  for (let i = 0; i < encoder.depth; i++) block(`enc_blocks.${i}`, encoder.width, false);
  both('enc_norm', [encoder.width]);
  both('decoder_embed', [decoder.width, encoder.width]);
  for (const stack of sizes.head === 'croco' ? ['dec_blocks'] : ['dec_blocks', 'dec_blocks2']) {
    for (let i = 0; i < decoder.depth; i++) block(`${stack}.${i}`, decoder.width, true);
  }
  both('dec_norm', [decoder.width]);
  shapes.set('mask_token', [1, 1, decoder.width]);
  if (sizes.head === 'croco') both('prediction_head', [768, decoder.width]);
  else {
    for (const head of ['downstream_head1', 'downstream_head2']) {
      if (sizes.head === 'linear') both(`${head}.proj`, [1024, decoder.width]);
      else dpt(`${head}.dpt`, sizes, both, shapes);
    }
  }
  return shapes;
}

function dpt(
  name: string,
  { encoder, decoder, features, levels }: NetworkSizes,
  both: (name: string, shape: number[]) => void,
  shapes: Map<string, number[]>,
): void {
  levels.forEach((channels, k) => {
    both(`${name}.act_postprocess.${k}.0`, [channels, k ? decoder.width : encoder.width, 1, 1]);
    if (k !== 2) both(`${name}.act_postprocess.${k}.1`, [channels, channels, ...[[4, 4], [2, 2], [], [3, 3]][k]!]);
    shapes.set(`${name}.scratch.layer${k + 1}_rn.weight`, [features, channels, 3, 3]);
    const refine = `${name}.scratch.refinenet${k + 1}`;
    both(`${refine}.out_conv`, [features, features, 1, 1]);
    for (const unit of [1, 2])
      for (const convolution of [1, 2])
        both(`${refine}.resConfUnit${unit}.conv${convolution}`, [features, features, 3, 3]);
  });
  both(`${name}.head.0`, [features / 2, features, 3, 3]);
  both(`${name}.head.2`, [features / 2, features / 2, 3, 3]);
  both(`${name}.head.4`, [4, features / 2, 1, 1]);
}

export function configOf({ encoder, decoder, head }: NetworkSizes): Record<string, unknown> {
  return {
    pos_embed: 'RoPE100',
    enc_embed_dim: encoder.width,
    enc_depth: encoder.depth,
    enc_num_heads: encoder.heads,
    dec_embed_dim: decoder.width,
    dec_depth: decoder.depth,
    dec_num_heads: decoder.heads,
    ...(head === 'croco' ? { mask_ratio: 0.9 } : { head_type: head, img_size: [512, 512] }),
  };
}

/** Uniform values scaled by 1/sqrt(fan in), so that activations keep their size; norms near 1. Seeded. */
export function randomTensor(name: string, shape: number[], seed: number): Float32Array {
  const out = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (/norm[^.]*\.weight$/.test(name)) return out.fill(1);
  const fan = shape.length > 1 ? shape.slice(1).reduce((product, size) => product * size, 1) : 400;
  const range = Math.sqrt(3 / fan) * (/proj\.weight$|fc2\.weight$/.test(name) ? 0.5 : 1);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < out.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = (state / 2147483648) * range;
  }
  return out;
}

/** Writes a .safetensors file of float32 tensors, one at a time. */
export async function writeSafetensors(
  path: string,
  shapes: ReadonlyMap<string, number[]>,
  values: (name: string, shape: number[], index: number) => Float32Array,
  metadata?: Record<string, string>,
): Promise<void> {
  let offset = 0;
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  for (const [name, shape] of shapes) {
    const length = 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + length] };
    offset += length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(8 + text.length);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(text.length), true);
  prefix.set(text, 8);
  const file = await open(path, 'w');
  try {
    await file.writeFile(prefix);
    let index = 0;
    for (const [name, shape] of shapes) {
      const tensor = values(name, shape, index++);
      await file.writeFile(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
    }
  } finally {
    await file.close();
  }
}
