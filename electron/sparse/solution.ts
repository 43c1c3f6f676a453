import type { Rejection } from '../geometry/stage.js';
import type { Executor } from '../compute/execution.js';
import type { Photo } from '../geometry/types.js';
import { agreement } from './agreement.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { CERTAINTY_DEFAULTS, focalSigma, rotationSigmas } from './certainty.js';
import { cutLenses, lensPictures, type CutSigma } from './cuts.js';
import type { Candidate, SparseContext } from './correspondence.js';
import type { Features } from '../features/features.js';
import { posePriors } from './pose-prior.js';
import { SENSE_DEFAULTS } from './sense.js';
import { lookOf } from './look.js';
import { structureInThread } from './structure-task.js';
import { STRUCTURE_DEFAULTS, type Piece, type StructureOptions, type VerifiedPair } from './structure.js';
import type { PairMatches } from './tracks.js';
import type { TwoViewResult } from './two-view.js';

/** Pairs whose agreement chance explains better than this are not believed (evidence.ts). */
const LEAST_EVIDENCE = 8;
const LEAST_INLIERS = 12;

/** Pairs that hold, with the matches that do. */
export type Verified = (VerifiedPair & PairMatches)[];

/** What stays the same while hypotheses about the lenses are tried. */
export interface SurveyTask {
  photos: readonly Photo[];
  /** Pairs that have an epipolar geometry. */
  candidates: readonly Candidate[];
  features: readonly Features[];
  position(photo: number, feature: number): [number, number];
  /** The same for all features of each photo: [features, 2], in shared memory. */
  positions: readonly Float64Array[];
  /** A pixel of the picture that features are found on, per photo, long sides. */
  pixels: readonly number[];
  lensOf: readonly number[];
  pool: Executor;
  context: SparseContext;
}

export interface Solution {
  /** Poses of the task's pairs that it was made from, of a trial. */
  poses?: Candidate['result'][];
  lenses: Lens[];
  pieces: Piece[];
  verified: Verified;
  rejected: Rejection[];
}

/** What the structure explains, as far as the pairs agree with it. */
export const worth = ({ pieces, verified }: Solution): number =>
  pieces.reduce((sum, { support, cameras }) => sum + support * agreement(verified, cameras), 0);

export const isAgreed = ({ pieces, verified }: Solution): boolean =>
  pieces.every(({ cameras }) => agreement(verified, cameras) >= SENSE_DEFAULTS.agreement);

/** The set's pixel, which limits are in: the larger of the two in the middle, so that it is one of a photo. */
const middlePixel = (pixels: readonly number[]): number | undefined =>
  [...pixels].sort((a, b) => a - b)[pixels.length >> 1];

/** Per lens, the standard deviation of its focal as a share of it (certainty.ts); undefined where it was given. */
export function sigmasOf(
  { lensOf, position, pixels }: SurveyTask,
  { lenses, pieces }: Solution,
): (number | undefined)[] {
  const options = { ...CERTAINTY_DEFAULTS, pixel: middlePixel(pixels) ?? CERTAINTY_DEFAULTS.pixel };
  return lenses.map(({ fixed, prior }, index) => {
    if (fixed || (prior && prior.sigma < 1e-3)) return undefined;
    const shown = ({ cameras }: Piece) => [...cameras.keys()].filter((photo) => lensOf[photo] === index).length;
    const piece = [...pieces].sort((p, q) => shown(q) - shown(p))[0];
    return piece && shown(piece) > 0 ? focalSigma(piece, index, lenses, position, options) : undefined;
  });
}

/**
 * How uncertain the turns of the largest piece's cameras to each other are where some of its photos were cut: the standard
 * deviation of the middle pair with no principal point known, degrees.
 *
 * @returns undefined where none was cut
 */
export function cutSigma(
  { photos, lensOf, position, pixels }: SurveyTask,
  { lenses, pieces }: Solution,
): CutSigma | undefined {
  const [largest] = pieces;
  const cut = cutLenses(lenses, lensPictures(photos, lensOf, lenses.length));
  const shown = [...(largest?.cameras.keys() ?? [])].filter((photo) => cut.has(lensOf[photo]!));
  if (!largest || shown.length === 0) return undefined;
  const options = { ...CERTAINTY_DEFAULTS, pixel: middlePixel(pixels) ?? CERTAINTY_DEFAULTS.pixel };
  const sigmas = rotationSigmas(largest, lenses, position, options, WITH_CENTRE);
  const sigma = sigmas?.[sigmas.length >> 1];
  return sigma === undefined ? undefined : { photos: shown, sigma };
}

/** Focal, k1, cx, cy. */
const WITH_CENTRE = [0, 1, 3, 4];

/** To begin another solution with. */
export const camerasOf = ({ pieces }: Solution): Map<number, PlacedCamera>[] =>
  pieces.map((piece) => new Map([...piece.cameras].map(([k, camera]) => [k, { ...camera }])));

export const isBelieved = ({ inlierCount, evidence }: TwoViewResult): boolean =>
  inlierCount >= LEAST_INLIERS && evidence >= LEAST_EVIDENCE;

/** The structure that pairs give under some lenses. */
export async function solve(
  task: SurveyTask,
  start: readonly Lens[],
  resultOf: (candidate: Candidate, index: number) => Candidate['result'],
  known?: readonly ReadonlyMap<number, PlacedCamera>[],
  structure: Partial<StructureOptions> = {},
): Promise<Solution> {
  const rejected: Rejection[] = [];
  const plausible = plausiblePairs(task, resultOf, rejected);
  const { photos, context } = task;
  const { pieces, lenses, contradictions } = await structureInThread(
    task.pool,
    {
      lensOf: task.lensOf,
      lenses: start,
      pictures: lensPictures(photos, task.lensOf, start.length),
      positions: task.positions,
      pairs: plausible,
      faces: photos.map(({ face }) => ({ face })),
      known,
      priors: posePriors(photos),
      options: {
        ...STRUCTURE_DEFAULTS,
        pixel: middlePixel(task.pixels) ?? STRUCTURE_DEFAULTS.pixel,
        ...structure,
      },
    },
    context,
    context.onLook && ((look) => context.onLook!(lookOf(look, photos, task.position))),
  );
  contradictions.forEach((detail, k) => {
    const { a, b } = plausible[k]!;
    if (detail !== undefined) rejected.push({ pair: { a, b }, reason: 'inconsistent', detail });
  });
  return { lenses, pieces, verified: plausible.filter((_, k) => contradictions[k] === undefined), rejected };
}

/** Pairs that pass the tests on the pair alone. */
function plausiblePairs(
  { candidates }: SurveyTask,
  resultOf: (candidate: Candidate, index: number) => Candidate['result'],
  rejected: Rejection[],
): Verified {
  const plausible: Verified = [];
  candidates.forEach((candidate, index) => {
    const { pair, matches } = candidate;
    const result = resultOf(candidate, index);
    if (!result || !isBelieved(result)) {
      rejected.push({
        pair,
        reason: 'no-overlap',
        detail: `only ${result?.inlierCount ?? 0} of ${matches.length / 2} matches agree with one geometry`,
      });
      return;
    }
    const { rotation, translation, inlierCount, parallax, rotationShare, inliers } = result;
    plausible.push({
      a: pair.a,
      b: pair.b,
      rotation,
      translation,
      inlierCount,
      parallax,
      rotationShare,
      matches: matches.filter((_, k) => inliers[k >> 1]),
    });
  });
  return plausible;
}
