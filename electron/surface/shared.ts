import type { Mesh } from './types.js';

type Numbers = Float32Array | Float64Array | Uint32Array | Int32Array | Uint16Array | Int16Array | Uint8Array;

/** The same numbers in memory that all threads see: sent to a worker, they are not copied. */
export function shared<T extends Numbers>(values: T): T {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const Type = values.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new Type(new SharedArrayBuffer(values.byteLength));
  copy.set(values as never);
  return copy;
}

export function sharedMesh({ positions, indices, support, confidence, inferred }: Mesh): Mesh {
  return {
    positions: shared(positions),
    indices: shared(indices),
    support: shared(support),
    ...(confidence ? { confidence: shared(confidence) } : {}),
    ...(inferred ? { inferred: shared(inferred) } : {}),
  };
}
