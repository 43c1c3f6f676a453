import { compose, identitySimilarity, invert, type Similarity } from '../geometry/similarity.js';
import { canonicalClouds } from './canonical.js';
import { sampleCloud, type Cloud } from './clouds.js';
import type { AlignmentState } from './state.js';
import { findTies, judgeObservations, type Registration, type Tie } from './ties.js';
import type { PreparedProblem } from './prepared.js';

export interface Initialisation {
  /** Each component in the world of its root. */
  state: AlignmentState;
  /** Views per component, largest first. */
  components: number[][];
  registrations: Registration[];
}

/**
 * Start of the alignment. Every photo has a canonical pointmap in its own camera's frame (canonical.ts). An observation
 * ties two canonical frames by robust registration of the pointmaps they share; those that contradict the rest are left
 * out (ties.ts); a minimum spanning tree of the others places the cameras.
 *
 * @param viewsOf views of every observation; an empty list leaves it out
 */
export function initialise(
  problem: PreparedProblem,
  viewsOf: readonly (readonly number[])[],
  principal: readonly (readonly [number, number])[],
  focal: Float64Array,
): Initialisation {
  const clouds = problem.observations.map(({ views }): (Cloud | undefined)[] => views.map(() => undefined));
  const cloudOf = (observation: number, role: number): Cloud =>
    (clouds[observation]![role] ??= sampleCloud(problem, observation, role));
  const canonical = canonicalClouds(problem, viewsOf, cloudOf, principal, focal);
  const ties = findTies(viewsOf, canonical, cloudOf);
  const registrations = judgeObservations(problem.observations.length, ties, canonical);
  const good = ties.filter(({ observation }) => !registrations[observation]!.rejected);
  const worldFromCanonical: (Similarity | undefined)[] = problem.views.map(() => undefined);
  const components = spanningForest(good, worldFromCanonical);
  const observations: (Similarity | undefined)[] = problem.observations.map(() => undefined);
  // An observation stands where its first view stands.
  for (const { observation, a, aFromObservation } of good)
    observations[observation] ??= compose(worldFromCanonical[a]!, aFromObservation);
  const cameras = worldFromCanonical.map((similarity) => similarity && { ...similarity, scale: 1 });
  return { state: { cameras, focal: focal.slice(), observations }, components, registrations };
}

/** What a tie costs the tree: one that closes few cycles is to be passed by. */
const treeCost = ({ cost, support }: Tie): number => (cost + 1e-3) * (1 + 4 * (1 - support));

/** Prim's algorithm from the first photo of each component; places every photo that has a tie. */
function spanningForest(ties: readonly Tie[], worldFromCanonical: (Similarity | undefined)[]): number[][] {
  const sorted = [...ties].sort((p, q) => treeCost(p) - treeCost(q));
  const tied = new Set(ties.flatMap(({ a, b }) => [a, b]));
  const components: number[][] = [];
  for (let root = 0; root < worldFromCanonical.length; root++) {
    if (worldFromCanonical[root] || !tied.has(root)) continue;
    worldFromCanonical[root] = identitySimilarity();
    const component = new Set([root]);
    for (;;) {
      const next = sorted.find(({ a, b }) => component.has(a) !== component.has(b));
      if (!next) break;
      const { a, b, aFromObservation, bFromObservation } = next;
      if (component.has(a))
        worldFromCanonical[b] = compose(compose(worldFromCanonical[a]!, aFromObservation), invert(bFromObservation));
      else worldFromCanonical[a] = compose(compose(worldFromCanonical[b]!, bFromObservation), invert(aFromObservation));
      component.add(component.has(a) ? b : a);
    }
    components.push([...component].sort((p, q) => p - q));
  }
  return components.sort((p, q) => q.length - p.length);
}
