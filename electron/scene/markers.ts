import { median } from '../numerics/median.js';
import type { MarkerFamily } from '../contract/scene.js';
import { distort, undistort } from '../geometry/lens.js';
import type { Camera } from '../geometry/types.js';
import type { DetectedSquare } from './marker-detector.js';
import type { GreyPicture } from './refine.js';

/*
 * The corners of printed square markers, found again where lines through the edges of the square meet: to a few
 * hundredths of a pixel, where the detector that reads the marker knows them to one or two.
 */

/** A marker in a photo. */
export interface PhotoMarker {
  id: number;
  /** Of the black square, clockwise from the marker's own top left; pixels of the original photo. */
  corners: [number, number][];
}

/** What a worker is asked about one photo. */
export interface MarkerRequest {
  family: MarkerFamily;
  camera: Pick<Camera, 'width' | 'height' | 'fx' | 'fy' | 'cx' | 'cy' | 'k1' | 'k2'>;
  picture: GreyPicture;
}

export interface CornerOptions {
  /** Share of a side that is looked at, about its middle: near a corner two edges are seen at once. */
  along: number;
  /** Pixels of the picture between places along a side. */
  spacing: number;
  /** Most pixels across a side, each way, in which its edge is looked for. */
  across: number;
  /** Share of a side, each way, in which its edge is looked for: the black border is an eighth of it or more. */
  acrossShare: number;
  /** Edges that are fitted worse than this, in pixels, are no straight edges. */
  mostOff: number;
}
export const CORNER_DEFAULTS: CornerOptions = { along: 0.8, spacing: 1, across: 5, acrossShare: 0.09, mostOff: 0.6 };

type Point = readonly [number, number];
/** a x + b y = c with a^2 + b^2 = 1. */
type Line = readonly [number, number, number];

/**
 * @param squares as the detector found them, in pixels of the picture
 * @returns those whose four edges were found
 */
export function sharpCorners(
  squares: readonly DetectedSquare[],
  { camera, picture }: Omit<MarkerRequest, 'family'>,
  options: Partial<CornerOptions> = {},
): PhotoMarker[] {
  const settings = { ...CORNER_DEFAULTS, ...options };
  const scale = camera.width / picture.width;
  const original = ([x, y]: Point): Point => [(x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5];
  const straight = (at: Point): Point => {
    const [x, y] = original(at);
    return undistort(camera, (x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy);
  };
  return squares.flatMap(({ id, corners }): PhotoMarker[] => {
    const lines = corners.map((from, k) => edgeLine(picture, from, corners[(k + 1) % 4]!, straight, settings, camera));
    if (lines.some((line) => line === undefined)) return [];
    const found = corners.map((_, k) => meeting(lines[(k + 3) % 4]!, lines[k]!));
    if (found.some((at) => at === undefined)) return [];
    const pixels = found.map((at): [number, number] => {
      const [u, v] = distort(camera, at![0], at![1]);
      return [u * camera.fx + camera.cx, v * camera.fy + camera.cy];
    });
    return [{ id, corners: pixels }];
  });
}

/** The line along one side in rays (x, y, 1): robust total least squares through the places where it is sharpest. */
function edgeLine(
  picture: GreyPicture,
  from: Point,
  to: Point,
  straight: (at: Point) => Point,
  { along, spacing, across, acrossShare, mostOff }: CornerOptions,
  { fx, width }: MarkerRequest['camera'],
): Line | undefined {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  const direction: Point = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  // Clockwise in an image whose y points down: outside is to the left of the way.
  const outward: Point = [direction[1], -direction[0]];
  const reach = Math.min(across, acrossShare * length);
  const count = Math.max(6, Math.round((along * length) / spacing));
  const places: Point[] = [];
  for (let k = 0; k < count; k++) {
    const t = length * ((1 - along) / 2 + (along * (k + 0.5)) / count);
    const at: Point = [from[0] + t * direction[0], from[1] + t * direction[1]];
    const offset = edgeOffset(picture, at, outward, reach);
    if (offset !== undefined) places.push([at[0] + offset * outward[0], at[1] + offset * outward[1]]);
  }
  if (places.length < 0.5 * count) return undefined;
  const rays = places.map(straight);
  const pixel = width / (picture.width * fx);
  return fittedLine(rays, mostOff * pixel);
}

/** Pixels between samples across an edge. */
const STEP = 0.25;

/** Where along `outward` it gets bright the fastest, pixels; undefined without a clear edge inside the reach. */
function edgeOffset(picture: GreyPicture, at: Point, outward: Point, reach: number): number | undefined {
  const half = Math.max(4, Math.ceil(reach / STEP));
  const profile = new Float64Array(2 * half + 5);
  for (let k = 0; k < profile.length; k++) {
    const t = (k - half - 2) * STEP;
    const value = lightAt(picture, at[0] + t * outward[0], at[1] + t * outward[1]);
    if (value < 0) return undefined;
    profile[k] = value;
  }
  // Differences over one pixel: noise is worse in shorter ones.
  const slope = (k: number): number => profile[k + 2]! - profile[k - 2]!;
  let best = 2;
  for (let k = 2; k + 2 < profile.length; k++) if (slope(k) > slope(best)) best = k;
  if (best <= 2 || best + 3 >= profile.length || slope(best) < LEAST_RISE) return undefined;
  const [before, middle, after] = [slope(best - 1), slope(best), slope(best + 1)];
  const bend = before - 2 * middle + after;
  const peak = bend < 0 ? (before - after) / (2 * bend) : 0;
  return (best + peak - half - 2) * STEP;
}

/** Of linear light, 0 to 1, over a pixel: less is no edge of black on white. */
const LEAST_RISE = 0.03;

/** Blur mixes light, not the coded brightness of sRGB, in which an edge would seem to lie towards the dark. */
const LIGHT = Float64Array.from({ length: 256 }, (_, k) => {
  const value = k / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

/** Between pixels linearly; -1 outside. */
function lightAt({ width, height, values }: GreyPicture, x: number, y: number): number {
  if (!(x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1)) return -1;
  const [left, top] = [Math.min(width - 2, Math.floor(x)), Math.min(height - 2, Math.floor(y))];
  const [a, b] = [x - left, y - top];
  const light = (at: number): number => LIGHT[values[at]!]!;
  const k = top * width + left;
  return (
    (1 - b) * ((1 - a) * light(k) + a * light(k + 1)) + b * ((1 - a) * light(k + width) + a * light(k + width + 1))
  );
}

const ROUNDS = 5;

function fittedLine(points: readonly Point[], mostOff: number): Line | undefined {
  let weights = points.map(() => 1);
  let line: Line = [1, 0, 0];
  let typical = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const mean = [0, 1].map((i) => points.reduce((sum, at, k) => sum + weights[k]! * at[i]!, 0) / total);
    let [xx, xy, yy] = [0, 0, 0];
    points.forEach(([px, py], k) => {
      const [x, y] = [px - mean[0]!, py - mean[1]!];
      xx += weights[k]! * x * x;
      xy += weights[k]! * x * y;
      yy += weights[k]! * y * y;
    });
    const angle = 0.5 * Math.atan2(2 * xy, xx - yy);
    const [a, b] = [-Math.sin(angle), Math.cos(angle)];
    line = [a, b, a * mean[0]! + b * mean[1]!];
    const off = points.map(([x, y]) => Math.abs(a * x + b * y - line[2]));
    typical = median(off)!;
    const width = Math.max(2 * typical, 0.05 * mostOff);
    weights = off.map((value) => 1 / (1 + (value / width) ** 2) ** 2);
  }
  return typical < mostOff ? line : undefined;
}

function meeting([a, b, c]: Line, [d, e, f]: Line): Point | undefined {
  const determinant = a * e - b * d;
  return Math.abs(determinant) > 0.05 ? [(c * e - b * f) / determinant, (a * f - c * d) / determinant] : undefined;
}
