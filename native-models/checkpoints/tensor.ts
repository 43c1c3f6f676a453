import { UserError } from '../../electron/contract/errors.js';
import { floatFromBfloat16, floatFromHalf } from '../../electron/numerics/half.js';

/** Element types that a checkpoint may hold; only the floating-point ones can be read as weights. */
export type ElementType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';

export const bytesPerElement: Record<ElementType, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

export interface TensorInfo {
  name: string;
  type: ElementType;
  /** Row-major. */
  shape: number[];
}

/** An open checkpoint file (or several shards): names and shapes at once, values one tensor at a time. */
export interface Checkpoint {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Plain values stored beside the tensors: safetensors' `__metadata__`, what a .pth file holds besides its weights.
   */
  readonly metadata: Readonly<Record<string, unknown>>;
  /**
   * The values as float32, row-major. Integers are converted exactly up to 2^24. Throws UserError naming tensor and
   * offset when they can't be read.
   */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

export function damaged(path: string, what: string, options?: ErrorOptions): UserError {
  return new UserError('damaged', `This checkpoint cannot be read: ${what}. Fetch the file again: ${path}`, options);
}

/** Number of elements; a shape that isn't a list of sizes gives undefined. */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** Little-endian bytes to float32. */
export function decodeElements(type: ElementType, bytes: Uint8Array): Float32Array {
  const count = bytes.length / bytesPerElement[type];
  // Typed arrays need alignment; a file's offsets promise none.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  switch (type) {
    case 'F32':
      return new Float32Array(buffer as ArrayBuffer, byteOffset, count);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer, byteOffset, count));
    case 'F16':
      return floatFromHalf(new Uint16Array(buffer, byteOffset, count));
    case 'BF16':
      return floatFromBfloat16(new Uint16Array(buffer, byteOffset, count));
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
    case 'I32':
      return Float32Array.from(new Int32Array(buffer, byteOffset, count));
    case 'I16':
      return Float32Array.from(new Int16Array(buffer, byteOffset, count));
    case 'I8':
      return Float32Array.from(new Int8Array(buffer, byteOffset, count));
    default:
      return Float32Array.from(aligned);
  }
}
