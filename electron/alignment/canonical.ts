import { invert, transform } from '../geometry/similarity.js';
import { cloudPixels } from '../geometry/digest.js';
import { registerClouds, scaleClouds, totalWeight, type Cloud } from './clouds.js';
import { placeCamera } from './resection.js';
import type { PreparedProblem } from './prepared.js';

/** Comparisons with this many others are enough to find a pointmap that most agree with. */
const COMPARED = 8;

/**
 * A canonical cloud for every photo, in its own camera's frame at a scale of its own: of all its pointmaps as first
 * view the one that agrees best with the others (the medoid: a wrong one agrees with none). A photo that is never first
 * takes the medoid of its pointmaps in other cameras' frames, and its camera is resected in it.
 *
 * @param cloudOf the cloud of an observation's view
 * @returns undefined for photos of which nothing is known
 */
export function canonicalClouds(
  problem: PreparedProblem,
  viewsOf: readonly (readonly number[])[],
  cloudOf: (observation: number, role: number) => Cloud,
  principal: readonly (readonly [number, number])[],
  focal: Float64Array,
): (Cloud | undefined)[] {
  return problem.views.map(({ width, height }, view) => {
    const own = heaviest(
      viewsOf.flatMap((views, observation) =>
        views[0] === view ? [{ observation, role: 0, cloud: cloudOf(observation, 0) }] : [],
      ),
    );
    if (own.length > 0) return medoid(own, (a, b) => scaleClouds(a.cloud, b.cloud)?.cost).cloud;
    const seen = heaviest(
      viewsOf.flatMap((views, observation) => {
        const role = views.indexOf(view);
        return role < 1 ? [] : [{ observation, role, cloud: cloudOf(observation, role) }];
      }),
    );
    if (seen.length === 0) return undefined;
    const { observation, role, cloud } = medoid(seen, (a, b) => registerClouds(a.cloud, b.cloud)?.cost);
    const hint = problem.observations[observation]!.firstFromCamera?.[role];
    const frameFromCamera = placeCamera(cloud, cloudPixels(width, height), principal[view]!, focal[view]!, hint);
    if (!frameFromCamera) return undefined;
    const cameraFromFrame = invert(frameFromCamera);
    const points = new Float64Array(cloud.points.length);
    for (let k = 0; k < points.length; k += 3)
      points.set(transform(cameraFromFrame, cloud.points.subarray(k, k + 3)), k);
    return { points, weights: cloud.weights };
  });
}

interface Candidate {
  observation: number;
  role: number;
  cloud: Cloud;
}

/** Those that say anything, at most COMPARED + 1, those that say most. */
function heaviest(candidates: Candidate[]): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, weight: totalWeight(candidate.cloud) }))
    .filter(({ weight }) => weight > 0)
    .sort((p, q) => q.weight - p.weight)
    .slice(0, COMPARED + 1)
    .map(({ candidate }) => candidate);
}

/** The one whose median cost against the others is least; the first of one or two. */
function medoid(
  candidates: readonly Candidate[],
  costOf: (a: Candidate, b: Candidate) => number | undefined,
): Candidate {
  if (candidates.length < 3) return candidates[0]!;
  const n = candidates.length;
  const costs = candidates.map(() => new Float64Array(n));
  for (let a = 0; a < n; a++)
    for (let b = 0; b < a; b++) costs[a]![b] = costs[b]![a] = costOf(candidates[a]!, candidates[b]!) ?? Infinity;
  const medians = costs.map((row, a) => row.filter((_, b) => b !== a).sort()[(n - 1) >> 1]!);
  return candidates[medians.indexOf(Math.min(...medians))]!;
}
