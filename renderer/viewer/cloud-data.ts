import { BufferAttribute, BufferGeometry, Sphere, Vector3 } from 'three';
import { decodeCloud } from '../../electron/contract/cloud.js';

/**
 * Points a geometry. Each upload to the GPU copies one of them, so a chunk bounds how long the interface can be held up:
 * half a million points are 12 MB, about 6 ms.
 */
export const CHUNK = 500_000;

/** As many as picking looks at: a prefix of the cloud is an even subsample of it. */
const SAMPLE = 150_000;

export interface CloudData {
  /** In order: any prefix, over all chunks, is an even subsample of the whole. */
  chunks: readonly BufferGeometry[];
  count: number;
  normals: boolean;
  /** [S, 3] world, for picking and fitting. */
  sample: Float32Array;
  /** Of most points: the middle 90 % along each axis. */
  centre: Vector3;
  radius: number;
  highestConfidence: number;
  dispose(): void;
}

/** Fetches and splits one component's cloud; the arrays are views into what arrived, nothing is copied. @throws Error when it can't be had */
export async function loadCloud(url: string, signal: AbortSignal): Promise<CloudData> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`the cloud could not be loaded (${response.status})`);
  return makeCloud(await response.arrayBuffer());
}

export function makeCloud(buffer: ArrayBuffer): CloudData {
  const { positions, colors, confidence, source, normals } = decodeCloud(buffer);
  const count = confidence.length;
  const chunks: BufferGeometry[] = [];
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    const geometry = new BufferGeometry();
    const add = (name: string, array: Float32Array | Uint8Array | Uint16Array | Int8Array, size: number, normalized: boolean): void => {
      const attribute = new BufferAttribute(array.subarray(from * size, to * size), size, normalized);
      geometry.setAttribute(name, attribute);
    };
    add('position', positions, 3, false);
    add('colour', colors, 3, true);
    add('confidence', confidence, 1, false);
    add('source', source, 1, false);
    if (normals) add('normal', normals, 3, true);
    // Never computed from the points: three.js would walk all of them for it.
    geometry.boundingSphere = new Sphere(new Vector3(), Infinity);
    chunks.push(geometry);
  }
  const sample = positions.slice(0, Math.min(count, SAMPLE) * 3);
  return { chunks, count, normals: normals !== undefined, sample, ...extent(sample), highestConfidence: highest(confidence), dispose: () => chunks.forEach((chunk) => chunk.dispose()) };
}

function extent(sample: Float32Array): { centre: Vector3; radius: number } {
  if (sample.length === 0) return { centre: new Vector3(), radius: 1 };
  const stride = Math.max(1, Math.floor(sample.length / 3 / 20_000));
  const ranges = [0, 1, 2].map((axis) => {
    const values: number[] = [];
    for (let k = axis; k < sample.length; k += 3 * stride) values.push(sample[k]!);
    values.sort((a, b) => a - b);
    const at = (share: number): number => values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
    return [at(0.05), at(0.95)] as const;
  });
  const centre = new Vector3(...(ranges.map(([low, high]) => (low + high) / 2) as [number, number, number]));
  const radius = Math.hypot(...ranges.map(([low, high]) => (high - low) / 2));
  return { centre, radius: radius > 0 ? radius : 1 };
}

/** The 95th percentile of a subsample: the few surest points would leave all others dark. */
function highest(confidence: Float32Array): number {
  const values = Array.from(confidence.subarray(0, 20_000)).sort((a, b) => a - b);
  return Math.max(1.5, values[Math.floor(values.length * 0.95)] ?? 1.5);
}
