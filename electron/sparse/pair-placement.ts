import { multiply3, transpose3 } from '../numerics/linear.js';
import { times3 } from '../numerics/vector.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { chanceOfLine, evidence } from './evidence.js';
import type { Seen } from './resection.js';
import type { CameraPose } from './solvers/p3p.js';
import { reprojectionError, undistort } from './triangulate.js';
import type { VerifiedPair } from './structure.js';

export interface PairPlacementOptions {
  /** Largest error of a point that agrees about the length of the way, long sides. */
  limit: number;
  /** How little chance may explain that points agree about it (evidence.ts). */
  leastEvidence: number;
}

/** Known points that propose a distance and judge the others' at first: all against all of 3,000 took minutes a photo. */
const SAMPLE = 200;

export interface PairPlacement extends CameraPose {
  /** Known points that agree. */
  count: number;
  evidence: number;
}

/**
 * Where a photo was taken that sees too few known points for three-point samples: turned and shifted to a placed photo as
 * their pair says, so far away as most known points want it (structure-less resection: Zheng and Wu, "Structure from
 * Motion Using Structure-Less Resection", ICCV 2015). One point tells the distance, the others confirm it.
 *
 * @param pairs of the photo with placed ones, of which each says a way from camera to camera
 * @param cameraOf the placed photos
 * @returns the best of all pairs; undefined where no two points agree
 */
export function placeByPairs(
  photo: number,
  pairs: readonly VerifiedPair[],
  cameraOf: (photo: number) => PlacedCamera,
  seen: Seen,
  lens: Lens,
  options: PairPlacementOptions,
): PairPlacement | undefined {
  const some = evenPart(seen, SAMPLE);
  const scoreOf = (errors: readonly number[]): number =>
    errors.reduce((sum, error) => sum + Math.max(0, 1 - (error / options.limit) ** 2), 0);
  let best: (PairPlacement & { score: number }) | undefined;
  for (const pair of pairs) {
    const way = wayFrom(photo, pair, cameraOf);
    let first: { score: number; pose: CameraPose } | undefined;
    for (const length of lengths(way, some, lens)) {
      const pose = { rotation: way.rotation, translation: along(way, length) };
      const score = scoreOf(errorsOf(pose, some, lens));
      if (!first || score > first.score) first = { score, pose };
    }
    if (!first) continue;
    const errors = errorsOf(first.pose, seen, lens);
    const score = scoreOf(errors);
    if (best && score <= best.score) continue;
    const told = evidence(errors, options.limit, chanceOfLine, 1);
    const count = errors.filter((error) => error < options.limit).length;
    best = { ...first.pose, score, count, evidence: told };
  }
  return best && best.evidence >= options.leastEvidence ? best : undefined;
}

/** At most so many of the points, evenly from all. */
function evenPart(seen: Seen, most: number): Seen {
  const count = seen.at.length / 2;
  if (count <= most) return seen;
  const chosen = Array.from({ length: most }, (_, k) => Math.floor((k * count) / most));
  const part = (values: Float64Array, size: number): Float64Array =>
    Float64Array.from(chosen.flatMap((k) => [...values.subarray(size * k, size * (k + 1))]));
  return { at: part(seen.at, 2), points: part(seen.points, 3) };
}

/** A camera that stands at start + length * step, length > 0: x = rotation X + start + length * step. */
interface Way {
  rotation: Float64Array;
  start: Float64Array;
  step: Float64Array;
}

function wayFrom(photo: number, pair: VerifiedPair, cameraOf: (photo: number) => PlacedCamera): Way {
  const isSecond = pair.b === photo;
  const { rotation: R, translation: t } = cameraOf(isSecond ? pair.a : pair.b);
  const turn = isSecond ? pair.rotation : transpose3(pair.rotation);
  const step = isSecond ? pair.translation : times3(turn, pair.translation).map((value) => -value);
  return { rotation: multiply3(turn, R), start: times3(turn, t), step: Float64Array.from(step) };
}

const along = ({ start, step }: Way, length: number): Float64Array =>
  start.map((value, k) => value + length * step[k]!);

/** How far along each known point alone wants the camera: where (rotation X + start + s step) x ray is least. */
function lengths({ rotation, start, step }: Way, seen: Seen, lens: Lens): number[] {
  const found: number[] = [];
  for (let k = 0; k < seen.at.length / 2; k++) {
    const turned = times3(rotation, seen.points.subarray(3 * k, 3 * k + 3));
    const p = turned.map((value, i) => value + start[i]!);
    const [u, v] = undistort(lens, seen.at[2 * k]!, seen.at[2 * k + 1]!);
    const [c0, c1] = [step[0]! - u * step[2]!, step[1]! - v * step[2]!];
    const [d0, d1] = [p[0]! - u * p[2]!, p[1]! - v * p[2]!];
    const length = -(c0 * d0 + c1 * d1) / (c0 * c0 + c1 * c1 + 1e-18);
    if (length > 0 && Number.isFinite(length)) found.push(length);
  }
  return found;
}

function errorsOf(pose: CameraPose, seen: Seen, lens: Lens): number[] {
  const camera: PlacedCamera = { ...pose, lens: 0, fixed: false };
  return Array.from({ length: seen.at.length / 2 }, (_, k) =>
    reprojectionError(
      { camera, lens, x: seen.at[2 * k]!, y: seen.at[2 * k + 1]! },
      seen.points.subarray(3 * k, 3 * k + 3),
    ),
  );
}
