import type { CheckpointFolder } from '../checkpoints/open.js';
import type { Checkpoint } from '../checkpoints/tensor.js';
import { UserError } from '../../electron/contract/errors.js';
import { compactShape } from '../compact/config.js';
import { buildCompactDecoder } from '../compact/decoder.js';
import { buildCompactEncoder } from '../compact/encoder.js';
import { buildCompletion } from '../croco/graph.js';
import { networkShape } from '../dust3r/config.js';
import { buildDecoder } from '../dust3r/decoder.js';
import { buildEncoder } from '../dust3r/encoder.js';
import { da3Shape, isDa3 } from '../da3/config.js';
import { buildDa3 } from '../da3/network-graphs.js';
import type { Graph } from '../onnx/graph.js';
import type { Precision } from '../onnx/layers.js';
import { Weights } from '../onnx/weights.js';
import type { ModelCard } from './card.js';

export interface BuiltNetwork {
  architecture: ModelCard['architecture'];
  title: string;
  /** File name without ending, and graph. */
  graphs: { name: string; graph: Graph }[];
  patch: number;
  inputSize: number;
  square: boolean;
  parameters: number;
}

/** A training script's option: "Network(width=768, head='dpt')", as plain values. */
function parseCall(text: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [, key, quoted, number, pair] of text.matchAll(
    /(\w+)\s*=\s*(?:'([^']*)'|(-?\d+(?:\.\d+)?)|\(([\d,\s]+)\))/g,
  )) {
    values[key!] =
      quoted ??
      (number !== undefined
        ? Number(number)
        : pair!
            .split(',')
            .filter((x) => x.trim())
            .map(Number));
  }
  return values;
}

/** The network's options: config.json, else what a .pth file of the publisher holds beside its weights. */
export function configOf({ checkpoint, config }: CheckpointFolder): Record<string, unknown> {
  if (config) return config;
  const { croco_kwargs: kwargs, args } = checkpoint.metadata;
  if (typeof kwargs === 'object' && kwargs !== null) return kwargs as Record<string, unknown>;
  const call = typeof args === 'object' && args !== null ? (args as Record<string, unknown>)['model'] : undefined;
  return typeof call === 'string' ? parseCall(call) : {};
}

function longSide(config: Record<string, unknown>, usual: number): number {
  const size = config['img_size'];
  const sides = Array.isArray(size) ? size : [size];
  const numbers = sides.filter((side): side is number => typeof side === 'number' && side > 0);
  return numbers.length ? Math.max(...numbers) : usual;
}

/**
 * Recognises a checkpoint's network and builds its graphs. Throws UserError 'bad-input' naming every tensor that is
 * missing, misshapen or foreign, and 'unsupported' for another architecture.
 */
export function buildNetwork(folder: CheckpointFolder, precision: Precision): BuiltNetwork {
  const { checkpoint } = folder;
  const config = configOf(folder);
  const weights = new Weights(checkpoint);
  if (config['architecture'] === 'compact') return buildCompact(folder, config, weights, precision);
  if (isDa3(weights)) return buildMultiView(folder, config, weights, precision);
  const isPointmap = [...checkpoint.tensors.keys()].some((name) => name.startsWith('downstream_head1.'));
  const isCompletion = weights.has('prediction_head.weight');
  if (!isPointmap && !isCompletion) {
    const first = [...checkpoint.tensors.keys()].slice(0, 3).join(', ') || 'none';
    throw new UserError(
      'unsupported',
      `This checkpoint is of another architecture (its tensors begin with: ${first}); DUSt3R, MASt3R, CroCo, Depth Anything 3 and the compact network are read: ${checkpoint.path}`,
    );
  }
  // MASt3R is DUSt3R with a head of descriptors beside its pointmaps; these are not used.
  const descriptors = [...weights.names()].filter((name) => /^downstream_head[12]\.head_local_features\./.test(name));
  for (const name of descriptors) weights.use(name);
  const pointmaps = descriptors.length ? 'MASt3R' : 'DUSt3R';
  const title = isPointmap ? pointmaps : 'CroCo';
  const shape = networkShape(weights, config);
  if (!shape) {
    weights.check(title);
    throw new Error('a network without a shape has problems');
  }
  const graphs = isPointmap
    ? [
        { name: 'encoder', graph: buildEncoder(weights, shape, precision) },
        { name: 'decoder', graph: buildDecoder(weights, shape, precision) },
      ]
    : [{ name: 'completion', graph: buildCompletion(weights, shape, precision) }];
  weights.check(title);
  const inputSize = longSide(config, isPointmap ? 512 : 224);
  const parameters = countParameters(checkpoint);
  return {
    architecture: isPointmap ? 'dust3r' : 'croco',
    title,
    graphs,
    patch: shape.patch,
    inputSize,
    square: inputSize <= 224,
    parameters,
  };
}

/** Files of the dense head may hold its refinements under two names: they are one tensor each. */
const secondName = /^(.*\.scratch)\.layer_rn\.(\d)\.weight$/;

function countParameters({ tensors }: Checkpoint): number {
  let parameters = 0;
  for (const { name, shape } of tensors.values()) {
    const twin = secondName.exec(name);
    if (twin && tensors.has(`${twin[1]}.layer${Number(twin[2]) + 1}_rn.weight`)) continue;
    parameters += shape.reduce((product, size) => product * size, 1);
  }
  return parameters;
}

/** The long side of a view where the config does not tell: about the pixels of a square of 224. */
const usualCompact = 256;

function buildCompact(
  { checkpoint }: CheckpointFolder,
  config: Record<string, unknown>,
  weights: Weights,
  precision: Precision,
): BuiltNetwork {
  const title = 'Compact';
  const shape = compactShape(weights, config);
  if (!shape) {
    weights.check(title);
    throw new Error('a network without a shape has problems');
  }
  const graphs = [
    { name: 'encoder', graph: buildCompactEncoder(weights, shape, precision) },
    { name: 'decoder', graph: buildCompactDecoder(weights, shape, precision) },
  ];
  weights.check(title);
  const inputSize = shape.inputSize ?? usualCompact;
  return {
    architecture: 'compact',
    title,
    graphs,
    patch: shape.patch,
    inputSize,
    square: false,
    parameters: countParameters(checkpoint),
  };
}

/** Long side of a view, as published. */
const usualDa3 = 504;

function buildMultiView(
  { checkpoint }: CheckpointFolder,
  config: Record<string, unknown>,
  weights: Weights,
  precision: Precision,
): BuiltNetwork {
  const title = 'Depth Anything 3';
  const shape = da3Shape(weights, config);
  if (!shape) {
    weights.check(title);
    throw new Error('a network without a shape has problems');
  }
  const graphs = buildDa3(weights, shape, precision);
  weights.check(title);
  return {
    architecture: 'da3',
    title,
    graphs,
    patch: shape.patch,
    inputSize: usualDa3,
    square: false,
    parameters: countParameters(checkpoint),
  };
}
