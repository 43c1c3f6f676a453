import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { widePath } from './graph.js';
import type { Provider } from './provider-names.js';
import { productsSaturate } from './saturation.js';

// A provider that is missing is told by us, in one line.
ort.env.logLevel = 'fatal';

export type Session = ort.InferenceSession;
export type Tensor = ort.Tensor;

export const floatTensor = (values: Float32Array, dims: readonly number[]): Tensor =>
  new ort.Tensor('float32', values, dims);
export const intTensor = (values: readonly number[]): Tensor =>
  new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);

/**
 * Opens a graph on one execution provider; what it can't do runs on the CPU. Where byte products saturate, the graph's
 * form for such processors is opened. The runtime counts physical cores, of
 * which a shared machine often shows one for two, so the number of threads is given.
 */
export async function openSession(
  path: string,
  provider: Provider = 'cpu',
  threads = availableParallelism(),
): Promise<Session> {
  const wide = widePath(path);
  const saturates = existsSync(wide) && (await productsSaturate());
  return ort.InferenceSession.create(saturates ? wide : path, {
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4, // Errors are thrown; printed too, they would stand between our lines.
    intraOpNumThreads: threads,
    // Plans for a shape that was seen before take memory of their own: 230 MB for a pair at 512x384, and no time is
    // won.
    enableMemPattern: false,
  });
}
