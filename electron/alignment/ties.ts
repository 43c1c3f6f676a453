import { median } from '../numerics/median.js';
import { compose, invert, transform, type Similarity } from '../geometry/similarity.js';
import { registerClouds, scaleClouds, type Cloud } from './clouds.js';

/** An observation is wrong when its registration cost is this many times the typical one, and more than LEAST_COST. */
const OUTLIER_RATIO = 2.2;
const LEAST_COST = 0.05;
/** Two paths between photos agree when they put points within this share of their distance. */
const AGREES = 0.15;
/** Of the share of closed cycles that is usual, an observation needs at least this part. */
const LEAST_SUPPORT = 0.3;
/** Cycles per observation that are looked at: enough to tell, and the work stays proportional to the observations. */
const MOST_CYCLES = 60;

/** How well an observation agrees with the rest before anything is solved. */
export interface Registration {
  /** Weighted median distance over depth; Infinity when it can't be registered at all. */
  cost: number;
  rejected: boolean;
}

/** An observation's tie between the canonical frames of its first view (a) and of another (b). */
export interface Tie {
  observation: number;
  a: number;
  b: number;
  aFromObservation: Similarity;
  bFromObservation: Similarity;
  /** As in Registration, of the worse of its two clouds. */
  cost: number;
  /** Share of the cycles through it that close, over what is usual; 1 where no cycle tells. */
  support: number;
}

/** All ties that the observations give; an observation of one photo alone ties it to itself. */
export function findTies(
  viewsOf: readonly (readonly number[])[],
  canonical: readonly (Cloud | undefined)[],
  cloudOf: (observation: number, role: number) => Cloud,
): Tie[] {
  const ties: Tie[] = [];
  viewsOf.forEach((views, observation) => {
    const a = views[0];
    if (a === undefined || !canonical[a]) return;
    const first = scaleClouds(cloudOf(observation, 0), canonical[a]);
    if (!first) return;
    const tie = (b: number, bFromObservation: Similarity, cost: number): void => {
      ties.push({
        observation,
        a,
        b,
        aFromObservation: first.similarity,
        bFromObservation,
        cost: Math.max(first.cost, cost),
        support: 1,
      });
    };
    if (views.every((view) => view === a)) tie(a, first.similarity, first.cost);
    for (let role = 1; role < views.length; role++) {
      const b = views[role]!;
      if (b === a || !canonical[b]) continue;
      const other = registerClouds(cloudOf(observation, role), canonical[b]);
      if (other) tie(b, other.similarity, other.cost);
    }
  });
  return ties;
}

/**
 * Tells wrong observations from good ones, before anything is averaged. Two signs:
 * - shape: a pointmap that can't be registered to what other observations say of the same photo costs far more than the
 * typical one
 *   (20 % wrong: good ones at most 0.047, wrong ones at least 0.089);
 * - cycles: right shapes in a wrong relative pose close no cycle of two or three observations (Zach, Klopschitz and
 * Pollefeys, CVPR 2010).
 *
 * Sets the ties' support.
 *
 * @param count observations
 */
export function judgeObservations(
  count: number,
  ties: readonly Tie[],
  canonical: readonly (Cloud | undefined)[],
): Registration[] {
  const costs = new Float64Array(count).fill(Infinity);
  for (const { observation, cost } of ties)
    costs[observation] = costs[observation] === Infinity ? cost : Math.max(costs[observation]!, cost);
  const sorted = costs.filter(Number.isFinite).sort();
  // The lower third: with 40 % wrong ones the median itself is spoilt.
  const typical = sorted[Math.floor(sorted.length * 0.35)] ?? 0;
  const limit = Math.max(OUTLIER_RATIO * typical, LEAST_COST);
  const registrations = Array.from(costs, (cost): Registration => ({ cost, rejected: !(cost <= limit) }));
  setSupport(
    ties.filter(({ observation }) => !registrations[observation]!.rejected),
    canonical,
  );
  for (const { observation, support } of ties) if (support < LEAST_SUPPORT) registrations[observation]!.rejected = true;
  return registrations;
}

/** A tie seen from one of its photos. */
interface Step {
  tie: Tie;
  to: number;
  /** Canonical frame of the photo that it starts from, from that of `to`. */
  fromTo: Similarity;
}

function setSupport(ties: readonly Tie[], canonical: readonly (Cloud | undefined)[]): void {
  const steps: Step[][] = canonical.map(() => []);
  for (const tie of ties) {
    if (tie.a === tie.b) continue;
    const aFromB = compose(tie.aFromObservation, invert(tie.bFromObservation));
    steps[tie.a]!.push({ tie, to: tie.b, fromTo: aFromB });
    steps[tie.b]!.push({ tie, to: tie.a, fromTo: invert(aFromB) });
  }
  const probes = canonical.map((cloud) => cloud && probesOf(cloud));
  const shares: { tie: Tie; share: number; cycles: number }[] = [];
  steps.forEach((from, a) => {
    for (const { tie, to: b, fromTo: aFromB } of from) {
      if (tie.a !== a) continue;
      let closed = 0;
      let cycles = 0;
      const test = (other: Similarity): void => {
        cycles++;
        if (agree(aFromB, other, probes[b]!)) closed++;
      };
      for (const first of from) {
        if (cycles >= MOST_CYCLES) break;
        if (first.tie === tie) continue;
        if (first.to === b) test(first.fromTo);
        else
          for (const second of steps[first.to]!)
            if (second.to === b && cycles < MOST_CYCLES) test(compose(first.fromTo, second.fromTo));
      }
      shares.push({ tie, share: cycles === 0 ? NaN : closed / cycles, cycles });
    }
  });
  const usual = shares
    .map(({ share }) => share)
    .filter((share) => share > 0)
    .sort((p, q) => p - q);
  const typical = usual[Math.floor(usual.length * 0.5)] ?? 1;
  // A single cycle that does not close does not say which of its ties is wrong.
  for (const { tie, share, cycles } of shares)
    tie.support =
      cycles === 0
        ? 1
        : cycles < 2
          ? Math.max(LEAST_SUPPORT, Math.min(1, share / typical))
          : Math.min(1, share / typical);
}

/** A dozen points of a cloud, spread over it. */
function probesOf({ points, weights }: Cloud): Float64Array[] {
  const seen = Array.from(weights.keys()).filter((k) => weights[k]! > 0);
  const step = Math.max(1, Math.floor(seen.length / 12));
  return seen.filter((_, k) => k % step === 0).map((k) => points.slice(3 * k, 3 * k + 3));
}

function agree(one: Similarity, other: Similarity, probes: readonly Float64Array[]): boolean {
  const off = probes.map((probe) => {
    const p = transform(one, probe);
    const q = transform(other, probe);
    return (
      Math.hypot(p[0]! - q[0]!, p[1]! - q[1]!, p[2]! - q[2]!) /
      Math.max(1e-12, Math.min(Math.hypot(...p), Math.hypot(...q)))
    );
  });
  return median(off)! < AGREES;
}
