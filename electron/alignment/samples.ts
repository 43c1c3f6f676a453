import { coarserGrid, gridPixels, pick, type PointSamples } from '../geometry/digest.js';
import { decodeFull, type FullView, type PreparedProblem } from './prepared.js';

/** The sampled pixels of one photo, and every observation that saw them. */
export interface PhotoSamples {
  view: number;
  count: number;
  /** [count, 2] pixel position relative to the principal point. */
  offsets: Float64Array;
  /** Observation of each target, one entry for each time that an observation shows the photo. */
  targets: Int32Array;
  /** Which view of its observation each target is. */
  roles: Int32Array;
  /** Targets with room for an even number of them. */
  width: number;
  /**
   * [count, 4, width] x, y, z in the target's observation frame, and its weight: log(confidence) over the number of
   * pixels in that role, as the objective has it; 0 where the observation says nothing.
   */
  data: Float32Array;
  /** [width] log(confidence) over weight. */
  factors: Float64Array;
  /** [count], 1 where some pointmap infers the pixel and none measured it; none where none infers. */
  inferred?: Uint8Array;
  /** [count], 1 where a pointmap says that the sky is seen and none has a depth; none where none looked for it. */
  sky?: Uint8Array;
}

/** A photo whose samples are to be gathered. */
export interface PhotoTask {
  view: number;
  width: number;
  height: number;
  /** View pixels. */
  principal: readonly [number, number];
  seen: { observation: number; role: number; far: number }[];
  /** Number of pixels over all observations as first view, and as any further view. */
  rolePixels: readonly [number, number];
}

/** @param usable observations to take */
export function photoTasks(
  problem: PreparedProblem,
  usable: readonly number[],
  principal: readonly (readonly [number, number])[],
): PhotoTask[] {
  const rolePixels: [number, number] = [0, 0];
  const index = new Map(problem.views.map(({ photo }, k) => [photo, k]));
  const seen: PhotoTask['seen'][] = problem.views.map(() => []);
  for (const observation of usable)
    problem.observations[observation]!.views.forEach(({ photo, far, width, height }, role) => {
      seen[index.get(photo)!]!.push({ observation, role, far });
      rolePixels[Math.min(role, 1)]! += width * height;
    });
  return problem.views.flatMap(({ width, height }, view) =>
    seen[view]!.length === 0
      ? []
      : [{ view, width, height, principal: principal[view]!, seen: seen[view]!, rolePixels }],
  );
}

/**
 * Samples of every photo from the digests: all of their grid, or every fourth entry. The weights are those of the full
 * objective, scaled up for the pixels left out, so that objectives of different levels compare.
 */
export function samplePhotos(
  problem: PreparedProblem,
  usable: readonly number[],
  level: 'coarse' | 'fine',
  principal: readonly (readonly [number, number])[],
): PhotoSamples[] {
  return photoTasks(problem, usable, principal).map((task) => {
    const { width, height, seen } = task;
    const { stride } = problem.observations[seen[0]!.observation]!.views[seen[0]!.role]!;
    const grid = gridPixels(width, height, stride);
    const entries = level === 'coarse' ? coarserGrid(width, height, stride) : Int32Array.from(grid.keys());
    const pixels = entries.map((entry) => grid[entry]!);
    return gather(task, pixels, (t) => {
      const { observation, role } = seen[t]!;
      return { samples: problem.observations[observation]!.views[role]!.grid, entries };
    });
  });
}

/**
 * Samples of one photo from its whole pointmaps, every `stride`-th pixel in both directions; one pointmap is decoded at
 * a time.
 *
 * @param full the pointmap of each entry of `task.seen`
 * @throws DamagedObservation
 */
export function samplePhoto(task: PhotoTask, stride: number, full: (target: number) => FullView): PhotoSamples {
  const pixels = gridPixels(task.width, task.height, stride);
  const said = new Uint8Array(pixels.length);
  const measured = new Uint8Array(pixels.length);
  const open = new Uint8Array(pixels.length);
  let isLooked = false;
  const samples = gather(task, pixels, (t) => {
    const { observation, far } = task.seen[t]!;
    const view = decodeFull(full(t), observation);
    isLooked ||= view.sky !== undefined;
    pixels.forEach((pixel, k) => {
      if (view.inferred?.[pixel] === 1) said[k] = 1;
      else if (view.confidence[pixel]! > 1) measured[k] = 1;
      if (view.sky?.[pixel] === 1) open[k] = 1;
    });
    return { samples: pick(view, pixels, far) };
  });
  if (isLooked) samples.sky = open.map((one, k) => (one === 1 && said[k] === 0 && measured[k] === 0 ? 1 : 0));
  if (said.includes(1)) samples.inferred = said.map((one, k) => (one === 1 && measured[k] === 0 ? 1 : 0));
  return samples;
}

function gather(
  { view, width: columns, height: rows, principal: [cx, cy], seen, rolePixels }: PhotoTask,
  pixels: Int32Array,
  samplesOf: (target: number) => { samples: PointSamples; entries?: Int32Array },
): PhotoSamples {
  const count = pixels.length;
  const offsets = new Float64Array(count * 2);
  pixels.forEach((pixel, k) => {
    offsets[2 * k] = (pixel % columns) - cx;
    offsets[2 * k + 1] = Math.floor(pixel / columns) - cy;
  });
  const width = seen.length + (seen.length & 1);
  const data = new Float32Array(count * 4 * width);
  const factors = new Float64Array(width);
  const share = (columns * rows) / count;
  seen.forEach(({ role }, t) => {
    const {
      samples: { points, weights },
      entries,
    } = samplesOf(t);
    const perLog = share / rolePixels[Math.min(role, 1)]!;
    factors[t] = 1 / perLog;
    for (let k = 0; k < count; k++) {
      const entry = entries ? entries[k]! : k;
      const at = k * 4 * width + t;
      data[at] = points[3 * entry]!;
      data[at + width] = points[3 * entry + 1]!;
      data[at + 2 * width] = points[3 * entry + 2]!;
      data[at + 3 * width] = weights[entry]! * perLog;
    }
  });
  return {
    view,
    count,
    offsets,
    targets: Int32Array.from(seen, ({ observation }) => observation),
    roles: Int32Array.from(seen, ({ role }) => role),
    width,
    data,
    factors,
  };
}
