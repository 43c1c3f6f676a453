import { invertRigid } from '../numerics/linear.js';
import { isPinhole } from '../geometry/lens.js';
import type { Camera, DepthMap, Scene } from '../geometry/types.js';
import { projected } from '../geometry/rays.js';
import { pictureCameras, projectedInPicture, seenInPictures, type PictureCamera } from './originals.js';
import { trackPoints, type TrackPoint, type TrackSource } from './tracks.js';
import { photoName, type PhotoFile } from './types.js';

/*
 * COLMAP's sparse model: cameras, images with camera_from_world, points with the features that show them. The points are
 * those of the reconstruction's tracks where there are any; else points of the cloud, with a sighting in every photo
 * whose depth map holds them. A pixel's centre lies at +0.5 there, at integers here. The photos come with it: COLMAP
 * and what trains on its models read files as they are stored, without EXIF's orientation, while the cameras here are
 * those of upright photos.
 */

export const PIXEL_CENTRE = 0.5;
/** Of the model of pictures as they were taken, where views were cut from them. */
export const ORIGINALS = 'originals';

/** Pictures beside the model, as `--image_path` of COLMAP's commands, and beside the model of the originals. */
export const colmapPhotos = (cameras: readonly Camera[]): PhotoFile[] => [
  ...cameras.map((camera) => ({ photo: camera.photo, name: `colmap/images/${photoName(camera)}` })),
  ...(pictureCameras(cameras)?.cameras ?? []).map((camera) => ({
    photo: camera.photo,
    name: `colmap/${ORIGINALS}/images/${photoName(camera)}`,
  })),
];
/** Relative difference of depth within which two photos see one surface. */
const SAME_SURFACE = 0.02;

export interface ColmapCamera {
  id: number;
  model: 'SIMPLE_RADIAL' | 'RADIAL' | 'PINHOLE' | 'OPENCV' | 'OPENCV_FISHEYE' | 'FULL_OPENCV';
  width: number;
  height: number;
  /** In COLMAP's order and convention. */
  parameters: number[];
}

export interface ColmapImage {
  id: number;
  camera: Camera;
  cameraId: number;
  /** w, x, y, z of camera_from_world. */
  quaternion: [number, number, number, number];
  translation: [number, number, number];
  /** [x, y] in COLMAP's convention, and the id of the point. */
  sightings: { x: number; y: number; point: number }[];
}

export interface ColmapPoint {
  id: number;
  position: [number, number, number];
  color: [number, number, number];
  /** Mean distance between sightings and projections, pixels. */
  error: number;
  /** Who sees it: image id, and index into that image's sightings. */
  track: { image: number; sighting: number }[];
}

export interface ColmapModel {
  cameras: ColmapCamera[];
  images: ColmapImage[];
  points: ColmapPoint[];
}

export interface ColmapOptions {
  /** Of the cloud; a larger one is subsampled evenly. Points of tracks are all written. */
  mostPoints: number;
  /** Photos of a lens without distortion as PINHOLE; otherwise every photo has a radial term, if only 0. */
  pinhole: boolean;
}
export const COLMAP_DEFAULTS: ColmapOptions = { mostPoints: 100_000, pinhole: false };

/** What a point needs to become one of COLMAP's: where it is seen, in pixels of the exported pictures. */
export type SeenPoint = Pick<TrackPoint, 'position' | 'sightings'> & { color: [number, number, number] };

/** The model of a scene in pixels of its original photos. */
export function colmapModel(
  scene: Scene & { sparse?: TrackSource | undefined },
  options: Partial<ColmapOptions> = {},
): ColmapModel {
  return colmapModels(scene, options).views;
}

/**
 * The model of a scene, and where views were cut from pictures (fisheye, lenses with tangential terms) the one of the
 * pictures as they were taken too.
 */
export function colmapModels(
  scene: Scene & { sparse?: TrackSource | undefined },
  options: Partial<ColmapOptions> = {},
): { views: ColmapModel; originals?: ColmapModel } {
  const { mostPoints, pinhole } = { ...COLMAP_DEFAULTS, ...options };
  const tracked = scene.sparse ? trackedPoints(scene, scene.sparse) : [];
  const seen = tracked.length > 0 ? tracked : cloudPoints(scene, mostPoints);
  const views = modelOf(scene.cameras, seen, pinhole);
  const pictures = pictureCameras(scene.cameras);
  if (!pictures) return { views };
  return {
    views,
    originals: modelOf(pictures.cameras, seenInPictures(scene.cameras, pictures.pictureOf, seen), false),
  };
}

/** Points of true tracks, coloured as the cloud is where they are. */
export function trackedPoints(scene: Scene, sparse: TrackSource): SeenPoint[] {
  const points = trackPoints(scene.cameras, sparse);
  const colors = nearestColors(
    scene,
    points.map(({ sightings: [first], position }) => ({ camera: first!.camera, position })),
  );
  return points.map((point, k) => ({ ...point, color: colors[k]! }));
}

/** @param cameras whose pixels the sightings are in */
export function modelOf(cameras: readonly PictureCamera[], seen: readonly SeenPoint[], pinhole: boolean): ColmapModel {
  const lenses = new Map<string, ColmapCamera>();
  const poses = cameras.map(({ worldFromCamera }) => invertRigid(worldFromCamera));
  const images = cameras.map((camera, k): ColmapImage => {
    const lens = colmapCamera(camera, pinhole);
    const key = JSON.stringify(lens);
    // Photos of one camera share it, as trainers and bundle adjustments expect.
    if (!lenses.has(key)) lenses.set(key, { id: lenses.size + 1, ...lens });
    const pose = poses[k]!;
    return {
      id: k + 1,
      camera,
      cameraId: lenses.get(key)!.id,
      quaternion: quaternionOf(pose),
      translation: [pose[3]!, pose[7]!, pose[11]!],
      sightings: [],
    };
  });
  const points = seen.map(({ position, color, sightings }, k): ColmapPoint => {
    const errors = sightings.map(({ camera, x, y }) => {
      const at = projectedInPicture(cameras[camera]!, poses[camera]!, position);
      return at ? Math.hypot(at[0] - x, at[1] - y) : 0;
    });
    const track = sightings.map(({ camera, x, y }) => {
      const image = images[camera]!;
      image.sightings.push({ x: x + PIXEL_CENTRE, y: y + PIXEL_CENTRE, point: k + 1 });
      return { image: image.id, sighting: image.sightings.length - 1 };
    });
    const error = errors.reduce((sum, each) => sum + each, 0) / Math.max(1, errors.length);
    return { id: k + 1, position, color, error, track };
  });
  return { cameras: [...lenses.values()], images, points };
}

function colmapCamera(camera: PictureCamera, pinhole: boolean): Omit<ColmapCamera, 'id'> {
  const { width, height, fx, fy, k1, k2 = 0, projection } = camera;
  const [cx, cy] = [camera.cx + PIXEL_CENTRE, camera.cy + PIXEL_CENTRE];
  if (projection?.kind === 'fisheye') {
    const terms = [projection.k1, projection.k2, projection.k3, projection.k4];
    return { model: 'OPENCV_FISHEYE', width, height, parameters: [fx, fy, cx, cy, ...terms] };
  }
  if (projection) {
    const { k1, k2, k3, p1, p2 } = projection;
    const rest = [fx, fy, cx, cy, k1, k2, p1, p2];
    if (k3 === 0) return { model: 'OPENCV', width, height, parameters: rest };
    return { model: 'FULL_OPENCV', width, height, parameters: [...rest, k3, 0, 0, 0] };
  }
  if (pinhole && isPinhole(camera)) return { model: 'PINHOLE', width, height, parameters: [fx, fy, cx, cy] };
  if (fx !== fy) return { model: 'OPENCV', width, height, parameters: [fx, fy, cx, cy, k1, k2, 0, 0] };
  if (k2 !== 0) return { model: 'RADIAL', width, height, parameters: [fx, cx, cy, k1, k2] };
  return { model: 'SIMPLE_RADIAL', width, height, parameters: [fx, cx, cy, k1] };
}

/** Points spread evenly over the cloud, seen by the photo that gave them and by every other whose depth map has them. */
export function cloudPoints({ cameras, cloud, depthMaps }: Scene, most: number): SeenPoint[] {
  const points: SeenPoint[] = [];
  const sources: number[] = [];
  const count = cloud.confidence.length;
  const step = Math.max(1, count / most);
  for (let at = 0; Math.floor(at) < count; at += step) {
    const k = Math.floor(at);
    const [position, color] = [cloud.positions, cloud.colors].map((values) => [...values.subarray(3 * k, 3 * k + 3)]);
    const point = { position, color, sightings: [] } as unknown as SeenPoint;
    sources.push(cloud.source[k]!);
    points.push(point);
  }
  // Photo by photo: each depth map, which may lie behind a cache, is read once.
  cameras.forEach((camera, i) => {
    const map = { ...depthMaps[i]! };
    const pose = invertRigid(camera.worldFromCamera);
    points.forEach(({ position, sightings }, p) => {
      if (i !== sources[p] && !agrees(map, pose, position)) return;
      const pixel = projected(camera, pose, position);
      if (pixel) sightings.push({ camera: i, x: pixel[0], y: pixel[1] });
    });
  });
  return points;
}

/** Whether a photo's own depth map has a surface at the point: then it sees it too. */
function agrees(map: DepthMap, T: Float64Array, [x, y, z]: readonly [number, number, number]): boolean {
  const depth = T[8]! * x + T[9]! * y + T[10]! * z + T[11]!;
  if (depth <= 0) return false;
  const u = Math.round((map.focal * (T[0]! * x + T[1]! * y + T[2]! * z + T[3]!)) / depth + map.centreX);
  const v = Math.round((map.focal * (T[4]! * x + T[5]! * y + T[6]! * z + T[7]!)) / depth + map.centreY);
  if (u < 0 || v < 0 || u >= map.width || v >= map.height) return false;
  const k = v * map.width + u;
  return map.confidence[k]! > 1 && Math.abs(map.depth[k]! - depth) < SAME_SURFACE * depth;
}

/** Cells of the view in which a cloud's colour is kept, along its long side. */
const COLOR_CELLS = 128;
const GREY: [number, number, number] = [128, 128, 128];

/** The colour of the cloud near points, as the photo that sees a point saw its surroundings. */
function nearestColors(
  { cameras, cloud }: Scene,
  points: readonly { camera: number; position: readonly [number, number, number] }[],
): [number, number, number][] {
  const poses = cameras.map(({ worldFromCamera }) => invertRigid(worldFromCamera));
  const cellOf = (index: number, position: readonly [number, number, number]): number => {
    const camera = cameras[index]!;
    const at = projected(camera, poses[index]!, position);
    if (!at) return -1;
    const size = Math.max(camera.width, camera.height) / COLOR_CELLS;
    const [column, row] = at.map((value) => Math.floor(value / size)) as [number, number];
    if (column < 0 || row < 0 || column >= COLOR_CELLS || row >= COLOR_CELLS) return -1;
    return (index * COLOR_CELLS + row) * COLOR_CELLS + column;
  };
  const color = new Map<number, number>();
  for (let k = 0; k < cloud.confidence.length; k++) {
    const [x, y, z] = [cloud.positions[3 * k]!, cloud.positions[3 * k + 1]!, cloud.positions[3 * k + 2]!];
    const cell = cellOf(cloud.source[k]!, [x, y, z]);
    if (cell >= 0 && !color.has(cell)) color.set(cell, k);
  }
  return points.map(({ camera, position }) => {
    const k = color.get(cellOf(camera, position));
    return k === undefined ? GREY : [cloud.colors[3 * k]!, cloud.colors[3 * k + 1]!, cloud.colors[3 * k + 2]!];
  });
}

/** Unit quaternion (w, x, y, z) of a pose's rotation, from its largest component (Shepperd's method). */
export function quaternionOf(T: ArrayLike<number>): [number, number, number, number] {
  const [a, b, c] = [T[0]!, T[5]!, T[10]!];
  const squares = [1 + a + b + c, 1 + a - b - c, 1 - a + b - c, 1 - a - b + c];
  const largest = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[largest]!);
  const [x, y, z] = [T[9]! - T[6]!, T[2]! - T[8]!, T[4]! - T[1]!];
  const [xy, xz, yz] = [T[4]! + T[1]!, T[2]! + T[8]!, T[9]! + T[6]!];
  const all: [number, number, number, number][] = [
    [s / 4, x / s, y / s, z / s],
    [x / s, s / 4, xy / s, xz / s],
    [y / s, xy / s, s / 4, yz / s],
    [z / s, xz / s, yz / s, s / 4],
  ];
  return all[largest]!;
}
