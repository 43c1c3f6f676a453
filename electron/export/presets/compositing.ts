import type { Camera, Scene } from '../../geometry/types.js';
import { madeAhead, type LateFile } from '../ahead.js';
import { gltfCamera } from '../axes.js';
import { glb } from '../glb.js';
import { pictureFile, undistortedCameras, type Undistorted } from '../pictures.js';
import { textChunks } from '../types.js';
import { centred } from '../undistort.js';
import { withCameras, workHere, type ExportWork, type Preset } from './types.js';

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
  write: async ({ scene, unit, photos, work = workHere }, options) => {
    const pictures = undistortedCameras(scene.cameras, options).map((picture) => ({
      ...picture,
      camera: centred(picture.camera),
    }));
    const straight = withCameras(
      scene,
      pictures.map(({ camera }) => camera),
    );
    const lenses = lensesOf(pictures);
    return [
      ...madeAhead(
        [
          ...pictures.map((picture) => pictureFile(picture, 'plates', { photos, work }, options)),
          ...pictures.map(({ camera }, k) => depthFile(camera, straight, k, work)),
          ...lenses.flatMap((lens) => lensMaps(lens, work)),
        ],
        work.ahead,
      ),
      ...glb.write(straight, { baseName: 'scene' }),
      { name: 'cameras.chan', chunks: textChunks(pictures.map(({ camera }, k) => chanLine(camera, k + 1))) },
      { name: 'plates.json', chunks: textChunks([JSON.stringify(plateList(pictures, lenses, unit), null, 1)]) },
    ];
  },
};

const depthName = (camera: Camera): string => `depth/${camera.name}.exr`;

function depthFile(camera: Camera, { depthMaps }: Scene, k: number, { run }: ExportWork): LateFile {
  return { name: depthName(camera), make: () => run('depth', { map: depthMaps[k]!, camera }) };
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
  return JSON.stringify([
    photo.width,
    photo.height,
    photo.fx,
    photo.fy,
    photo.cx,
    photo.cy,
    photo.k1,
    photo.k2 ?? 0,
    camera.width,
    camera.height,
  ]);
}

/** Both ways: of the plate's size, where in the photo each pixel comes from, and the reverse. */
function lensMaps({ photo, camera, number }: PlateLens, { run }: ExportWork): LateFile[] {
  return (['undistort', 'distort'] as const).map((way) => ({
    name: `stmaps/lens-${number}-${way}.exr`,
    make: () => run('stMap', { photo, camera, way }),
  }));
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
    note: 'frame of cameras.chan (rotation order ZXY, y up); depth: channels Z and R, along the camera axis, 0 where nothing is known; ST-maps as of Nuke, origin bottom left; plates of photos that were cut have empty borders, so that the principal point is in the middle, where cameras.chan and scene.glb have it',
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
