import { median } from '../numerics/median.js';
import { dot3, minus3 } from '../numerics/vector.js';
import type { Lens } from './bundle.js';
import { isNear, posedViews, shows, type Overlaid, type Posed } from './overlaid.js';
import type { Piece, StructurePoint } from './structure.js';

export interface UnseenOptions {
  /** Largest angle between two cameras' lines of sight to a point, degrees, and largest ratio of their distances from it. */
  angle: number;
  scale: number;
  /** Least points that each photo must have in a part of the picture, for it to be compared. */
  leastPoints: number;
  /** A part contradicts where none of its points was seen by both, and chance explains that no better than this. */
  chance: number;
  /** Points at distances that differ by more than this share hide each other, or are seen past each other. */
  depth: number;
  /** Smallest part, as a share of the long side. */
  leastSide: number;
  /** Share of the compared parts that contradict in right results; at most 0.0025 in 22 sets, 0.014 in folded ones. */
  usual: number;
}

export const UNSEEN_DEFAULTS: UnseenOptions = {
  angle: 25,
  scale: 1.5,
  leastPoints: 3,
  chance: 0.02,
  depth: 0.15,
  leastSide: 0.03,
  usual: 0.004,
};

/**
 * Parts of pictures in which two photos saw different points that either should have seen: points which a third photo saw
 * from further round, so that they can be found again from there. `overlaid` asks all points and needs many of them in
 * small cells; of a building whose front and back are alike, at 160 points a side, one of its 111 cells contradicted.
 * Found-again points are seen so reliably that three of each photo in one part say something, and the parts can be as large
 * as the points are few (Zach, Irschara and Bischof, "What Can Missing Correspondences Tell Us About 3D Structure and
 * Motion?", CVPR 2008).
 *
 * @param halfSides of a photo, long sides: [half its width, half its height]
 * @returns per pair of photos that were compared, its parts and those that contradict
 */
export function unseen(
  { cameras, points }: Pick<Piece, 'cameras' | 'points'>,
  lenses: readonly Lens[],
  halfSides: (photo: number) => readonly [number, number],
  options: UnseenOptions = UNSEEN_DEFAULTS,
): Overlaid[] {
  const views = posedViews({ cameras, points }, lenses, halfSides);
  const widest = widestSights(points, views);
  return views.flatMap((a, k) =>
    views.slice(k + 1).flatMap((b) => {
      if (!isNear(a, b, a.middle, 2 * options.angle) || !isNear(a, b, b.middle, 2 * options.angle)) return [];
      const told = divide([...expected(a, b, b, widest, options), ...expected(b, a, b, widest, options)], options);
      return told.cells > 0 ? [{ a: a.photo, b: b.photo, ...told }] : [];
    }),
  );
}

/** Of a photo's sight of a point, the two other photos that see it from furthest round, and the cosines of their angles. */
interface Sight {
  photo: number;
  cosine: number;
}
type Widest = ReadonlyMap<StructurePoint, ReadonlyMap<number, readonly Sight[]>>;

function widestSights(points: Piece['points'], views: readonly Posed[]): Widest {
  const centres = new Map(views.map(({ photo, centre }) => [photo, centre]));
  return new Map(
    points.map((point) => {
      const rays = point.photos.map((photo) => {
        const [x, y, z] = minus3(point.position, centres.get(photo)!) as [number, number, number];
        const length = Math.hypot(x, y, z);
        return { photo, ray: [x / length, y / length, z / length] };
      });
      const ofPhoto = rays.map(({ photo, ray }) => {
        const others = rays
          .filter((other) => other.photo !== photo)
          .map((other): Sight => ({ photo: other.photo, cosine: dot3(ray, other.ray) }));
        return [photo, others.sort((p, q) => p.cosine - q.cosine).slice(0, 2)] as const;
      });
      return [point, new Map(ofPhoto)];
    }),
  );
}

/** A point that one photo saw and another should have seen. */
interface Expected {
  /** Seen by the first photo of the pair, and so expected of the second. */
  isOfA: boolean;
  isSeen: boolean;
  /** In the picture of the pair's second photo. */
  x: number;
  y: number;
  distance: number;
}

/** Points that `from` saw, that `to` shows, and that a third photo saw from further round than `to` stands. */
function expected(from: Posed, to: Posed, picture: Posed, widest: Widest, options: UnseenOptions): Expected[] {
  const at = new Float64Array(2);
  return from.seen.flatMap((point): Expected[] => {
    const p = [point.position[0]!, point.position[1]!, point.position[2]!] as [number, number, number];
    if (!isNear(from, to, p, options.angle, options.scale)) return [];
    const third = widest
      .get(point)!
      .get(from.photo)!
      .find(({ photo }) => photo !== to.photo);
    const [toFrom, toTo] = [minus3(p, from.centre), minus3(p, to.centre)];
    const cosine = dot3(toFrom, toTo) / (Math.hypot(...toFrom) * Math.hypot(...toTo));
    if (!third || third.cosine > cosine || !shows(to, p, at) || !shows(picture, p, at)) return [];
    return [
      {
        isOfA: to === picture,
        isSeen: point.photos.includes(to.photo),
        x: at[0]!,
        y: at[1]!,
        distance: Math.hypot(...minus3(p, picture.centre)),
      },
    ];
  });
}

/** Divides the picture while a part of it still tells, and judges the parts. */
function divide(all: readonly Expected[], options: UnseenOptions): { cells: number; against: number } {
  const rate = all.filter(({ isSeen }) => isSeen).length / all.length;
  const tells = (some: readonly Expected[]): boolean => {
    const ofA = some.filter(({ isOfA }) => isOfA).length;
    return Math.min(ofA, some.length - ofA) >= options.leastPoints;
  };
  let [cells, against] = [0, 0];
  const visit = (some: readonly Expected[], x: number, y: number, side: number): void => {
    const half = side / 2;
    const parts = [0, 1, 2, 3].map((k) => ({
      some: some.filter((each) => Number(each.x >= x + half) === (k & 1) && Number(each.y >= y + half) === k >> 1),
      x: x + (k & 1) * half,
      y: y + (k >> 1) * half,
    }));
    const telling = half > options.leastSide ? parts.filter((part) => tells(part.some)) : [];
    for (const part of telling) visit(part.some, part.x, part.y, half);
    if (telling.length > 0) return;
    if (some.some(({ isSeen }) => isSeen)) cells++;
    else if (rate > 0) {
      const verdict = isAgainst(some, rate, options);
      if (verdict !== undefined) cells++;
      if (verdict) against++;
    }
  };
  if (tells(all)) visit(all, -0.5, -0.5, 1);
  return { cells, against };
}

/** Whether points that no photo saw of the other lie on one surface; undefined where chance explains that none was seen. */
function isAgainst(some: readonly Expected[], rate: number, { chance, depth }: UnseenOptions): boolean | undefined {
  const [ofA, ofB] = [true, false].map((isOfA) => some.filter((each) => each.isOfA === isOfA)) as [
    Expected[],
    Expected[],
  ];
  if ((1 - rate) ** Math.min(ofA.length, ofB.length) > chance) return undefined;
  const [near, far] = [ofA, ofB].map((each) => median(each.map(({ distance }) => distance))!) as [number, number];
  return Math.abs(Math.log(near / far)) < depth;
}
