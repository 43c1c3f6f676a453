import { compose, invert, type Similarity } from '../geometry/similarity.js';
import type { PhotoSamples } from './samples.js';

/** cameraFromObservation as 3x4 with the scale inside, row-major [12]. */
export function cameraFromObservation(worldFromCamera: Similarity, worldFromObservation: Similarity): Float64Array {
  const { scale, rotation: R, translation: t } = compose(invert(worldFromCamera), worldFromObservation);
  return Float64Array.of(
    scale * R[0]!, scale * R[1]!, scale * R[2]!, t[0]!,
    scale * R[3]!, scale * R[4]!, scale * R[5]!, t[1]!,
    scale * R[6]!, scale * R[7]!, scale * R[8]!, t[2]!,
  );
}

/** Scratch of the pixel in work: targets in camera coordinates [m, 3], their weights, and which carry weight. */
export class PixelTargets {
  readonly points: Float64Array;
  readonly weights: Float64Array;
  count = 0;
  /** Which target each entry is. */
  readonly which: Int32Array;

  constructor(most: number) {
    this.points = new Float64Array(most * 3);
    this.weights = new Float64Array(most);
    this.which = new Int32Array(most);
  }

  load(samples: PhotoSamples, maps: readonly Float64Array[], k: number): void {
    let n = 0;
    for (let t = 0; t < samples.targets.length; t++) {
      const { points, weights } = samples.targets[t]!;
      const w = weights[k]!;
      if (w === 0) continue;
      const Q = maps[t]!;
      const x = points[3 * k]!;
      const y = points[3 * k + 1]!;
      const z = points[3 * k + 2]!;
      this.points[3 * n] = Q[0]! * x + Q[1]! * y + Q[2]! * z + Q[3]!;
      this.points[3 * n + 1] = Q[4]! * x + Q[5]! * y + Q[6]! * z + Q[7]!;
      this.points[3 * n + 2] = Q[8]! * x + Q[9]! * y + Q[10]! * z + Q[11]!;
      this.weights[n] = w;
      this.which[n] = t;
      n++;
    }
    this.count = n;
  }

  /**
   * The depth D that minimises sum_k w_k sqrt(|D r - y_k|^2 + e^2) for the ray r = (a, b, 1): convex in one variable, by damped Newton.
   * Truly minimised, or the outer Levenberg-Marquardt rejects good steps.
   *
   * @param start a guess, or 0
   */
  solveDepth(a: number, b: number, smoothing: number, start: number): number {
    const rr = a * a + b * b + 1;
    const s2 = smoothing * smoothing;
    let D = start;
    if (!(D > 0)) {
      let top = 0;
      let bottom = 0;
      for (let k = 0; k < this.count; k++) {
        const w = this.weights[k]!;
        top += w * (a * this.points[3 * k]! + b * this.points[3 * k + 1]! + this.points[3 * k + 2]!);
        bottom += w * rr;
      }
      D = top / bottom;
    }
    let below = -Infinity;
    let above = Infinity;
    for (let round = 0; round < 14; round++) {
      let gradient = 0;
      let curvature = 0;
      let upper = 0;
      for (let k = 0; k < this.count; k++) {
        const e0 = D * a - this.points[3 * k]!;
        const e1 = D * b - this.points[3 * k + 1]!;
        const e2 = D - this.points[3 * k + 2]!;
        const along = a * e0 + b * e1 + e2;
        const rho2 = e0 * e0 + e1 * e1 + e2 * e2 + s2;
        const w = this.weights[k]! / Math.sqrt(rho2);
        gradient += w * along;
        curvature += w * (rr - (along * along) / rho2);
        upper += w * rr;
      }
      if (gradient > 0) above = D;
      else below = D;
      // Newton overshoots where the curvature vanishes (far from all targets): the quadratic bound (IRLS) never does, and the
      // sign of the gradient brackets the minimum.
      let next = D - gradient / (round < 2 ? upper : Math.max(curvature, 0.02 * upper));
      if (next <= below || next >= above) next = below > -Infinity && above < Infinity ? (below + above) / 2 : D - gradient / upper;
      const step = D - next;
      D = next;
      if (Math.abs(step) < 1e-6 * Math.abs(D)) break;
    }
    return D > 1e-9 ? D : 1e-9;
  }

  /** sum_k w_k sqrt(|D r - y_k|^2 + e^2). */
  cost(a: number, b: number, D: number, smoothing: number): number {
    const s2 = smoothing * smoothing;
    let sum = 0;
    for (let k = 0; k < this.count; k++) {
      const e0 = D * a - this.points[3 * k]!;
      const e1 = D * b - this.points[3 * k + 1]!;
      const e2 = D - this.points[3 * k + 2]!;
      sum += this.weights[k]! * Math.sqrt(e0 * e0 + e1 * e1 + e2 * e2 + s2);
    }
    return sum;
  }
}
