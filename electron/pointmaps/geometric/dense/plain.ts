import { bySegment, fitPlane, INFER_DEFAULTS, planeAt, type InferOptions } from './infer.js';

export interface PlainOptions {
  /**
   * Pixels from a segment's edge within which a match may come from the edge alone: half of the census window at half
   * size.
   */
  reach: number;
  /** Standard deviation of a patch's like pixels under which they tell nothing of their own, grey levels. */
  leastTexture: number;
  /** Pixels out of that reach without which a segment is too narrow to be judged. */
  leastCore: number;
  /** Share of those with a depth from which on the segment has depths of its own. */
  ownDepths: number;
  /** Depths within this share of the segment's plane lie on it. */
  onPlane: number;
  planes: InferOptions;
}

export const PLAIN_DEFAULTS: PlainOptions = {
  reach: 9,
  leastTexture: 4,
  leastCore: 100,
  ownDepths: 0.1,
  onPlane: 0.03,
  planes: INFER_DEFAULTS,
};

/**
 * Takes away the fringes of what stands before plain surfaces: a plain pixel beside an edge matches by the edge, and so
 * gets the depth of the thing in front, in every photo alike. Where a wide plain segment has depths only along its edge,
 * they are those of the segment itself if they lie on one plane (posters on a wall); otherwise they are others'.
 *
 * @param labels [h, w] segment of each pixel
 * @param inverseDepth and texture [h, w]
 * @param confidence [h, w], set to 1 where a depth is taken away
 */
export function dropFringes(
  { width, height }: { width: number; height: number },
  labels: Int32Array,
  { inverseDepth, texture }: { inverseDepth: Float32Array; texture: Float32Array },
  confidence: Float32Array,
  options: PlainOptions = PLAIN_DEFAULTS,
): void {
  const { reach, leastTexture, leastCore, ownDepths, onPlane, planes } = options;
  const distance = edgeDistances(labels, width, height);
  for (const pixels of bySegment(labels)) {
    const core = pixels.filter((k) => distance[k]! > reach);
    if (core.length < leastCore) continue;
    if (core.filter((k) => confidence[k]! > 1).length > ownDepths * core.length) continue;
    const told = pixels.filter((k) => confidence[k]! > 1);
    const plane = told.length < planes.leastSupport ? undefined : fitPlane(told, width, inverseDepth, planes);
    for (const k of told) {
      if (texture[k]! >= leastTexture) continue;
      const d = inverseDepth[k]!;
      const isOn = plane && Math.abs(planeAt(plane, k % width, Math.floor(k / width)).value / d - 1) < onPlane;
      if (!isOn) confidence[k] = 1;
    }
  }
}

/** Steps to the nearest pixel of another segment, diagonal ones included; the picture's border is no edge. */
function edgeDistances(labels: Int32Array, width: number, height: number): Uint16Array {
  const out = new Uint16Array(labels.length).fill(0xffff);
  const relax = (k: number, other: number): void => {
    const through = labels[other] === labels[k] ? out[other]! + 1 : 1;
    if (through < out[k]!) out[k] = through;
  };
  const pass = (step: 1 | -1): void => {
    for (let j = 0; j < height; j++) {
      const y = step > 0 ? j : height - 1 - j;
      const before = y - step;
      for (let i = 0; i < width; i++) {
        const x = step > 0 ? i : width - 1 - i;
        const k = y * width + x;
        if (x - step >= 0 && x - step < width) relax(k, k - step);
        if (before < 0 || before >= height) continue;
        for (let dx = -1; dx <= 1; dx++) if (x + dx >= 0 && x + dx < width) relax(k, before * width + x + dx);
      }
    }
  };
  pass(1);
  pass(-1);
  return out;
}
