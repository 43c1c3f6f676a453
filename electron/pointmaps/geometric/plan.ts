import { multiply4, invertRigid, rigid } from '../../geometry/linear.js';
import type { Pair } from '../../geometry/types.js';
import type { Rejection, Survey } from './survey.js';
import { viewingAngle } from './triangulate.js';

/** A pair worth dense depth, in the unit of its piece. */
export interface PlannedPair {
  pair: Pair;
  secondFromFirst: Float64Array;
  /** Common sparse points in camera a's frame, [n, 3]. */
  points: Float64Array;
  /** Their positions in both photos, long sides relative to the centre, [n, 2]. */
  sightingsA: Float64Array;
  sightingsB: Float64Array;
  /** Degrees. */
  parallax: number;
}

const LEAST_POINTS = 20;
/** Dense partners per photo: two give depth almost everywhere, the third catches what they hide from each other. */
const PARTNERS = 3;

/** Depth is best with 4 to 15 degrees: less, and it is noise; more, and surfaces look different. */
function parallaxWeight(degrees: number): number {
  if (degrees < 1) return 0;
  if (degrees < 4) return (degrees / 4) ** 2;
  if (degrees < 15) return 1;
  return Math.exp(-(((degrees - 15) / 12) ** 2));
}

/** Chooses the pairs for dense depth: a maximum spanning tree of each piece, then the best of each photo. */
export function planPairs(survey: Survey): { observe: PlannedPair[]; rejected: Rejection[] } {
  const rejected = [...survey.rejected];
  const scored: { planned: PlannedPair; score: number }[] = [];
  for (const { a, b, parallax: alone } of survey.verified) {
    const piece = survey.pieces.find(({ cameras }) => cameras.has(a) && cameras.has(b));
    if (!piece) {
      const reason = alone < 1 ? 'rotation-only' : 'failed';
      rejected.push({ pair: { a, b }, reason, detail: alone < 1 ? `the rays meet at ${alone.toFixed(1)} degrees: no depth from one place` : 'the two cameras could not be placed together' });
      continue;
    }
    const planned = relate(survey, { a, b }, piece);
    const score = (planned.points.length / 3) * parallaxWeight(planned.parallax);
    if (planned.points.length / 3 < LEAST_POINTS || score === 0) {
      rejected.push({ pair: { a, b }, reason: planned.parallax < 1 ? 'rotation-only' : 'no-overlap', detail: `${planned.points.length / 3} common points at ${planned.parallax.toFixed(1)} degrees` });
    } else scored.push({ planned, score });
  }
  scored.sort((p, q) => q.score - p.score);
  const degree = new Map<number, number>();
  const group = new Map<number, number>();
  const root = (photo: number): number => (group.has(photo) && group.get(photo) !== photo ? root(group.get(photo)!) : photo);
  const chosen = new Set<PlannedPair>();
  const choose = (planned: PlannedPair) => {
    chosen.add(planned);
    for (const photo of [planned.pair.a, planned.pair.b]) degree.set(photo, (degree.get(photo) ?? 0) + 1);
  };
  for (const { planned } of scored) {
    const [p, q] = [root(planned.pair.a), root(planned.pair.b)];
    if (p === q) continue;
    group.set(p, q);
    choose(planned);
  }
  for (const { planned } of scored) {
    if (chosen.has(planned)) continue;
    const [p, q] = [degree.get(planned.pair.a) ?? 0, degree.get(planned.pair.b) ?? 0];
    if (Math.min(p, q) < PARTNERS && Math.max(p, q) < 2 * PARTNERS) choose(planned);
    else rejected.push({ pair: planned.pair, reason: 'not-needed', detail: 'its photos have better partners' });
  }
  return { observe: scored.map(({ planned }) => planned).filter((planned) => chosen.has(planned)), rejected };
}

function relate(survey: Survey, pair: Pair, piece: Survey['pieces'][number]): PlannedPair {
  const a = piece.cameras.get(pair.a)!;
  const b = piece.cameras.get(pair.b)!;
  const points: number[] = [];
  const sightingsA: number[] = [];
  const sightingsB: number[] = [];
  const angles: number[] = [];
  for (const [index, X] of piece.points) {
    const track = survey.tracks[index]!;
    const i = track.photos.indexOf(pair.a);
    const j = track.photos.indexOf(pair.b);
    if (i < 0 || j < 0) continue;
    for (let k = 0; k < 3; k++) points.push(a.rotation[3 * k]! * X[0]! + a.rotation[3 * k + 1]! * X[1]! + a.rotation[3 * k + 2]! * X[2]! + a.translation[k]!);
    sightingsA.push(...survey.position(pair.a, track.features[i]!));
    sightingsB.push(...survey.position(pair.b, track.features[j]!));
    angles.push((viewingAngle(a, b, X) * 180) / Math.PI);
  }
  angles.sort((p, q) => p - q);
  const secondFromFirst = multiply4(rigid(b.rotation, b.translation), invertRigid(rigid(a.rotation, a.translation)));
  return { pair, secondFromFirst, points: Float64Array.from(points), sightingsA: Float64Array.from(sightingsA), sightingsB: Float64Array.from(sightingsB), parallax: angles[angles.length >> 1] ?? 0 };
}
