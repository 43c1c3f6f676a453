import type { CloudMap } from '../../electron/contract/cloud.js';
import { decodeMask, emptyBits, type PhotoMask } from '../../electron/contract/mask.js';
import type { Deletion } from '../../electron/contract/scene.js';

/** Bits of a point's state, as the shader reads them. */
export const DELETED = 1;
export const SELECTED = 2;
/** From the eye alone: nothing of the project knows of it. */
export const HIDDEN = 4;
/** What nobody sees is neither selected nor picked. */
const UNSEEN = DELETED | HIDDEN;

/** What selections and deletions know of a cloud's points. */
export interface EditablePoints {
  /** [N, 3] */
  positions: Float32Array;
  confidence: Float32Array;
  source: Uint16Array;
  pixel: Uint32Array;
  /** [N, 3] sRGB. */
  colors: Uint8Array;
  /** Of each source. */
  maps: readonly CloudMap[];
  /** Photo of each source. */
  photos: readonly string[];
  /** [N] */
  state: Uint8Array;
}

export type SelectionMode = 'replace' | 'add' | 'remove';

/** A shape on the screen: a byte a pixel, 1 inside. */
export interface ScreenShape {
  width: number;
  height: number;
  inside: Uint8Array;
}

/**
 * Selects the points that are seen inside a shape, through the cloud.
 *
 * Which points are hit follows no pattern, so that every branch on it is guessed wrongly: one branch is left, on what
 * lies outside the picture, and the states are written without any. Ten million points take 85 ms so, 110 ms with a
 * branch for each condition, 290 ms in two loops over blocks (Node 20, processor time).
 *
 * @param m clipFromWorld, column-major as three.js has it; the shape covers the whole picture
 * @returns how many points are selected now
 */
export function selectInside(
  points: EditablePoints,
  m: ArrayLike<number>,
  { width, height, inside }: ScreenShape,
  minConfidence: number,
  mode: SelectionMode,
): number {
  const { positions, confidence, state } = points;
  // Pixels directly, from the homogeneous coordinates: one division a point.
  const [sx, sy] = [width / 2, -height / 2];
  const [i, j, k, l] = [m[3]!, m[7]!, m[11]!, m[15]!];
  const [a, b, c, d] = [m[0]! * sx + i * sx, m[4]! * sx + j * sx, m[8]! * sx + k * sx, m[12]! * sx + l * sx];
  const [e, f, g, h] = [m[1]! * sy - i * sy, m[5]! * sy - j * sy, m[9]! * sy - k * sy, m[13]! * sy - l * sy];
  const kept = mode === 'replace' ? ~SELECTED : ~0;
  const taken = mode === 'remove' ? SELECTED : 0;
  const count = state.length;
  let selected = 0;
  for (let n = 0, at = 0; n < count; n++, at += 3) {
    const x = positions[at]!;
    const y = positions[at + 1]!;
    const z = positions[at + 2]!;
    const w = i * x + j * y + k * z + l;
    const over = 1 / w;
    const u = (a * x + b * y + c * z + d) * over;
    const v = (e * x + f * y + g * z + h) * over;
    let hit = 0;
    if (w > 0 && u >= 0 && v >= 0 && u < width && v < height) hit = inside[(v | 0) * width + (u | 0)]!;
    const before = state[n]!;
    hit &= (((before & UNSEEN) - 1) >>> 31) & (confidence[n]! >= minConfidence ? 1 : 0);
    const bit = hit << 1;
    const after = ((before & kept) | bit) ^ (bit & taken);
    selected += (after & SELECTED) >> 1;
    state[n] = after;
  }
  return selected;
}

/** Selects by a property of each point that is not deleted. */
export function selectWhere({ state }: EditablePoints, test: (point: number) => boolean): void {
  for (let n = 0; n < state.length; n++) {
    const before = state[n]! & ~SELECTED;
    state[n] = (before & UNSEEN) === 0 && test(n) ? before | SELECTED : before;
  }
}

/** Whether a point's colour is at most `reach` from a colour, as the eye weighs the channels (each of 255). */
export function colourTest(
  { colors }: Pick<EditablePoints, 'colors'>,
  [red, green, blue]: readonly [number, number, number],
  reach: number,
): (point: number) => boolean {
  return (point) => {
    const r = colors[3 * point]! - red;
    const g = colors[3 * point + 1]! - green;
    const b = colors[3 * point + 2]! - blue;
    return 0.3 * r * r + 0.59 * g * g + 0.11 * b * b <= reach * reach;
  };
}

export function invertSelection(points: EditablePoints, minConfidence: number): void {
  const { state, confidence } = points;
  for (let n = 0; n < state.length; n++)
    if ((state[n]! & UNSEEN) === 0 && confidence[n]! >= minConfidence) state[n]! ^= SELECTED;
}

/** Hides what is selected, which is selected no more. */
export function hideSelected({ state }: EditablePoints): void {
  for (let n = 0; n < state.length; n++) if ((state[n]! & SELECTED) !== 0) state[n] = (state[n]! & ~SELECTED) | HIDDEN;
}

export function showHidden({ state }: EditablePoints): void {
  for (let n = 0; n < state.length; n++) state[n]! &= ~HIDDEN;
}

export function countSelected({ state }: EditablePoints): number {
  let count = 0;
  for (let n = 0; n < state.length; n++) count += (state[n]! & SELECTED) >> 1;
  return count;
}

/** Bits of all photos in one array: where a photo's begin, and each point's own. */
interface BitPlaces {
  /** Bytes; of each source, and the end. */
  begins: Uint32Array;
  /** [N] bit. */
  bit: Uint32Array;
}

/** By the pixels of a cloud: worked out once, as reading two arrays and a table a point costs more than all the rest. */
const places = new WeakMap<Uint32Array, BitPlaces>();

function bitPlaces({ source, pixel, maps }: Pick<EditablePoints, 'source' | 'pixel' | 'maps'>): BitPlaces {
  const known = places.get(pixel);
  if (known) return known;
  const begins = new Uint32Array(maps.length + 1);
  maps.forEach(({ width, height }, k) => (begins[k + 1] = begins[k]! + ((width * height + 7) >> 3)));
  const bit = new Uint32Array(pixel.length);
  for (let n = 0; n < bit.length; n++) bit[n] = 8 * begins[source[n]!]! + pixel[n]!;
  const made = { begins, bit };
  places.set(pixel, made);
  return made;
}

/** Enough points for a loop over them to be compiled. */
const WARM = 200_000;
const NOWHERE: ScreenShape = { width: 1, height: 1, inside: new Uint8Array(1) };

/**
 * Works out ahead what the first selection of a cloud needs: where each point's bit is (0.3 s of ten million points), and
 * loops that are compiled already (of ten million points the first selection took twice the later ones).
 */
export function prepareMasks(points: EditablePoints): void {
  const { bit, begins } = bitPlaces(points);
  const some = {
    ...points,
    positions: points.positions.subarray(0, 3 * WARM),
    confidence: points.confidence.subarray(0, WARM),
    state: points.state.subarray(0, WARM),
  };
  const bits = new Uint8Array(begins[begins.length - 1]!);
  for (let round = 0; round < 3; round++) {
    selectInside(some, new Float64Array(16), NOWHERE, Infinity, 'add');
    gather(some.state, bit, bits);
  }
}

/** Sets the bits of the selected points. Without a branch, as whether a point is selected follows no pattern. */
function gather(state: Uint8Array, bit: Uint32Array, bits: Uint8Array): void {
  for (let n = 0; n < state.length; n++) {
    const at = bit[n]!;
    bits[at >> 3]! |= ((state[n]! & SELECTED) >> 1) << (at & 7);
  }
}

/** The selected points as bits over photos and pixels. */
export function maskOfSelection(points: EditablePoints): PhotoMask[] {
  const { state, maps, photos } = points;
  const { begins, bit } = bitPlaces(points);
  const bits = new Uint8Array(begins[maps.length]!);
  gather(state, bit, bits);
  return maps.flatMap(({ width, height }, k) => {
    const own = bits.subarray(begins[k], begins[k + 1]);
    return own.some((byte) => byte !== 0) ? [{ photo: photos[k]!, width, height, bits: own }] : [];
  });
}

/** Marks the deleted points; what was selected and is deleted now is selected no more. */
export function setDeleted(points: EditablePoints, deleted: ReadonlyMap<string, Uint8Array>): void {
  const { state, maps, photos } = points;
  if (deleted.size === 0) {
    for (let n = 0; n < state.length; n++) state[n]! &= ~DELETED;
    return;
  }
  const { begins, bit } = bitPlaces(points);
  const bits = new Uint8Array(begins[maps.length]!);
  photos.forEach((photo, k) => {
    const own = deleted.get(photo);
    if (own) bits.set(own.subarray(0, begins[k + 1]! - begins[k]!), begins[k]!);
  });
  for (let n = 0; n < state.length; n++) {
    const at = bit[n]!;
    // Without a branch: whether a point is deleted follows no pattern.
    const gone = (bits[at >> 3]! >> (at & 7)) & 1;
    const before = state[n]! & ~DELETED;
    state[n] = gone | (before & (gone - 1));
  }
}

/** The bits in force after all steps, by photo, at the sizes of the cloud's own depth maps. */
export function deletedBits(
  steps: readonly Deletion[],
  masks: ReadonlyMap<string, Uint8Array>,
  { maps, photos }: Pick<EditablePoints, 'maps' | 'photos'>,
): Map<string, Uint8Array> {
  const sizes = new Map(photos.map((photo, k) => [photo, maps[k]!]));
  const result = new Map<string, Uint8Array>();
  for (const { mask, mode } of steps) {
    const bytes = masks.get(mask);
    if (!bytes) continue;
    for (const { photo, width, height, bits } of decodeMask(bytes)) {
      const size = sizes.get(photo);
      if (!size) continue;
      const fitting = resizedBits(bits, { width, height }, size);
      const before = result.get(photo) ?? emptyBits(size.width * size.height);
      for (let k = 0; k < before.length; k++)
        before[k] = mode === 'delete' ? before[k]! | fitting[k]! : before[k]! & ~fitting[k]!;
      result.set(photo, before);
    }
  }
  return result;
}

interface Size {
  width: number;
  height: number;
}

/** As the engine reads a mask of another size: each pixel asks the one at its place. */
function resizedBits(bits: Uint8Array, from: Size, to: Size): Uint8Array {
  if (from.width === to.width && from.height === to.height) return bits;
  const out = emptyBits(to.width * to.height);
  for (let y = 0; y < to.height; y++)
    for (let x = 0; x < to.width; x++) {
      const row = Math.min(from.height - 1, Math.floor(((y + 0.5) * from.height) / to.height));
      const at = row * from.width + Math.min(from.width - 1, Math.floor(((x + 0.5) * from.width) / to.width));
      const k = y * to.width + x;
      if (((bits[at >> 3]! >> (at & 7)) & 1) === 1) out[k >> 3]! |= 1 << (k & 7);
    }
  return out;
}

/** A polygon's inside on the screen, even-odd. @param points pixels */
export function polygonShape(
  points: readonly (readonly [number, number])[],
  width: number,
  height: number,
): ScreenShape {
  const inside = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const crossings: number[] = [];
    points.forEach(([x0, y0], k) => {
      const [x1, y1] = points[(k + 1) % points.length]!;
      if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    });
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2)
      inside.fill(
        1,
        y * width + Math.min(width, Math.max(0, Math.ceil(crossings[k]!))),
        y * width + Math.min(width, Math.max(0, Math.floor(crossings[k + 1]!) + 1)),
      );
  }
  return { width, height, inside };
}

/** What a round brush has passed over. */
export function strokeShape(
  points: readonly (readonly [number, number])[],
  radius: number,
  width: number,
  height: number,
): ScreenShape {
  const inside = new Uint8Array(width * height);
  const dab = (cx: number, cy: number): void => {
    for (let y = Math.max(0, Math.ceil(cy - radius)); y <= Math.min(height - 1, cy + radius); y++) {
      const half = Math.sqrt(radius ** 2 - (y - cy) ** 2);
      const from = y * width + Math.min(width, Math.max(0, Math.ceil(cx - half)));
      inside.fill(1, from, Math.max(from, y * width + Math.min(width, Math.floor(cx + half) + 1)));
    }
  };
  points.forEach(([x, y], k) => {
    const [px, py] = points[Math.max(0, k - 1)]!;
    const steps = Math.max(1, Math.ceil(Math.hypot(x - px, y - py) / (radius / 2)));
    for (let s = 0; s <= steps; s++) dab(px + ((x - px) * s) / steps, py + ((y - py) * s) / steps);
  });
  return { width, height, inside };
}

/** The point nearest to the eye within some pixels of a place on the screen; -1 in empty space. */
export function pickIndex(
  { positions, confidence, state }: EditablePoints,
  m: ArrayLike<number>,
  at: { x: number; y: number; width: number; height: number },
  minConfidence: number,
  reach = 4,
): number {
  let best = Infinity;
  let found = -1;
  for (let n = 0; n < state.length; n++) {
    if ((state[n]! & UNSEEN) !== 0 || confidence[n]! < minConfidence) continue;
    const [x, y, z] = [positions[3 * n]!, positions[3 * n + 1]!, positions[3 * n + 2]!];
    const w = m[3]! * x + m[7]! * y + m[11]! * z + m[15]!;
    if (w <= 0 || w >= best) continue;
    const u = ((1 + (m[0]! * x + m[4]! * y + m[8]! * z + m[12]!) / w) * at.width) / 2 - at.x;
    const v = ((1 - (m[1]! * x + m[5]! * y + m[9]! * z + m[13]!) / w) * at.height) / 2 - at.y;
    if (u * u + v * v > reach * reach) continue;
    best = w;
    found = n;
  }
  return found;
}

/** The pixel of the original photo that a point was seen at. */
export function originalPixel({ source, pixel, maps, photos }: EditablePoints, point: number) {
  const { width, originalFromView: map } = maps[source[point]!]!;
  const at = originalPixelOf(map, pixel[point]! % width, Math.floor(pixel[point]! / width));
  return { photo: photos[source[point]!]!, ...at };
}

/** The pixel of the original photo at a pixel of its depth map. */
export function originalPixelOf(map: CloudMap['originalFromView'], column: number, row: number) {
  const x = map.offsetX + map.scaleX * column;
  const y = map.offsetY + map.scaleY * row;
  if (!map.radial) return { x, y };
  const { focal, centreX, centreY, k1, k2 = 0 } = map.radial;
  const [dx, dy] = [(x - centreX) / focal, (y - centreY) / focal];
  const square = dx * dx + dy * dy;
  const bend = 1 + square * (k1 + square * k2);
  return { x: centreX + focal * dx * bend, y: centreY + focal * dy * bend };
}
