import { solveCholesky } from '../geometry/linear.js';
import { moved } from '../geometry/similarity.js';
import { cameraFromObservation, PixelTargets } from './depth.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState, Freedom } from './state.js';

/*
 * The reduced problem. Unknowns: 6 per camera (left-multiplied step of worldFromCamera), log focal per camera, 7 per observation
 * (left-multiplied step of worldFromObservation). In camera coordinates, with y = Q X the point that an observation gives and r the
 * pixel's ray (a, b, 1), the residual is e = D r - y. A relative step (w, t, s) of the observation against the camera gives
 * de = -(w x y) - t - s y; a step of log focal gives de = -D (a, b, 0); a step of the depth gives de = r.
 *
 * Weights: c/rho (I - beta e e^T / rho^2), rho^2 = |e|^2 + smoothing^2. beta = 0 is IRLS: a huge basin, but it creeps; beta near 1 is
 * Newton's matrix: two or three steps from near.
 *
 * Each pixel's depth is eliminated by a Schur complement, h h^T / (r^T A r) with h the pixel's column against all unknowns. All of that is
 * assembled per photo in camera coordinates (7 per target + 1), and brought to world coordinates once per photo.
 */

/** Objective of a state on samples: the depths are minimised on the way and kept in `depths` ([view] -> [n]) as the next start. */
export function evaluate(state: AlignmentState, photos: readonly PhotoSamples[], depths: Float64Array[], smoothing: number): number {
  let sum = 0;
  for (const photo of photos) {
    const maps = targetMaps(state, photo);
    const pixel = new PixelTargets(photo.targets.length);
    const f = state.focal[photo.view]!;
    const depth = depths[photo.view]!;
    for (let k = 0; k < photo.count; k++) {
      pixel.load(photo, maps, k);
      if (pixel.count === 0) continue;
      const a = photo.offsets[2 * k]! / f;
      const b = photo.offsets[2 * k + 1]! / f;
      const D = pixel.solveDepth(a, b, smoothing, depth[k]!);
      depth[k] = D;
      sum += pixel.cost(a, b, D, smoothing);
    }
  }
  return sum;
}

function targetMaps(state: AlignmentState, photo: PhotoSamples): Float64Array[] {
  return photo.targets.map(({ observation }) => cameraFromObservation(state.cameras[photo.view]!, state.observations[observation]!));
}

/** Where each unknown stands in the system; -1: held. */
export interface Layout {
  size: number;
  camera: Int32Array;
  focal: Int32Array;
  observation: Int32Array;
}

export function layOut(state: AlignmentState, freedom: Freedom): Layout {
  let size = 0;
  const camera = Int32Array.from(state.cameras, (value, k) => (value && freedom.camera[k] ? (size += 6) - 6 : -1));
  let shared = -1;
  const focal = Int32Array.from(state.cameras, (value, k) => {
    if (!value || !freedom.focal[k]) return -1;
    if (freedom.sharedFocal && shared >= 0) return shared;
    return (shared = size++);
  });
  const observation = Int32Array.from(state.observations, (value) => (value ? (size += 7) - 7 : -1));
  return { size, camera, focal, observation };
}

export interface NormalEquations {
  /** Lower triangle of H [size, size] and the negative gradient. */
  H: Float64Array;
  g: Float64Array;
}

/** Assembles the reduced normal equations at the depths left by `evaluate`. */
export function assemble(state: AlignmentState, photos: readonly PhotoSamples[], depths: readonly Float64Array[], layout: Layout, smoothing: number, beta: number): NormalEquations {
  const { size } = layout;
  const H = new Float64Array(size * size);
  const g = new Float64Array(size);
  for (const photo of photos) {
    const local = assemblePhoto(state, photo, depths[photo.view]!, smoothing, beta);
    toWorld(state, photo, local, layout, H, g);
  }
  return { H, g };
}

interface Local {
  /** [n, n] lower triangle, n = 7 m + 1, the focal last. */
  H: Float64Array;
  g: Float64Array;
  n: number;
}

function assemblePhoto(state: AlignmentState, photo: PhotoSamples, depth: Float64Array, smoothing: number, beta: number): Local {
  const m = photo.targets.length;
  const n = 7 * m + 1;
  const H = new Float64Array(n * n);
  const g = new Float64Array(n);
  const h = new Float64Array(n);
  const touched = new Int32Array(n);
  const J = new Float64Array(21);
  const AJ = new Float64Array(21);
  const maps = targetMaps(state, photo);
  const pixel = new PixelTargets(m);
  const f = state.focal[photo.view]!;
  const s2 = smoothing * smoothing;
  const last = n - 1;
  for (let k = 0; k < photo.count; k++) {
    pixel.load(photo, maps, k);
    if (pixel.count === 0) continue;
    const a = photo.offsets[2 * k]! / f;
    const b = photo.offsets[2 * k + 1]! / f;
    const D = depth[k]!;
    let width = 0;
    let depthCurvature = 0;
    let focalColumn = 0;
    for (let t = 0; t < pixel.count; t++) {
      const y0 = pixel.points[3 * t]!;
      const y1 = pixel.points[3 * t + 1]!;
      const y2 = pixel.points[3 * t + 2]!;
      const e0 = D * a - y0;
      const e1 = D * b - y1;
      const e2 = D - y2;
      const rho2 = e0 * e0 + e1 * e1 + e2 * e2 + s2;
      const w = pixel.weights[t]! / Math.sqrt(rho2);
      const q = beta / rho2;
      // J [3, 7]: -(w x y) = y x w, -t, -s y.
      J[0] = 0; J[1] = -y2; J[2] = y1; J[3] = -1; J[4] = 0; J[5] = 0; J[6] = -y0;
      J[7] = y2; J[8] = 0; J[9] = -y0; J[10] = 0; J[11] = -1; J[12] = 0; J[13] = -y1;
      J[14] = -y1; J[15] = y0; J[16] = 0; J[17] = 0; J[18] = 0; J[19] = -1; J[20] = -y2;
      // A r, A f with f = -D (a, b, 0).
      const er = e0 * a + e1 * b + e2;
      const ef = -D * (e0 * a + e1 * b);
      const ar0 = w * (a - q * er * e0);
      const ar1 = w * (b - q * er * e1);
      const ar2 = w * (1 - q * er * e2);
      depthCurvature += a * ar0 + b * ar1 + ar2;
      focalColumn += -D * (a * ar0 + b * ar1);
      const af0 = w * (-D * a - q * ef * e0);
      const af1 = w * (-D * b - q * ef * e1);
      const af2 = w * (-q * ef * e2);
      H[last * n + last] = H[last * n + last]! - D * (a * af0 + b * af1);
      g[last] = g[last]! - w * ef;
      const base = 7 * pixel.which[t]!;
      for (let i = 0; i < 7; i++) {
        const j0 = J[i]!;
        const j1 = J[7 + i]!;
        const j2 = J[14 + i]!;
        const je = j0 * e0 + j1 * e1 + j2 * e2;
        g[base + i] = g[base + i]! - w * je;
        h[width] = j0 * ar0 + j1 * ar1 + j2 * ar2;
        touched[width++] = base + i;
        H[last * n + base + i] = H[last * n + base + i]! + j0 * af0 + j1 * af1 + j2 * af2;
        AJ[i] = w * (j0 - q * je * e0);
        AJ[7 + i] = w * (j1 - q * je * e1);
        AJ[14 + i] = w * (j2 - q * je * e2);
      }
      for (let i = 0; i < 7; i++) {
        const row = (base + i) * n + base;
        for (let j = 0; j <= i; j++) H[row + j] = H[row + j]! + J[i]! * AJ[j]! + J[7 + i]! * AJ[7 + j]! + J[14 + i]! * AJ[14 + j]!;
      }
    }
    h[width] = focalColumn;
    touched[width++] = last;
    // At the minimal depth the gradient along the ray is zero, so the right-hand side needs no Schur term. Targets come in rising order.
    const inverse = 1 / (depthCurvature + 1e-300);
    for (let i = 0; i < width; i++) {
      const row = touched[i]! * n;
      const scaled = h[i]! * inverse;
      for (let j = 0; j <= i; j++) {
        const at = row + touched[j]!;
        H[at] = H[at]! - scaled * h[j]!;
      }
    }
  }
  return { H, g, n };
}

/** B [7, 7]: a step (w, t, s) in the world is the step (R^T w, R^T (t + w x c + s c), s) in a camera at c. */
function stepInCamera(state: AlignmentState, view: number): Float64Array {
  const { rotation: R, translation: c } = state.cameras[view]!;
  const B = new Float64Array(49);
  for (let i = 0; i < 3; i++) {
    const r = [R[i]!, R[3 + i]!, R[6 + i]!] as const;
    for (let j = 0; j < 3; j++) {
      B[7 * i + j] = r[j]!;
      B[7 * (3 + i) + 3 + j] = r[j]!;
    }
    // r . (w x c) = w . (c x r)
    B[7 * (3 + i)] = c[1]! * r[2] - c[2]! * r[1];
    B[7 * (3 + i) + 1] = c[2]! * r[0] - c[0]! * r[2];
    B[7 * (3 + i) + 2] = c[0]! * r[1] - c[1]! * r[0];
    B[7 * (3 + i) + 6] = r[0] * c[0]! + r[1] * c[1]! + r[2] * c[2]!;
  }
  B[48] = 1;
  return B;
}

function toWorld(state: AlignmentState, photo: PhotoSamples, local: Local, layout: Layout, H: Float64Array, g: Float64Array): void {
  const { n } = local;
  const m = photo.targets.length;
  const { size } = layout;
  const B = stepInCamera(state, photo.view);
  const camera = layout.camera[photo.view]!;
  const focal = layout.focal[photo.view]!;
  const at = (i: number, j: number) => (i >= j ? local.H[i * n + j]! : local.H[j * n + i]!);
  const add = (row: number, column: number, value: number) => {
    if (row < 0 || column < 0) return;
    if (row >= column) H[row * size + column] = H[row * size + column]! + value;
  };
  // A camera's step is the opposite of all its targets' steps; its scale does not exist.
  const places = photo.targets.map(({ observation }) => layout.observation[observation]!);
  const block = new Float64Array(49);
  const half = new Float64Array(49);
  const cameraRow = new Float64Array(49);
  const cameraBlock = new Float64Array(49);
  for (let k = 0; k < m; k++) {
    cameraRow.fill(0);
    for (let l = 0; l < m; l++) {
      for (let i = 0; i < 7; i++) {
        for (let j = 0; j < 7; j++) {
          let sum = 0;
          for (let p = 0; p < 7; p++) sum += at(7 * k + i, 7 * l + p) * B[7 * p + j]!;
          half[7 * i + j] = sum;
        }
      }
      for (let i = 0; i < 7; i++) {
        for (let j = 0; j < 7; j++) {
          let sum = 0;
          for (let p = 0; p < 7; p++) sum += B[7 * p + i]! * half[7 * p + j]!;
          block[7 * i + j] = sum;
        }
      }
      for (let i = 0; i < 49; i++) cameraRow[i] = cameraRow[i]! + block[i]!;
      const [pk, pl] = [places[k]!, places[l]!];
      if (pk >= 0 && pl >= 0) for (let i = 0; i < 7; i++) for (let j = 0; j < 7; j++) add(pk + i, pl + j, block[7 * i + j]!);
    }
    const pk = places[k]!;
    for (let i = 0; i < 7; i++) {
      for (let j = 0; j < 6; j++) {
        if (pk >= 0 && camera >= 0) {
          add(pk + i, camera + j, -cameraRow[7 * i + j]!);
          add(camera + j, pk + i, -cameraRow[7 * i + j]!);
        }
      }
    }
    for (let i = 0; i < 49; i++) cameraBlock[i] = cameraBlock[i]! + cameraRow[i]!;
  }
  if (camera >= 0) for (let i = 0; i < 6; i++) for (let j = 0; j <= i; j++) add(camera + i, camera + j, cameraBlock[7 * i + j]!);
  const column = new Float64Array(7);
  for (let k = 0; k < m; k++) {
    const pk = places[k]!;
    for (let i = 0; i < 7; i++) {
      let gradient = 0;
      let coupling = 0;
      for (let p = 0; p < 7; p++) {
        gradient += B[7 * p + i]! * local.g[7 * k + p]!;
        coupling += B[7 * p + i]! * at(n - 1, 7 * k + p);
      }
      if (pk >= 0) {
        g[pk + i] = g[pk + i]! + gradient;
        if (focal >= 0) {
          add(pk + i, focal, coupling);
          add(focal, pk + i, coupling);
        }
      }
      if (camera >= 0 && i < 6) g[camera + i] = g[camera + i]! - gradient;
      column[i] = column[i]! + coupling;
    }
  }
  if (focal >= 0) {
    g[focal] = g[focal]! + local.g[n - 1]!;
    add(focal, focal, at(n - 1, n - 1));
    if (camera >= 0) {
      for (let i = 0; i < 6; i++) {
        add(camera + i, focal, -column[i]!);
        add(focal, camera + i, -column[i]!);
      }
    }
  }
}

/**
 * Solves the damped system under the gauge constraint (the sum of the log scales stays) and returns the moved state.
 * The constraint is a stiff spring: 1e6 times the mean curvature of the scales.
 */
export function takeStep(state: AlignmentState, { H, g }: NormalEquations, layout: Layout, damping: number): AlignmentState | undefined {
  const n = layout.size;
  const A = H.slice();
  const x = g.slice();
  const scales = Array.from(layout.observation).filter((at) => at >= 0).map((at) => at + 6);
  const mean = scales.reduce((sum, at) => sum + H[at * n + at]!, 0) / scales.length;
  const spring = (1e6 * mean) / scales.length;
  for (let i = 0; i < n; i++) A[i * n + i] = A[i * n + i]! * (1 + damping) + 1e-12 * mean;
  for (const p of scales) for (const q of scales) if (p >= q) A[p * n + q] = A[p * n + q]! + spring;
  if (!solveCholesky(A, x, n)) return undefined;
  // Turning by more than a radian at once leaves the linearisation's reach.
  let most = 0;
  for (const at of [...layout.camera, ...layout.observation]) if (at >= 0) most = Math.max(most, Math.hypot(x[at]!, x[at + 1]!, x[at + 2]!));
  const shrink = most > 0.7 ? 0.7 / most : 1;
  if (!x.every(Number.isFinite)) return undefined;
  const step = x.map((value) => value * shrink);
  return {
    cameras: state.cameras.map((camera, k) => (camera && layout.camera[k]! >= 0 ? moved(camera, step.subarray(layout.camera[k]!, layout.camera[k]! + 6)) : camera)),
    focal: state.focal.map((f, k) => (layout.focal[k]! >= 0 ? f * Math.exp(Math.max(-0.5, Math.min(0.5, step[layout.focal[k]!]!))) : f)),
    observations: state.observations.map((similarity, k) => (similarity && layout.observation[k]! >= 0 ? moved(similarity, step.subarray(layout.observation[k]!, layout.observation[k]! + 7)) : similarity)),
  };
}

