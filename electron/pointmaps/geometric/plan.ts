import { median } from '../../numerics/median.js';
import { UnionFind } from '../../numerics/union-find.js';
import type { PairRejection, Rejection } from '../../geometry/stage.js';
import { invertRigid, multiply4, rigid } from '../../numerics/linear.js';
import type { Pair } from '../../geometry/types.js';
import type { SparseCamera, SparseModel, SparsePose } from '../../geometry/sparse-model.js';
import { parallaxWeight, planGroups, type StereoGroup } from './dense/groups.js';
import { undistort, viewingAngle } from '../../sparse/triangulate.js';
import { depths } from '../../sparse/two-view.js';

/** A pair worth dense depth, in the unit of its piece. */
export interface PlannedPair {
  pair: Pair;
  /** Row-major 4x4. */
  secondFromFirst: Float64Array;
  /** Common sparse points in camera a's frame, [n, 3]. */
  points: Float64Array;
  /** Median triangulation angle, degrees. */
  parallax: number;
}

/** Common points without which two photos that are not placed together say too little of each other. */
const LEAST_POINTS = 20;
/** The same of photos that are: depth is matched against whole groups then, and the pair only ties their maps. */
const LEAST_PLACED_POINTS = 6;
const LEAST_PARALLAX = 1;
/** Degrees between rays beyond which surfaces look too different to be matched at all. */
const MOST_PARALLAX = 60;
/** Weight of the parallax (39 degrees) under which a pair is taken only where nothing else ties its photos in. */
const LAST_RESORT = 0.02;
/** More say nothing new about the depth range, and the record is kept in the project file. */
const MOST_POINTS = 600;
/** Dense partners per photo: two give depth almost everywhere, the third catches what they hide from each other. */
const PARTNERS = 3;

/**
 * Chooses the pairs for dense depth: a maximum spanning tree of each piece, then the best of each photo.
 *
 * @param pairs all that may be looked at; each is planned or rejected with a reason
 * @param before pairs that an earlier plan has: taken over as they are, so that what was computed from them stays valid
 */
export function planPairs(
  model: SparseModel,
  pairs: readonly Pair[],
  before: readonly PlannedPair[] = [],
): { observe: PlannedPair[]; rejected: Rejection[] } {
  const name = ({ a, b }: Pair) => `${a}-${b}`;
  const refused = new Map(model.rejected.map((rejection) => [name(rejection.pair), rejection]));
  const kept = new Map(before.map((planned) => [name(planned.pair), planned]));
  const sightings = sightingsOf(model);
  const rejected: Rejection[] = [];
  const scored: { planned: PlannedPair; score: number }[] = [];
  for (const pair of pairs) {
    const planned = kept.get(name(pair)) ?? relate(model, sightings, pair);
    const reason = planned ? tooPoor(planned, areTogether(model, pair)) : undefined;
    if (planned && !reason)
      scored.push({
        planned,
        score: commonPoints(planned) * parallaxWeight(planned.parallax) * (kept.has(name(pair)) ? 1e3 : 1),
      });
    else
      rejected.push(
        refused.get(name(pair)) ?? {
          pair,
          ...(reason ?? { reason: 'no-overlap', detail: 'its photos could not be placed together' }),
        },
      );
  }
  scored.sort((p, q) => q.score - p.score);
  const chosen = chooseConnected(
    scored.map(({ planned }) => planned),
    (planned) => kept.has(name(planned.pair)),
    ({ parallax }) => parallaxWeight(parallax) >= LAST_RESORT,
  );
  for (const { planned } of scored) {
    if (!chosen.has(planned))
      rejected.push({ pair: planned.pair, reason: 'not-needed', detail: 'its photos have better partners' });
  }
  return { observe: [...scored.map(({ planned }) => planned).filter((planned) => chosen.has(planned))], rejected };
}

const commonPoints = ({ points }: PlannedPair): number => points.length / 3;

const areTogether = ({ cameras }: SparseModel, { a, b }: Pair): boolean =>
  cameras[a]!.pose !== undefined && cameras[a]!.pose.piece === cameras[b]!.pose?.piece;

function tooPoor(planned: PlannedPair, placed: boolean): { reason: PairRejection; detail: string } | undefined {
  const angle = `${planned.parallax.toFixed(1)} degrees`;
  if (commonPoints(planned) < (placed ? LEAST_PLACED_POINTS : LEAST_POINTS))
    return { reason: 'no-overlap', detail: `only ${commonPoints(planned)} points in common` };
  if (planned.parallax < LEAST_PARALLAX)
    return {
      reason: 'rotation-only',
      detail: `seen from nearly one place: rays meet at ${angle}, which gives no depth`,
    };
  if (planned.parallax > MOST_PARALLAX)
    return { reason: 'not-needed', detail: `rays meet at ${angle}: too wide for dense depth` };
  return undefined;
}

/** @param ordered best first; @param isGood whether a pair is worth its time where its photos are tied in already */
function chooseConnected(
  ordered: readonly PlannedPair[],
  isKept: (planned: PlannedPair) => boolean,
  isGood: (planned: PlannedPair) => boolean,
): Set<PlannedPair> {
  const partners = new Map<number, number>();
  const joined = new UnionFind(1 + Math.max(-1, ...ordered.map(({ pair }) => Math.max(pair.a, pair.b))));
  const chosen = new Set<PlannedPair>();
  const choose = (planned: PlannedPair) => {
    chosen.add(planned);
    for (const photo of [planned.pair.a, planned.pair.b]) partners.set(photo, (partners.get(photo) ?? 0) + 1);
  };
  for (const planned of ordered) {
    if (joined.join(planned.pair.a, planned.pair.b) || isKept(planned)) choose(planned);
  }
  for (const planned of ordered) {
    if (chosen.has(planned) || !isGood(planned)) continue;
    const [p, q] = [partners.get(planned.pair.a) ?? 0, partners.get(planned.pair.b) ?? 0];
    if (Math.min(p, q) < PARTNERS && Math.max(p, q) < 2 * PARTNERS) choose(planned);
  }
  return chosen;
}

/** What the structure says of a pair; for photos that it could not place together, what the pair alone says. */
function relate(model: SparseModel, sightings: readonly Uint32Array[], pair: Pair): PlannedPair | undefined {
  const [a, b] = [model.cameras[pair.a]!.pose, model.cameras[pair.b]!.pose];
  return a && b && a.piece === b.piece ? relateInPiece(model, sightings, pair, a, b) : relateAlone(model, pair);
}

/** Per camera, the points that it sees. */
function sightingsOf({ cameras, points }: SparseModel): Uint32Array[] {
  const seen: number[][] = cameras.map(() => []);
  for (let point = 0; point < points.piece.length; point++)
    for (let k = points.offsets[point]!; k < points.offsets[point + 1]!; k++) seen[points.trackCamera[k]!]!.push(point);
  return seen.map((list) => Uint32Array.from(list));
}

function relateInPiece(
  { points }: SparseModel,
  sightings: readonly Uint32Array[],
  pair: Pair,
  a: SparsePose,
  b: SparsePose,
): PlannedPair {
  const R = a.rotation;
  const t = a.translation;
  const inA = new Set(sightings[pair.a]);
  const common = Array.from(sightings[pair.b]!)
    .filter((point) => inA.has(point))
    .map((point) => points.positions.subarray(3 * point, 3 * point + 3));
  const stride = Math.max(1, Math.ceil(common.length / MOST_POINTS));
  const thinned = common.filter((_, k) => k % stride === 0);
  return {
    pair,
    secondFromFirst: multiply4(rigid(b.rotation, b.translation), invertRigid(rigid(R, t))),
    points: Float64Array.from(
      thinned.flatMap((X) =>
        [0, 1, 2].map((k) => R[3 * k]! * X[0]! + R[3 * k + 1]! * X[1]! + R[3 * k + 2]! * X[2]! + t[k]!),
      ),
    ),
    parallax: median(thinned.map((X) => (viewingAngle(a, b, X) * 180) / Math.PI)) ?? 0,
  };
}

function relateAlone({ cameras, lenses, pairs }: SparseModel, pair: Pair): PlannedPair | undefined {
  const verified = pairs.find(({ a, b }) => a === pair.a && b === pair.b);
  if (!verified) return undefined;
  const { rotation, translation, matches, parallax, rotationShare } = verified;
  const [cameraA, cameraB] = [cameras[pair.a]!, cameras[pair.b]!];
  const points: number[] = [];
  for (let k = 0; k < matches.length; k += 2) {
    const at = featureAt(cameraA, matches[k]!);
    const other = featureAt(cameraB, matches[k + 1]!);
    const [u, v] = undistort(lenses[cameraA.lens]!, ...at);
    const [z, depthB] = depths(rotation, translation, u, v, ...undistort(lenses[cameraB.lens]!, ...other));
    if (!(z > 0 && depthB > 0)) continue;
    points.push(u * z, v * z, z);
  }
  return {
    pair,
    secondFromFirst: rigid(rotation, translation),
    points: Float64Array.from(points),
    parallax: rotationShare > 0.8 ? Math.min(parallax, LEAST_PARALLAX / 2) : parallax,
  };
}

/** An earlier group with so many neighbours is kept as it is, so that what was computed from it stays valid. */
const ENOUGH_NEIGHBOURS = 3;

/**
 * What each placed photo is matched against, by the geometry of its piece.
 *
 * @param sizes of the views
 * @param pairs that may be looked at: a photo is matched against no other
 * @param before groups of an earlier plan whose cameras stand as they did
 */
export function planStereo(
  model: SparseModel,
  sizes: readonly { width: number; height: number }[],
  pairs: readonly Pair[],
  before: readonly StereoGroup[] = [],
): StereoGroup[] {
  const { cameras, lenses, points } = model;
  const kept = new Map(before.map((group) => [group.reference, group]));
  const allowed = new Set(pairs.flatMap(({ a, b }) => [`${a}-${b}`, `${b}-${a}`]));
  const pieces = new Set(cameras.flatMap(({ pose }) => (pose ? [pose.piece] : [])));
  return [...pieces].flatMap((piece) =>
    planGroups(
      cameras.map(({ pose, lens }, k) => {
        if (pose?.piece !== piece) return undefined;
        const focal = lenses[lens]!.focal * Math.max(sizes[k]!.width, sizes[k]!.height);
        return { rotation: pose.rotation, translation: pose.translation, focal, ...sizes[k]! };
      }),
      Array.from(points.piece, (of, k) => ({ of, k }))
        .filter(({ of }) => of === piece)
        .map(({ k }) => ({
          position: points.positions.subarray(3 * k, 3 * k + 3),
          cameras: points.trackCamera.subarray(points.offsets[k], points.offsets[k + 1]),
        })),
      (a, b) => allowed.has(`${a}-${b}`),
    ).map((group) => {
      const earlier = kept.get(group.reference);
      const enough = Math.min(ENOUGH_NEIGHBOURS, group.neighbours.length);
      return earlier && earlier.neighbours.length >= enough ? earlier : group;
    }),
  );
}

const featureAt = ({ features }: SparseCamera, feature: number): [number, number] => [
  features[2 * feature]!,
  features[2 * feature + 1]!,
];
