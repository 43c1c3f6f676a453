/**
 * 100 photos in a closed round, 400 observations at 224 x 160: `node --import tsx test/bench/alignment-large.ts
 * [photos]`.
 */
import { align } from '../../electron/alignment/align.js';
import { makeProblem, poseErrors } from '../fixtures/alignment-problem.js';

const photos = Number(process.argv[2] ?? 100);
const width = 224;
const height = 160;
const problem = makeProblem({
  seed: 7,
  views: photos,
  width,
  height,
  focal: 200,
  edges: (views) =>
    Array.from({ length: views }, (_, k): [number, number][] =>
      [1, 2].flatMap((d): [number, number][] =>
        k + d < views
          ? [
              [k, k + d],
              [k + d, k],
            ]
          : [],
      ),
    ).flat(),
});
const pointmaps = problem.observations.length * 2 * width * height * 16;
const before = process.memoryUsage.rss();
let peak = before;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 50);
const { components, objective, seconds, iterations } = await align(problem, {
  onStep: () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  },
});
clearInterval(watch);
const component = components[0]!;
const { position, rotation } = poseErrors(
  component.worldFromCamera,
  component.views.map((view) => problem.truth[view]!.worldFromCamera),
);
console.log(
  `${photos} photos, ${problem.observations.length} observations at ${width}x${height}: ${seconds.toFixed(1)} s, ${iterations} steps, objective ${objective.toFixed(4)}, position ${position.toFixed(4)}, rotation ${rotation.toFixed(3)} deg`,
);
console.log(
  `pointmaps and confidences ${(pointmaps / 1e9).toFixed(2)} GB, memory beside them at most ${((peak - before) / 1e9).toFixed(2)} GB, in all ${(peak / 1e9).toFixed(2)} GB`,
);
