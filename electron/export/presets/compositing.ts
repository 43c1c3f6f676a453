import type { Camera, Scene } from '../../geometry/types.js';
import { gltfCamera } from '../axes.js';
import { exrChunks } from '../exr.js';
import { glb } from '../glb.js';
import { pictureFile, undistortedCameras, type Undistorted } from '../pictures.js';
import { depthRows } from '../plate-depth.js';
import { textChunks, type ExportFile } from '../types.js';
import { photoFromPicture } from '../undistort.js';
import { inPicture } from './splatting.js';
import { withCameras, type Preset } from './types.js';

/** Plates without their lens, depth at their size, cameras, and the lens as ST-maps: what compositors work with. */
export const compositing: Preset = {
  id: 'compositing',
  title: 'Compositing',
  description: 'undistorted plates, 32-bit EXR depth, cameras as glTF and Nuke .chan, ST-maps of the lens both ways',
  needsPhotos: true,
  estimateBytes: (scene, photoBytes) => {
    const pixels = scene.cameras.reduce((sum, { width, height }) => sum + width * height, 0);
    return glb.estimateBytes(scene) + photoBytes * 1.2 + pixels * 1.5;
  },
  write: async ({ scene, unit, photos }, options) => {
    const pictures = undistortedCameras(scene.cameras, options);
    const straight = withCameras(
      scene,
      pictures.map(({ camera }) => camera),
    );
    const lenses = lensesOf(pictures);
    return [
      ...pictures.map((picture) => pictureFile(picture, 'plates', photos, options)),
      ...pictures.map(({ camera }, k) => depthFile(camera, straight, k)),
      ...lenses.flatMap((lens) => [undistortingMap(lens), distortingMap(lens)]),
      ...glb.write(straight, { baseName: 'scene' }),
      { name: 'cameras.chan', chunks: textChunks(pictures.map(({ camera }, k) => chanLine(camera, k + 1))) },
      { name: 'plates.json', chunks: textChunks([JSON.stringify(plateList(pictures, lenses, unit), null, 1)]) },
    ];
  },
};

const depthName = (camera: Camera): string => `depth/${camera.name}.exr`;

function depthFile(camera: Camera, { depthMaps }: Scene, k: number): ExportFile {
  const { width, height } = camera;
  const Z = (first: number, rows: number): Float32Array => depthRows(depthMaps[k]!, camera, first, rows);
  return { name: depthName(camera), chunks: exrChunks({ width, height, channels: { Z } }) };
}

interface PlateLens extends Undistorted {
  /** From 1. */
  number: number;
  key: string;
}

/** Photos of one lens share their ST-maps. */
function lensesOf(pictures: readonly Undistorted[]): PlateLens[] {
  const found = new Map<string, PlateLens>();
  for (const picture of pictures) {
    const key = lensKey(picture);
    if (!found.has(key)) found.set(key, { ...picture, number: found.size + 1, key });
  }
  return [...found.values()];
}

function lensKey({ photo, camera }: Undistorted): string {
  const k2 = (photo as { k2?: number }).k2 ?? 0;
  return JSON.stringify([
    photo.width,
    photo.height,
    photo.fx,
    photo.fy,
    photo.cx,
    photo.cy,
    photo.k1,
    k2,
    camera.width,
  ]);
}

/** Of the plate's size: where in the photo each of its pixels comes from. */
function undistortingMap({ photo, camera, number }: PlateLens): ExportFile {
  const chunks = stMap(camera, photo, (x, y) => photoFromPicture(photo, camera, x, y));
  return { name: `stmaps/lens-${number}-undistort.exr`, chunks };
}

/** Of the photo's size: where in the plate each of its pixels comes from. */
function distortingMap({ photo, camera, number }: PlateLens): ExportFile {
  const chunks = stMap(photo, camera, (x, y) => inPicture({ photo, camera }, x, y));
  return { name: `stmaps/lens-${number}-distort.exr`, chunks };
}

/** Nuke's STMap: red is the share of the source's width, green of its height from the bottom; outside both are -1. */
function stMap(
  { width, height }: Camera,
  source: Camera,
  from: (x: number, y: number) => readonly [number, number] | undefined,
): ExportFile['chunks'] {
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
  return exrChunks({ width, height, channels: { R: plane(0), G: plane(1) } });
}

/**
 * A line of Nuke's .chan: frame, place, rotation in degrees, vertical angle of view; y up. The rotation order is Nuke's
 * own, ZXY: first about z, last about y.
 */
function chanLine(camera: Camera, frame: number): string {
  const M = gltfCamera(camera.worldFromCamera);
  const degrees = 180 / Math.PI;
  const x = Math.asin(Math.max(-1, Math.min(1, -M[6]!)));
  // Looking straight up or down, the turns about y and z are one.
  const locked = Math.abs(M[6]!) > 1 - 1e-9;
  const y = locked ? Math.atan2(-M[8]!, M[0]!) : Math.atan2(M[2]!, M[10]!);
  const z = locked ? 0 : Math.atan2(M[4]!, M[5]!);
  const angle = 2 * Math.atan(camera.height / (2 * camera.fy)) * degrees;
  const numbers = [M[3]!, M[7]!, M[11]!, x * degrees, y * degrees, z * degrees, angle];
  return [frame, ...numbers.map((value) => value.toFixed(8))].join('\t');
}

function plateList(pictures: readonly Undistorted[], lenses: readonly PlateLens[], unit: string): object {
  return {
    note: 'frame of cameras.chan (rotation order ZXY, y up); depth: channel Z, along the camera axis, 0 where nothing is known; ST-maps as of Nuke, origin bottom left',
    unit,
    plates: pictures.map((picture, k) => {
      const { photo, camera } = picture;
      const { number } = lenses.find(({ key }) => key === lensKey(picture))!;
      return {
        frame: k + 1,
        plate: `plates/${camera.name}`,
        depth: depthName(camera),
        photo: photo.name,
        width: camera.width,
        height: camera.height,
        focalPixels: camera.fx,
        // From the top left corner, a pixel's centre at +0.5.
        principalPoint: [camera.cx + 0.5, camera.cy + 0.5],
        undistort: `stmaps/lens-${number}-undistort.exr`,
        distort: `stmaps/lens-${number}-distort.exr`,
      };
    }),
  };
}
