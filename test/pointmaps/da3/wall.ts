import type { PhotoReader } from '../../../electron/geometry/stage.js';
import { emptySparseModel, type SparseModel } from '../../../electron/geometry/sparse-model.js';
import type { Photo } from '../../../electron/geometry/types.js';
import type { ViewCamera } from '../../../native-models/da3/camera-numbers.js';
import type { GroupFeatures, GroupNetwork } from '../../../native-models/da3/network.js';

/** Photos of 4:3 side by side, all looking along z at a wavy wall; views of 56x42. */
export const longSide = 56;
export const focalRatio = 1.1;
export const centre = (index: number): number => index * 0.3;
const wall = (x: number, y: number): number => 5 + 0.5 * Math.sin(x * 2) + 0.4 * Math.cos(y * 3);

/** Depth of the wall along the ray (dx, dy, 1) of camera `index`, by fixed-point iteration. */
export function depthAt(index: number, dx: number, dy: number): number {
  let depth = 5;
  for (let k = 0; k < 30; k++) depth = 0.5 * depth + 0.5 * wall(centre(index) + dx * depth, dy * depth);
  return depth;
}

export function wallPhotos(count: number): Photo[] {
  return Array.from({ length: count }, (_, k) => ({
    id: `photo${k}`,
    path: `/photo${k}.jpg`,
    name: `photo${k}.jpg`,
    width: 224,
    height: 168,
    size: 1,
    sharpness: 1,
  }));
}

/** A photo's pixels say which one it is. */
export const wallReader: PhotoReader = {
  read: (photo, { width = 56, height = 42 }) =>
    Promise.resolve({ width, height, pixels: new Uint8Array(3 * width * height).fill(10 + Number(photo.id.slice(5))) }),
};

export interface WallCalls {
  photos: number[];
  groups: number[][];
  given: (readonly ViewCamera[] | undefined)[];
  closed: number;
}

/**
 * A network that knows the wall, in a unit of its own: every depth map has its own scale and bends by a tenth from left
 * to right when cameras are given, as a network that has the shape right and the measure wrong.
 */
export function wallNetwork(calls: WallCalls): GroupNetwork {
  const unit = 0.37;
  const groups = new WeakMap<GroupFeatures, { members: number[]; bent: boolean }>();
  return {
    photo(image, height, width) {
      const index = Math.round((image[0]! * 0.229 + 0.485) * 255) - 10;
      calls.photos.push(index);
      const tokens = new Float32Array((1 + (height / 14) * (width / 14)) * 4).fill(index);
      return Promise.resolve({
        rows: height / 14,
        columns: width / 14,
        width: 4,
        tokens,
        summary: new Float32Array(4),
      });
    },
    group(photos, cameras) {
      const members = photos.map(({ tokens }) => tokens[0]!);
      calls.groups.push(members);
      calls.given.push(cameras);
      const features: GroupFeatures = {
        rows: photos[0]!.rows,
        columns: photos[0]!.columns,
        features: [],
        cameraTokens: [],
        cameras: members.map((index) => {
          const worldFromCamera = Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
          worldFromCamera[3] = unit * (centre(index) - 4);
          return { worldFromCamera, fx: focalRatio * longSide, fy: focalRatio * longSide };
        }),
      };
      groups.set(features, { members, bent: cameras !== undefined });
      return Promise.resolve(features);
    },
    depth(group, view) {
      const { members, bent } = groups.get(group)!;
      const [height, width] = [14 * group.rows, 14 * group.columns];
      const depth = new Float32Array(width * height);
      const focal = focalRatio * longSide;
      for (let i = 0; i < depth.length; i++) {
        const x = i % width;
        const [dx, dy] = [(x - width / 2) / focal, (Math.floor(i / width) - height / 2) / focal];
        const wrong = bent ? (1 + view / 10) * (0.95 + (0.1 * x) / width) : 1;
        depth[i] = unit * wrong * depthAt(members[view]!, dx, dy);
      }
      return Promise.resolve({ width, height, depth, confidence: new Float32Array(depth.length).fill(5) });
    },
    rays: () => Promise.reject(new Error('no rays here')),
    close: () => Promise.resolve(void calls.closed++),
  };
}

/** What the sparse stage would find: true poses of the first `placed` photos, and a grid of points, a few wrong. */
export function wallModel(photos: readonly Photo[], placed = photos.length): SparseModel {
  const model = emptySparseModel(photos.map(({ id }) => id));
  model.lenses = [{ key: 'one', focal: focalRatio, k1: 0, related: focalRatio }];
  for (let k = 0; k < placed; k++)
    model.cameras[k]!.pose = {
      piece: 0,
      rotation: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
      translation: Float64Array.of(-centre(k), 0, 0),
    };
  const [positions, offsets, camera, at]: [number[], number[], number[], number[]] = [[], [0], [], []];
  for (let px = -2; px < 3.5; px += 0.21) {
    for (let py = -1.2; py < 1.3; py += 0.23) {
      const z = wall(px, py);
      const wrong = positions.length % 39 === 0 ? 1.6 : 1;
      const seen = Array.from({ length: placed }, (_, k) => ({
        k,
        u: (focalRatio * (px - centre(k))) / z,
        v: (focalRatio * py) / z,
      })).filter(({ u, v }) => Math.abs(u) < 0.48 && Math.abs(v) < 0.36);
      if (seen.length < 2) continue;
      positions.push(px * wrong, py * wrong, z * wrong);
      for (const { k, u, v } of seen) {
        camera.push(k);
        at.push(u, v);
      }
      offsets.push(camera.length);
    }
  }
  model.points = {
    positions: Float64Array.from(positions),
    piece: new Uint16Array(offsets.length - 1),
    offsets: Uint32Array.from(offsets),
    trackCamera: Uint32Array.from(camera),
    trackFeature: new Uint32Array(camera.length),
    trackAt: Float32Array.from(at),
    error: new Float32Array(offsets.length - 1),
  };
  return model;
}
