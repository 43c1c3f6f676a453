import { UserError } from '../contract/errors.js';
import type { KnownLength, MarkerFamily, ScenePixel } from '../contract/scene.js';
import type { Camera, PhotoId } from '../geometry/types.js';
import { pointInPhotos, type FoundPoint } from './ends.js';
import type { PhotoMarker } from './markers.js';

export interface MarkerOptions {
  /** Pixels: a photo whose corners lie farther off than this from where the others see them has misread the marker. */
  mostOff: number;
  /** Sides of one marker may differ by this share, sizes of two by `mostDisagreement`. */
  mostUneven: number;
  mostDisagreement: number;
}
export const MARKER_DEFAULTS: MarkerOptions = { mostOff: 3, mostUneven: 0.05, mostDisagreement: 0.02 };

interface Sight {
  photo: PhotoId;
  corners: readonly (readonly [number, number])[];
}

/** A marker in the scene: its corners as points of several photos, and where they are. */
interface PlacedMarker {
  id: number;
  pixels: ScenePixel[];
  /** Mean of its sides, units of the cameras' world. */
  side: number;
}

/**
 * The sides of markers as known lengths, their corners found from all photos that show them.
 *
 * @param metres side of the black square
 * @throws UserError 'bad-input' when no marker is seen in two photos, or the markers are not of one size
 */
export function markerLengths(
  found: ReadonlyMap<PhotoId, readonly PhotoMarker[]>,
  cameras: readonly Camera[],
  { family, metres }: { family: MarkerFamily; metres: number },
  options: Partial<MarkerOptions> = {},
): KnownLength[] {
  const settings = { ...MARKER_DEFAULTS, ...options };
  const sights = new Map<number, Sight[]>();
  for (const [photo, markers] of found)
    for (const { id, corners } of markers) sights.set(id, [...(sights.get(id) ?? []), { photo, corners }]);
  const placed = [...sights].flatMap(([id, seen]) => placedMarker(id, seen, cameras, settings) ?? []);
  if (placed.length === 0)
    throw new UserError(
      'bad-input',
      sights.size === 0
        ? `no ${family} marker was found in the photos; check the family, or give a known length`
        : `${sights.size} ${family} markers were found, but none in two photos whose views of it agree; add photos of it from other sides`,
    );
  checkSizes(placed, family, settings);
  return placed.flatMap(({ id, pixels }) =>
    pixels.map((a, k): KnownLength => ({
      name: `${family} ${id}, side ${k + 1}`,
      metres,
      a,
      b: pixels[(k + 1) % 4]!,
    })),
  );
}

function placedMarker(
  id: number,
  sights: readonly Sight[],
  cameras: readonly Camera[],
  { mostOff, mostUneven }: MarkerOptions,
): PlacedMarker | undefined {
  let seen = sights.filter(({ photo }) => cameras.some((camera) => camera.photo === photo));
  while (seen.length >= 2) {
    const pixels = [0, 1, 2, 3].map((k) => pixelOf(seen, k));
    const points = cornersOf(pixels, cameras);
    if (!points) return undefined;
    if (Math.max(...points.map(({ residualPixels }) => residualPixels!)) <= mostOff) {
      const sides = points.map(({ position }, k) => distance(position, points[(k + 1) % 4]!.position));
      const side = sides.reduce((sum, each) => sum + each, 0) / 4;
      if (Math.max(...sides.map((each) => Math.abs(each / side - 1))) > mostUneven) return undefined;
      return { id, pixels, side };
    }
    seen = withoutWorst(seen, cameras);
  }
  return undefined;
}

function pixelOf(seen: readonly Sight[], corner: number): ScenePixel {
  const [first, ...others] = seen.map(({ photo, corners }) => ({
    photo,
    x: corners[corner]![0],
    y: corners[corner]![1],
  }));
  return { ...first!, others };
}

function cornersOf(pixels: readonly ScenePixel[], cameras: readonly Camera[]): FoundPoint[] | undefined {
  try {
    return pixels.map((pixel) => pointInPhotos(pixel, { cameras }));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Without the photo that the others agree best without. */
function withoutWorst(seen: readonly Sight[], cameras: readonly Camera[]): Sight[] {
  const rests = seen.map((_, k) => seen.filter((__, j) => j !== k));
  const off = rests.map((rest) => {
    const points =
      rest.length < 2
        ? undefined
        : cornersOf(
            [0, 1, 2, 3].map((k) => pixelOf(rest, k)),
            cameras,
          );
    return points ? Math.max(...points.map(({ residualPixels }) => residualPixels!)) : Infinity;
  });
  return rests[off.indexOf(Math.min(...off))]!;
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((value, i) => value - b[i]!));

function checkSizes(placed: readonly PlacedMarker[], family: MarkerFamily, { mostDisagreement }: MarkerOptions): void {
  const sorted = [...placed].sort((a, b) => a.side - b.side);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  const apart = most.side / least.side - 1;
  if (apart > mostDisagreement)
    throw new UserError(
      'bad-input',
      `markers disagree: ${family} ${most.id} is ${(100 * apart).toFixed(1)} % larger in the scene than ${family} ${least.id}; print all in one size, or give a known length`,
    );
}
