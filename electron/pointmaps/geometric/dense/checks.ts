import type { GreyView, Sweep } from './sweep.js';

/** A winner must beat the next best, two hypotheses away or more, by this share of its cost. */
const LEAST_UNIQUE = 0.04;
/**
 * Root mean square of grey steps between neighbours under which a pixel says nothing, among the pixels of a 7x7 window
 * that are LIKE it, so that an edge beside a plain surface does not count as that surface's texture. (Standard
 * deviation instead of steps let the sky's gradient pass.)
 */
const LEAST_TEXTURE = 1.6;
const ALIKE = 20;
const ROUND_TRIP_PIXELS = 1.5;
const SPECKLE_PIXELS = 60;
/** Half the side of the window in which a pixel needs company of its own colour. */
const BLEED_REACH = 8;
const BLEED_PASSES = 3;
/** Share of the like pixels in that window that must be reliable too. */
const LEAST_COMPANY = 0.6;
/** Neighbours belong to one surface when their inverse depths differ by less than this share. */
const SAME_SURFACE = 0.03;
/** Confidence of a pixel that passes every test as well as can be, less one. */
const MOST = 12;
/** Triangulation angle at which depth is as good as it gets, degrees. */
const GOOD_PARALLAX = 6;

/**
 * Confidence [h, w] of a sweep, 1 where the depth can't be relied on: uniqueness of the match, texture, the round trip
 * through the other view's sweep, and the size of the piece; scaled by the triangulation angle.
 *
 * @param forth otherFromReference, row-major 4x4
 */
export function confidenceOf(
  reference: GreyView,
  sweep: Sweep,
  other: GreyView,
  otherSweep: Sweep,
  forth: Float64Array,
): Float32Array {
  const { width, height } = reference;
  const confidence = new Float32Array(width * height).fill(1);
  const texture = steps(reference);
  const camera = cameraCentre(forth);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const d = sweep.inverseDepth[i]!;
      const unique = sweep.unique[i]!;
      if (d <= 0 || unique < LEAST_UNIQUE || texture[i]! < LEAST_TEXTURE) continue;
      const point = [
        (x - reference.centreX) / reference.focal / d,
        (y - reference.centreY) / reference.focal / d,
        1 / d,
      ] as const;
      const error = roundTrip(point, x, y, reference, other, otherSweep, forth);
      if (error > ROUND_TRIP_PIXELS) continue;
      const parallax = angleAt(point, camera);
      const quality =
        Math.min(1, 0.1 + unique * 1.5) *
        (1 - 0.7 * (error / ROUND_TRIP_PIXELS)) *
        Math.min(1, parallax / GOOD_PARALLAX);
      confidence[i] = 1 + MOST * quality;
    }
  }
  for (let pass = 0; pass < BLEED_PASSES; pass++) dropBleeding(confidence, reference);
  dropSpeckles(confidence, sweep.inverseDepth, width, height);
  return confidence;
}

/**
 * Reprojection distance, in reference pixels, of what the other view says of the same place; Infinity where it says
 * nothing.
 */
function roundTrip(
  point: readonly [number, number, number],
  x: number,
  y: number,
  reference: GreyView,
  other: GreyView,
  otherSweep: Sweep,
  T: Float64Array,
): number {
  const [X, Y, Z] = point;
  const z = T[8]! * X + T[9]! * Y + T[10]! * Z + T[11]!;
  if (z <= 0) return Infinity;
  const u = Math.round((other.focal * (T[0]! * X + T[1]! * Y + T[2]! * Z + T[3]!)) / z + other.centreX);
  const v = Math.round((other.focal * (T[4]! * X + T[5]! * Y + T[6]! * Z + T[7]!)) / z + other.centreY);
  if (u < 0 || v < 0 || u >= other.width || v >= other.height) return Infinity;
  const d = otherSweep.inverseDepth[v * other.width + u]!;
  if (d <= 0) return Infinity;
  const p = (u - other.centreX) / other.focal / d - T[3]!;
  const q = (v - other.centreY) / other.focal / d - T[7]!;
  const r = 1 / d - T[11]!;
  const bz = T[2]! * p + T[6]! * q + T[10]! * r;
  if (bz <= 0) return Infinity;
  const bx = (reference.focal * (T[0]! * p + T[4]! * q + T[8]! * r)) / bz + reference.centreX;
  const by = (reference.focal * (T[1]! * p + T[5]! * q + T[9]! * r)) / bz + reference.centreY;
  return Math.hypot(bx - x, by - y);
}

/** Centre of the other camera in the reference frame. */
function cameraCentre(T: Float64Array): [number, number, number] {
  return [0, 1, 2].map((k) => -(T[k]! * T[3]! + T[4 + k]! * T[7]! + T[8 + k]! * T[11]!)) as [number, number, number];
}

function angleAt(point: readonly [number, number, number], camera: readonly [number, number, number]): number {
  const [x, y, z] = point;
  const [a, b, c] = [x - camera[0], y - camera[1], z - camera[2]];
  const cosine = (x * a + y * b + z * c) / (Math.hypot(x, y, z) * Math.hypot(a, b, c));
  return (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
}

/** Root mean square step to the right and lower neighbour, among the like pixels of 7x7 windows. */
function steps({ grey, width, height }: GreyView): Float32Array {
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const top = Math.max(0, y - 3);
    const bottom = Math.min(height - 2, y + 3);
    for (let x = 0; x < width; x++) {
      const centre = grey[y * width + x]!;
      const right = Math.min(width - 2, x + 3);
      let count = 0;
      let squares = 0;
      for (let j = top; j <= bottom; j++) {
        for (let k = j * width + Math.max(0, x - 3); k <= j * width + right; k++) {
          const value = grey[k]!;
          if (Math.abs(value - centre) > ALIKE) continue;
          const across = grey[k + 1]! - value;
          const down = grey[k + width]! - value;
          // A step to an unlike pixel is the edge of another surface.
          if (Math.abs(across) <= ALIKE) {
            squares += across * across;
            count++;
          }
          if (Math.abs(down) <= ALIKE) {
            squares += down * down;
            count++;
          }
        }
      }
      // A pixel like few others is a detail itself.
      out[y * width + x] = count < 16 ? ALIKE : Math.sqrt(squares / count);
    }
  }
  return out;
}

/**
 * A window of matching that straddles an edge gives plain sky the depth of the roof beside it, in every photo alike, so
 * no test of geometry finds it: every building wears a white fringe as wide as half the window. But the rest of that
 * sky has no depth. So a pixel whose like pixels round about are mostly unreliable loses its confidence; repeated, the
 * fringe is eaten from outside. (Likeness in colour instead of grey removed nothing more, and kept 1 % more points.)
 */
function dropBleeding(confidence: Float32Array, { grey, width, height }: GreyView): void {
  const before = confidence.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (before[i]! <= 1) continue;
      const centre = grey[i]!;
      let like = 0;
      let reliable = 0;
      for (let j = Math.max(0, y - BLEED_REACH); j <= Math.min(height - 1, y + BLEED_REACH); j += 2) {
        const right = j * width + Math.min(width - 1, x + BLEED_REACH);
        for (let k = j * width + Math.max(0, x - BLEED_REACH); k <= right; k += 2) {
          if (Math.abs(grey[k]! - centre) > ALIKE) continue;
          like++;
          if (before[k]! > 1) reliable++;
        }
      }
      if (reliable < LEAST_COMPANY * like) confidence[i] = 1;
    }
  }
}

/** Sets the confidence of small pieces to 1: connected pixels of one surface, by flood fill. */
function dropSpeckles(confidence: Float32Array, inverseDepth: Float32Array, width: number, height: number): void {
  const seen = new Uint8Array(confidence.length);
  const stack: number[] = [];
  for (let start = 0; start < confidence.length; start++) {
    if (seen[start] || confidence[start]! <= 1) continue;
    const piece: number[] = [start];
    seen[start] = 1;
    stack.push(start);
    while (stack.length > 0) {
      const i = stack.pop()!;
      const x = i % width;
      const y = (i - x) / width;
      for (const j of [
        x > 0 ? i - 1 : -1,
        x < width - 1 ? i + 1 : -1,
        y > 0 ? i - width : -1,
        y < height - 1 ? i + width : -1,
      ]) {
        if (j < 0 || seen[j] || confidence[j]! <= 1) continue;
        if (Math.abs(inverseDepth[j]! - inverseDepth[i]!) > SAME_SURFACE * inverseDepth[i]!) continue;
        seen[j] = 1;
        piece.push(j);
        stack.push(j);
      }
    }
    if (piece.length < SPECKLE_PIXELS) for (const i of piece) confidence[i] = 1;
  }
}
