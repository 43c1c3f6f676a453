import type { PairRejection, Rejection } from '../../geometry/stage.js';
import { invertRigid, multiply4, rigid } from '../../numerics/linear.js';
import type { Pair } from '../../geometry/types.js';
import type { SparseCamera, SparseModel, SparsePose } from '../../geometry/sparse-model.js';
import { undistort, viewingAngle } from '../../sparse/triangulate.js';
import { depths } from '../../sparse/two-view.js';

/** A pair worth dense depth, in the unit of its piece. */
export interface PlannedPair {
  pair: Pair;
  /** Row-major 4x4. */
  secondFromFirst: Float64Array;
  /** Common sparse points in camera a's frame, [n, 3]. */
  points: Float64Array;
  /** Their positions in both photos, long sides relative to the centre, [n, 2]. */
  sightingsA: Float64Array;
  sightingsB: Float64Array;
  /** Median triangulation angle, degrees. */
  parallax: number;
}

const LEAST_POINTS = 20;
const LEAST_PARALLAX = 1;
/** More say nothing new about the depth range, and the record is kept in the project file. */
const MOST_POINTS = 600;
/** Dense partners per photo: two give depth almost everywhere, the third catches what they hide from each other. */
const PARTNERS = 3;

/** Depth is best with 4 to 15 degrees: less, and it is noise; more, and surfaces look different. */
export function parallaxWeight(degrees: number): number {
  if (degrees < LEAST_PARALLAX) return 0;
  if (degrees < 4) return (degrees / 4) ** 2;
  if (degrees < 15) return 1;
  return Math.exp(-(((degrees - 15) / 12) ** 2));
}

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
    const reason = planned ? tooPoor(planned) : undefined;
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
  );
  for (const { planned } of scored) {
    if (!chosen.has(planned))
      rejected.push({ pair: planned.pair, reason: 'not-needed', detail: 'its photos have better partners' });
  }
  return { observe: [...scored.map(({ planned }) => planned).filter((planned) => chosen.has(planned))], rejected };
}

const commonPoints = ({ points }: PlannedPair): number => points.length / 3;

function tooPoor(planned: PlannedPair): { reason: PairRejection; detail: string } | undefined {
  const angle = `${planned.parallax.toFixed(1)} degrees`;
  if (commonPoints(planned) < LEAST_POINTS)
    return { reason: 'no-overlap', detail: `only ${commonPoints(planned)} points in common` };
  if (planned.parallax < LEAST_PARALLAX)
    return {
      reason: 'rotation-only',
      detail: `seen from nearly one place: rays meet at ${angle}, which gives no depth`,
    };
  if (parallaxWeight(planned.parallax) < 0.02)
    return { reason: 'not-needed', detail: `rays meet at ${angle}: too wide for dense depth` };
  return undefined;
}

/** @param ordered best first */
function chooseConnected(ordered: readonly PlannedPair[], isKept: (planned: PlannedPair) => boolean): Set<PlannedPair> {
  const partners = new Map<number, number>();
  const group = new Map<number, number>();
  const root = (photo: number): number => {
    const parent = group.get(photo);
    return parent === undefined ? photo : root(parent);
  };
  const chosen = new Set<PlannedPair>();
  const choose = (planned: PlannedPair) => {
    chosen.add(planned);
    for (const photo of [planned.pair.a, planned.pair.b]) partners.set(photo, (partners.get(photo) ?? 0) + 1);
  };
  for (const planned of ordered) {
    const [p, q] = [root(planned.pair.a), root(planned.pair.b)];
    if (p !== q) group.set(p, q);
    if (p !== q || isKept(planned)) choose(planned);
  }
  for (const planned of ordered) {
    if (chosen.has(planned)) continue;
    const [p, q] = [partners.get(planned.pair.a) ?? 0, partners.get(planned.pair.b) ?? 0];
    if (Math.min(p, q) < PARTNERS && Math.max(p, q) < 2 * PARTNERS) choose(planned);
  }
  return chosen;
}

/** What the structure says of a pair; for photos that it could not place together, what the pair alone says. */
function relate(model: SparseModel, sightings: readonly Sighting[][], pair: Pair): PlannedPair | undefined {
  const [a, b] = [model.cameras[pair.a]!.pose, model.cameras[pair.b]!.pose];
  return a && b && a.piece === b.piece ? relateInPiece(model, sightings, pair, a, b) : relateAlone(model, pair);
}

/** One photo's sighting of a point. */
interface Sighting {
  point: number;
  x: number;
  y: number;
}

/** Per camera, by point. */
function sightingsOf({ cameras, points }: SparseModel): Sighting[][] {
  const seen: Sighting[][] = cameras.map(() => []);
  for (let point = 0; point < points.piece.length; point++)
    for (let k = points.offsets[point]!; k < points.offsets[point + 1]!; k++)
      seen[points.trackCamera[k]!]!.push({ point, x: points.trackAt[2 * k]!, y: points.trackAt[2 * k + 1]! });
  return seen;
}

function relateInPiece(
  { points }: SparseModel,
  sightings: readonly Sighting[][],
  pair: Pair,
  a: SparsePose,
  b: SparsePose,
): PlannedPair {
  const R = a.rotation;
  const t = a.translation;
  const inA = new Map(sightings[pair.a]!.map((sighting) => [sighting.point, sighting]));
  const common = sightings[pair.b]!.flatMap((inB) => {
    const own = inA.get(inB.point);
    return own ? [{ X: points.positions.subarray(3 * inB.point, 3 * inB.point + 3), inA: own, inB }] : [];
  });
  const stride = Math.max(1, Math.ceil(common.length / MOST_POINTS));
  const thinned = common.filter((_, k) => k % stride === 0);
  return {
    pair,
    secondFromFirst: multiply4(rigid(b.rotation, b.translation), invertRigid(rigid(R, t))),
    points: Float64Array.from(
      thinned.flatMap(({ X }) =>
        [0, 1, 2].map((k) => R[3 * k]! * X[0]! + R[3 * k + 1]! * X[1]! + R[3 * k + 2]! * X[2]! + t[k]!),
      ),
    ),
    sightingsA: Float64Array.from(thinned.flatMap(({ inA: { x, y } }) => [x, y])),
    sightingsB: Float64Array.from(thinned.flatMap(({ inB: { x, y } }) => [x, y])),
    parallax: median(thinned.map(({ X }) => (viewingAngle(a, b, X) * 180) / Math.PI)),
  };
}

function relateAlone({ cameras, lenses, pairs }: SparseModel, pair: Pair): PlannedPair | undefined {
  const verified = pairs.find(({ a, b }) => a === pair.a && b === pair.b);
  if (!verified) return undefined;
  const { rotation, translation, matches, parallax, rotationShare } = verified;
  const [cameraA, cameraB] = [cameras[pair.a]!, cameras[pair.b]!];
  const points: number[] = [];
  const sightingsA: number[] = [];
  const sightingsB: number[] = [];
  for (let k = 0; k < matches.length; k += 2) {
    const at = featureAt(cameraA, matches[k]!);
    const other = featureAt(cameraB, matches[k + 1]!);
    const [u, v] = undistort(lenses[cameraA.lens]!, ...at);
    const [z, depthB] = depths(rotation, translation, u, v, ...undistort(lenses[cameraB.lens]!, ...other));
    if (!(z > 0 && depthB > 0)) continue;
    points.push(u * z, v * z, z);
    sightingsA.push(...at);
    sightingsB.push(...other);
  }
  return {
    pair,
    secondFromFirst: rigid(rotation, translation),
    points: Float64Array.from(points),
    sightingsA: Float64Array.from(sightingsA),
    sightingsB: Float64Array.from(sightingsB),
    parallax: rotationShare > 0.8 ? Math.min(parallax, LEAST_PARALLAX / 2) : parallax,
  };
}

const featureAt = ({ features }: SparseCamera, feature: number): [number, number] => [
  features[2 * feature]!,
  features[2 * feature + 1]!,
];

function median(values: number[]): number {
  return values.sort((p, q) => p - q)[values.length >> 1] ?? 0;
}
