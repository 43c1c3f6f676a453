import type { ScenePixel } from '../contract/scene.js';
import { UserError } from '../contract/errors.js';
import { undistort } from '../geometry/lens.js';
import type { Camera, DepthMap, OriginalFromView } from '../geometry/types.js';
import { median } from '../numerics/median.js';
import { invertRigid, multiply4, solveCholesky } from '../numerics/linear.js';

/** A point on a surface, found at a pixel of a photo. */
export interface SurfacePoint {
  /** In the frame of the cameras and depth maps that were given. */
  position: [number, number, number];
  /** One standard deviation along the line of sight, same unit: how well a plane fits the depths around. */
  deviation: number;
  confidence: number;
  /** Along the axis of the photo's camera. */
  depth: number;
  /** Pixel of the original photo, and its ray in the photo's camera frame at depth 1. */
  pixel: [number, number];
  ray: [number, number, number];
  /** The surface around it in the camera frame of the photo: a ray (x, y, 1) meets it at inverse depth plane . ray. */
  plane?: [number, number, number];
}

export interface PointOptions {
  /** Pixels of the depth map, each way, within which depths make the surface. */
  reach: number;
  /** Where the photo has no depth at the pixel itself: how far, in its pixels, the nearest one may be. */
  search: number;
  /** Depths that differ by more than this share of the depth lie on different surfaces. */
  sameSurface: number;
  /** Depths of less confidence are not looked at. */
  minConfidence: number;
}

export const POINT_DEFAULTS: PointOptions = { reach: 3, search: 2.5, sameSurface: 0.03, minConfidence: 2 };

/**
 * The scene point at a pixel of an original photo. The surface is the one that the photo's own depth map has there; its
 * depth is that of a plane through the depths around it, of this photo and of the others that agree, so that the noise
 * of single pixels averages out and fractions of a pixel count. (Of 848 pixels of the sample photos half are off by more
 * than 0.16 % as the depth map has them, by 0.08 % so: test/bench/points.ts.)
 *
 * @throws UserError 'bad-input' when the photo is not placed, or no photo knows a depth there
 */
export function pointAtPixel(
  pixel: ScenePixel,
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  options: Partial<PointOptions> = {},
): SurfacePoint {
  const settings = { ...POINT_DEFAULTS, ...options };
  const index = cameras.findIndex(({ photo }) => photo === pixel.photo);
  const [camera, map] = [cameras[index], maps[index]];
  if (!camera || !map)
    throw new UserError('bad-input', `this photo has no place in the scene, so its pixels have none: ${pixel.photo}`);
  const { name } = camera;
  checkInside(pixel, camera);
  const [x, y] = viewFromOriginal(map.originalFromView, pixel.x, pixel.y);
  const fit = depthAt(samplesAround(index, x, y, cameras, maps, settings), settings);
  if (!fit)
    throw new UserError(
      'bad-input',
      `no depth is known at ${pixel.x},${pixel.y}; choose a pixel with texture that other photos see too: ${name}`,
    );
  const ray: [number, number, number] = [(x - map.centreX) / map.focal, (y - map.centreY) / map.focal, 1];
  const W = camera.worldFromCamera;
  const position = [0, 1, 2].map(
    (i) => fit.depth * (W[4 * i]! * ray[0]! + W[4 * i + 1]! * ray[1]! + W[4 * i + 2]!) + W[4 * i + 3]!,
  ) as [number, number, number];
  const { depth, deviation, confidence, slope } = fit;
  const across = slope && ([slope[0] * map.focal, slope[1] * map.focal] as const);
  return {
    position,
    deviation,
    confidence,
    depth,
    pixel: [pixel.x, pixel.y],
    ray,
    ...(across && { plane: [...across, 1 / depth - across[0] * ray[0] - across[1] * ray[1]] }),
  };
}

/** @throws UserError 'bad-input' for a pixel that the photo does not have: a slip in a table made a point of the scene */
export function checkInside({ x, y }: { x: number; y: number }, { name, width, height }: Camera): void {
  if (!(x >= -0.5 && y >= -0.5 && x <= width - 0.5 && y <= height - 0.5))
    throw new UserError(
      'bad-input',
      `the pixel ${x},${y} lies outside the photo, which has ${width} x ${height}: ${name}`,
    );
}

/** The pixel of a view that shows a pixel of the original photo; the inverse of OriginalFromView. */
export function viewFromOriginal(map: OriginalFromView, x: number, y: number): [number, number] {
  const { scaleX, scaleY, offsetX, offsetY, radial } = map;
  if (!radial) return [(x - offsetX) / scaleX, (y - offsetY) / scaleY];
  const { focal, centreX, centreY, k1, k2 = 0 } = radial;
  const [dx, dy] = [(x - centreX) / focal, (y - centreY) / focal];
  const [u, v] = undistort({ k1, k2 }, dx, dy);
  return [(centreX + u * focal - offsetX) / scaleX, (centreY + v * focal - offsetY) / scaleY];
}

interface DepthSample {
  /** From the place looked at, in pixels of the photo's depth map. */
  dx: number;
  dy: number;
  depth: number;
  confidence: number;
  own: boolean;
}

interface DepthFit {
  depth: number;
  deviation: number;
  confidence: number;
  /** Change of the inverse depth per pixel of the depth map, in x and y. */
  slope?: [number, number];
}

/** What all photos know around a pixel of one photo's depth map, seen from there. */
function samplesAround(
  index: number,
  x: number,
  y: number,
  cameras: readonly Camera[],
  maps: readonly DepthMap[],
  { reach, minConfidence }: PointOptions,
): DepthSample[] {
  const samples: DepthSample[] = [];
  const own = maps[index]!;
  const cameraFromWorld = invertRigid(cameras[index]!.worldFromCamera);
  maps.forEach((map, j) => {
    const T = multiply4(cameraFromWorld, cameras[j]!.worldFromCamera);
    const { width, depth, confidence, focal, centreX, centreY } = map;
    for (let k = 0; k < depth.length; k++) {
      const z = depth[k]!;
      if (!(z > 0) || !(confidence[k]! >= minConfidence)) continue;
      const a = ((k % width) - centreX) / focal;
      const b = (Math.floor(k / width) - centreY) / focal;
      const away = z * (T[8]! * a + T[9]! * b + T[10]!) + T[11]!;
      if (away <= 0) continue;
      const dx = (own.focal * (z * (T[0]! * a + T[1]! * b + T[2]!) + T[3]!)) / away + own.centreX - x;
      if (Math.abs(dx) > reach) continue;
      const dy = (own.focal * (z * (T[4]! * a + T[5]! * b + T[6]!) + T[7]!)) / away + own.centreY - y;
      if (Math.abs(dy) > reach) continue;
      samples.push({ dx, dy, depth: away, confidence: confidence[k]!, own: j === index });
    }
  });
  return samples;
}

/** The depth of the surface meant at (0, 0); undefined where nothing is known near enough. */
function depthAt(samples: readonly DepthSample[], options: PointOptions): DepthFit | undefined {
  const seed = seedDepth(samples, options);
  if (seed === undefined) return undefined;
  const surface = samples.filter(({ depth }) => Math.abs(depth - seed) < options.sameSurface * seed);
  const confidence = surface.reduce((most, sample) => Math.max(most, sample.confidence), 1);
  const rough = { depth: seed, deviation: options.sameSurface * seed, confidence };
  if (surface.length < 6) return rough;
  const fitted = planeFit(surface, seed);
  // A plane that is far from its own pixels was no plane.
  return Math.abs(fitted.depth - seed) < options.sameSurface * seed ? { ...fitted, confidence } : rough;
}

/** Of the nearest samples the front one; those of the photo itself go first. */
function seedDepth(samples: readonly DepthSample[], { search }: PointOptions): number | undefined {
  for (const own of [true, false]) {
    let best: { depth: number; distance: number } | undefined;
    for (const sample of samples) {
      const distance = Math.hypot(sample.dx, sample.dy);
      if (sample.own !== own || distance > search) continue;
      if (best && (distance > best.distance + 0.3 || (distance > best.distance - 0.3 && sample.depth >= best.depth)))
        continue;
      best = { depth: sample.depth, distance };
    }
    if (best) return best.depth;
  }
  return undefined;
}

/**
 * The inverse depth of a plane is linear in the pixel: 1/z = a + b dx + c dy. Weighted least squares, re-weighted so
 * that a crease, or a photo that is off, counts less (Cauchy).
 */
function planeFit(samples: readonly DepthSample[], seed: number): Omit<DepthFit, 'confidence'> {
  let [a, b, c] = [1 / seed, 0, 0];
  let scale = 0.01 / seed;
  const off = ({ dx, dy, depth }: DepthSample): number => 1 / depth - a - b * dx - c * dy;
  for (let round = 0; round < 8; round++) {
    const A = new Float64Array(9);
    const right = new Float64Array(3);
    for (const sample of samples) {
      const w = 1 / (1 + (round === 0 ? 0 : off(sample) / scale) ** 2);
      const row = [1, sample.dx, sample.dy];
      for (let i = 0; i < 3; i++) {
        right[i]! += (w * row[i]!) / sample.depth;
        for (let j = 0; j < 3; j++) A[3 * i + j]! += w * row[i]! * row[j]!;
      }
    }
    // The slope is held where samples lie on a line.
    for (let i = 1; i < 3; i++) A[4 * i]! += 1e-3 * samples.length;
    if (!solveCholesky(A, right, 3)) break;
    [a, b, c] = right as unknown as [number, number, number];
    scale = Math.max(1e-4 / seed, 2 * 1.48 * median(samples.map((sample) => Math.abs(off(sample))))!);
  }
  const depth = 1 / a;
  return { depth, deviation: (scale / 2) * depth * depth, slope: [b, c] };
}
