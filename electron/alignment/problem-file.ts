import { closeSync, readSync } from 'node:fs';
import { openRegularSync } from '../compute/regular-file.js';
import { UserError } from '../contract/errors.js';
import type { Observation } from '../geometry/types.js';
import { floatFromHalf } from '../numerics/half.js';
import type { AlignmentProblem } from './types.js';

/*
 * An alignment problem as one safetensors file: edges I64 [E, 2]; pointmap_i, pointmap_j F16 or F32 [E, H, W, 3];
 * confidence_i, confidence_j [E, H, W]. Observation e holds the pointmaps of edges[e] in the frame of the first. Photos
 * are named "0" to "N - 1".
 */

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const WIDTHS: Record<string, number> = { F16: 2, F32: 4, I64: 8, U8: 1 };

/** @throws UserError naming tensor and offset when the file is not such a problem */
export function readAlignmentProblem(path: string): AlignmentProblem {
  const file = new TensorFile(path);
  try {
    const edges = file.integers('edges', 2);
    const count = edges.length / 2;
    if (count === 0) throw file.bad('it has no observations (edges is empty)');
    const photos = edges.reduce((most, photo) => Math.max(most, photo), -1) + 1;
    const shape = file.entry('pointmap_i').shape;
    const [, height = 0, width = 0] = shape;
    if (shape.length !== 4 || shape[0] !== count || shape[3] !== 3)
      throw file.bad(`pointmap_i has shape [${shape.join(', ')}] where [${count}, H, W, 3] is needed`);
    const sides = ['i', 'j'].map((side) => ({
      points: file.floats(`pointmap_${side}`, [count, height, width, 3]),
      confidence: file.floats(`confidence_${side}`, [count, height, width]),
    }));
    const pixels = width * height;
    const originalFromView = { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0 };
    const observations = Array.from({ length: count }, (_, e): Observation => ({
      views: sides.map(({ points, confidence }, side) => ({
        photo: String(edges[2 * e + side]!),
        width,
        height,
        originalFromView,
        points: points.subarray(3 * pixels * e, 3 * pixels * (e + 1)),
        confidence: confidence.subarray(pixels * e, pixels * (e + 1)),
      })),
    }));
    return { views: Array.from({ length: photos }, (_, k) => ({ photo: String(k), width, height })), observations };
  } finally {
    file.close();
  }
}

class TensorFile {
  private readonly descriptor: number;
  private readonly entries: Record<string, Entry>;
  private readonly start: number;
  private readonly size: number;

  constructor(private readonly path: string) {
    try {
      ({ descriptor: this.descriptor, size: this.size } = openRegularSync(path));
    } catch (error) {
      throw new UserError(
        'not-found',
        `the alignment problem can't be opened (${(error as NodeJS.ErrnoException).code}): ${path}`,
      );
    }
    try {
      [this.entries, this.start] = this.header();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Its tensors, and the byte at which their values begin. */
  private header(): [Record<string, Entry>, number] {
    const length = this.size >= 8 ? Number(this.read(0, 8).readBigUInt64LE(0)) : 0;
    if (length < 2 || length > this.size - 8)
      throw this.bad(`its header length is ${length} in a file of ${this.size} bytes`);
    let entries: unknown;
    try {
      entries = JSON.parse(this.read(8, length).toString('utf8'));
    } catch {
      throw this.bad('its header is not JSON');
    }
    if (typeof entries !== 'object' || entries === null || Array.isArray(entries))
      throw this.bad('its header is not a list of tensors');
    return [entries as Record<string, Entry>, 8 + length];
  }

  close(): void {
    closeSync(this.descriptor);
  }

  bad(reason: string): UserError {
    return new UserError(
      'bad-input',
      `not an alignment problem: ${reason}; make it as a safetensors file with edges, pointmap_i/j and confidence_i/j: ${this.path}`,
    );
  }

  entry(name: string): Entry {
    const entry = Object.hasOwn(this.entries, name) ? this.entries[name] : undefined;
    const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
    if (!Array.isArray(entry?.shape) || !Array.isArray(entry.data_offsets) || !entry.shape.every(isCount))
      throw this.bad(`the tensor ${name} is missing`);
    const [from, to] = entry.data_offsets;
    const bytes = entry.shape.reduce((product, side) => product * side, WIDTHS[entry.dtype] ?? NaN);
    if (!(from >= 0 && to - from === bytes && this.start + to <= this.size))
      throw this.bad(`the tensor ${name} does not fit its place at byte ${this.start + from}`);
    return entry;
  }

  integers(name: string, columns: number): number[] {
    const entry = this.entry(name);
    if (entry.dtype !== 'I64' || entry.shape[1] !== columns) throw this.bad(`${name} must be I64 [E, ${columns}]`);
    const bytes = this.read(this.start + entry.data_offsets[0], entry.data_offsets[1] - entry.data_offsets[0]);
    return Array.from({ length: bytes.length / 8 }, (_, k) => {
      const value = Number(bytes.readBigInt64LE(8 * k));
      if (value < 0 || value > 65535) throw this.bad(`${name} names photo ${value}`);
      return value;
    });
  }

  floats(name: string, shape: number[]): Float32Array {
    const entry = this.entry(name);
    if (entry.shape.join() !== shape.join())
      throw this.bad(`${name} has shape [${entry.shape.join(', ')}] where [${shape.join(', ')}] is needed`);
    const bytes = this.read(this.start + entry.data_offsets[0], entry.data_offsets[1] - entry.data_offsets[0]);
    const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    if (entry.dtype === 'F32') return new Float32Array(aligned);
    if (entry.dtype === 'F16') return floatFromHalf(new Uint16Array(aligned));
    throw this.bad(`${name} is ${entry.dtype}; F16 or F32 is needed`);
  }

  private read(at: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const got = readSync(this.descriptor, buffer, done, Math.min(length - done, 1 << 28), at + done);
      if (got === 0) throw this.bad(`it ends at byte ${at + done}`);
      done += got;
    }
    return buffer;
  }
}
