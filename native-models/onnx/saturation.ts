import * as ort from 'onnxruntime-node';
import { Graph } from './graph.js';

let known: Promise<boolean> | undefined;

/**
 * Whether this processor's products of unsigned and signed bytes saturate. x86 without VNNI adds two of them in 16
 * signed bits (vpmaddubsw), where 2 * 255 * 127 does not fit: a convolution of ordinary weights is then off by 14 % of
 * its root mean square. Unsigned weights take another instruction there, exact and as fast (256 channels, 3x3, 96x128,
 * one core of an EPYC with AVX2: 270 ms signed, 260 ms unsigned, 500 ms float32).
 */
export function productsSaturate(): Promise<boolean> {
  return (known ??= measure());
}

async function measure(): Promise<boolean> {
  const [rows, inner, columns] = [8, 32, 32];
  const graph = new Graph('saturation');
  const x = graph.input('x', 'uint8', [rows, inner]);
  const weights = graph.bytes('int8', new Array<number>(inner * columns).fill(127), [inner, columns]);
  graph.output('y', graph.node('MatMulInteger', [x, weights]), 'int32', [rows, columns]);
  const session = await ort.InferenceSession.create(graph.encode(), { logSeverityLevel: 4, intraOpNumThreads: 1 });
  const { y } = await session.run({
    x: new ort.Tensor('uint8', new Uint8Array(rows * inner).fill(255), [rows, inner]),
  });
  const right = (y!.data as Int32Array).every((value) => value === 255 * 127 * inner);
  await session.release();
  return !right;
}
