import type { Graph } from '../onnx/graph.js';
import type { Precision } from '../onnx/layers.js';
import type { Weights } from '../onnx/weights.js';
import { buildCameras } from './cameras.js';
import { backbone, type Da3Shape } from './config.js';
import { buildDepthHead, buildRayHead } from './dense-head.js';
import { buildGroup } from './group.js';
import { buildPhoto } from './photo.js';

/** All graphs of a Depth Anything 3 network, by file name. */
export function buildDa3(weights: Weights, shape: Da3Shape, precision: Precision): { name: string; graph: Graph }[] {
  // Of the backbone's own training.
  for (const name of [`${backbone}.mask_token`]) if (weights.has(name)) weights.use(name);
  return [
    { name: 'photo', graph: buildPhoto(weights, shape, precision) },
    { name: 'cameras', graph: buildCameras(weights, shape) },
    { name: 'group', graph: buildGroup(weights, shape, precision) },
    { name: 'depth', graph: buildDepthHead(weights, shape, precision) },
    { name: 'rays', graph: buildRayHead(weights, shape, precision) },
  ];
}
