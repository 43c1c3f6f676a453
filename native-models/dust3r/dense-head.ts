import { residualUnit, spreadTokens, tokenMap, type Grid } from '../onnx/dense-maps.js';
import type { Value } from '../onnx/graph.js';
import type { Layers } from '../onnx/layers.js';

/**
 * The dense prediction head (DPT; Ranftl et al. 2021, section 3) on four token sets, widths as given. Channels-first
 * maps; to [batch, height, width, 4].
 *
 * Two identities save work: a transposed convolution whose stride is its kernel is a linear layer on tokens followed by
 * depth-to-space; and a 1x1 convolution commutes with bilinear upsampling (its weights sum to one), so it runs first.
 */
export function denseHead(layers: Layers, tokens: Value[], widths: number[], head: string, grid: Grid): Value {
  const { weights } = layers;
  const name = `${head}.dpt`;
  const scratch = `${name}.scratch`;
  const features = weights.shape(`${scratch}.refinenet1.out_conv.weight`)?.[0] ?? 256;
  const maps = tokens.map((set, level) => {
    const map = reassemble(layers, set, widths[level]!, `${name}.act_postprocess.${level}`, level, grid);
    return layers.convolution(map.value, storedRefinement(layers, scratch, level), {
      from: map.channels,
      to: features,
      kernel: 3,
      padding: 1,
      bias: false,
    });
  });
  let path = fuse(layers, undefined, maps[3]!, `${scratch}.refinenet4`, features);
  path = cropTo(layers, path, maps[2]!);
  for (const level of [2, 1, 0]) path = fuse(layers, path, maps[level]!, `${scratch}.refinenet${level + 1}`, features);
  const half = weights.shape(`${name}.head.0.weight`)?.[0] ?? features / 2;
  const last = weights.shape(`${name}.head.2.weight`)?.[0] ?? half;
  const coarse = layers.convolution(path, `${name}.head.0`, { from: features, to: half, kernel: 3, padding: 1 });
  const fine = layers.graph.node('Relu', [
    layers.convolution(upsample(layers, coarse), `${name}.head.2`, { from: half, to: last, kernel: 3, padding: 1 }),
  ]);
  const channels = layers.convolution(fine, `${name}.head.4`, { from: last, to: 4, kernel: 1 });
  return layers.graph.node('Transpose', [channels], { attributes: { perm: [0, 2, 3, 1] } });
}

/** The name under which a file holds the convolution that brings level 0..3 to the common width. */
export function storedRefinement({ weights }: Layers, scratch: string, level: number): string {
  const names = [`${scratch}.layer${level + 1}_rn`, `${scratch}.layer_rn.${level}`];
  // Both names may be present: they are one tensor in the network.
  for (const name of names) if (weights.has(`${name}.weight`)) weights.use(`${name}.weight`);
  return weights.either(...names.map((name) => `${name}.weight`)).slice(0, -'.weight'.length);
}

/** Brings one token set to its resolution: x4, x2, x1, x1/2 of the token grid. */
function reassemble(
  layers: Layers,
  tokens: Value,
  width: number,
  name: string,
  level: number,
  grid: Grid,
): { value: Value; channels: number } {
  const { weights } = layers;
  const channels = weights.shape(`${name}.0.weight`)?.[0] ?? 96 * 2 ** level;
  const load = weights.take(`${name}.0.weight`, [channels, width, 1, 1]);
  const bias = layers.vector(`${name}.0.bias`, channels);
  const projected = layers.product(tokens, `${name}.0`, width, channels, load, bias);
  if (level === 2) return { value: tokenMap(layers, projected, channels, grid), channels };
  if (level === 3)
    return {
      value: layers.convolution(tokenMap(layers, projected, channels, grid), `${name}.1`, {
        from: channels,
        to: channels,
        kernel: 3,
        stride: 2,
        padding: 1,
      }),
      channels,
    };
  const factor = level === 0 ? 4 : 2;
  return { value: spreadTokens(layers, projected, `${name}.1`, { channels, factor, grid }), channels };
}

function fuse(layers: Layers, path: Value | undefined, map: Value, name: string, features: number): Value {
  const { weights } = layers;
  // The coarsest block has no path, and its first unit, where a file holds it, is never used.
  if (!path)
    for (const part of ['conv1.weight', 'conv1.bias', 'conv2.weight', 'conv2.bias'])
      weights.use(`${name}.resConfUnit1.${part}`);
  const joined = path ? layers.add(path, residualUnit(layers, map, `${name}.resConfUnit1`, features)) : map;
  const refined = residualUnit(layers, joined, `${name}.resConfUnit2`, features);
  return upsample(layers, layers.convolution(refined, `${name}.out_conv`, { from: features, to: features, kernel: 1 }));
}

function upsample(layers: Layers, map: Value): Value {
  return layers.graph.node('Resize', [map, undefined, layers.graph.floats([1, 1, 2, 2])], {
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
  });
}

/** The coarsest map is half the token grid rounded up; doubled, it may be a row or column too large. */
function cropTo(layers: Layers, map: Value, like: Value): Value {
  const { graph } = layers;
  const ends = graph.node('Slice', [graph.node('Shape', [like]), graph.ints([2]), graph.ints([4])]);
  return graph.node('Slice', [map, graph.ints([0, 0]), ends, graph.ints([2, 3])]);
}
