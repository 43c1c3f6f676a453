import { BufferAttribute, BufferGeometry, Sphere, Vector3 } from 'three';
import { cloudSize, decodeCloud } from '../../electron/contract/cloud.js';
import type { EditablePoints } from './cloud-state.js';
import { extent, ownScale } from './extent.js';

/**
 * Points a geometry. Each upload to the GPU copies one of them, so a chunk bounds how long the interface can be held
 * up: half a million points are 12 MB, about 6 ms.
 */
export const CHUNK = 500_000;

/** Milliseconds of receiving, after which everything else has its turn. */
const TURN = 12;

/** As many as picking looks at: a prefix of the cloud is an even subsample of it. */
const SAMPLE = 150_000;

export interface CloudData {
  /** In order: any prefix, over all chunks, is an even subsample of the whole. */
  chunks: readonly BufferGeometry[];
  count: number;
  normals: boolean;
  /** [S, 3] world, for picking and fitting. */
  sample: Float32Array;
  /** [S] */
  sampleConfidence: Float32Array;
  /** Whole, for selecting and picking; undefined for a cloud whose points know no pixels. */
  points: Omit<EditablePoints, 'photos'> | undefined;
  /** The states of points have changed. */
  touch(): void;
  /** Whether any point was completed, not measured. */
  inferred: boolean;
  /** Shows or hides such points, from the eye, selections and picking: hidden ones have a negative confidence. */
  showInferred(visible: boolean): void;
  /** Of the box that holds most points. */
  centre: Vector3;
  corners: readonly Vector3[];
  radius: number;
  /** Of its own points (contract/confidence.ts), for when nothing is known of the scene's depths. */
  confidenceScale: readonly number[];
  dispose(): void;
}

/**
 * Fetches and splits one component's cloud; the arrays are views into what arrived.
 * @param onProgress share of it that has arrived, 0 to 1
 * @throws Error when it can't be had
 */
export async function loadCloud(
  url: string,
  signal: AbortSignal,
  onProgress?: (share: number) => void,
): Promise<CloudData> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`the cloud could not be loaded (${response.status})`);
  return makeCloud(await receive(response.body!, onProgress));
}

/**
 * Piece by piece into one buffer of the size that the cloud's own header tells. `Response.arrayBuffer()` joins all
 * pieces at once: see test/bench/viewer.ts for how long that holds the interface up.
 * @throws RangeError when the cloud is cut off or longer than it says
 */
export async function receive(
  body: ReadableStream<Uint8Array>,
  onProgress?: (share: number) => void,
): Promise<ArrayBuffer> {
  const reader = body.getReader();
  let bytes = new Uint8Array(0);
  let whole: number | undefined;
  let at = 0;
  let rested = performance.now();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    // What has arrived already is answered at once, piece after piece: 240 MB from this machine held timers back for
    // 0.6 s.
    if (performance.now() - rested > TURN) {
      await new Promise((resolve) => setTimeout(resolve));
      rested = performance.now();
    }
    if (whole === undefined) {
      bytes = joined(bytes, value);
      at = bytes.length;
      whole = cloudSize(bytes);
      if (whole === undefined) continue;
      if (at > whole) throw new RangeError('the cloud is longer than it says');
      const start = bytes;
      bytes = new Uint8Array(whole);
      bytes.set(start);
    } else {
      if (at + value.length > whole) throw new RangeError('the cloud is longer than it says');
      bytes.set(value, at);
      at += value.length;
    }
    onProgress?.(at / whole);
  }
  if (whole === undefined || at < whole) throw new RangeError('the cloud was cut off on its way');
  return bytes.buffer;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

export function makeCloud(buffer: ArrayBuffer): CloudData {
  const { positions, colors, confidence, source, normals, pixel, inferred, maps } = decodeCloud(buffer);
  const count = confidence.length;
  const state = new Uint8Array(count);
  const chunks: BufferGeometry[] = [];
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    const geometry = new BufferGeometry();
    const add = (
      name: string,
      array: Float32Array | Uint8Array | Uint16Array | Int8Array,
      size: number,
      normalized: boolean,
    ): void => {
      const attribute = new BufferAttribute(array.subarray(from * size, to * size), size, normalized);
      geometry.setAttribute(name, attribute);
    };
    add('position', positions, 3, false);
    add('colour', colors, 3, true);
    add('confidence', confidence, 1, false);
    add('source', source, 1, false);
    add('state', state, 1, false);
    if (normals) add('normal', normals, 3, true);
    // Never computed from the points: three.js would walk all of them for it.
    geometry.boundingSphere = new Sphere(new Vector3(), Infinity);
    chunks.push(geometry);
  }
  const sample = positions.subarray(0, Math.min(count, SAMPLE) * 3);
  return {
    chunks,
    count,
    normals: normals !== undefined,
    sample,
    sampleConfidence: confidence.subarray(0, sample.length / 3),
    ...extent(sample),
    confidenceScale: ownScale(confidence),
    points: pixel && maps && { positions, colors, confidence, source, pixel, maps, state },
    touch: () =>
      chunks.forEach((chunk) => {
        chunk.getAttribute('state').needsUpdate = true;
      }),
    inferred: inferred !== undefined,
    showInferred: (visible) => {
      if (!inferred) return;
      for (let k = 0; k < count; k++)
        if (inferred[k] === 1) confidence[k] = visible ? Math.abs(confidence[k]!) : -Math.abs(confidence[k]!);
      chunks.forEach((chunk) => {
        chunk.getAttribute('confidence').needsUpdate = true;
      });
    },
    dispose: () => chunks.forEach((chunk) => chunk.dispose()),
  };
}
