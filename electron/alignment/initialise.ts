import { compose, identitySimilarity, invert, registerPoints, type Similarity } from '../geometry/similarity.js';
import { placeCamera } from './resection.js';
import type { AlignmentState } from './state.js';
import type { AlignmentProblem } from './types.js';

/** Pixels of a pointmap that a registration looks at. */
const SAMPLES = 600;
/** An observation is wrong when its registration cost is this many times the median, and more than LEAST_COST. */
const OUTLIER_RATIO = 2.2;
const LEAST_COST = 0.05;

/** How well an observation agrees with the rest before anything is solved. */
export interface Registration {
  /** Weighted median distance over depth; Infinity when it can't be registered at all. */
  cost: number;
  rejected: boolean;
}

export interface Initialisation {
  /** Each in the world of its component's root. */
  state: AlignmentState;
  /** Views per component, largest first. */
  components: number[][];
  registrations: Registration[];
}

interface Cloud {
  /** [n, 3] */
  points: Float64Array;
  weights: Float64Array;
}

/** An observation's tie between the canonical frames of its first view and of another. */
interface Tie {
  observation: number;
  a: number;
  b: number;
  /** Canonical frame of a from the observation's frame, and of b. */
  aFromObservation: Similarity;
  bFromObservation: Similarity;
  cost: number;
}

/**
 * Start of the alignment. Every photo has a canonical pointmap, in its own camera frame: the one of its observations as first view
 * that agrees best with the others. An observation ties two canonical frames by robust similarity registration of the pointmaps they share;
 * ties that cost much more than the median are wrong and left out; a minimum spanning tree of the rest places the cameras.
 */
export function initialise(problem: AlignmentProblem, principal: readonly (readonly [number, number])[], focal: Float64Array): Initialisation {
  const index = new Map(problem.views.map(({ photo }, k) => [photo, k]));
  const viewsOf = problem.observations.map(({ views }) => views.map(({ photo }) => index.get(photo)!));
  const canonical = chooseCanonical(problem, viewsOf);
  addResected(problem, viewsOf, canonical, principal, focal);
  const ties: Tie[] = [];
  problem.observations.forEach((_, observation) => {
    const views = viewsOf[observation]!;
    const a = canonical[views[0]!];
    if (!a) return;
    const first = register(sample(problem, observation, 0), a);
    if (!first) return;
    if (views.length === 1 || views.every((view) => view === views[0])) {
      ties.push({ observation, a: views[0]!, b: views[0]!, aFromObservation: first.similarity, bFromObservation: first.similarity, cost: first.cost });
    }
    for (let role = 1; role < views.length; role++) {
      const b = canonical[views[role]!];
      if (views[role] === views[0] || !b) continue;
      const other = register(sample(problem, observation, role), b);
      if (other) ties.push({ observation, a: views[0]!, b: views[role]!, aFromObservation: first.similarity, bFromObservation: other.similarity, cost: Math.max(first.cost, other.cost) });
    }
  });
  const registrations = judge(problem.observations.length, ties);
  const good = ties.filter(({ observation }) => !registrations[observation]!.rejected).sort((p, q) => p.cost - q.cost);
  return { ...spanningTree(problem, good, focal), registrations };
}

/** Every SAMPLES-th part of a pointmap. Samples of one photo take the same pixels in every observation. */
function sample(problem: AlignmentProblem, observation: number, role: number): Cloud {
  const { width, height, points, confidence } = problem.observations[observation]!.views[role]!;
  const stride = Math.max(1, Math.floor(Math.sqrt((width * height) / SAMPLES)));
  const positions: number[] = [];
  const weights: number[] = [];
  for (let y = stride >> 1; y < height; y += stride) {
    for (let x = stride >> 1; x < width; x += stride) {
      const k = y * width + x;
      const [p, q, r] = [points[3 * k]!, points[3 * k + 1]!, points[3 * k + 2]!];
      const finite = Number.isFinite(p + q + r);
      const weight = Math.log(confidence[k]!);
      positions.push(finite ? p : 0, finite ? q : 0, finite ? r : 0);
      weights.push(finite && weight > 0 && Number.isFinite(weight) ? weight : 0);
    }
  }
  return { points: Float64Array.from(positions), weights: Float64Array.from(weights) };
}

function register(from: Cloud, to: Cloud): { similarity: Similarity; cost: number } | undefined {
  const weights = from.weights.map((weight, k) => Math.sqrt(weight * to.weights[k]!));
  const fitted = registerPoints(from.points, to.points, weights);
  if (!fitted) return undefined;
  const relative: { value: number; weight: number }[] = [];
  weights.forEach((weight, k) => {
    if (weight > 0) relative.push({ value: fitted.residuals[k]! / Math.max(1e-12, Math.hypot(to.points[3 * k]!, to.points[3 * k + 1]!, to.points[3 * k + 2]!)), weight });
  });
  if (relative.length < 12) return undefined;
  return { similarity: fitted.similarity, cost: weightedMedian(relative) };
}

export function weightedMedian(entries: { value: number; weight: number }[]): number {
  entries.sort((p, q) => p.value - q.value);
  const half = entries.reduce((sum, { weight }) => sum + weight, 0) / 2;
  let sum = 0;
  for (const { value, weight } of entries) {
    sum += weight;
    if (sum >= half) return value;
  }
  return entries[entries.length - 1]?.value ?? Infinity;
}

/** Per view, the medoid of its own pointmaps: an own pointmap that is wrong agrees with none. */
function chooseCanonical(problem: AlignmentProblem, viewsOf: readonly number[][]): (Cloud | undefined)[] {
  return problem.views.map((_, view) => {
    const own = viewsOf.flatMap((views, observation) => (views[0] === view ? [sample(problem, observation, 0)] : []));
    if (own.length < 3) return own.reduce<Cloud | undefined>((best, cloud) => (!best || total(cloud) > total(best) ? cloud : best), undefined);
    // A dozen comparisons each are enough to find one that most agree with.
    const others = own.slice(0, 12);
    let best = own[0]!;
    let least = Infinity;
    for (const cloud of others) {
      const costs = others.filter((other) => other !== cloud).map((other) => register(cloud, other)?.cost ?? Infinity).sort((p, q) => p - q);
      const median = costs[costs.length >> 1]!;
      if (median < least) {
        least = median;
        best = cloud;
      }
    }
    return best;
  });
}

const total = ({ weights }: Cloud): number => weights.reduce((sum, weight) => sum + weight, 0);

/** A photo that is never first has no pointmap in its own frame: its camera is resected in the observation that sees it best. */
function addResected(problem: AlignmentProblem, viewsOf: readonly number[][], canonical: (Cloud | undefined)[], principal: readonly (readonly [number, number])[], focal: Float64Array): void {
  problem.views.forEach((size, view) => {
    if (canonical[view]) return;
    let best: { cloud: Cloud; observation: number; role: number } | undefined;
    viewsOf.forEach((views, observation) => {
      const role = views.indexOf(view);
      if (role < 1) return;
      const cloud = sample(problem, observation, role);
      if (!best || total(cloud) > total(best.cloud)) best = { cloud, observation, role };
    });
    if (!best) return;
    const hint = problem.observations[best.observation]!.firstFromCamera?.[best.role];
    const camera = placeCamera(best.cloud, size, principal[view]!, focal[view]!, hint);
    if (!camera) return;
    const inverse = invert(camera);
    const points = new Float64Array(best.cloud.points.length);
    for (let k = 0; k < points.length; k += 3) {
      for (let i = 0; i < 3; i++) {
        const R = inverse.rotation;
        points[k + i] = R[3 * i]! * best.cloud.points[k]! + R[3 * i + 1]! * best.cloud.points[k + 1]! + R[3 * i + 2]! * best.cloud.points[k + 2]! + inverse.translation[i]!;
      }
    }
    canonical[view] = { points, weights: best.cloud.weights };
  });
}

/** Costs per observation, and which are outliers: good and wrong ones are far apart (prototype: at most 0.047 against at least 0.089). */
function judge(count: number, ties: readonly Tie[]): Registration[] {
  const costs = new Float64Array(count).fill(Infinity);
  for (const { observation, cost } of ties) costs[observation] = costs[observation] === Infinity ? cost : Math.max(costs[observation]!, cost);
  const sorted = costs.filter(Number.isFinite).sort();
  // The lower third: with 40 % wrong ones the median itself is spoilt.
  const typical = sorted[Math.floor(sorted.length * 0.35)] ?? 0;
  const limit = Math.max(OUTLIER_RATIO * typical, LEAST_COST);
  return Array.from(costs, (cost) => ({ cost, rejected: !(cost <= limit) }));
}

function spanningTree(problem: AlignmentProblem, ties: readonly Tie[], focal: Float64Array): { state: AlignmentState; components: number[][] } {
  const worldFromCanonical: (Similarity | undefined)[] = problem.views.map(() => undefined);
  const observations: (Similarity | undefined)[] = problem.observations.map(() => undefined);
  const components: number[][] = [];
  const strength = (view: number) => ties.filter(({ a, b }) => a === view || b === view).length;
  const order = problem.views.map((_, k) => k);
  for (const root of order) {
    if (worldFromCanonical[root] || strength(root) === 0) continue;
    worldFromCanonical[root] = identitySimilarity();
    const component = [root];
    for (;;) {
      // Ties are sorted: Prim's algorithm takes the cheapest that leads outside.
      const next = ties.find(({ a, b }) => !worldFromCanonical[a] !== !worldFromCanonical[b]
        && component.includes(worldFromCanonical[a] ? a : b));
      if (!next) break;
      const inside = worldFromCanonical[next.a] ? next.a : next.b;
      const outside = inside === next.a ? next.b : next.a;
      const [insideFrom, outsideFrom] = inside === next.a ? [next.aFromObservation, next.bFromObservation] : [next.bFromObservation, next.aFromObservation];
      worldFromCanonical[outside] = compose(compose(worldFromCanonical[inside]!, insideFrom), invert(outsideFrom));
      component.push(outside);
    }
    components.push(component.sort((p, q) => p - q));
  }
  for (const { observation, a, aFromObservation } of ties) observations[observation] ??= compose(worldFromCanonical[a]!, aFromObservation);
  components.sort((p, q) => q.length - p.length);
  const cameras = worldFromCanonical.map((similarity) => similarity && { ...similarity, scale: 1 });
  return { state: { cameras, focal: focal.slice(), observations }, components };
}
