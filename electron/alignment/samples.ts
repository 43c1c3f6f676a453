import type { AlignmentProblem } from './types.js';

/** One observation's word on the sampled pixels of one photo. */
export interface Target {
  observation: number;
  /** [n, 3] in the observation's frame. */
  points: Float64Array;
  /** [n] log(confidence) over the number of pixels in that role: the objective's weight. */
  weights: Float64Array;
}

/** The sampled pixels of one photo, and every observation that saw them. */
export interface PhotoSamples {
  view: number;
  count: number;
  /** [n, 2] pixel position relative to the principal point. */
  offsets: Float64Array;
  /** [n] pixel index. */
  pixels: Int32Array;
  targets: Target[];
}

/**
 * Gathers every `stride`-th pixel in both directions (stride 4 is 1/16 of the pixels). The weights are those of the full objective,
 * scaled up for the pixels left out, so that objectives of different levels compare.
 *
 * @param usable observations to take
 * @param only gather one view alone: all of them at full size would take several times the pointmaps' memory
 */
export function samplePhotos(problem: AlignmentProblem, usable: readonly number[], stride: number, principal: readonly (readonly [number, number])[], only?: number): PhotoSamples[] {
  const roles = rolePixels(problem, usable);
  const index = new Map(problem.views.map(({ photo }, k) => [photo, k]));
  const seenBy: { observation: number; role: number }[][] = problem.views.map(() => []);
  for (const e of usable) problem.observations[e]!.views.forEach((view, role) => seenBy[index.get(view.photo)!]!.push({ observation: e, role }));
  const samples: PhotoSamples[] = [];
  problem.views.forEach(({ width, height }, view) => {
    if (seenBy[view]!.length === 0 || (only !== undefined && view !== only)) return;
    const pixels: number[] = [];
    // Rows are staggered, so that no column of the picture is left out for good.
    for (let y = stride >> 1, row = 0; y < height; y += stride, row++) for (let x = (row * (stride >> 1)) % stride; x < width; x += stride) pixels.push(y * width + x);
    const [cx, cy] = principal[view]!;
    const count = pixels.length;
    const offsets = new Float64Array(count * 2);
    pixels.forEach((pixel, k) => {
      offsets[2 * k] = (pixel % width) - cx;
      offsets[2 * k + 1] = Math.floor(pixel / width) - cy;
    });
    const share = (width * height) / count;
    const targets = seenBy[view]!.map(({ observation, role }): Target => {
      const { points, confidence } = problem.observations[observation]!.views[role]!;
      const gathered = new Float64Array(count * 3);
      const weights = new Float64Array(count);
      pixels.forEach((pixel, k) => {
        const [x, y, z] = [points[3 * pixel]!, points[3 * pixel + 1]!, points[3 * pixel + 2]!];
        const weight = Math.log(confidence[pixel]!);
        // A point that is not a number says nothing.
        if (!(weight > 0) || !Number.isFinite(x + y + z) || weight === Infinity) return;
        gathered.set([x, y, z], 3 * k);
        weights[k] = (weight * share) / roles[Math.min(role, 1)]!;
      });
      return { observation, points: gathered, weights };
    });
    samples.push({ view, count, offsets, pixels: Int32Array.from(pixels), targets });
  });
  return samples;
}

/** Number of pixels over all observations as first view, and as any further view. */
function rolePixels(problem: AlignmentProblem, usable: readonly number[]): [number, number] {
  const roles: [number, number] = [0, 0];
  for (const e of usable) problem.observations[e]!.views.forEach(({ width, height }, role) => (roles[Math.min(role, 1)]! += width * height));
  return roles;
}
