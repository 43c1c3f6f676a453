import type { GeoPosition, Pair } from '../geometry/types.js';
import type { Candidate } from '../retrieval/similar.js';

/** Per photo: those that may show the same things, best first. */
export type Similar = readonly (readonly Candidate[])[];

export interface ProposalOptions {
  /** Two photos that are among so many candidates of each other are looked at. */
  mutual: number;
  /** So are a photo's own first candidates, whatever it is to them. */
  own: number;
  /** Photos that were taken so many before and after: walking, one sees the same things again. */
  sequence: number;
  /** Nearest photos by position. */
  near: number;
  /** Of the photos that a photo's partners match: so many a photo. */
  further: number;
  /** Of a photo that was not placed, and between two pieces. */
  unplaced: number;
  between: number;
}

export const PROPOSAL_DEFAULTS: ProposalOptions = {
  mutual: 12,
  own: 4,
  sequence: 2,
  near: 10,
  further: 3,
  unplaced: 12,
  between: 60,
};

/** Pairs a < b, each once. */
export class PairSet {
  private readonly keys = new Set<string>();
  readonly list: Pair[] = [];

  constructor(pairs: readonly Pair[] = []) {
    for (const { a, b } of pairs) this.add(a, b);
  }

  has(a: number, b: number): boolean {
    return this.keys.has(keyOf(a, b));
  }

  /** @returns whether it is new */
  add(a: number, b: number): boolean {
    if (a === b || this.has(a, b)) return false;
    this.keys.add(keyOf(a, b));
    this.list.push({ a: Math.min(a, b), b: Math.max(a, b) });
    return true;
  }
}

const keyOf = (a: number, b: number): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
const sorted = (pairs: Pair[]): Pair[] => pairs.sort((p, q) => p.a - q.a || p.b - q.b);

/** Neighbours in the order the photos were given, and by where their cameras say they were. */
export function knownNeighbours(
  positions: readonly (GeoPosition | undefined)[],
  options: ProposalOptions = PROPOSAL_DEFAULTS,
): Pair[] {
  const pairs = new PairSet();
  for (let a = 0; a < positions.length; a++)
    for (let step = 1; step <= options.sequence && a + step < positions.length; step++) pairs.add(a, a + step);
  for (const [a, b] of nearPairs(positions, options.near)) pairs.add(a, b);
  return sorted(pairs.list);
}

/** Photos that look alike to each other. */
export function alikePairs(similar: Similar, options: ProposalOptions = PROPOSAL_DEFAULTS): Pair[] {
  const rank = similar.map((list) => new Map(list.slice(0, options.mutual).map(({ photo }, k) => [photo, k])));
  const pairs = new PairSet();
  rank.forEach((own, a) => {
    for (const [b, k] of own) if (k < options.own || rank[b]!.has(a)) pairs.add(a, b);
  });
  return sorted(pairs.list);
}

/** A pair that holds, and how well. */
export interface Bond extends Pair {
  inliers: number;
}

/**
 * Neighbours of neighbours: two photos that match the same third one, most and best first. Closes loops that retrieval
 * left open, and gives tracks the length that keeps a chain from bending.
 *
 * @param tried pairs that were looked at, and those that must not be
 */
export function furtherPairs(
  photoCount: number,
  bonds: readonly Bond[],
  tried: PairSet,
  options: ProposalOptions = PROPOSAL_DEFAULTS,
): Pair[] {
  const partners = Array.from({ length: photoCount }, () => new Map<number, number>());
  for (const { a, b, inliers } of bonds) {
    partners[a]!.set(b, inliers);
    partners[b]!.set(a, inliers);
  }
  const pairs = new PairSet();
  partners.forEach((own, a) => {
    const common = new Map<number, number>();
    for (const [b, first] of own)
      for (const [c, second] of partners[b]!)
        if (c !== a && !own.has(c) && !tried.has(a, c)) common.set(c, (common.get(c) ?? 0) + Math.min(first, second));
    const best = [...common].sort((p, q) => q[1] - p[1] || p[0] - q[0]).slice(0, options.further);
    for (const [c] of best) pairs.add(a, c);
  });
  return sorted(pairs.list);
}

/**
 * Pairs that may tie in photos that were not placed, and join pieces: the next candidates of each, and of each two
 * pieces.
 *
 * @param pieceOf per photo the number of its piece; undefined for those that were not placed
 */
export function joiningPairs(
  pieceOf: readonly (number | undefined)[],
  similar: Similar,
  tried: PairSet,
  options: ProposalOptions = PROPOSAL_DEFAULTS,
): Pair[] {
  const pairs = new PairSet();
  const across = new Map<string, { a: number; b: number; score: number }[]>();
  similar.forEach((list, a) => {
    let left = options.unplaced;
    for (const { photo: b, score } of list) {
      if (tried.has(a, b)) continue;
      const [p, q] = [pieceOf[a], pieceOf[b]];
      if (p === undefined && left > 0 && pairs.add(a, b)) left--;
      if (p === undefined || q === undefined || p === q) continue;
      const key = keyOf(p, q);
      across.set(key, [...(across.get(key) ?? []), { a, b, score }]);
    }
  });
  for (const list of across.values()) {
    list.sort((p, q) => q.score - p.score || p.a - q.a || p.b - q.b);
    for (const { a, b } of list.slice(0, 2 * options.between)) pairs.add(a, b);
  }
  return sorted(pairs.list);
}

/** So many photos that hold together best: from the best tied one on, always the one with most matches to those chosen. */
export function wellConnected(bonds: readonly Bond[], photoCount: number, wanted: number): Set<number> {
  const ties = Array.from({ length: photoCount }, () => new Map<number, number>());
  const total = new Float64Array(photoCount);
  for (const { a, b, inliers } of bonds) {
    ties[a]!.set(b, inliers);
    ties[b]!.set(a, inliers);
    total[a] = total[a]! + inliers;
    total[b] = total[b]! + inliers;
  }
  const chosen = new Set<number>();
  const gain = new Float64Array(photoCount);
  while (chosen.size < Math.min(wanted, photoCount)) {
    let next = -1;
    for (let photo = 0; photo < photoCount; photo++) {
      if (chosen.has(photo)) continue;
      const better =
        next < 0 || gain[photo]! > gain[next]! || (gain[photo] === gain[next] && total[photo]! > total[next]!);
      if (better) next = photo;
    }
    // What is left matches none of those.
    if (chosen.size > 0 && gain[next] === 0) break;
    chosen.add(next);
    for (const [other, inliers] of ties[next]!) gain[other] = gain[other]! + inliers;
  }
  return chosen;
}

const EARTH_METRES = 6_371_000;
/** Cells of a table of positions: a photo's nearest are looked for in the cells around it. */
const LEAST_CELL = 1;

/** Each photo with its nearest by position, on a plane round the first; photos without one have none. */
function nearPairs(positions: readonly (GeoPosition | undefined)[], wanted: number): [number, number][] {
  const known = positions.flatMap((position, photo) => (position ? [{ photo, ...position }] : []));
  if (known.length < 2) return [];
  const origin = known[0]!;
  const radians = Math.PI / 180;
  const places = known.map(({ photo, latitude, longitude }) => ({
    photo,
    x: EARTH_METRES * radians * (longitude - origin.longitude) * Math.cos(origin.latitude * radians),
    y: EARTH_METRES * radians * (latitude - origin.latitude),
  }));
  const width = Math.max(...places.map(({ x }) => x)) - Math.min(...places.map(({ x }) => x));
  const height = Math.max(...places.map(({ y }) => y)) - Math.min(...places.map(({ y }) => y));
  // About as many photos in a cell as are wanted.
  const cell = Math.max(LEAST_CELL, Math.sqrt(((width + 1) * (height + 1) * wanted) / places.length));
  const cells = new Map<string, typeof places>();
  const cellOf = (x: number, y: number): string => `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
  for (const place of places) {
    const key = cellOf(place.x, place.y);
    cells.set(key, [...(cells.get(key) ?? []), place]);
  }
  return places.flatMap(({ photo, x, y }) => {
    const around = [-1, 0, 1].flatMap((i) =>
      [-1, 0, 1].flatMap((j) => cells.get(cellOf(x + i * cell, y + j * cell)) ?? []),
    );
    return around
      .filter((other) => other.photo !== photo)
      .sort((p, q) => Math.hypot(p.x - x, p.y - y) - Math.hypot(q.x - x, q.y - y) || p.photo - q.photo)
      .slice(0, wanted)
      .map((other): [number, number] => [photo, other.photo]);
  });
}
