import { farthest } from './clouds.js';
import type { AlignmentProblem } from './types.js';

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
}

/**
 * Gathers every `stride`-th pixel in both directions (stride 4 is 1/16 of the pixels). The weights are those of the
 * full objective, scaled up for the pixels left out, so that objectives of different levels compare.
 *
 * @param usable observations to take
 * @param only gather one view alone: all of them at full size would take several times the pointmaps' memory
 */
export function samplePhotos(
  problem: AlignmentProblem,
  usable: readonly number[],
  stride: number,
  principal: readonly (readonly [number, number])[],
  only?: number,
): PhotoSamples[] {
  const roles = rolePixels(problem, usable);
  const index = new Map(problem.views.map(({ photo }, k) => [photo, k]));
  const seenBy: { observation: number; role: number }[][] = problem.views.map(() => []);
  for (const e of usable)
    problem.observations[e]!.views.forEach((view, role) =>
      seenBy[index.get(view.photo)!]!.push({ observation: e, role }),
    );
  return problem.views.flatMap((_, view) =>
    seenBy[view]!.length === 0 || (only !== undefined && view !== only)
      ? []
      : [gather(problem, view, seenBy[view]!, stride, principal[view]!, roles)],
  );
}

function gather(
  problem: AlignmentProblem,
  view: number,
  seen: readonly { observation: number; role: number }[],
  stride: number,
  [cx, cy]: readonly [number, number],
  roles: readonly [number, number],
): PhotoSamples {
  const { width: columns, height: rows } = problem.views[view]!;
  const chosen: number[] = [];
  // Rows are staggered, so that no column of the picture is left out for good.
  for (let y = stride >> 1, row = 0; y < rows; y += stride, row++)
    for (let x = (row * (stride >> 1)) % stride; x < columns; x += stride) chosen.push(y * columns + x);
  const pixels = Int32Array.from(chosen);
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
  seen.forEach(({ observation, role }, t) => {
    const said = problem.observations[observation]!.views[role]!;
    const { points, confidence } = said;
    const far = farthest(said) ** 2;
    const perLog = share / roles[Math.min(role, 1)]!;
    factors[t] = 1 / perLog;
    for (let k = 0; k < count; k++) {
      const pixel = pixels[k]!;
      const weight = Math.log(confidence[pixel]!);
      const x = points[3 * pixel]!;
      const y = points[3 * pixel + 1]!;
      const z = points[3 * pixel + 2]!;
      // A point that is not a number, or out of all proportion, says nothing.
      if (!(weight > 0) || weight === Infinity || !(x * x + y * y + z * z < far)) continue;
      const at = k * 4 * width + t;
      data[at] = x;
      data[at + width] = y;
      data[at + 2 * width] = z;
      data[at + 3 * width] = weight * perLog;
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

/** Number of pixels over all observations as first view, and as any further view. */
function rolePixels(problem: AlignmentProblem, usable: readonly number[]): [number, number] {
  const roles: [number, number] = [0, 0];
  for (const e of usable)
    problem.observations[e]!.views.forEach(({ width, height }, role) => (roles[Math.min(role, 1)]! += width * height));
  return roles;
}
