import { listed } from '../contract/listed.js';
import type { Photo } from '../geometry/types.js';
import { median } from '../numerics/median.js';
import { minus3 } from '../numerics/vector.js';
import { isTelling, mayAgree } from './agreement.js';
import { cameraPose } from './known.js';
import { fromTo, type Posed } from './pose.js';
import type { VerifiedPair } from './structure.js';
import { rotationDifference } from './two-view.js';

export interface ContradictionOptions {
  /** Matches of a pair that says something about known cameras. */
  leastMatches: number;
  /** Cameras closer than this share of the usual distance know no direction to each other: places are a little off. */
  leastApart: number;
  /** A camera is wrong where this share of its pairs contradicts it. */
  share: number;
  /** Names in a warning. */
  mostNames: number;
}

export const CONTRADICTION_DEFAULTS: ContradictionOptions = {
  leastMatches: 30,
  leastApart: 0.25,
  share: 0.5,
  mostNames: 5,
};

interface Judged {
  a: number;
  b: number;
  isGood: boolean;
  /** Degrees. */
  turned: number;
}

/**
 * Known cameras that stand to each other as no pair of their photos says: of another scene, of other photos, with other
 * axes. Pairs are related from their matches alone, so that this holds for cameras that are fixed as well. The camera
 * with most contradictions is set aside until the others agree.
 *
 * @returns one line for people, or none
 */
export function contradictingCameras(
  photos: readonly Photo[],
  pairs: readonly VerifiedPair[],
  options: ContradictionOptions = CONTRADICTION_DEFAULTS,
): string[] {
  const known = photos.map(({ known, face }) => (face ? undefined : known?.worldFromCamera && known));
  if (known.filter(Boolean).length < 2) return [];
  const judged = judge(known, pairs, options);
  const wrong = new Map<number, Judged[]>();
  for (let left = judged; ;) {
    const worst = mostContradicted(left, options.share);
    if (worst === undefined) break;
    wrong.set(
      worst,
      judged.filter(({ a, b, isGood }) => !isGood && (a === worst || b === worst)),
    );
    left = left.filter(({ a, b }) => a !== worst && b !== worst);
  }
  if (wrong.size === 0) return [];
  const told = new Set(judged.flatMap(({ a, b }) => [a, b]));
  const isFixed = [...wrong.keys()].some((photo) => known[photo]!.use === 'fixed');
  const advice = isFixed
    ? 'they were fixed and left where they are, so that depth there is wrong; correct the file, or use --known-cameras-use prior'
    : 'they were not followed; correct the file, or leave these cameras out';
  if (wrong.size * 2 >= told.size)
    return [
      `${wrong.size} of ${told.size} known cameras contradict what the photos show: they may be of other photos, or have other axes (x right, y down, z forward is expected, or the format's own); ${advice}`,
    ];
  const names = [...wrong].map(
    ([photo, list]) =>
      `${photos[photo]!.name} (${Math.round(median(list.map(({ turned }) => turned))!)} degrees against ${list.length} others)`,
  );
  return [`known cameras that contradict what the photos show: ${listed(names, options.mostNames)}; ${advice}`];
}

function judge(
  known: readonly Photo['known'][],
  pairs: readonly VerifiedPair[],
  { leastMatches, leastApart }: ContradictionOptions,
): Judged[] {
  const told = pairs.filter(
    (pair) => known[pair.a] && known[pair.b] && isTelling(pair) && pair.inlierCount >= leastMatches,
  );
  const place = (photo: number): number[] => [3, 7, 11].map((k) => known[photo]!.worldFromCamera![k]!);
  const apart = told.map(({ a, b }) => Math.hypot(...minus3(place(a), place(b))));
  const least = leastApart * (median(apart) ?? 0);
  return told.map((pair, k) => {
    const [a, b] = [cameraPose(known[pair.a]!.worldFromCamera!), cameraPose(known[pair.b]!.worldFromCamera!)];
    const turned = rotationDifference(fromTo(a, b).rotation, pair.rotation);
    // The direction between cameras that hardly moved is not known from places that are a little off.
    const compared = apart[k]! > least ? pair : { ...pair, translation: directionOf(a, b) };
    return { a: pair.a, b: pair.b, isGood: mayAgree(compared, a, b), turned };
  });
}

/** From a to b, in the frame of b, as the poses themselves have it. */
function directionOf(a: Posed, b: Posed): Float64Array {
  const { translation } = fromTo(a, b);
  const length = Math.hypot(...translation) || 1;
  return Float64Array.from(translation, (value) => value / length);
}

/** Of the cameras that more than `share` of their pairs contradict, the one with most such pairs. */
function mostContradicted(judged: readonly Judged[], share: number): number | undefined {
  const counts = new Map<number, { good: number; bad: number }>();
  for (const { a, b, isGood } of judged) {
    for (const photo of [a, b]) {
      const count = counts.get(photo) ?? { good: 0, bad: 0 };
      if (isGood) count.good++;
      else count.bad++;
      counts.set(photo, count);
    }
  }
  let worst: number | undefined;
  let most = 0;
  for (const [photo, { good, bad }] of counts) {
    if (bad <= share * (good + bad) || bad <= most) continue;
    most = bad;
    worst = photo;
  }
  return worst;
}
