import type { Camera, DepthMap } from '../geometry/types.js';
import { exrBytes } from './exr.js';
import { depthRows } from './plate-depth.js';
import { inPicture, photoFromPicture, undistortRows, type Picture } from './undistort.js';

type Samples = Uint8Array | Uint16Array;

/** What of an export computes for long: done in threads where there are any, so that the event loop stays free. */
export interface ExportTasks {
  /** The whole undistorted picture of a photo. */
  undistort: { request: { pixels: Picture<Samples>; photo: Camera; camera: Camera }; answer: Picture<Samples> };
  /** EXR of a depth map at the size of a picture. */
  depth: { request: { map: DepthMap; camera: Camera }; answer: Uint8Array };
  /** EXR that tells each pixel of one picture where in the other it comes from. */
  stMap: { request: { photo: Camera; camera: Camera; way: 'undistort' | 'distort' }; answer: Uint8Array };
}
export type ExportTask = keyof ExportTasks;

/** Does a task, here or elsewhere. What it is given may be gone afterwards. */
export type RunTask = <T extends ExportTask>(
  task: T,
  request: ExportTasks[T]['request'],
) => Promise<ExportTasks[T]['answer']>;

type Handlers = {
  [T in ExportTask]: (
    request: ExportTasks[T]['request'],
  ) => ExportTasks[T]['answer'] | Promise<ExportTasks[T]['answer']>;
};

const handlers: Handlers = {
  undistort: ({ pixels, photo, camera }) => ({
    width: camera.width,
    height: camera.height,
    channels: pixels.channels,
    samples: undistortRows(pixels, photo, camera, 0, camera.height),
  }),
  depth: ({ map, camera }) => {
    const { width, height } = camera;
    let last: { first: number; depths: Float32Array } | undefined;
    const depths = (first: number, rows: number): Float32Array => {
      if (last?.first !== first) last = { first, depths: depthRows(map, camera, first, rows) };
      return last.depths;
    };
    // Z is where compositors look for depth; programs that show pictures (Blender among them) look for R.
    return exrBytes({ width, height, channels: { R: depths, Z: depths } });
  },
  stMap: ({ photo, camera, way }) =>
    way === 'undistort'
      ? stMap(camera, photo, (x, y) => photoFromPicture(photo, camera, x, y))
      : stMap(photo, camera, (x, y) => inPicture({ photo, camera }, x, y)),
};

/** In this thread. */
export const runHere: RunTask = async (task, request) => handlers[task](request as never) as never;

/** Nuke's STMap: red is the share of the source's width, green of its height from the bottom; outside both are -1. */
function stMap(
  { width, height }: Camera,
  source: Camera,
  from: (x: number, y: number) => readonly [number, number] | undefined,
): Promise<Uint8Array> {
  const plane =
    (axis: 0 | 1) =>
    (first: number, rows: number): Float32Array => {
      const out = new Float32Array(rows * width);
      for (let k = 0; k < out.length; k++) {
        const at = from(k % width, first + Math.floor(k / width));
        if (!at) out[k] = -1;
        else out[k] = axis === 0 ? (at[0] + 0.5) / source.width : 1 - (at[1] + 0.5) / source.height;
      }
      return out;
    };
  return exrBytes({ width, height, channels: { R: plane(0), G: plane(1) } });
}
