import { invertRigid } from '../numerics/linear.js';
import type { Camera, DepthMap, Scene } from '../geometry/types.js';
import { photoName } from './types.js';

/*
 * COLMAP's sparse model: cameras in SIMPLE_RADIAL, images with camera_from_world, points with a sighting in every photo
 * whose depth map holds them. A pixel's centre lies at +0.5 there, at integers here. The photos come with it: COLMAP
 * and what trains on its models read files as they are stored, without EXIF's orientation, while the cameras here are
 * those of upright photos.
 */

export const PIXEL_CENTRE = 0.5;
/** Beside the model, as `--image_path` of COLMAP's commands. */
export const colmapPhoto = (camera: Camera): string => `colmap/images/${photoName(camera)}`;
/** Relative difference of depth within which two photos see one surface. */
const SAME_SURFACE = 0.02;

export interface ColmapImage {
  id: number;
  camera: Camera;
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
  /** Who sees it: image id, and index into that image's sightings. */
  track: { image: number; sighting: number }[];
}

export interface ColmapModel {
  images: ColmapImage[];
  points: ColmapPoint[];
}

/** @param most points; a larger cloud is subsampled evenly */
export function colmapModel({ cameras, cloud, depthMaps }: Scene, most = 100_000): ColmapModel {
  const images = cameras.map((camera, k): ColmapImage => {
    const pose = invertRigid(camera.worldFromCamera);
    return {
      id: k + 1,
      camera,
      quaternion: quaternionOf(pose),
      translation: [pose[3]!, pose[7]!, pose[11]!],
      sightings: [],
    };
  });
  const poses = cameras.map(({ worldFromCamera }) => invertRigid(worldFromCamera));
  const points: ColmapPoint[] = [];
  const count = cloud.confidence.length;
  const step = Math.max(1, count / most);
  for (let at = 0; Math.floor(at) < count; at += step) {
    const k = Math.floor(at);
    const position: [number, number, number] = [
      cloud.positions[3 * k]!,
      cloud.positions[3 * k + 1]!,
      cloud.positions[3 * k + 2]!,
    ];
    const point: ColmapPoint = {
      id: points.length + 1,
      position,
      color: [cloud.colors[3 * k]!, cloud.colors[3 * k + 1]!, cloud.colors[3 * k + 2]!],
      track: [],
    };
    images.forEach((image, i) => {
      if (i !== cloud.source[k] && !agrees(depthMaps[i]!, poses[i]!, position)) return;
      const pixel = projectToOriginal(image.camera, poses[i]!, position);
      if (!pixel) return;
      point.track.push({ image: image.id, sighting: image.sightings.length });
      image.sightings.push({ x: pixel[0] + PIXEL_CENTRE, y: pixel[1] + PIXEL_CENTRE, point: point.id });
    });
    points.push(point);
  }
  return { images, points };
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

/** Pixel of the original photo (centres at integers), with the lens's distortion; undefined behind the camera. */
export function projectToOriginal(
  camera: Camera,
  cameraFromWorld: Float64Array,
  [x, y, z]: readonly [number, number, number],
): [number, number] | undefined {
  const T = cameraFromWorld;
  const depth = T[8]! * x + T[9]! * y + T[10]! * z + T[11]!;
  if (depth <= 0) return undefined;
  const u = (T[0]! * x + T[1]! * y + T[2]! * z + T[3]!) / depth;
  const v = (T[4]! * x + T[5]! * y + T[6]! * z + T[7]!) / depth;
  const radial = 1 + camera.k1 * (u * u + v * v);
  return [camera.fx * radial * u + camera.cx, camera.fy * radial * v + camera.cy];
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
