import type { Checkpoint } from '../checkpoints/tensor.js';
import { deviationOf } from '../registry/deviation.js';
import type { ViewCamera } from './camera-numbers.js';
import type { GroupNetwork } from './network.js';

/** World-from-camera of a rigid row-major camera-from-world (3x4 or 4x4), and back. */
function inverse(m: ArrayLike<number>): Float64Array {
  const out = new Float64Array(16);
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 3; c++) {
      out[4 * r + c] = m[4 * c + r]!;
      out[4 * r + 3]! -= m[4 * c + r]! * m[4 * c + 3]!;
    }
  }
  out[15] = 1;
  return out;
}

/** The cameras that a case gives to the network; undefined where it gives none. */
async function givenCameras(recorded: Checkpoint, count: number): Promise<ViewCamera[] | undefined> {
  if (!recorded.tensors.has('given_camera_from_world')) return undefined;
  const poses = await recorded.read('given_camera_from_world');
  const intrinsics = await recorded.read('given_intrinsics');
  return Array.from({ length: count }, (_, view) => ({
    worldFromCamera: inverse(poses.subarray(16 * view, 16 * view + 16)),
    fx: intrinsics[9 * view]!,
    fy: intrinsics[9 * view + 4]!,
  }));
}

/** Runs a recorded case (tensors as in the documentation) and gives the deviation of each of its outputs. */
export async function runDa3Case(recorded: Checkpoint, network: GroupNetwork): Promise<Map<string, number>> {
  const images = await recorded.read('images');
  const [, count, , height, width] = recorded.tensors.get('images')!.shape as [number, number, number, number, number];
  const size = 3 * height * width;
  const photos = [];
  for (let view = 0; view < count; view++)
    photos.push(await network.photo(images.slice(view * size, (view + 1) * size), height, width));
  const group = await network.group(photos, await givenCameras(recorded, count));
  const outputs = new Map<string, number[]>();
  const append = (name: string, values: Iterable<number>) => {
    const all = outputs.get(name) ?? [];
    for (const value of values) all.push(value);
    outputs.set(name, all);
  };
  for (let view = 0; view < count; view++) {
    for (let level = 0; level < 4; level++) {
      append(`features_${level}`, group.features[level]![view]!);
      append(`camera_token_${level}`, group.cameraTokens[level]![view]!);
    }
    const { worldFromCamera, fx, fy } = group.cameras[view]!;
    append('camera_from_world', inverse(worldFromCamera).subarray(0, 12));
    append('intrinsics', [fx, 0, width / 2, 0, fy, height / 2, 0, 0, 1]);
    const { depth, confidence } = await network.depth(group, view);
    append('depth', depth);
    append('depth_conf', confidence);
    const rays = await network.rays(group, view);
    append('ray', rays.ray);
    append('ray_conf', rays.confidence);
  }
  const deviations = new Map<string, number>();
  for (const [name, values] of outputs) deviations.set(name, deviationOf(values, await recorded.read(name)).largest);
  return deviations;
}
