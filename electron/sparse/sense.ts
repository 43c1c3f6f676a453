import type { Photo } from '../geometry/types.js';
import type { Lens } from './bundle.js';
import type { Candidate } from './correspondence.js';
import type { Piece } from './structure.js';
import type { Rejection } from '../geometry/stage.js';

/** What the checks look at. */
export interface SenseInput {
  photos: readonly Photo[];
  /** Every pair that was matched, with its epipolar geometry and, where found, its relative pose. */
  candidates: readonly Candidate[];
  pieces: readonly Piece[];
  lensOf: readonly number[];
  lenses: readonly Lens[];
  rejected: readonly Rejection[];
  /** Of a feature, long sides relative to the photo's centre. */
  position(photo: number, feature: number): [number, number];
}

export interface Sense {
  /** One line each: what is wrong or not known, and what to do about it. */
  warnings: string[];
  /** Why a photo was not placed; parallel to the photos, undefined for those that were. */
  reasons: (string | undefined)[];
  /** Lenses whose focal the photos can't tell. */
  assumed: ReadonlySet<number>;
}

export interface SenseOptions {
  /** A pair whose matches move by less than this stands still, long sides. */
  still: number;
  /** Matches that differ from the pair's middle motion by less than this move as one, long sides. */
  together: number;
  /** Share of a pair's matches that one plane explains where they move as one flat picture. */
  flat: number;
  /** Least matches of a pair that says something about the set. */
  leastMatches: number;
  /** Share of a pair's matches, and of the pairs, that must stand still or be explained by a turn. */
  share: number;
  /** Share of the strong pairs that may contradict the result; repeated wallpaper has 20 %. */
  contradicting: number;
  /** Agreeing matches of a strong pair. */
  strong: number;
}

export const SENSE_DEFAULTS: SenseOptions = {
  still: 0.08,
  together: 0.015,
  flat: 0.7,
  leastMatches: 20,
  share: 0.5,
  contradicting: 0.35,
  strong: 30,
};

/** Looks whether the result of a set makes sense, and says in words what a person can do where it does not. */
export function senseChecks(input: SenseInput, options: SenseOptions = SENSE_DEFAULTS): Sense {
  const assumed = assumedLenses(input);
  const turned = turnedOnly(input, options);
  const still = standsStill(input, options);
  const warnings = [
    still ?? turned,
    contradictions(input, options),
    ...assumedWords(input, assumed),
    ...pieceWords(input),
  ];
  return {
    warnings: warnings.filter((line) => line !== undefined),
    reasons: input.photos.map((_, photo) => unplacedReason(input, photo)),
    assumed,
  };
}

const listed = (names: readonly string[], most = 6): string =>
  names.length > most ? `${names.slice(0, most).join(', ')} and ${names.length - most} more` : names.join(', ');

/**
 * What the photos have in common moves as one flat picture, and hardly: the camera stood still or nearly so. An object on
 * a turntable is then lost among its background, which alone is matched.
 */
function standsStill({ photos, candidates, position }: SenseInput, options: SenseOptions): string | undefined {
  if (photos.length < 3) return undefined;
  let [told, still] = [0, 0];
  for (const { pair, matches, fit } of candidates) {
    if (!fit || fit.inlierCount < options.leastMatches) continue;
    told++;
    if (fit.planarShare < options.flat) continue;
    const moved: [number, number][] = [];
    for (let k = 0; k < matches.length; k += 2) {
      if (!fit.inliers[k >> 1]) continue;
      const [p, q] = [position(pair.a, matches[k]!), position(pair.b, matches[k + 1]!)];
      moved.push([q[0] - p[0], q[1] - p[1]]);
    }
    const [x, y] = [0, 1].map((axis) => median(moved.map((each) => each[axis]!))) as [number, number];
    const together = moved.filter((each) => Math.hypot(each[0] - x, each[1] - y) < options.together).length;
    if (Math.hypot(x, y) < options.still && together > options.share * moved.length) still++;
  }
  if (told < 2 || still <= options.share * told) return undefined;
  return (
    `in ${still} of ${told} pairs of photos what they have in common stands still: the camera did not move, or hardly. ` +
    'If an object turns before it, mask the background (Find masks in the studio, or --masks auto, does so); ' +
    'otherwise take photos from different places'
  );
}

const median = (values: number[]): number => values.sort((p, q) => p - q)[values.length >> 1] ?? 0;

/** Photos from one spot have no depth, however many they are. */
function turnedOnly({ photos, candidates }: SenseInput, options: SenseOptions): string | undefined {
  const told = candidates.filter(({ result }) => result && result.inlierCount >= options.leastMatches);
  const turned = told.filter(({ result }) => result!.rotationShare > 0.8);
  if (turned.length === 0 || turned.length <= options.share * told.length) return undefined;
  const names = [...new Set(turned.flatMap(({ pair: { a, b } }) => [a, b]))].map((k) => photos[k]!.name);
  return (
    `${turned.length} of ${told.length} pairs of photos were taken from one spot, the camera only turned (${listed(names)}): ` +
    'that gives no depth; step aside between photos'
  );
}

/** Different places that look alike. Pairs that contradict a few others are left out in silence; many are a sign. */
function contradictions({ photos, candidates, rejected }: SenseInput, options: SenseOptions): string | undefined {
  const strong = new Set(
    candidates
      .filter(({ result }) => result && result.inlierCount >= options.strong)
      .map(({ pair }) => `${pair.a}-${pair.b}`),
  );
  const against = rejected.filter(({ pair, reason }) => reason === 'inconsistent' && strong.has(`${pair.a}-${pair.b}`));
  if (against.length < 3 || against.length <= options.contradicting * strong.size) return undefined;
  const names = against.map(({ pair: { a, b } }) => `${photos[a]!.name} with ${photos[b]!.name}`);
  return (
    `${against.length} of ${strong.size} pairs of photos look alike but contradict the others (${listed(names, 3)}): ` +
    'the place may repeat itself, and parts may lie on each other wrongly; check the result, and add photos that show what lies between'
  );
}

function assumedLenses({ pieces, lensOf, lenses, photos }: SenseInput): Set<number> {
  const assumed = new Set<number>();
  lenses.forEach((lens, index) => {
    const known =
      lens.fixed ||
      (lens.prior && lens.prior.sigma < 0.2) ||
      photos.some((photo, k) => lensOf[k] === index && photo.focal);
    if (known) return;
    const most = Math.max(
      0,
      ...pieces.map(({ cameras }) => ([...cameras.keys()].some((k) => lensOf[k] === index) ? cameras.size : 0)),
    );
    if (most <= 2) assumed.add(index);
  });
  return assumed;
}

function assumedWords({ pieces, photos, lensOf, lenses }: SenseInput, assumed: ReadonlySet<number>): string[] {
  const shown = [...(pieces[0]?.cameras.keys() ?? [])].filter((photo) => assumed.has(lensOf[photo]!));
  if (shown.length === 0) return [];
  const { width, height } = photos[shown[0]!]!;
  const pixels = Math.round(lenses[lensOf[shown[0]!]!]!.focal * Math.max(width, height));
  return [
    `two photos can't tell the focal length: ${pixels} px is assumed, and shapes may be stretched or flattened; ` +
      'add a third photo from another place, or type in the focal length',
  ];
}

/** Pieces of two photos, and what is left out of the largest piece. */
function pieceWords({ photos, pieces }: SenseInput): string[] {
  const lines: string[] = [];
  const [largest] = pieces;
  if (largest && photos.length > 2 && largest.cameras.size === 2)
    lines.push(
      'only two photos could be placed together, so nothing checks the result; take photos that overlap by two thirds',
    );
  return lines;
}

/** Undefined for a placed photo. */
function unplacedReason({ photos, candidates, pieces, rejected }: SenseInput, photo: number): string | undefined {
  if (pieces.some(({ cameras }) => cameras.has(photo))) return undefined;
  const own = candidates.filter(({ pair }) => pair.a === photo || pair.b === photo);
  const best = own.reduce<Candidate | undefined>(
    (most, each) => ((each.fit?.inlierCount ?? 0) > (most?.fit?.inlierCount ?? 0) ? each : most),
    undefined,
  );
  if (!best) return 'nothing in it was found in another photo: it shows something else, or is too blurred or too dark';
  const partner = photos[best.pair.a === photo ? best.pair.b : best.pair.a]!.name;
  const related = own.filter(({ result }) => result && result.inlierCount >= SENSE_DEFAULTS.leastMatches);
  if (related.length > 0 && related.every(({ result }) => result!.rotationShare > 0.8))
    return `taken from the same spot as ${partner}, so there is no depth; step aside between photos`;
  const against = rejected.filter(
    ({ pair, reason }) => reason === 'inconsistent' && (pair.a === photo || pair.b === photo),
  );
  if (against.length > 0 && against.length >= related.length)
    return 'what it has in common with other photos contradicts them; it may show a place that looks alike';
  return `shares too little with the other photos (at most ${best.fit?.inlierCount ?? 0} points, with ${partner}); take photos between them`;
}
