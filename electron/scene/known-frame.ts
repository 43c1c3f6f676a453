import { identitySimilarity, registerPoints } from '../geometry/similarity.js';
import type { Camera, KnownPhotoCamera, PhotoId } from '../geometry/types.js';
import type { Frame } from './frame.js';

/** Cameras on a line leave the turn about it open: their spread across it must be this share of the spread along. */
const LEAST_SPREAD = 0.03;

/**
 * The frame of cameras that were known before the run: the world of fixed ones as it is, else the similarity from the
 * positions of at least three cameras to where they were known to be (least absolute deviations, so that some may be
 * far off). The shape of the scene stays that of the photos, which tell it better than any prior.
 *
 * @returns undefined when too few are known, or all of those stand in one place or on one line
 */
export function knownFrame(
  cameras: readonly Camera[],
  known: ReadonlyMap<PhotoId, KnownPhotoCamera>,
): Frame | undefined {
  const told = cameras.flatMap((camera) => {
    const before = known.get(camera.photo);
    const to = before && before.use !== 'intrinsics' ? placeOf(before) : undefined;
    return to ? [{ from: centre(camera.worldFromCamera), to, fixed: before!.use === 'fixed' }] : [];
  });
  const frame: Frame = { level: 'cameras', unit: 'scene', sceneFromAlignment: identitySimilarity() };
  if (told.some(({ fixed }) => fixed)) return frame;
  const [from, to] = [told.map((tie) => tie.from), told.map((tie) => tie.to)];
  if (told.length < 3 || !spreads(from) || !spreads(to)) return undefined;
  const found = registerPoints(
    Float64Array.from(from.flat()),
    Float64Array.from(to.flat()),
    new Float64Array(told.length).fill(1),
  );
  return found && { ...frame, sceneFromAlignment: found.similarity };
}

const centre = (pose: ArrayLike<number>): number[] => [pose[3]!, pose[7]!, pose[11]!];

const placeOf = ({ worldFromCamera, position }: KnownPhotoCamera): number[] | undefined =>
  worldFromCamera ? centre(worldFromCamera) : position;

/** Whether points lie neither in one place nor on one line. */
export function spreads(points: readonly (readonly number[])[]): boolean {
  const first = points[0]!;
  const offsets = points.map((point) => point.map((value, k) => value - first[k]!));
  const axis = offsets.reduce((best, each) => (Math.hypot(...each) > Math.hypot(...best) ? each : best));
  const along = Math.hypot(...axis);
  if (!(along > 0)) return false;
  const across = offsets.map((each) => {
    const t = each.reduce((sum, value, k) => sum + value * axis[k]!, 0) / along ** 2;
    return Math.hypot(...each.map((value, k) => value - t * axis[k]!));
  });
  return Math.max(...across) > LEAST_SPREAD * along;
}
