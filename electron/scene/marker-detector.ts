import sharp from 'sharp';
// A type of its own: the package has none.
import aruco from 'js-aruco2';
import 'js-aruco2/src/dictionaries/apriltag_16h5.js';
import 'js-aruco2/src/dictionaries/apriltag_25h9.js';
import 'js-aruco2/src/dictionaries/apriltag_36h11.js';
import 'js-aruco2/src/dictionaries/aruco_4x4_1000.js';
import 'js-aruco2/src/dictionaries/aruco_5x5_1000.js';
import 'js-aruco2/src/dictionaries/aruco_6x6_1000.js';
import 'js-aruco2/src/dictionaries/aruco_7x7_1000.js';
import type { MarkerFamily } from '../contract/scene.js';
import type { GreyPicture } from './refine.js';

/** A marker as js-aruco2 finds and reads it. */
export interface DetectedSquare {
  id: number;
  /** Clockwise from the marker's own top left, pixels of the picture. */
  corners: [number, number][];
}

/** Of each family: the library's name, and how many wrong bits are put right; small codes are too close for any. */
const families: Record<MarkerFamily, { name: string; wrongBits: number }> = {
  'apriltag-16h5': { name: 'APRILTAG_16h5', wrongBits: 0 },
  'apriltag-25h9': { name: 'APRILTAG_25h9', wrongBits: 2 },
  'apriltag-36h11': { name: 'APRILTAG_36h11', wrongBits: 3 },
  'aruco-original': { name: 'ARUCO', wrongBits: 0 },
  'aruco-4x4': { name: 'ARUCO_4X4_1000', wrongBits: 0 },
  'aruco-5x5': { name: 'ARUCO_5X5_1000', wrongBits: 0 },
  'aruco-6x6': { name: 'ARUCO_6X6_1000', wrongBits: 1 },
  'aruco-7x7': { name: 'ARUCO_7X7_1000', wrongBits: 2 },
  'aruco-mip-36h12': { name: 'ARUCO_MIP_36h12', wrongBits: 3 },
};

export interface DetectorOptions {
  /** Long sides of the reduced pictures in which markers are looked for: large ones are found in small pictures. */
  longSides: readonly number[];
  /** Corners of one marker in two of these pictures are this near, as a share of its size. */
  same: number;
}
export const DETECTOR_DEFAULTS: DetectorOptions = { longSides: [2400, 1200, 600], same: 0.2 };

/**
 * Markers of a family in a picture. One that is there twice (two prints of one number) is left out: nobody could say
 * which is which in another photo.
 */
export async function detectSquares(
  picture: GreyPicture,
  family: MarkerFamily,
  options: Partial<DetectorOptions> = {},
): Promise<DetectedSquare[]> {
  const { longSides, same } = { ...DETECTOR_DEFAULTS, ...options };
  const long = Math.max(picture.width, picture.height);
  const sizes = longSides.filter((side, k) => side < long || k === 0).map((side) => Math.min(1, side / long));
  const found = new Map<number, DetectedSquare | 'twice'>();
  for (const scale of sizes)
    for (const square of await detectAt(picture, family, scale)) {
      const before = found.get(square.id);
      if (before === undefined) found.set(square.id, square);
      else if (before !== 'twice' && apart(before, square) > same * sizeOf(before)) found.set(square.id, 'twice');
    }
  return [...found.values()].filter((square) => square !== 'twice');
}

const sizeOf = ({ corners: [a, , c] }: DetectedSquare): number => Math.hypot(a![0] - c![0], a![1] - c![1]);
const apart = (p: DetectedSquare, q: DetectedSquare): number =>
  Math.max(...p.corners.map(([x, y], k) => Math.hypot(x - q.corners[k]![0], y - q.corners[k]![1])));

async function detectAt(picture: GreyPicture, family: MarkerFamily, scale: number): Promise<DetectedSquare[]> {
  const [width, height] = [Math.round(scale * picture.width), Math.round(scale * picture.height)];
  const grey = sharp(picture.values, { raw: { width: picture.width, height: picture.height, channels: 1 } });
  if (scale < 1) grey.resize(width, height, { fit: 'fill' });
  const data = await grey.toColourspace('srgb').ensureAlpha().raw().toBuffer();
  const { name, wrongBits } = families[family];
  const detector = new aruco.AR.Detector({ dictionaryName: name, maxHammingDistance: wrongBits + 1 });
  const back = (value: number, from: number, to: number): number => ((value + 0.5) * to) / from - 0.5;
  return detector.detect({ width, height, data }).map(({ id, corners }) => ({
    id,
    corners: corners.map(({ x, y }): [number, number] => [
      back(x, width, picture.width),
      back(y, height, picture.height),
    ]),
  }));
}
