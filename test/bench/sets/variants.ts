import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { multiply4 } from '../../../electron/numerics/linear.js';
import type { PhotoReader } from '../../../electron/geometry/stage.js';
import type { Photo } from '../../../electron/geometry/types.js';
import { readPixels } from '../../../electron/photos/reader.js';

/** A photo with what is known of its camera. */
export interface TruePhoto {
  photo: Photo;
  /** Of the long side. */
  focal: number;
  /** Row-major 4x4. */
  worldFromCamera: Float64Array;
  /** Done to the pixels after they are read. */
  change?: Change | undefined;
  /** Photos of another scene are never compared. */
  scene: string;
}

interface Change {
  key: string;
  /** In place, sRGB. */
  light?: (pixels: Uint8Array) => void;
  /** Turned clockwise by a right angle. */
  turned?: boolean;
  /** Long side that is left of the photo, or that it is enlarged to. */
  side?: number;
  /** JPEG quality that it is stored with once more. */
  quality?: number;
  /** Shares of its sides that are cut away: left, top, right, bottom. The focal in pixels stays. */
  cut?: readonly [number, number, number, number];
}

const clamp = (value: number) => Math.min(255, Math.max(0, value));

function perPixel(change: (r: number, g: number, b: number) => [number, number, number]): (pixels: Uint8Array) => void {
  return (pixels) => {
    for (let k = 0; k < pixels.length; k += 3) {
      const rgb = change(pixels[k]!, pixels[k + 1]!, pixels[k + 2]!);
      for (let c = 0; c < 3; c++) pixels[k + c] = Math.round(clamp(rgb[c]!));
    }
  };
}

const brightness = (factor: number) => perPixel((r, g, b) => [r * factor, g * factor, b * factor]);
const saturation = (share: number) =>
  perPixel((r, g, b) => {
    const grey = 0.299 * r + 0.587 * g + 0.114 * b;
    return [grey + share * (r - grey), grey + share * (g - grey), grey + share * (b - grey)];
  });
/** Brightness down to x0.45 and up to x1.5, saturation 60 %, a red cast, contrast +45 %. */
const LIGHTS = [
  brightness(0.45),
  saturation(0.6),
  perPixel((r, g, b) => [1.35 * r, g, 0.65 * b]),
  brightness(1.5),
  perPixel((r, g, b) => [1.45 * (r - 128) + 128, 1.45 * (g - 128) + 128, 1.45 * (b - 128) + 128]),
  brightness(0.7),
];

const withChange = (all: readonly TruePhoto[], change: (k: number) => Change | undefined): TruePhoto[] =>
  all.map((each, k) => {
    const made = change(k);
    return made ? apply(each, made) : each;
  });

function cutOf(
  { width, height }: { width: number; height: number },
  [left, top, right, bottom]: readonly [number, number, number, number],
): { left: number; top: number; right: number; bottom: number } {
  return {
    left: Math.round(left * width),
    top: Math.round(top * height),
    right: Math.round((1 - right) * width),
    bottom: Math.round((1 - bottom) * height),
  };
}

function apply({ photo, focal: focalBefore, worldFromCamera, scene }: TruePhoto, change: Change): TruePhoto {
  let { width, height } = photo;
  let focal = focalBefore;
  if (change.side) {
    const ratio = change.side / Math.max(width, height);
    [width, height] = [Math.round(width * ratio), Math.round(height * ratio)];
  }
  if (change.cut) {
    const { right, bottom, left, top } = cutOf({ width, height }, change.cut);
    const longSide = Math.max(width, height);
    [width, height] = [right - left, bottom - top];
    focal *= longSide / Math.max(width, height);
  }
  if (change.turned) [width, height] = [height, width];
  // The turned picture's x axis is the upright one's -y axis: x_upright = (y, -x) of the turned camera.
  const upright = Float64Array.of(0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);
  return {
    photo: { ...photo, id: `${photo.id}/${change.key}`, width, height },
    focal,
    worldFromCamera: change.turned ? multiply4(worldFromCamera, upright) : worldFromCamera,
    change,
    scene,
  };
}

export const lit = (all: readonly TruePhoto[], first = 0): TruePhoto[] =>
  withChange(all, (k) => {
    const n = (k + first) % LIGHTS.length;
    return { key: `light${n}`, light: LIGHTS[n]! };
  });
export const turned = (all: readonly TruePhoto[]): TruePhoto[] =>
  withChange(all, (k) => (k % 2 ? { key: 'turned', turned: true } : undefined));
export const small = (all: readonly TruePhoto[], side: number): TruePhoto[] =>
  withChange(all, () => ({ key: `side${side}`, side }));
/** Enlarged to twice the size, nothing gained. */
export const doubled = (all: readonly TruePhoto[]): TruePhoto[] =>
  withChange(all, (k) => ({ key: 'doubled', side: 2 * Math.max(all[k]!.photo.width, all[k]!.photo.height) }));
export const grey = (all: readonly TruePhoto[]): TruePhoto[] =>
  withChange(all, () => ({ key: 'grey', light: saturation(0) }));
export const stored = (all: readonly TruePhoto[], quality: number): TruePhoto[] =>
  withChange(all, () => ({ key: `quality${quality}`, quality }));
/** Cut to one size round the middle, as what shows photos of many cameras does. */
export const square = (all: readonly TruePhoto[], side: number): TruePhoto[] =>
  withChange(all, (k) => {
    const { width, height } = all[k]!.photo;
    const [x, y] = [0.5 - side / 2 / width, 0.5 - side / 2 / height];
    return { key: `square${side}`, cut: [x, y, x, y] };
  });
/** Every second photo cut, and not round its middle: another size, focal and principal point, which no EXIF tells. */
export const cropped = (all: readonly TruePhoto[]): TruePhoto[] =>
  withChange(all, (k) => (k % 2 ? { key: 'cut', cut: [0.2, 0.05, 0, 0.1] } : undefined));
export const every = (all: readonly TruePhoto[], step: number, first = 0): TruePhoto[] =>
  all.filter((_, k) => k % step === first);

/** Reads photos as their changes say. */
export function changedReader(all: readonly TruePhoto[], originals: ReadonlyMap<string, Photo>): PhotoReader {
  const changes = new Map(all.map(({ photo, change }) => [photo.id, change]));
  return {
    async read(photo, size) {
      const change = changes.get(photo.id);
      const original = originals.get(photo.path)!;
      if (!change) return readPixels(original, size);
      if (change.cut || change.quality || change.side) return readPixels(await madeFile(original, photo, change), size);
      const exact = size.width !== undefined && change.turned ? { width: size.height!, height: size.width } : size;
      const read = await readPixels(original, exact);
      const pixels = Uint8Array.from(read.pixels);
      change.light?.(pixels);
      return change.turned ? turnClockwise({ ...read, pixels }) : { ...read, pixels };
    },
  };
}

/** Files made of photos, removed when the bench ends. */
const folder = mkdtempSync(join(tmpdir(), 'sets-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A file as a person would have it who resized, cut or stored the photo. */
async function madeFile(original: Photo, changed: Photo, { side, cut, quality }: Change): Promise<Photo> {
  const path = join(folder, `${createHash('sha256').update(changed.id).digest('hex')}.${quality ? 'jpg' : 'png'}`);
  if (!existsSync(path)) {
    const { width, height, pixels } = await readPixels(original, {});
    let picture = sharp(pixels, { raw: { width, height, channels: 3 } });
    const ratio = (side ?? 0) / Math.max(width, height);
    if (side) picture = picture.resize(Math.round(width * ratio), Math.round(height * ratio), { fit: 'fill' });
    if (cut) {
      const { left, top, right, bottom } = cutOf({ width, height }, cut);
      picture = picture.extract({ left, top, width: right - left, height: bottom - top });
    }
    await (quality ? picture.jpeg({ quality }) : picture.png({ compressionLevel: 1 })).toFile(path);
  }
  return { ...changed, path };
}

function turnClockwise({ width, height, pixels }: { width: number; height: number; pixels: Uint8Array }) {
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const to = 3 * (x * height + (height - 1 - y));
      const from = 3 * (y * width + x);
      for (let c = 0; c < 3; c++) out[to + c] = pixels[from + c]!;
    }
  return { width: height, height: width, pixels: out };
}
