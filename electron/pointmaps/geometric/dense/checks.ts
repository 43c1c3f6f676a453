import type { GreyView, Sweep } from './sweep.js';

/** A winner must beat the next best, two hypotheses away or more, by this share of its cost. */
const LEAST_UNIQUE = 0.04;
/** Standard deviation of grey in a 7x7 window under which a pixel says nothing. */
const LEAST_TEXTURE = 2.2;
const ROUND_TRIP_PIXELS = 1.5;
const SPECKLE_PIXELS = 60;
/** Neighbours belong to one surface when their inverse depths differ by less than this share. */
const SAME_SURFACE = 0.03;
/** Confidence of a pixel that passes every test as well as can be, less one. */
const MOST = 12;
/** Triangulation angle at which depth is as good as it gets, degrees. */
const GOOD_PARALLAX = 6;

/**
 * Confidence [h, w] of a sweep, 1 where the depth can't be relied on: uniqueness of the match, texture, the round trip through the
 * other view's sweep, and the size of the piece; scaled by the triangulation angle.
 *
 * @param forth otherFromReference, row-major 4x4
 */
export function confidenceOf(reference: GreyView, sweep: Sweep, other: GreyView, otherSweep: Sweep, forth: Float64Array): Float32Array {
  const { width, height } = reference;
  const confidence = new Float32Array(width * height).fill(1);
  const texture = deviation(reference);
  const camera = cameraCentre(forth);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const d = sweep.inverseDepth[i]!;
      const unique = sweep.unique[i]!;
      if (d <= 0 || unique < LEAST_UNIQUE || texture[i]! < LEAST_TEXTURE) continue;
      const point = [(x - reference.centreX) / reference.focal / d, (y - reference.centreY) / reference.focal / d, 1 / d] as const;
      const error = roundTrip(point, x, y, reference, other, otherSweep, forth);
      if (error > ROUND_TRIP_PIXELS) continue;
      const parallax = angleAt(point, camera);
      const quality = Math.min(1, 0.3 + unique * 2) * (1 - 0.5 * (error / ROUND_TRIP_PIXELS)) * Math.min(1, parallax / GOOD_PARALLAX);
      confidence[i] = 1 + MOST * quality;
    }
  }
  dropSpeckles(confidence, sweep.inverseDepth, width, height);
  return confidence;
}

/** Reprojection distance, in reference pixels, of what the other view says of the same place; Infinity where it says nothing. */
function roundTrip(point: readonly [number, number, number], x: number, y: number, reference: GreyView, other: GreyView, otherSweep: Sweep, T: Float64Array): number {
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

/** Standard deviation of grey in 7x7 windows, by integral images. */
function deviation({ grey, width, height }: GreyView): Float32Array {
  const stride = width + 1;
  const sum = new Float64Array(stride * (height + 1));
  const squares = new Float64Array(stride * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    let rowSquares = 0;
    for (let x = 0; x < width; x++) {
      const value = grey[y * width + x]!;
      row += value;
      rowSquares += value * value;
      sum[(y + 1) * stride + x + 1] = sum[y * stride + x + 1]! + row;
      squares[(y + 1) * stride + x + 1] = squares[y * stride + x + 1]! + rowSquares;
    }
  }
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const top = Math.max(0, y - 3) * stride;
    const bottom = Math.min(height, y + 4) * stride;
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - 3);
      const right = Math.min(width, x + 4);
      const n = ((bottom - top) / stride) * (right - left);
      const mean = (sum[bottom + right]! - sum[top + right]! - sum[bottom + left]! + sum[top + left]!) / n;
      const square = (squares[bottom + right]! - squares[top + right]! - squares[bottom + left]! + squares[top + left]!) / n;
      out[y * width + x] = Math.sqrt(Math.max(0, square - mean * mean));
    }
  }
  return out;
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
      for (const j of [x > 0 ? i - 1 : -1, x < width - 1 ? i + 1 : -1, y > 0 ? i - width : -1, y < height - 1 ? i + width : -1]) {
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
