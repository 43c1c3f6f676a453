import sharp from 'sharp';
import { fileKey } from '../contract/file-names.js';
import type { DepthMap, Scene } from '../geometry/types.js';
import { textChunks, type ExportFile, type ExportFormat } from './types.js';

const LARGEST = 65535;

const stemOf = (name: string): string => name.replace(/\.[^.]+$/, '');

/** Files are named after the photos; two photos that differ only in their ending (or in case) keep it. */
function fileName(scene: Scene, index: number): string {
  const { name } = scene.cameras[index]!;
  const own = fileKey(stemOf(name));
  return scene.cameras.filter((camera) => fileKey(stemOf(camera.name)) === own).length > 1 ? name : stemOf(name);
}

/** What a reader must know beside the pixels: the view's intrinsics and its map to the original photo. */
function sidecar(scene: Scene, ending: string, scale: (map: DepthMap) => number | undefined): ExportFile {
  const maps = scene.depthMaps.map((map, k) => ({
    photo: scene.cameras[k]!.name,
    file: `${fileName(scene, k)}.${ending}`,
    width: map.width,
    height: map.height,
    focal: map.focal,
    cx: map.centreX,
    cy: map.centreY,
    originalFromView: map.originalFromView,
    ...(map.inferred?.includes(1) ? { inferred: maskName(scene, k, ending) } : {}),
    ...(scale(map) === undefined ? {} : { unitsPerStep: scale(map) }),
  }));
  const note =
    'depth along the camera axis in world units, 0 where nothing is known; pixels of the undistorted view, centres at integers; "inferred" names a mask, white where a depth was completed or told by a network and not measured';
  return { name: `depth/${ending}.json`, chunks: textChunks([JSON.stringify({ note, maps }, null, 1)]) };
}

const maskName = (scene: Scene, index: number, ending: string): string =>
  `${ending}-inferred/${fileName(scene, index)}.png`;

/** White where a depth is inferred, for each map that has such pixels. */
function inferredMasks(scene: Scene, ending: string): ExportFile[] {
  return scene.depthMaps.flatMap((map, k) =>
    map.inferred?.includes(1) ? [{ name: `depth/${maskName(scene, k, ending)}`, chunks: inferredPng(map) }] : [],
  );
}

/** A map is read when its file's turn comes: parameters that are taken apart would hold all of them. */
async function* inferredPng(map: DepthMap): AsyncGenerator<Uint8Array> {
  const { width, height, inferred, confidence } = map;
  const values = inferred!.map((one, at) => (one === 1 && confidence[at]! > 1 ? 255 : 0));
  yield await sharp(values, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** World units per step of a 16-bit map: its farthest depth is the largest value. */
export function unitsPerStep({ depth, confidence }: DepthMap): number {
  let farthest = 0;
  for (let k = 0; k < depth.length; k++) if (confidence[k]! > 1 && depth[k]! > farthest) farthest = depth[k]!;
  return farthest > 0 ? farthest / LARGEST : 1;
}

/** 16-bit PNGs; depth/png.json states each map's scale. Pixels without confidence are 0. */
export const depthPng: ExportFormat = {
  id: 'depth-png',
  description: 'One picture per photo, the scale in png.json',
  estimateBytes: ({ depthMaps }) => depthMaps.reduce((sum, { width, height }) => sum + width * height * 1.5, 1000),
  write: (scene) => [
    ...scene.depthMaps.map((map, k): ExportFile => ({
      name: `depth/${fileName(scene, k)}.png`,
      chunks: pngChunks(map),
    })),
    ...inferredMasks(scene, 'png'),
    sidecar(scene, 'png', unitsPerStep),
  ],
};

async function* pngChunks(given: DepthMap): AsyncGenerator<Uint8Array> {
  const map = { ...given };
  const scale = unitsPerStep(map);
  const values = Uint16Array.from(map.depth, (depth, k) =>
    map.confidence[k]! > 1 ? Math.min(LARGEST, Math.round(depth / scale)) : 0,
  );
  yield await sharp(values, { raw: { width: map.width, height: map.height, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
}

/** 32-bit float PFM (grey, little-endian, bottom row first). Pixels without confidence are 0. */
export const depthPfm: ExportFormat = {
  id: 'depth-pfm',
  description: 'One file per photo, in world units',
  estimateBytes: ({ depthMaps }) => depthMaps.reduce((sum, { width, height }) => sum + width * height * 4, 1000),
  write: (scene) => [
    ...scene.depthMaps.map((map, k): ExportFile => ({
      name: `depth/${fileName(scene, k)}.pfm`,
      chunks: pfmChunks(map),
    })),
    ...inferredMasks(scene, 'pfm'),
    sidecar(scene, 'pfm', () => undefined),
  ],
};

function* pfmChunks(map: DepthMap): Generator<Uint8Array> {
  const { width, height, depth, confidence } = map;
  yield new TextEncoder().encode(`Pf\n${width} ${height}\n-1.0\n`);
  for (let y = height - 1; y >= 0; y--)
    yield new Uint8Array(
      Float32Array.from({ length: width }, (_, x) => (confidence[y * width + x]! > 1 ? depth[y * width + x]! : 0))
        .buffer,
    );
}
