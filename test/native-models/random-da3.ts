/** Sizes of a Depth Anything 3 network. */
export interface Da3Sizes {
  width: number;
  heads: number;
  depth: number;
  features: number;
  channels: [number, number, number, number];
  /** Blocks after which features are taken. */
  taken: [number, number, number, number];
}

const published = { depth: 12, taken: [5, 7, 9, 11] } as { depth: number; taken: Da3Sizes['taken'] };
export const small: Da3Sizes = { ...published, width: 384, heads: 6, features: 64, channels: [48, 96, 192, 384] };
export const base: Da3Sizes = { ...published, width: 768, heads: 12, features: 128, channels: [96, 192, 384, 768] };
export const tinyDa3: Da3Sizes = {
  width: 32,
  heads: 2,
  depth: 8,
  taken: [4, 5, 6, 7],
  features: 16,
  channels: [8, 8, 16, 16],
};

/** Every tensor of such a network and its shape, in the names of the published checkpoints. */
export function da3Shapes({ width, heads, depth, features, channels }: Da3Sizes): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const both = (name: string, shape: number[], bias = shape[0]!) =>
    void shapes.set(`${name}.weight`, shape).set(`${name}.bias`, [bias]);
  const block = (name: string, headNorm: boolean) => {
    for (const norm of ['norm1', 'norm2']) both(`${name}.${norm}`, [width]);
    both(`${name}.attn.qkv`, [3 * width, width]);
    both(`${name}.attn.proj`, [width, width]);
    if (headNorm) for (const norm of ['q_norm', 'k_norm']) both(`${name}.attn.${norm}`, [width / heads]);
    both(`${name}.mlp.fc1`, [4 * width, width]);
    both(`${name}.mlp.fc2`, [width, 4 * width]);
    for (const scale of ['ls1', 'ls2']) shapes.set(`${name}.${scale}.gamma`, [width]);
  };
  const trunk = 'model.backbone.pretrained';
  both(`${trunk}.patch_embed.proj`, [width, 3, 14, 14]);
  shapes.set(`${trunk}.cls_token`, [1, 1, width]);
  shapes.set(`${trunk}.camera_token`, [1, 2, width]);
  shapes.set(`${trunk}.pos_embed`, [1, 1 + 37 * 37, width]);
  for (let i = 0; i < depth; i++) block(`${trunk}.blocks.${i}`, i >= 4);
  both(`${trunk}.norm`, [width]);
  both('model.cam_enc.pose_branch.fc1', [width / 2, 9]);
  both('model.cam_enc.pose_branch.fc2', [width, width / 2]);
  for (const norm of ['token_norm', 'trunk_norm']) both(`model.cam_enc.${norm}`, [width]);
  for (let i = 0; i < 4; i++) block(`model.cam_enc.trunk.${i}`, false);
  for (const layer of ['backbone.0', 'backbone.2']) both(`model.cam_dec.${layer}`, [2 * width, 2 * width]);
  both('model.cam_dec.fc_t', [3, 2 * width]);
  both('model.cam_dec.fc_qvec', [4, 2 * width]);
  both('model.cam_dec.fc_fov.0', [2, 2 * width]);
  denseHead(shapes, both, 2 * width, features, channels);
  return shapes;
}

function denseHead(
  shapes: Map<string, number[]>,
  both: (name: string, shape: number[], bias?: number) => void,
  double: number,
  features: number,
  channels: readonly number[],
): void {
  const scratch = 'model.head.scratch';
  both('model.head.norm', [double]);
  channels.forEach((count, k) => {
    both(`model.head.projects.${k}`, [count, double, 1, 1]);
    if (k !== 2) both(`model.head.resize_layers.${k}`, [count, count, ...[[4, 4], [2, 2], [], [3, 3]][k]!]);
    shapes.set(`${scratch}.layer${k + 1}_rn.weight`, [features, count, 3, 3]);
    for (const suffix of ['', '_aux']) {
      const refine = `${scratch}.refinenet${k + 1}${suffix}`;
      both(`${refine}.out_conv`, [features, features, 1, 1]);
      for (const unit of k === 3 ? [2] : [1, 2])
        for (const convolution of [1, 2])
          both(`${refine}.resConfUnit${unit}.conv${convolution}`, [features, features, 3, 3]);
    }
    for (let step = 0; step < 5; step++) {
      const [from, to] = step % 2 ? [features / 2, features] : [features, features / 2];
      both(`${scratch}.output_conv1_aux.${k}.${step}`, [to, from, 3, 3]);
    }
    both(`${scratch}.output_conv2_aux.${k}.0`, [32, features / 2, 3, 3]);
    both(`${scratch}.output_conv2_aux.${k}.2`, [32]);
    both(`${scratch}.output_conv2_aux.${k}.5`, [7, 32, 1, 1]);
  });
  both(`${scratch}.output_conv1`, [features / 2, features, 3, 3]);
  both(`${scratch}.output_conv2.0`, [32, features / 2, 3, 3]);
  both(`${scratch}.output_conv2.2`, [2, 32, 1, 1]);
}

export function da3Config({ width, heads, depth, features, channels, taken }: Da3Sizes): Record<string, unknown> {
  return {
    config: {
      net: {
        embed_dim: width,
        num_heads: heads,
        depth,
        out_layers: taken,
        alt_start: 4,
        qknorm_start: 4,
        rope_start: 4,
        cat_token: true,
      },
      head: { dim_in: 2 * width, output_dim: 2, features, out_channels: channels },
    },
  };
}
