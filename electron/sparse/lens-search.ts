import { wellConnected } from '../pairs/propose.js';
import type { Lens } from './bundle.js';
import { DEFAULT_FOCAL, groupLenses, lensKey, namelessKeys, type LensGroup } from './calibration.js';
import type { Candidate } from './correspondence.js';
import { APART, focalHypotheses } from './hypotheses.js';
import { quickPoses } from './relating.js';
import { camerasOf, isAgreed, sigmasOf, solve, worth, type Solution, type SurveyTask } from './solution.js';

/**
 * Solves the set under each hypothesis about the lenses and takes what explains most: pairs alone tell a focal badly
 * (the peak is a tenth above its plateau), the structure of a set tells it well.
 */
export async function bestHypothesis(
  task: SurveyTask,
  groups: readonly LensGroup[],
  start: readonly Lens[],
): Promise<Solution> {
  const tryOn =
    (part: SurveyTask) =>
    async (lenses: readonly Lens[]): Promise<Solution> => {
      const poses = await quickPoses(part, lenses);
      // Under wrong focals a principal point far aside explains much.
      const solution = await solve(part, lenses, (_, k) => poses[k], undefined, { isFinal: false });
      return { ...solution, poses };
    };
  let asTold: Solution | undefined;
  if (start.every(({ focal }) => focal > 0)) {
    asTold = await tryOn(task)(start);
    if (isConvincing(task, asTold)) return asTold;
  }
  const hypotheses = await focalHypotheses(task, groups, start);
  const { trial, photoCount } = trialOf(task);
  const isWhole = trial === task;
  let best = isWhole ? asTold : undefined;
  let chosen = start;
  const tried: Tried[] = [];
  const tryEach = async (list: readonly (readonly Lens[])[]): Promise<boolean> => {
    for (const lenses of list) {
      const solution = await tryOn(trial)(lenses);
      tried.push({ start: lenses, solution });
      if (!best || worth(solution) > worth(best)) [best, chosen] = [solution, lenses];
      if (best === solution && isConfirmed(photoCount, lenses, solution)) return true;
    }
    return false;
  };
  const isFound = await tryEach(isWhole || !asTold ? hypotheses : [start, ...hypotheses]);
  if (!isFound && best && !isAgreed(best)) await tryEach(learntLenses(tried));
  if (isWhole) return best!;
  if (asTold && chosen === start) return asTold;
  const whole = await tryOn(task)(best!.lenses);
  return asTold && worth(asTold) >= worth(whole) ? asTold : whole;
}

interface Tried {
  start: readonly Lens[];
  solution: Solution;
}

/** Lenses that structures ended with are tried, of so many of them, and of none that explains less than this share of the best. */
const MOST_LEARNT = 2;
const LEARNT_SHARE = 0.5;

/**
 * Where no structure agrees with its pairs: the lenses that structures ended with, all of them far from any that was tried,
 * those that explain most first. Pairs related under a focal that the structure has left may contradict what is right: of a room with
 * plain walls the peaks were 0.93, 2.4 and 0.35 long sides, the structure of the first ended at 0.56, which is right, and
 * not one pair agreed with it; what was taken instead had 8 of 18 photos, their places 130 degrees off.
 */
export function learntLenses(tried: readonly Tried[]): Lens[][] {
  const explained = ({ solution: { pieces } }: Tried): number => pieces.reduce((sum, { support }) => sum + support, 0);
  const ranked = [...tried].sort((p, q) => explained(q) - explained(p));
  const known = tried.map(({ start }) => start);
  const learnt: Lens[][] = [];
  for (const each of ranked.filter((one) => explained(one) >= LEARNT_SHARE * explained(ranked[0]!))) {
    const lenses = each.start.map((lens, k): Lens => {
      if (isKnown(lens)) return { ...lens };
      const { focal } = each.solution.lenses[k]!;
      return { focal, k1: 0, prior: { ...lens.prior!, focal } };
    });
    const isNew = [...known, ...learnt].every((other) =>
      lenses.every((lens, k) => isKnown(lens) || isApart(lens, other[k]!)),
    );
    if (isNew && learnt.length < MOST_LEARNT) learnt.push(lenses);
  }
  return learnt;
}

const isKnown = ({ fixed, prior }: Lens): boolean => fixed === true || !prior || prior.sigma < 0.2;

/** Whether two focals differ by more than APART. */
const isApart = (p: Lens, q: Lens): boolean => Math.abs(Math.log(p.focal / q.focal)) > Math.log(APART);

/** Of a set that is larger, the lenses are tried on so many photos: what they tell, the others confirm. */
const TRIAL_PHOTOS = 60;

/** The part of a task that hypotheses are tried on: photos that match each other best; all of a small set. */
function trialOf(task: SurveyTask): { trial: SurveyTask; photoCount: number } {
  const { photos, candidates } = task;
  if (photos.length <= TRIAL_PHOTOS) return { trial: task, photoCount: photos.length };
  const bonds = candidates.map(({ pair, fit }) => ({ ...pair, inliers: fit?.inlierCount ?? 0 }));
  const chosen = wellConnected(bonds, photos.length, TRIAL_PHOTOS);
  const among = candidates.filter(({ pair: { a, b } }) => chosen.has(a) && chosen.has(b));
  return { trial: { ...task, candidates: among }, photoCount: chosen.size };
}

/** Few photos hardly pull a focal: that it stayed where it was says nothing. */
const CONFIRMING_PHOTOS = 6;

/**
 * Every photo placed in one piece, and the structure leaves every focal where the pairs had it: two opinions that agree.
 * Other hypotheses, each a structure of its own, were three quarters of the sparse stage's time, and changed nothing then.
 */
function isConfirmed(photoCount: number, start: readonly Lens[], solution: Solution): boolean {
  const { lenses, pieces } = solution;
  if (photoCount < CONFIRMING_PHOTOS || !isAgreed(solution)) return false;
  return !lenses.some((lens, k) => isApart(lens, start[k]!)) && pieces[0]?.cameras.size === photoCount;
}

/** Every photo placed in one piece, and no lens pulled away from what EXIF says. */
function isConvincing({ photos }: SurveyTask, solution: Solution): boolean {
  const { lenses, pieces } = solution;
  const pulled = lenses.some(({ focal, prior }) => prior && Math.abs(Math.log(focal / prior.focal)) > 0.08);
  return !pulled && isAgreed(solution) && pieces[0]?.cameras.size === photos.length;
}

/** Lenses of their own must explain so many times as much, and two of what was one be apart by more than APART. */
const APART_GAIN = 1.03;
/** Pairs are related again with the focals found: those of one lens for all bend them. */
const APART_ROUNDS = 2;

/**
 * The set with a lens of its own for each photo that shares one by nothing but the size of its picture, where that explains
 * more: photos of the web, cut or reduced to one size, were taken by many cameras. Asked of confirmed sets too: six photos
 * of two lenses 1.4 apart, placed with one for all, looked confirmed. Not asked of a set that is too small to tell, or so
 * large that it costs.
 */
export async function lensesApart(
  task: SurveyTask,
  shared: Solution,
): Promise<{ task: SurveyTask; solution: Solution } | undefined> {
  const { photos } = task;
  const apart = namelessKeys(photos);
  if (apart.size === 0 || photos.length < CONFIRMING_PHOTOS || photos.length > TRIAL_PHOTOS) return undefined;
  const { lensOf, groups } = groupLenses(photos, apart);
  const own = { ...task, lensOf };
  const start = groups.map(({ photos: [first] }): Lens => {
    const lens = shared.lenses[task.lensOf[first!]!]!;
    return apart.has(lensKey(photos[first!]!)) ? { ...lens, prior: { focal: lens.focal, sigma: 0.4 } } : { ...lens };
  });
  const poses = shared.poses ?? (await quickPoses(task, shared.lenses));
  const cameras = camerasOf(shared);
  for (const [photo, camera] of cameras.flatMap((piece) => [...piece])) camera.lens = lensOf[photo]!;
  let found = await solve(own, start, (_, k) => poses[k], cameras, { isFinal: false });
  if (!areApart(task, own, found)) return undefined;
  for (let round = 0; round < APART_ROUNDS; round++) {
    // Without the distortion that one lens for all had to take.
    const lenses = start.map((lens, k): Lens =>
      lens.fixed ? lens : { focal: found.lenses[k]!.focal, k1: 0, prior: lens.prior },
    );
    const anew = await quickPoses(own, lenses);
    found = await solve(own, lenses, (_, k) => anew[k], undefined, { isFinal: false });
    if (isAgreed(found)) break;
  }
  const isBetter = areApart(task, own, found) && worth(found) > APART_GAIN * worth(shared);
  if (!isBetter) return undefined;
  const aside = await besideMiddle(task, shared, poses);
  if (aside && worth(found) <= APART_GAIN * worth(aside)) return { task, solution: aside };
  return { task: own, solution: found };
}

/**
 * The set with its shared lens, whose principal point may lie beside the middle: photos that were all cut alike seem to have
 * focals of their own, rising along the way round (0.88 to 1.18 times the right one, and 4.4 degrees off, of 14 photos
 * of which a fifth was cut away at the left).
 *
 * @returns undefined where the photos say that it lies in the middle
 */
async function besideMiddle(
  task: SurveyTask,
  shared: Solution,
  poses: readonly Candidate['result'][],
): Promise<Solution | undefined> {
  const isAside = ({ lenses }: Solution) => lenses.some(({ cx, cy }) => cx || cy);
  const aside = await solve(task, shared.lenses, (_, k) => poses[k], camerasOf(shared));
  if (!isAside(aside)) return undefined;
  const anew = await quickPoses(task, aside.lenses);
  const related = await solve(task, aside.lenses, (_, k) => anew[k], camerasOf(aside));
  return isAside(related) && worth(related) > worth(aside) ? related : aside;
}

/** Standard deviations by which two focals must differ, beyond APART, to be of two lenses. */
const CERTAINLY = 2;

/**
 * Whether two photos of one lens got focals for themselves that are apart, as far as each is known: in a structure that is
 * wrong, photos that few points hold wander by a third.
 */
function areApart(shared: SurveyTask, own: SurveyTask, solution: Solution): boolean {
  const { pieces, lenses } = solution;
  const sigmas = sigmasOf(own, solution);
  const groups = new Map<number, { low: number; high: number }>();
  return pieces
    .flatMap(({ cameras }) => [...cameras.keys()])
    .some((photo) => {
      const lens = own.lensOf[photo]!;
      const [at, give] = [Math.log(lenses[lens]!.focal), CERTAINLY * (sigmas[lens] ?? 0)];
      const group = groups.get(shared.lensOf[photo]!) ?? { low: Infinity, high: -Infinity };
      group.low = Math.min(group.low, at + give);
      group.high = Math.max(group.high, at - give);
      groups.set(shared.lensOf[photo]!, group);
      return group.high - group.low > Math.log(APART);
    });
}

/** A focal that is known no better than this is worse than a guess: of most cameras it is within a third of the usual one. */
const VAGUE_SIGMA = 1 / 3;
/** The usual focal is as good where it explains this share of what the one that was found does. */
const AS_GOOD = 0.95;

/**
 * The set with the usual focal for lenses that its photos can't tell: of photos with parallel axes, such as a drone's that
 * looks straight down, every focal explains the same, with the heights stretched. What an adjustment ends at is chance then
 * (2.08 times the right one for 16 such photos).
 *
 * @param sigmas per lens, the standard deviation of its focal as a share of it
 * @returns undefined where every focal is told, or the photos do say that it is not the usual one
 */
export async function usualFocals(
  task: SurveyTask,
  found: Solution,
  sigmas: readonly (number | undefined)[],
): Promise<Solution | undefined> {
  const isVague = found.lenses.map(({ prior }, k) => {
    const isTold = prior !== undefined && prior.sigma < 0.2;
    return !isTold && (sigmas[k] ?? 0) > VAGUE_SIGMA;
  });
  if (!isVague.includes(true)) return undefined;
  const lenses = found.lenses.map((lens, k): Lens =>
    isVague[k]
      ? { focal: DEFAULT_FOCAL, k1: 0, prior: { focal: DEFAULT_FOCAL, sigma: 1e-7 }, assumed: true }
      : { ...lens },
  );
  const poses = await quickPoses(task, lenses);
  const solution = await solve(task, lenses, (_, k) => poses[k]);
  return worth(solution) >= AS_GOOD * worth(found) ? solution : undefined;
}
