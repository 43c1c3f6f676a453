import { rotationVector } from '../numerics/linear.js';
import { moved, type Similarity } from '../geometry/similarity.js';
import type { LinearSystem } from './linear-system.js';
import { bandedOrder } from './order.js';
import type { LocalEquations, PixelKernel } from './pixels.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState, Freedom } from './state.js';

/*
 * The reduced problem. Unknowns: 6 per camera (left-multiplied step of worldFromCamera), log focal per camera, 7 per
 * observation (left-multiplied step of worldFromObservation). In camera coordinates, with y = Q X the point that an
 * observation gives and r the pixel's ray (a, b, 1), the residual is e = D r - y. A relative step (w, t, s) of the
 * observation against the camera gives de = -(w x y) - t - s y; a step of log focal gives de = -D (a, b, 0); a step of
 * the depth gives de = r.
 *
 * Weights: c/rho (I - beta e e^T / rho^2), rho^2 = |e|^2 + smoothing^2. beta = 0 is IRLS: a huge basin, but it creeps;
 * beta near 1 is Newton's matrix: two or three steps from near.
 *
 * Each pixel's depth is eliminated by a Schur complement, h h^T / (r^T A r) with h the pixel's column against all
 * unknowns. All of that is assembled per photo in camera coordinates (7 per target + 1, assembly/reduced.ts), and
 * brought to world coordinates once per photo.
 */

/** Where each unknown stands in the system; -1: held. */
export interface Layout {
  size: number;
  camera: Int32Array;
  focal: Int32Array;
  observation: Int32Array;
}

/** @param viewsOf views of every observation */
export function layOut(state: AlignmentState, freedom: Freedom, viewsOf: readonly (readonly number[])[]): Layout {
  const used = viewsOf.map((views, k) => (state.observations[k] ? views : []));
  const place = bandedOrder(state.cameras.length, used);
  const camera = new Int32Array(state.cameras.length).fill(-1);
  const focal = new Int32Array(state.cameras.length).fill(-1);
  const observation = new Int32Array(state.observations.length).fill(-1);
  // An observation stands with the last of its photos.
  const standing: number[][] = state.cameras.map(() => []);
  used.forEach((views, k) => {
    if (views.length > 0) standing[Math.max(...views.map((view) => place[view]!))]!.push(k);
  });
  let size = 0;
  const views = Array.from(place.keys()).sort((a, b) => place[a]! - place[b]!);
  for (const view of views) {
    if (state.cameras[view]) {
      if (freedom.camera[view]) camera[view] = (size += 6) - 6;
      if (freedom.focal[view] && !freedom.sharedFocal) focal[view] = size++;
    }
    for (const k of standing[place[view]!]!) observation[k] = (size += 7) - 7;
  }
  if (freedom.sharedFocal) {
    // One focal touches every photo: last, where it fills nothing else in.
    const free = views.filter((view) => state.cameras[view] && freedom.focal[view]);
    for (const view of free) focal[view] = size;
    if (free.length > 0) size++;
  }
  return { size, camera, focal, observation };
}

/**
 * Assembles the reduced normal equations (H, and the negative gradient g) at the depths that `pixels` has accepted, of
 * the objective before scaleNorm.
 */
export function assemble(
  system: LinearSystem,
  pixels: PixelKernel,
  photos: readonly PhotoSamples[],
  state: AlignmentState,
  freedom: Freedom,
  layout: Layout,
  smoothing: number,
  beta: number,
): void {
  system.clear();
  photos.forEach((photo, k) => toWorld(state, photo, pixels.assemble(k, state, smoothing, beta), layout, system));
  addPriors(system, state, freedom, layout);
}

/**
 * The part of the gradient that dividing by the mean scale brings: with F the objective at smoothing e, of degree one
 * in lengths and e together, each of E log scales gets -(F - e dF/de) / E. It balances the objective's own wish to
 * shrink the scene.
 *
 * @param total F - e dF/de
 */
export function addScaleGradient(system: LinearSystem, layout: Layout, total: number): void {
  const scales = Array.from(layout.observation).filter((at) => at >= 0);
  for (const at of scales) system.g[at + 6] = system.g[at + 6]! + total / scales.length;
}

/** The geometric mean of the observations' scales that the objective is told for. */
const MEAN_SCALE = 0.5;

/**
 * What the objective is multiplied by to be that of the same scene at MEAN_SCALE: it is proportional to the scene's
 * size, and without this it would shrink the scene wherever the size is free.
 */
export function scaleNorm(state: AlignmentState): number {
  let sum = 0;
  let count = 0;
  for (const observation of state.observations) {
    if (!observation) continue;
    sum += Math.log(observation.scale);
    count++;
  }
  return count === 0 ? 1 : MEAN_SCALE / Math.exp(sum / count);
}

/** Objective of the soft priors: half the squared deviation over what is to be expected, times their weight. */
export function priorCost(state: AlignmentState, freedom: Freedom): number {
  let sum = 0;
  freedom.rough.forEach((prior, view) => {
    const camera = state.cameras[view];
    if (!prior || !camera) return;
    const { turn, shift } = deviation(camera, prior.worldFromCamera);
    sum += 0.5 * prior.weight * (square(turn) / prior.turn ** 2 + square(shift) / prior.shift ** 2);
  });
  freedom.focals.forEach((prior, view) => {
    if (prior) sum += 0.5 * prior.weight * (Math.log(state.focal[view]! / prior.focal) / prior.share) ** 2;
  });
  return sum;
}

function addPriors(system: LinearSystem, state: AlignmentState, freedom: Freedom, layout: Layout): void {
  const norm = scaleNorm(state);
  freedom.rough.forEach((prior, view) => {
    const at = layout.camera[view]!;
    const camera = state.cameras[view];
    if (!prior || !camera || at < 0) return;
    const { turn, shift } = deviation(camera, prior.worldFromCamera);
    // A left-multiplied step (w, t) turns about the world's origin and so carries the centre along: its shift is t + w
    // x c.
    const c = camera.translation;
    const weight = prior.weight / norm;
    const [wTurn, wShift] = [weight / prior.turn ** 2, weight / prior.shift ** 2];
    // Rows of the shift: [-[c]x | I].
    const J = [
      [0, c[2]!, -c[1]!, 1, 0, 0],
      [-c[2]!, 0, c[0]!, 0, 1, 0],
      [c[1]!, -c[0]!, 0, 0, 0, 1],
    ];
    for (let i = 0; i < 6; i++) {
      let gradient = i < 3 ? wTurn * turn[i]! : 0;
      for (let r = 0; r < 3; r++) gradient += wShift * J[r]![i]! * shift[r]!;
      system.g[at + i] = system.g[at + i]! - gradient;
      for (let j = 0; j <= i; j++) {
        let value = i === j && i < 3 ? wTurn : 0;
        for (let r = 0; r < 3; r++) value += wShift * J[r]![i]! * J[r]![j]!;
        system.add(at + i, at + j, value);
      }
    }
  });
  freedom.focals.forEach((prior, view) => {
    const at = layout.focal[view]!;
    if (!prior || at < 0) return;
    const weight = prior.weight / norm / prior.share ** 2;
    system.g[at] = system.g[at]! - weight * Math.log(state.focal[view]! / prior.focal);
    system.add(at, at, weight);
  });
}

/** How far a camera is turned and shifted from a given pose, world coordinates. */
function deviation(camera: Similarity, given: Similarity): { turn: Float64Array; shift: Float64Array } {
  const [R, S] = [camera.rotation, given.rotation];
  const relative = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) relative[3 * i + j]! += R[3 * i + k]! * S[3 * j + k]!;
  return { turn: rotationVector(relative), shift: camera.translation.map((value, k) => value - given.translation[k]!) };
}

const square = (v: Float64Array): number => v.reduce((sum, value) => sum + value * value, 0);

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

function toWorld(
  state: AlignmentState,
  photo: PhotoSamples,
  local: LocalEquations,
  layout: Layout,
  system: LinearSystem,
): void {
  const { n } = local;
  const m = photo.targets.length;
  const { width } = photo;
  const { g } = system;
  const B = stepInCamera(state, photo.view);
  const camera = layout.camera[photo.view]!;
  const focal = layout.focal[photo.view]!;
  const last = 7 * width;
  // The block of two targets, row-major [49].
  const pair = new Float64Array(49);
  const loadPair = (k: number, l: number): void => {
    for (let i = 0; i < 7; i++) {
      for (let j = 0; j < 7; j++) {
        const [row, column] = [i * width + k, j * width + l];
        pair[7 * i + j] = row >= column ? local.H[row * n + column]! : local.H[column * n + row]!;
      }
    }
  };
  const add = (row: number, column: number, value: number): void => {
    if (row >= column) system.add(row, column, value);
  };
  // A camera's step is the opposite of all its targets' steps; its scale does not exist.
  const places = Array.from(photo.targets, (observation) => layout.observation[observation]!);
  const block = new Float64Array(49);
  const half = new Float64Array(49);
  const cameraRow = new Float64Array(49);
  const cameraBlock = new Float64Array(49);
  for (let k = 0; k < m; k++) {
    cameraRow.fill(0);
    for (let l = 0; l < m; l++) {
      loadPair(k, l);
      for (let i = 0; i < 7; i++) {
        for (let j = 0; j < 7; j++) {
          let sum = 0;
          for (let p = 0; p < 7; p++) sum += pair[7 * i + p]! * B[7 * p + j]!;
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
      if (pk >= 0 && pl >= 0)
        for (let i = 0; i < 7; i++) for (let j = 0; j < 7; j++) add(pk + i, pl + j, block[7 * i + j]!);
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
  if (camera >= 0)
    for (let i = 0; i < 6; i++) for (let j = 0; j <= i; j++) add(camera + i, camera + j, cameraBlock[7 * i + j]!);
  const column = new Float64Array(7);
  for (let k = 0; k < m; k++) {
    const pk = places[k]!;
    for (let i = 0; i < 7; i++) {
      let gradient = 0;
      let coupling = 0;
      for (let p = 0; p < 7; p++) {
        gradient += B[7 * p + i]! * local.g[p * width + k]!;
        coupling += B[7 * p + i]! * local.H[last * n + p * width + k]!;
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
    g[focal] = g[focal]! + local.g[last]!;
    add(focal, focal, local.H[last * n + last]!);
    if (camera >= 0) {
      for (let i = 0; i < 6; i++) {
        add(camera + i, focal, -column[i]!);
        add(focal, camera + i, -column[i]!);
      }
    }
  }
}

/**
 * Solves the damped system and returns the moved state. Under the gauge constraint (the sum of the log scales c^T x
 * stays) x = H^-1 g - H^-1 c (c^T H^-1 g) / (c^T H^-1 c).
 *
 * @param gauge false where held poses give the scene its scale
 */
export function takeStep(
  state: AlignmentState,
  system: LinearSystem,
  layout: Layout,
  damping: number,
  gauge: boolean,
): AlignmentState | undefined {
  const solve = system.factor(damping);
  if (!solve) return undefined;
  const x = solve(system.g);
  if (gauge) {
    const scales = Array.from(layout.observation)
      .filter((at) => at >= 0)
      .map((at) => at + 6);
    const c = new Float64Array(layout.size);
    for (const at of scales) c[at] = 1;
    const u = solve(c);
    const total = (v: Float64Array): number => scales.reduce((sum, at) => sum + v[at]!, 0);
    const share = total(x) / total(u);
    for (let k = 0; k < x.length; k++) x[k] = x[k]! - share * u[k]!;
  }
  if (!x.every(Number.isFinite)) return undefined;
  // Turning by more than a radian at once leaves the linearisation's reach.
  let most = 0;
  for (const at of [...layout.camera, ...layout.observation])
    if (at >= 0) most = Math.max(most, Math.hypot(x[at]!, x[at + 1]!, x[at + 2]!));
  const shrink = most > 0.7 ? 0.7 / most : 1;
  const step = x.map((value) => value * shrink);
  return {
    cameras: state.cameras.map((camera, k) =>
      camera && layout.camera[k]! >= 0
        ? moved(camera, step.subarray(layout.camera[k]!, layout.camera[k]! + 6))
        : camera,
    ),
    focal: state.focal.map((f, k) =>
      layout.focal[k]! >= 0 ? f * Math.exp(Math.max(-0.5, Math.min(0.5, step[layout.focal[k]!]!))) : f,
    ),
    observations: state.observations.map((similarity, k) =>
      similarity && layout.observation[k]! >= 0
        ? moved(similarity, step.subarray(layout.observation[k]!, layout.observation[k]! + 7))
        : similarity,
    ),
  };
}
