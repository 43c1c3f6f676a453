import { withOtherArrays } from '../compute/lazy-arrays.js';
import type { EarthPlace, FrameInfo, FrameUnit, LevelSource, StoredFrame } from '../contract/scene.js';
import { compose, identitySimilarity, type Similarity } from '../geometry/similarity.js';
import type { Camera, Scene, PointCloud } from '../geometry/types.js';
import { multiply3, orthonormalise, rotationOf, transpose3 } from '../numerics/linear.js';
import { median } from '../numerics/median.js';
import type { FrameSamples } from './frame-samples.js';
import { automaticUp, cross, unit, type GimbalUps, type SurfaceSamples } from './level.js';

/*
 * The scene frame: right-handed, z up; x to the right and y away from the first photo; the origin on the ground under
 * the middle of the scene. It is a similarity sceneFromAlignment. The alignment's own world stays as it is: poses that
 * a later alignment starts from, or keeps, are of that world.
 */

export interface Frame {
  level: LevelSource;
  unit: FrameUnit;
  sceneFromAlignment: Similarity;
  /** What its origin is on the earth, where that is known: x points east then, y north. */
  place?: EarthPlace | undefined;
}

/** For people. */
export const levelTitles: Record<LevelSource, string> = {
  auto: 'level from photos and ground',
  none: 'not levelled: the first photo is upright',
  points: 'level by three points',
  edge: 'level by a vertical edge',
  hand: 'level by hand',
  cameras: 'frame of known cameras',
  gps: 'frame of the places in the photos, east, north, up',
  control: 'frame of control points',
};

/** From the first camera's axes (x right, y down, z forward) to the scene's (x right, y forward, z up). */
const UNLEVELLED = Float64Array.of(1, 0, 0, 0, 0, 1, 0, -1, 0);

/** The alignment's world with its z up: the first photo's tilt is kept. */
export const unlevelledFrame = (): Frame => ({
  level: 'none',
  unit: 'scene',
  sceneFromAlignment: { ...identitySimilarity(), rotation: UNLEVELLED.slice() },
});

/** The frame found from photos and surfaces alone. Depends on nothing that a person sets about the cloud. */
export function automaticFrame(
  cameras: readonly Camera[],
  { surface, medianDepth }: FrameSamples,
  gimbals: GimbalUps = new Map(),
): Frame {
  const first = cameras[0];
  if (!first) return unlevelledFrame();
  const { up, nadir } = automaticUp(cameras, surface, medianDepth, {}, gimbals);
  return { level: 'auto', unit: 'scene', sceneFromAlignment: standing(up, nadir, first, surface) };
}

/**
 * The frame of a given up: y away from the first camera (up its picture when it looks down), origin on the ground under
 * the middle.
 */
export function frameWithUp(
  up: ArrayLike<number>,
  level: LevelSource,
  cameras: readonly Camera[],
  { surface }: FrameSamples,
): Frame {
  return { level, unit: 'scene', sceneFromAlignment: standing(unit(up), false, cameras[0]!, surface) };
}

function standing(
  up: Float64Array,
  nadir: boolean,
  { worldFromCamera: M }: Camera,
  samples: SurfaceSamples,
): Similarity {
  const along = (v: ArrayLike<number>): number => v[0]! * up[0]! + v[1]! * up[1]! + v[2]! * up[2]!;
  const flat = (v: Float64Array): Float64Array => v.map((value, i) => value - along(v) * up[i]!);
  const [top, forward] = [Float64Array.of(-M[1]!, -M[5]!, -M[9]!), Float64Array.of(M[2]!, M[6]!, M[10]!)];
  const ahead = flat(nadir ? top : forward);
  const y = unit(Math.hypot(...ahead) > 0.2 ? ahead : flat(nadir ? forward : top));
  const x = cross(y, up);
  const rotation = Float64Array.of(...x, ...y, ...up);
  const turned = { scale: 1, rotation, translation: new Float64Array(3) };
  const origin = originOf(rotation, samples);
  return { ...turned, translation: origin.map((value) => -value) };
}

/** In rotated axes: the middle of the samples, on the ground under them. */
function originOf(R: Float64Array, { positions, normals }: SurfaceSamples): Float64Array {
  const count = positions.length / 3;
  if (count === 0) return new Float64Array(3);
  const axis = (k: number): Float64Array =>
    Float64Array.from(
      { length: count },
      (_, i) =>
        R[3 * k]! * positions[3 * i]! + R[3 * k + 1]! * positions[3 * i + 1]! + R[3 * k + 2]! * positions[3 * i + 2]!,
    );
  const [x, y, z] = [axis(0), axis(1), axis(2)];
  const floors = z.filter(
    (_, i) => R[6]! * normals[3 * i]! + R[7]! * normals[3 * i + 1]! + R[8]! * normals[3 * i + 2]! > 0.98,
  );
  return Float64Array.of(median(x)!, median(y)!, groundHeight(z, floors));
}

/**
 * The lowest height at which a good part of the horizontal surfaces lies (a floor, not the table on it); without any,
 * that which nearly all points are above.
 */
function groundHeight(heights: Float64Array, floors: Float64Array): number {
  const sorted = heights.slice().sort();
  const [low, high] = [sorted[Math.floor(0.02 * sorted.length)]!, sorted[Math.floor(0.98 * sorted.length)]!];
  if (floors.length < 0.02 * heights.length || !(high > low)) return low;
  const bins = 100;
  const counts = new Float64Array(bins);
  for (const height of floors) {
    const bin = Math.floor(((height - low) / (high - low)) * bins);
    if (bin >= 0 && bin < bins) counts[bin]!++;
  }
  const ground = counts.findIndex(
    (_, k) => (counts[k - 1] ?? 0) + counts[k]! + (counts[k + 1] ?? 0) > 0.15 * floors.length,
  );
  if (ground < 0) return low;
  const middle = low + ((ground + 0.5) / bins) * (high - low);
  const near = floors.filter((height) => Math.abs(height - middle) < (1.5 / bins) * (high - low));
  return near.length > 0 ? median(near)! : low;
}

/** The same frame in metres: scaled about the scene's origin. */
export function withScale(frame: Frame, metresPerUnit: number): Frame {
  const before = frame.sceneFromAlignment;
  const scaling = { ...identitySimilarity(), scale: metresPerUnit / before.scale };
  return { ...frame, unit: 'metre', sceneFromAlignment: compose(scaling, before) };
}

export function matrixOf({ scale, rotation: R, translation: t }: Similarity): number[] {
  return [0, 1, 2]
    .flatMap((i) => [scale * R[3 * i]!, scale * R[3 * i + 1]!, scale * R[3 * i + 2]!, t[i]!])
    .concat(0, 0, 0, 1);
}

export function similarityOf(matrix: ArrayLike<number>): Similarity {
  const M = rotationOf(matrix);
  const determinant =
    M[0]! * (M[4]! * M[8]! - M[5]! * M[7]!) -
    M[1]! * (M[3]! * M[8]! - M[5]! * M[6]!) +
    M[2]! * (M[3]! * M[7]! - M[4]! * M[6]!);
  const cube = Math.cbrt(determinant);
  // Of a rotation alone exactly one: depth maps are copied for any other.
  const scale = Math.abs(cube - 1) < 1e-12 ? 1 : cube;
  return {
    scale,
    rotation: orthonormalise(M.map((value) => value / scale)),
    translation: Float64Array.of(matrix[3]!, matrix[7]!, matrix[11]!),
  };
}

/** A camera's pose in the scene: turned and moved with it, its axes still of unit length. */
export function cameraInScene(camera: Camera, { scale, rotation, translation }: Similarity): Camera {
  const M = camera.worldFromCamera;
  const R = multiply3(rotation, rotationOf(M));
  const t = [0, 1, 2].map(
    (i) =>
      scale * (rotation[3 * i]! * M[3]! + rotation[3 * i + 1]! * M[7]! + rotation[3 * i + 2]! * M[11]!) +
      translation[i]!,
  );
  return {
    ...camera,
    worldFromCamera: Float64Array.of(
      R[0]!,
      R[1]!,
      R[2]!,
      t[0]!,
      R[3]!,
      R[4]!,
      R[5]!,
      t[1]!,
      R[6]!,
      R[7]!,
      R[8]!,
      t[2]!,
      0,
      0,
      0,
      1,
    ),
  };
}

/** Whether two frames are one but for rounding. */
export function areSame(a: Frame, b: Frame): boolean {
  const other = matrixOf(b.sceneFromAlignment);
  return a.unit === b.unit && matrixOf(a.sceneFromAlignment).every((value, k) => Math.abs(value - other[k]!) < 1e-9);
}

export const infoOf = ({ level, unit, sceneFromAlignment, place }: Frame): FrameInfo => ({
  level,
  unit,
  matrix: matrixOf(sceneFromAlignment),
  scale: sceneFromAlignment.scale,
  ...(place ? { place } : {}),
});

/** What is kept of a decided frame. @param cameras of the alignment that it belongs to, in that alignment's world */
export function stored(frame: Frame, alignment: string, cameras: readonly Camera[]): StoredFrame {
  return {
    level: frame.level,
    unit: frame.unit,
    matrix: matrixOf(frame.sceneFromAlignment),
    ...(frame.place ? { place: frame.place } : {}),
    alignment,
    anchors: cameras.map((camera) => ({
      photo: camera.photo,
      sceneFromCamera: [...cameraInScene(camera, frame.sceneFromAlignment).worldFromCamera],
    })),
  };
}

/**
 * A stored frame for the alignment at hand. After another alignment, whose world is another one, the frame is where the
 * cameras that both know say it is.
 *
 * @returns undefined when no camera is left that it was decided with
 */
export function restored(frame: StoredFrame, alignment: string, cameras: readonly Camera[]): Frame | undefined {
  const { level, unit: inUnit, place } = frame;
  const sceneFromAlignment =
    frame.alignment === alignment ? similarityOf(frame.matrix) : carriedOver(frame.anchors, cameras);
  return sceneFromAlignment && { level, unit: inUnit, sceneFromAlignment, ...(place ? { place } : {}) };
}

/** Degrees, and share of the spread of the cameras: cameras that moved by more make another shape than before. */
const SAME_SHAPE = { degrees: 3, share: 0.03 };

/**
 * A frame that nobody decided on, found again after another alignment: photos that came later have no say in where the
 * scene lies, or what was placed in Blender moves away under it.
 *
 * @returns undefined when the cameras of before are fewer than two, or stand in another shape: then it is another scene
 */
export function keptFrame(frame: StoredFrame, alignment: string, cameras: readonly Camera[]): Frame | undefined {
  const found = restored(frame, alignment, cameras);
  if (!found || frame.alignment === alignment) return found;
  const before = new Map(frame.anchors.map(({ photo, sceneFromCamera }) => [photo, sceneFromCamera]));
  const common = cameras.flatMap((camera) => {
    const was = before.get(camera.photo);
    return was ? [{ was, is: cameraInScene(camera, found.sceneFromAlignment).worldFromCamera }] : [];
  });
  if (common.length < 2) return undefined;
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Math.hypot(a[3]! - b[3]!, a[7]! - b[7]!, a[11]! - b[11]!);
  const spread = Math.max(...common.map(({ was }) => apart(was, common[0]!.was)));
  const moved = median(common.map(({ was, is }) => apart(was, is)))!;
  const turned = median(common.map(({ was, is }) => angleBetween(was, is)))!;
  return moved <= SAME_SHAPE.share * spread && turned <= SAME_SHAPE.degrees ? found : undefined;
}

/** Degrees between the axes of two poses. */
function angleBetween(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const R = multiply3(rotationOf(a), transpose3(rotationOf(b)));
  return (Math.acos(Math.max(-1, Math.min(1, (R[0]! + R[4]! + R[8]! - 1) / 2))) * 180) / Math.PI;
}

/**
 * The similarity that takes cameras to where anchors say they stood: rotation by the mean of what each camera says,
 * scale by the median of the distances between neighbours, position by the median of the rest. Camera by camera, so that
 * one that moved a lot has no say.
 */
function carriedOver(anchors: StoredFrame['anchors'], cameras: readonly Camera[]): Similarity | undefined {
  const before = new Map(anchors.map(({ photo, sceneFromCamera }) => [photo, sceneFromCamera]));
  const common = cameras.flatMap(({ photo, worldFromCamera }) => {
    const scene = before.get(photo);
    return scene ? [{ scene, world: worldFromCamera }] : [];
  });
  if (common.length === 0) return undefined;
  const sum = new Float64Array(9);
  for (const { scene, world } of common)
    multiply3(rotationOf(scene), transpose3(rotationOf(world))).forEach(
      (value, k) => (sum[k]! += value / common.length),
    );
  const rotation = orthonormalise(sum);
  const centre = (M: ArrayLike<number>): number[] => [M[3]!, M[7]!, M[11]!];
  const apart = (a: number[], b: number[]): number => Math.hypot(...a.map((value, i) => value - b[i]!));
  const ratios: number[] = [];
  for (let step = 1; step <= Math.min(3, common.length - 1); step++)
    for (let k = 0; k + step < common.length; k++) {
      const [a, b] = [common[k]!, common[k + step]!];
      const distance = apart(centre(a.world), centre(b.world));
      if (distance > 0) ratios.push(apart(centre(a.scene), centre(b.scene)) / distance);
    }
  const scale = ratios.length > 0 ? median(ratios)! : 1;
  const translation = Float64Array.from([0, 1, 2], (i) =>
    median(
      common.map(({ scene, world: M }) => {
        const [x, y, z] = centre(M) as [number, number, number];
        return centre(scene)[i]! - scale * (rotation[3 * i]! * x + rotation[3 * i + 1]! * y + rotation[3 * i + 2]! * z);
      }),
    )!,
  );
  return { scale, rotation, translation };
}

/** A scene of the alignment's world in the scene frame: everything that leaves the studio is this. */
export function sceneInFrame({ cameras, depthMaps, cloud, whole }: Scene, frame: Frame): Scene {
  const { scale } = frame.sceneFromAlignment;
  const inFrame = (each: PointCloud): PointCloud => cloudInFrame(each, frame);
  return {
    cameras: cameras.map((camera) => cameraInScene(camera, frame.sceneFromAlignment)),
    depthMaps:
      scale === 1
        ? depthMaps
        : depthMaps.map((map) => withOtherArrays(map, { depth: () => map.depth.map((value) => value * scale) })),
    cloud: inFrame(cloud),
    ...(whole ? { whole: { ...whole, part: (k: number) => inFrame(whole.part(k)) } } : {}),
  };
}

function cloudInFrame(cloud: PointCloud, frame: Frame): PointCloud {
  const { scale, rotation: R, translation: t } = frame.sceneFromAlignment;
  const positions = new Float32Array(cloud.positions.length);
  turn(
    cloud.positions,
    positions,
    R.map((value) => value * scale),
    t,
  );
  const normals = cloud.normals && new Float32Array(cloud.normals.length);
  if (normals) turn(cloud.normals!, normals, R, new Float64Array(3));
  return { ...cloud, positions, ...(normals ? { normals } : {}) };
}

function turn(from: Float32Array, to: Float32Array, M: Float64Array, t: Float64Array): void {
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = M as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [tx, ty, tz] = t as unknown as [number, number, number];
  for (let k = 0; k < from.length; k += 3) {
    const x = from[k]!;
    const y = from[k + 1]!;
    const z = from[k + 2]!;
    to[k] = m0 * x + m1 * y + m2 * z + tx;
    to[k + 1] = m3 * x + m4 * y + m5 * z + ty;
    to[k + 2] = m6 * x + m7 * y + m8 * z + tz;
  }
}
