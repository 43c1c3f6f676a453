/** A very small compact network: config.json and tensor shapes as native-models/training/FORMAT.md has them. */
export const compactConfig = {
  architecture: 'compact',
  version: 1,
  inputSize: 128,
  patch: 16,
  rotaryBase: 100,
  normEpsilon: 1e-6,
  width: 32,
  headWidth: 16,
  viewBlocks: 2,
  crossBlocks: 2,
  matchAfter: 1,
  mlpRatio: 4,
  stem: [4, 8, 12],
  matchWidth: 16,
  refine: 8,
};

/** The published `base` shape: about 10 million parameters. */
export const baseConfig = {
  ...compactConfig,
  width: 256,
  headWidth: 64,
  viewBlocks: 5,
  crossBlocks: 5,
  matchAfter: 2,
  stem: [32, 64, 96],
  matchWidth: 96,
  refine: 80,
};

export function compactShapes({
  width,
  headWidth,
  viewBlocks,
  crossBlocks,
  mlpRatio,
  stem,
  matchWidth,
  refine,
} = compactConfig): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const both = (name: string, shape: number[]) =>
    void shapes.set(`${name}.weight`, shape).set(`${name}.bias`, [shape[0]!]);
  const channels = [3, ...stem, width];
  for (let k = 0; k < 4; k++) both(`stem.layers.${k}`, [channels[k + 1]!, channels[k]!, 3, 3]);
  const block = (name: string, attentions: string[], norms: string[]) => {
    for (const norm of norms) both(`${name}.${norm}`, [width]);
    for (const attention of attentions) {
      both(`${name}.${attention}.query`, [width, width]);
      both(`${name}.${attention}.keyvalue`, [2 * width, width]);
      both(`${name}.${attention}.output`, [width, width]);
      for (const scale of ['query_scale', 'key_scale']) shapes.set(`${name}.${attention}.${scale}`, [headWidth]);
    }
    both(`${name}.perceptron.expand`, [mlpRatio * width, width]);
    both(`${name}.perceptron.reduce`, [width, mlpRatio * width]);
  };
  for (let k = 0; k < viewBlocks; k++) block(`view_blocks.${k}`, ['attention'], ['norm1', 'norm2']);
  for (let k = 0; k < crossBlocks; k++)
    block(`cross_blocks.${k}`, ['attention', 'cross'], ['norm1', 'norm2', 'norm3', 'norm_memory']);
  shapes.set('reference', [2, width]);
  both('matching.norm', [width]);
  both('matching.project', [matchWidth, width]);
  shapes.set('matching.log_scale', []);
  both('matching.expand', [width, 6]);
  both('matching.reduce', [width, width]);
  both('head.norm', [width]);
  both('head.expand', [4 * refine, width]);
  both('head.skip', [refine, stem.at(-1)!, 1, 1]);
  for (let k = 0; k < 4; k++) both(`head.refine.${k}`, [refine, refine, 3, 3]);
  both('head.output', [256, refine, 1, 1]);
  both('head.covisibility', [3, refine, 1, 1]);
  return shapes;
}
