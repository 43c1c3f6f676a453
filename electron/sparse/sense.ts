import type { Pair, Photo } from '../geometry/types.js';
import { listed } from '../contract/listed.js';
import { median } from '../numerics/median.js';
import { contradicting, evidenceOf, OVERLAID_DEFAULTS } from './overlaid.js';
import { agreement, disagreeing, isTelling, mayAgree } from './agreement.js';
import type { Lens } from './bundle.js';
import { FOCAL_GRID } from './calibration.js';
import type { Candidate } from './correspondence.js';
import type { CutSigma } from './cuts.js';
import { hingeOf } from './hinge.js';
import type { Piece, StructurePoint, VerifiedPair } from './structure.js';
import { viewingAngle } from './triangulate.js';
import { UNSEEN_DEFAULTS } from './unseen.js';
import type { Rejection } from '../geometry/stage.js';

/** Photos that a warning names. */
const MOST_NAMES = 6;

/** What the checks look at. */
export interface SenseInput {
  photos: readonly Photo[];
  /** Every pair that was matched, with its epipolar geometry and, where found, its relative pose. */
  candidates: readonly Candidate[];
  pieces: readonly Piece[];
  lensOf: readonly number[];
  lenses: readonly Lens[];
  /** Per lens, the standard deviation of its focal, as a share of it. */
  focalSigmas?: readonly (number | undefined)[];
  /** Where photos were cut, how uncertain the cameras' turns to each other are. */
  cut?: CutSigma | undefined;
  rejected: readonly Rejection[];
  /** Pairs that hold. */
  verified: readonly VerifiedPair[];
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
  /** Share of those that a pose with depth must explain for the camera to have moved after all. */
  explained: number;
  /** Share of a pair's matches that one plane explains where they move as one flat picture. */
  flat: number;
  /** Least matches of a pair that says something about the set. */
  leastMatches: number;
  /** Share of a pair's matches, and of the pairs, that must stand still or be explained by a turn. */
  share: number;
  /** Share of the strong pairs, by their matches, that may contradict the others; repeated wallpaper has 20 %. */
  contradicting: number;
  /** The same where what contradicts is as strong: its middle pair has this share of the matches of what was believed. */
  evenContradicting: number;
  evenStrength: number;
  /** Share of the pairs that hold, by their matches, that must agree with the placed cameras (agreement.ts). */
  agreement: number;
  /** Standard deviation of a focal, as a share of it, from which on people are told. */
  focalSigma: number;
  /** Agreeing matches of a strong pair. */
  strong: number;
  /** A shape that turned inside out explains the photos with no more than this many times the cost may be so. */
  mirrored: number;
  /** Where the lines of sight to half of the points meet at less than this, places and depths are uncertain, degrees. */
  nearAngle: number;
}

export const SENSE_DEFAULTS: SenseOptions = {
  still: 0.08,
  together: 0.015,
  explained: 0.8,
  flat: 0.7,
  leastMatches: 20,
  share: 0.5,
  contradicting: 0.35,
  evenContradicting: 0.12,
  evenStrength: 0.75,
  agreement: 0.9,
  focalSigma: 0.08,
  strong: 30,
  mirrored: 1.1,
  nearAngle: 1,
};

/** Looks whether the result of a set makes sense, and says in words what a person can do where it does not. */
export function senseChecks(input: SenseInput, options: SenseOptions = SENSE_DEFAULTS): Sense {
  const assumed = assumedLenses(input);
  const turned = turnedOnly(input, options);
  const still = standsStill(input, options);
  // Of cameras that hardly moved, pairs know no direction that could contradict.
  const near = nearlyOneSpot(input, options);
  const warnings = [
    still ?? turned ?? near,
    near ? undefined : (contradictions(input, options) ?? placesOnEachOther(input)),
    ...assumedWords(input, assumed),
    uncertainFocal(input, assumed, options),
    impossibleFocal(input),
    cutApart(input),
    insideOut(input, options),
    ...pieceWords(input),
  ];
  return {
    warnings: warnings.filter((line) => line !== undefined),
    reasons: input.photos.map((_, photo) => unplacedReason(input, photo)),
    assumed,
  };
}

/**
 * What the photos have in common moves as one flat picture, and hardly: the camera stood still or nearly so. An object on
 * a turntable is then lost among its background, which alone is matched.
 */
function standsStill({ photos, candidates, position }: SenseInput, options: SenseOptions): string | undefined {
  if (photos.length < 3) return undefined;
  let [told, still] = [0, 0];
  for (const { pair, matches, fit, result } of candidates) {
    if (!fit || fit.inlierCount < options.leastMatches) continue;
    told++;
    if (fit.planarShare < options.flat) continue;
    const moved: { match: number; by: [number, number] }[] = [];
    for (let k = 0; k < matches.length; k += 2) {
      if (!fit.inliers[k >> 1]) continue;
      const [p, q] = [position(pair.a, matches[k]!), position(pair.b, matches[k + 1]!)];
      moved.push({ match: k >> 1, by: [q[0] - p[0], q[1] - p[1]] });
    }
    const [x, y] = [0, 1].map((axis) => median(moved.map(({ by }) => by[axis]!)) ?? 0) as [number, number];
    const together = moved.filter(({ by }) => Math.hypot(by[0] - x, by[1] - y) < options.together);
    if (Math.hypot(x, y) > options.still || together.length <= options.share * moved.length) continue;
    // Neighbours in a row of photos move little as well, and what does shows depth: 1.4 to 4 degrees of it, with a
    // thousand matches; a background that stands still showed 0.9 at most. An object that turns before it shows depth, but
    // to the background that is no pose.
    const explained = together.filter(({ match }) => result?.inliers[match]).length;
    const isStepAside =
      result &&
      result.inlierCount >= options.strong &&
      isTelling(result) &&
      explained > options.explained * together.length;
    if (!isStepAside) still++;
  }
  if (told < 2 || still <= options.share * told) return undefined;
  return (
    `in ${still} of ${told} pairs of photos what they have in common stands still: the camera did not move, or hardly. ` +
    'If an object turns before it, mask the background (Find masks in the studio, or --masks auto, does so); ' +
    'otherwise take photos from different places'
  );
}

/** Photos from one spot have no depth, however many they are. */
function turnedOnly({ photos, candidates }: SenseInput, options: SenseOptions): string | undefined {
  const told = candidates.filter(({ result }) => result && result.inlierCount >= options.leastMatches);
  const turned = told.filter(({ result }) => result!.rotationShare > 0.8);
  if (turned.length === 0 || turned.length <= options.share * told.length) return undefined;
  const names = [...new Set(turned.flatMap(({ pair: { a, b } }) => [a, b]))].map((k) => photos[k]!.name);
  return (
    `${turned.length} of ${told.length} pairs of photos were taken from one spot, the camera only turned (${listed(names, MOST_NAMES)}): ` +
    'that gives no depth; step aside between photos'
  );
}

/** Points that are asked are enough. */
const ASKED_POINTS = 1000;
const ASKED_SIGHTINGS = 12;

/**
 * Photos from nearly one spot: their turns are right, but where they stand, and how far things are, follows from less than
 * what features are off. Of eight photos that were turned by hand, 5 cm about, lines of sight met at 0.6 degrees and the
 * ways from camera to camera were 85 degrees off; of right results they met at 4 degrees and more.
 */
function nearlyOneSpot({ pieces }: SenseInput, { nearAngle }: SenseOptions): string | undefined {
  const [largest] = pieces;
  if (!largest || largest.points.length === 0) return undefined;
  const step = Math.ceil(largest.points.length / ASKED_POINTS);
  const middle = median(
    largest.points.filter((_, k) => k % step === 0).map((point) => widestAngle(point, largest.cameras)),
  )!;
  if (middle >= nearAngle) return undefined;
  return (
    `the photos were taken from nearly one spot (lines of sight meet at ${middle.toFixed(1)} degrees): where the cameras stand, and ` +
    'how far things are, is uncertain; step aside between photos, by a tenth of the distance to what they show'
  );
}

/** At which the lines of sight to a point meet, degrees. */
function widestAngle({ position, photos }: StructurePoint, cameras: Piece['cameras']): number {
  const step = Math.ceil(photos.length / ASKED_SIGHTINGS);
  const asked = photos.filter((_, k) => k % step === 0).map((photo) => cameras.get(photo)!);
  const angles = asked.flatMap((a, k) => asked.slice(k + 1).map((b) => viewingAngle(a, b, position)));
  return (Math.max(0, ...angles) * 180) / Math.PI;
}

/**
 * Different places that look alike. Pairs that contradict the others are left out in silence, however many (a third of a
 * wallpapered room's, each with few matches), unless they have as much to show as those that were believed; and what
 * was believed must agree with where the cameras were placed.
 */
function contradictions(input: SenseInput, options: SenseOptions): string | undefined {
  const { photos, candidates, rejected, pieces, verified } = input;
  const inliers = new Map(
    candidates.map(({ pair: { a, b }, result }): [string, number] => [`${a}-${b}`, result?.inlierCount ?? 0]),
  );
  const inliersOf = ({ a, b }: { a: number; b: number }) => inliers.get(`${a}-${b}`) ?? 0;
  const strong = [...inliers.values()].filter((count) => count >= options.strong);
  const against = rejected
    .filter(({ pair, reason }) => reason === 'inconsistent' && inliersOf(pair) >= options.strong)
    .map(({ pair }) => pair);
  const weight = against.reduce((sum, pair) => sum + inliersOf(pair), 0);
  const share = weight / strong.reduce((p, q) => p + q, 0);
  // Windows that are all alike match each other as well as themselves: 14 pairs of 152 matches against 52 of 171, of
  // wallpaper in a right result 31 of 92 against 47 of 311.
  const middleOf = (pairs: readonly { a: number; b: number }[]): number => median(pairs.map(inliersOf)) ?? Infinity;
  const believed = verified.filter((pair) => inliersOf(pair) >= options.strong);
  const isEven = middleOf(against) > options.evenStrength * middleOf(believed);
  const contradicted = against.length >= 3 && share > (isEven ? options.evenContradicting : options.contradicting);
  const misplaced = pieces.flatMap(({ cameras }) =>
    agreement(verified, cameras, mayAgree) < options.agreement ? disagreeing(verified, cameras, mayAgree) : [],
  );
  if (!contradicted && misplaced.length === 0) return undefined;
  const what = contradicted
    ? `${against.length} of ${strong.length} pairs of photos look alike but contradict the others (${pairNames(photos, against)})`
    : `${misplaced.length} of ${verified.length} pairs of photos contradict where their cameras were placed (${pairNames(photos, misplaced)})`;
  return `${what}: the place may repeat itself, and parts may lie on each other wrongly; check the result, and add photos that show what lies between`;
}

const pairNames = (photos: readonly Photo[], pairs: readonly Pair[]): string =>
  listed(
    pairs.map(({ a, b }) => `${photos[a]!.name} with ${photos[b]!.name}`),
    3,
  );

/**
 * Two places that look alike, taken for one without any pair that contradicts: the front and the back of a building. Told
 * by one pair of photos that see different things where they should see the same, or by all such pairs together.
 */
function placesOnEachOther({ photos, pieces }: SenseInput): string | undefined {
  const [largest] = pieces;
  const tests = [
    { compared: largest?.overlaid ?? [], options: OVERLAID_DEFAULTS },
    { compared: largest?.unseen ?? [], options: UNSEEN_DEFAULTS },
  ];
  const failed = tests.find(({ compared, options }) => evidenceOf(compared, options) >= OVERLAID_DEFAULTS.evidence);
  if (!failed) return undefined;
  const pairs = contradicting(failed.compared, failed.options);
  return (
    `photos that were placed at nearly one spot show different things there (${pairNames(photos, pairs)}): ` +
    'two places that look alike may lie on each other; check the result, and add photos that show what lies between, or reconstruct each side by itself'
  );
}

function assumedLenses({ pieces, lensOf, lenses, photos }: SenseInput): Set<number> {
  const assumed = new Set<number>();
  lenses.forEach((lens, index) => {
    if (lens.assumed) assumed.add(index);
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
  const [who, more] =
    pieces[0]!.cameras.size <= 2
      ? ['two photos', 'add a third photo from another place']
      : ['the photos', 'add photos that look from another side, aslant where all look straight down'];
  return [
    `${who} can't tell the focal length: ${pixels} px is assumed, give or take a third, and shapes may be stretched or flattened; ` +
      `${more}, or type in the focal length`,
  ];
}

/** Photos from nearly one place, or of a plane, tell a focal badly: depth is then stretched or flattened. */
function uncertainFocal(
  { pieces, photos, lensOf, lenses, focalSigmas }: SenseInput,
  assumed: ReadonlySet<number>,
  options: SenseOptions,
): string | undefined {
  const shown = [...(pieces[0]?.cameras.keys() ?? [])];
  for (const [index, sigma] of (focalSigmas ?? []).entries()) {
    const own = shown.filter((photo) => lensOf[photo] === index);
    if (sigma === undefined || sigma < options.focalSigma || assumed.has(index) || 2 * own.length < shown.length)
      continue;
    const { width, height } = photos[own[0]!]!;
    const pixels = Math.round(lenses[index]!.focal * Math.max(width, height));
    return (
      `the photos tell the focal length badly (${pixels} px, give or take ${Math.round(100 * sigma)} %), and shapes may be ` +
      'stretched or flattened; add photos from places further apart, or type in the focal length'
    );
  }
  return undefined;
}

/** Given by how much a focal may pass the ends of the range that lenses are looked for in. */
const BEYOND = 1.05;

/**
 * A lens that no camera has, of photos whose focal nothing else told. Of a corridor with doors that are all alike, whose
 * photos were laid on each other every third step, the focal came out 56 % off, as a view of 124 degrees, and sure of it.
 */
function impossibleFocal({ pieces, photos, lensOf, lenses }: SenseInput): string | undefined {
  const photo = [...(pieces[0]?.cameras.keys() ?? [])].find((each) => {
    const { focal, fixed, prior } = lenses[lensOf[each]!]!;
    const isTold = fixed || photos[each]!.focal || (prior && prior.sigma < 0.2);
    return !isTold && (focal * BEYOND < FOCAL_GRID[0]! || focal > BEYOND * FOCAL_GRID.at(-1)!);
  });
  if (photo === undefined) return undefined;
  const { focal } = lenses[lensOf[photo]!]!;
  const { width, height } = photos[photo]!;
  const degrees = Math.round((2 * Math.atan(0.5 / focal) * 180) / Math.PI);
  return (
    `the focal length came out as ${Math.round(focal * Math.max(width, height))} px, a view of ${degrees} degrees, which cameras don't have: the ` +
    'result is likely wrong; the place may repeat itself, or the photos show too little depth. Type in the focal length, and add photos from other sides'
  );
}

/** Errors are larger than what adjustments foretell of them: by 0.8 to 4.6 in ten sets, 1.5 in the middle. */
const TIMES_FORETOLD = 3;
/** Of cameras turned wrongly by this much people are told, degrees. */
const TURNED_WRONGLY = 1;

/**
 * Photos that were cut, of which the middle is no longer that of the lens: through a long lens, where it lies is hardly told
 * apart from how the camera was turned.
 */
function cutApart({ photos, cut }: SenseInput): string | undefined {
  const degrees = TIMES_FORETOLD * (cut?.sigma ?? 0);
  if (!cut || degrees < TURNED_WRONGLY) return undefined;
  const names = cut.photos.map((photo) => photos[photo]!.name);
  return (
    `${names.length} photos seem to be cut (${listed(names, MOST_NAMES)}): where the middle of the lens lies in them is uncertain, and the ` +
    `cameras may be turned wrongly by about ${Math.round(degrees)} degrees; give the photos as they came from the camera`
  );
}

/** Seen from far away, near and far may be exchanged. */
function insideOut({ photos, pieces }: SenseInput, { mirrored }: SenseOptions): string | undefined {
  const piece = pieces.find((each, k) => {
    const isTold = k === 0 || each.cameras.size > 2;
    return isTold && each.mirrored !== undefined && each.mirrored <= mirrored;
  });
  if (!piece) return undefined;
  const names = [...piece.cameras.keys()].map((photo) => photos[photo]!.name);
  const those = piece === pieces[0] ? 'the photos' : `${names.length} photos (${listed(names, MOST_NAMES)})`;
  return (
    `${those} were taken from so far away, or through so long a lens, that the shape may as well be inside out; ` +
    'add photos from nearer or from further round'
  );
}

/** Pieces of two photos, and parts that hang by one. */
function pieceWords({ photos, pieces }: SenseInput): string[] {
  const lines: string[] = [];
  const [largest] = pieces;
  if (largest && photos.length > 2 && largest.cameras.size === 2)
    lines.push(
      'only two photos could be placed together, so nothing checks the result; take photos that overlap by two thirds',
    );
  const hinge = largest && hingeOf(largest);
  if (hinge) {
    const names = hinge.part.map((photo) => photos[photo]!.name);
    const those = `${names.length} photos (${listed(names, MOST_NAMES)})`;
    lines.push(
      `${those} are tied to the others by ${photos[hinge.by]!.name} alone: where they lie and how large they are is uncertain; ` +
        'add photos that show both sides of it',
    );
  }
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
  const other = best.pair.a === photo ? best.pair.b : best.pair.a;
  const partner = photos[other]!.name;
  const related = own.filter(({ result }) => result && result.inlierCount >= SENSE_DEFAULTS.leastMatches);
  const weigh = (some: readonly Candidate[]): number => some.reduce((sum, { result }) => sum + result!.inlierCount, 0);
  const fromOneSpot = related.filter(({ result }) => !isTelling(result!));
  if (related.length > 0 && weigh(fromOneSpot) > SENSE_DEFAULTS.share * weigh(related))
    return `taken from the same spot as ${partner}, or nearly, so there is no depth; step aside between photos`;
  const against = rejected.filter(
    ({ pair, reason }) => reason === 'inconsistent' && (pair.a === photo || pair.b === photo),
  );
  if (against.length > 0 && against.length >= related.length)
    return 'what it has in common with other photos contradicts them; it may show a place that looks alike';
  const count = best.fit?.inlierCount ?? 0;
  if (related.includes(best) && !pieces.some(({ cameras }) => cameras.has(other)))
    return `most of what it shares (${count} points) is with ${partner}, which could not be placed either; take photos between them and the others`;
  if (count >= SENSE_DEFAULTS.strong)
    return `shares ${count} points with ${partner}, but too few of them with a third photo as well, which would tell its place; take photos between them`;
  return `shares too little with the other photos (at most ${count} points, with ${partner}); take photos between them`;
}
