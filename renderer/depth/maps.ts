import { useEffect, useState } from 'react';
import { percentileOf } from '../../electron/contract/confidence.js';
import { decodeMaps, type PhotoMaps } from '../../electron/contract/photo-maps.js';
import { notify } from '../store/studio.js';
import { api } from '../transport/index.js';
import { ramp } from '../viewer/ramp.js';

/**
 * The maps of a photo or of a pair's side, fetched anew with each revision of the scene.
 * @param name of the contract's binaries; undefined fetches nothing
 */
export function useMaps(name: string | undefined, revision: number | undefined): PhotoMaps | undefined {
  const [found, setFound] = useState<{ key: string; maps: PhotoMaps }>();
  const key = name === undefined ? undefined : `${name}?${revision}`;
  useEffect(() => {
    if (key === undefined) return;
    const stop = new AbortController();
    fetch(api.binaryUrl(key), { signal: stop.signal })
      .then(async (response) => {
        // Gone with an alignment: the next one brings its own.
        if (response.ok) setFound({ key, maps: decodeMaps(await response.arrayBuffer()) });
      })
      .catch((error: Error) => {
        if (!stop.signal.aborted) notify('error', error.message);
      });
    return () => stop.abort();
  }, [key]);
  return found?.key === key ? found?.maps : undefined;
}

export type MapKind = 'depth' | 'confidence' | 'normals';

const COLOURS = 256;
/** [COLOURS, 3] */
const table = Uint8Array.from(
  Array.from({ length: COLOURS }, (_, k) => ramp(k / (COLOURS - 1)).map((value) => Math.round(255 * value))).flat(),
);

/**
 * A map as colours: near and sure are bright; where nothing is known it is transparent.
 * @param scale of the scene's confidence
 */
export function coloured(maps: PhotoMaps, kind: MapKind, scale: readonly number[] | undefined): ImageData {
  const { width, height, depth, confidence, normals, range } = maps;
  const image = new ImageData(width, height);
  const { data } = image;
  const [near, far] = [1 / range[0], 1 / range[1]];
  for (let k = 0; k < depth.length; k++) {
    if (!(depth[k]! > 0)) continue;
    data[4 * k + 3] = 255;
    if (kind === 'normals') {
      // x right, y up, z towards the eye, as the view colours its points.
      for (let i = 0; i < 3; i++) data[4 * k + i] = 128 + (i === 0 ? 1 : -1) * (normals?.[3 * k + i] ?? 0);
      continue;
    }
    const share =
      kind === 'depth'
        ? // Equal steps of inverse depth, as disparity has them.
          (1 / depth[k]! - far) / (near - far)
        : shareOf(scale, confidence[k]!);
    const level = Math.min(COLOURS - 1, Math.max(0, Math.round(share * (COLOURS - 1))));
    data[4 * k] = table[3 * level]!;
    data[4 * k + 1] = table[3 * level + 1]!;
    data[4 * k + 2] = table[3 * level + 2]!;
  }
  return image;
}

/** Without a scale there is one of its own: how probable a depth is. */
function shareOf(scale: readonly number[] | undefined, confidence: number): number {
  return scale ? percentileOf(scale, confidence) / 100 : 1 - 1 / confidence;
}

/** Long side that a photo is drawn at, at most. */
const PHOTO_SIDE = 1100;

/**
 * The photo as the maps see it: the part that they cover, without the distortion that their view is without.
 * @param original pixels of the photo
 */
export function photoOfMaps(
  canvas: HTMLCanvasElement,
  photo: ImageBitmap,
  original: { width: number; height: number },
  { width, height, originalFromView: map }: PhotoMaps,
): void {
  const ratio = Math.max(1, PHOTO_SIDE / Math.max(width, height));
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d')!;
  // Of the picture at hand, which may be smaller than the original.
  const [sx, sy] = [photo.width / original.width, photo.height / original.height];
  if (!map || !map.radial) {
    const { offsetX = -0.5, offsetY = -0.5, scaleX = 1, scaleY = 1 } = map ?? {};
    const left = (offsetX - 0.5 * scaleX + 0.5) * sx;
    const top = (offsetY - 0.5 * scaleY + 0.5) * sy;
    context.drawImage(photo, left, top, width * scaleX * sx, height * scaleY * sy, 0, 0, canvas.width, canvas.height);
    return;
  }
  const source = pixelsOf(photo);
  const target = context.createImageData(canvas.width, canvas.height);
  const from = new Uint32Array(source.data.buffer);
  const to = new Uint32Array(target.data.buffer);
  const { focal, centreX, centreY, k1, k2 = 0 } = map.radial;
  for (let v = 0, k = 0; v < canvas.height; v++) {
    const dy = (map.offsetY + map.scaleY * ((v + 0.5) / ratio - 0.5) - centreY) / focal;
    for (let u = 0; u < canvas.width; u++, k++) {
      const dx = (map.offsetX + map.scaleX * ((u + 0.5) / ratio - 0.5) - centreX) / focal;
      const square = dx * dx + dy * dy;
      const bend = 1 + square * (k1 + square * k2);
      const x = Math.round((centreX + focal * dx * bend + 0.5) * sx - 0.5);
      const y = Math.round((centreY + focal * dy * bend + 0.5) * sy - 0.5);
      if (x >= 0 && y >= 0 && x < photo.width && y < photo.height) to[k] = from[y * photo.width + x]!;
    }
  }
  context.putImageData(target, 0, 0);
}

function pixelsOf(photo: ImageBitmap): ImageData {
  const canvas = new OffscreenCanvas(photo.width, photo.height);
  const context = canvas.getContext('2d')!;
  context.drawImage(photo, 0, 0);
  return context.getImageData(0, 0, photo.width, photo.height);
}
