/**
 * The usual method of global alignment, as a yardstick: start from the maximum spanning tree and PnP, then 300 steps of
 * Adam (0.01, cosine schedule) on every pixel's log depth, every pose, every observation's similarity and every focal,
 * full resolution throughout. Plain loops, one thread; written from the objective alone. `npm run bench:alignment` runs
 * it beside the product's aligner.
 */
import { cloudPixels, digestView } from '../../electron/geometry/digest.js';
import { placeCamera, focalFromPointmap } from '../../electron/alignment/resection.js';
import type { AlignmentProblem } from '../../electron/alignment/types.js';
import { rigid } from '../../electron/numerics/linear.js';
import {
  compose,
  identitySimilarity,
  invert,
  registerPoints,
  transform,
  type Similarity,
} from '../../electron/geometry/similarity.js';

export interface AdamResult {
  objectiveInitial: number;
  objective: number;
  worldFromCamera: Float64Array[];
  focal: Float64Array;
  seconds: number;
}

/** The objective's geometric mean of all scales. */
const MEAN_SCALE = 0.5;
/**
 * Parameters of a camera or an observation: quaternion (w, x, y, z; normalised when used), translation, log focal or
 * log scale.
 */
const PER_FRAME = 8;

export function alignByAdam(problem: AlignmentProblem, steps = 300, rate = 0.01): AdamResult {
  const started = performance.now();
  const count = problem.views.length;
  const index = new Map(problem.views.map(({ photo }, k) => [photo, k]));
  const start = spanningTree(problem, index);
  const frames = new Parameters((count + problem.observations.length) * PER_FRAME);
  start.cameras.forEach((camera, k) =>
    frames.values.set([...parametersOf(camera), Math.log(start.focal[k]!)], k * PER_FRAME),
  );
  start.observations.forEach((similarity, e) =>
    frames.values.set([...parametersOf(similarity), Math.log(similarity.scale)], (count + e) * PER_FRAME),
  );
  const depths = start.depths.map((depth) => {
    const parameters = new Parameters(depth.length);
    parameters.values.set(depth.map((value) => Math.log(Math.max(1e-3, value))));
    return parameters;
  });
  const weights = problem.observations.map(({ views }) =>
    views.map(({ confidence }, role) => confidence.map((value) => Math.log(value) / rolePixels(problem, role))),
  );
  let objectiveInitial = 0;
  for (let step = 1; step <= steps; step++) {
    const objective = gradients(problem, index, frames, depths, weights);
    if (step === 1) objectiveInitial = objective;
    const stepRate = rate * 0.5 * (1 + Math.cos((Math.PI * (step - 1)) / steps));
    for (const parameters of [frames, ...depths]) parameters.step(step, stepRate);
  }
  const objective = gradients(problem, index, frames, depths, weights);
  const cameras = problem.views.map((_, k) => frameAt(frames.values, k));
  return {
    objectiveInitial,
    objective,
    seconds: (performance.now() - started) / 1000,
    worldFromCamera: cameras.map(({ R, t }) => rigid(R, t)),
    focal: Float64Array.from(problem.views, (_, k) => Math.exp(frames.values[k * PER_FRAME + 7]!)),
  };
}

/** Values with Adam's moments (Kingma and Ba, 2015). */
class Parameters {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
  private readonly mean: Float32Array;
  private readonly square: Float32Array;

  constructor(readonly length: number) {
    this.values = new Float32Array(length);
    this.gradient = new Float32Array(length);
    this.mean = new Float32Array(length);
    this.square = new Float32Array(length);
  }

  step(step: number, rate: number): void {
    const { values, gradient, mean, square } = this;
    const meanScale = rate / (1 - 0.9 ** step);
    const squareScale = 1 / (1 - 0.999 ** step);
    for (let k = 0; k < values.length; k++) {
      const g = gradient[k]!;
      mean[k] = 0.9 * mean[k]! + 0.1 * g;
      square[k] = 0.999 * square[k]! + 0.001 * g * g;
      values[k] = values[k]! - (meanScale * mean[k]!) / (Math.sqrt(square[k]! * squareScale) + 1e-8);
    }
  }
}

interface Frame {
  R: Float64Array;
  t: Float64Array;
}

function frameAt(values: Float32Array, at: number): Frame {
  const [w, x, y, z, ...t] = values.subarray(at * PER_FRAME, at * PER_FRAME + 7) as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const n = Math.hypot(w, x, y, z);
  return { R: rotationOf(w / n, x / n, y / n, z / n), t: Float64Array.from(t) };
}

function rotationOf(w: number, x: number, y: number, z: number): Float64Array {
  return Float64Array.of(
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  );
}

/** Fills all gradients and returns the objective. */
function gradients(
  problem: AlignmentProblem,
  index: ReadonlyMap<string, number>,
  frames: Parameters,
  depths: readonly Parameters[],
  weights: readonly Float32Array[][],
): number {
  const count = problem.views.length;
  const edges = problem.observations.length;
  frames.gradient.fill(0);
  for (const { gradient } of depths) gradient.fill(0);
  const all = Array.from({ length: count + edges }, (_, k) => frameAt(frames.values, k));
  // The geometric mean of the scales is held by subtracting the mean log.
  let meanLog = 0;
  for (let e = 0; e < edges; e++) meanLog += frames.values[(count + e) * PER_FRAME + 7]! / edges;
  const rotationGradient = all.map(() => new Float64Array(9));
  const translationGradient = all.map(() => new Float64Array(3));
  const lastGradient = new Float64Array(all.length);
  let objective = 0;
  problem.observations.forEach(({ views }, e) => {
    const scale = MEAN_SCALE * Math.exp(frames.values[(count + e) * PER_FRAME + 7]! - meanLog);
    const { R: S, t: s } = all[count + e]!;
    const dS = rotationGradient[count + e]!;
    const ds = translationGradient[count + e]!;
    views.forEach(({ photo, width, height, points }, role) => {
      const view = index.get(photo)!;
      const { R, t } = all[view]!;
      const dR = rotationGradient[view]!;
      const dt = translationGradient[view]!;
      const focal = Math.exp(frames.values[view * PER_FRAME + 7]!);
      const logDepth = depths[view]!.values;
      const depthGradient = depths[view]!.gradient;
      const weight = weights[e]![role]!;
      for (let j = 0, k = 0; j < height; j++) {
        for (let i = 0; i < width; i++, k++) {
          const D = Math.exp(logDepth[k]!);
          const a = (D * (i - width / 2)) / focal;
          const b = (D * (j - height / 2)) / focal;
          const x = points[3 * k]!;
          const y = points[3 * k + 1]!;
          const z = points[3 * k + 2]!;
          const w0 = R[0]! * a + R[1]! * b + R[2]! * D;
          const w1 = R[3]! * a + R[4]! * b + R[5]! * D;
          const w2 = R[6]! * a + R[7]! * b + R[8]! * D;
          const p0 = scale * (S[0]! * x + S[1]! * y + S[2]! * z);
          const p1 = scale * (S[3]! * x + S[4]! * y + S[5]! * z);
          const p2 = scale * (S[6]! * x + S[7]! * y + S[8]! * z);
          const e0 = w0 + t[0]! - p0 - s[0]!;
          const e1 = w1 + t[1]! - p1 - s[1]!;
          const e2 = w2 + t[2]! - p2 - s[2]!;
          const distance = Math.sqrt(e0 * e0 + e1 * e1 + e2 * e2) + 1e-12;
          const c = weight[k]!;
          objective += c * distance;
          const g0 = (c * e0) / distance;
          const g1 = (c * e1) / distance;
          const g2 = (c * e2) / distance;
          dt[0] = dt[0]! + g0;
          dt[1] = dt[1]! + g1;
          dt[2] = dt[2]! + g2;
          ds[0] = ds[0]! - g0;
          ds[1] = ds[1]! - g1;
          ds[2] = ds[2]! - g2;
          dR[0] = dR[0]! + g0 * a;
          dR[1] = dR[1]! + g0 * b;
          dR[2] = dR[2]! + g0 * D;
          dR[3] = dR[3]! + g1 * a;
          dR[4] = dR[4]! + g1 * b;
          dR[5] = dR[5]! + g1 * D;
          dR[6] = dR[6]! + g2 * a;
          dR[7] = dR[7]! + g2 * b;
          dR[8] = dR[8]! + g2 * D;
          dS[0] = dS[0]! - scale * g0 * x;
          dS[1] = dS[1]! - scale * g0 * y;
          dS[2] = dS[2]! - scale * g0 * z;
          dS[3] = dS[3]! - scale * g1 * x;
          dS[4] = dS[4]! - scale * g1 * y;
          dS[5] = dS[5]! - scale * g1 * z;
          dS[6] = dS[6]! - scale * g2 * x;
          dS[7] = dS[7]! - scale * g2 * y;
          dS[8] = dS[8]! - scale * g2 * z;
          depthGradient[k] = depthGradient[k]! + g0 * w0 + g1 * w1 + g2 * w2;
          lastGradient[view] =
            lastGradient[view]! - g0 * (w0 - R[2]! * D) - g1 * (w1 - R[5]! * D) - g2 * (w2 - R[8]! * D);
          lastGradient[count + e] = lastGradient[count + e]! - g0 * p0 - g1 * p1 - g2 * p2;
        }
      }
    });
  });
  let meanLast = 0;
  for (let e = 0; e < edges; e++) meanLast += lastGradient[count + e]! / edges;
  all.forEach((_, k) => {
    const at = k * PER_FRAME;
    frames.gradient.set(quaternionGradient(frames.values.subarray(at, at + 4), rotationGradient[k]!), at);
    frames.gradient.set(translationGradient[k]!, at + 4);
    frames.gradient[at + 7] = lastGradient[k]! - (k < count ? 0 : meanLast);
  });
  return objective;
}

/** Chain rule through R(q / |q|), by central differences of a function with four inputs. */
function quaternionGradient(q: Float32Array, dR: Float64Array): number[] {
  const h = 1e-5;
  return [0, 1, 2, 3].map((i) => {
    const value = (sign: number) => {
      const moved = Float64Array.from(q);
      moved[i] = moved[i]! + sign * h;
      const n = Math.hypot(...moved);
      const R = rotationOf(moved[0]! / n, moved[1]! / n, moved[2]! / n, moved[3]! / n);
      return R.reduce((sum, r, k) => sum + r * dR[k]!, 0);
    };
    return (value(1) - value(-1)) / (2 * h);
  });
}

function parametersOf({ rotation: R, translation }: Similarity): number[] {
  // Shepperd's method, largest component first.
  const squares = [
    1 + R[0]! + R[4]! + R[8]!,
    1 + R[0]! - R[4]! - R[8]!,
    1 - R[0]! + R[4]! - R[8]!,
    1 - R[0]! - R[4]! + R[8]!,
  ];
  const best = squares.indexOf(Math.max(...squares));
  const d = [
    [R[7]! - R[5]!, R[2]! - R[6]!, R[3]! - R[1]!],
    [R[1]! + R[3]!, R[2]! + R[6]!, R[5]! + R[7]!],
  ] as const;
  const rows = [
    [squares[0]!, d[0][0], d[0][1], d[0][2]],
    [d[0][0], squares[1]!, d[1][0], d[1][1]],
    [d[0][1], d[1][0], squares[2]!, d[1][2]],
    [d[0][2], d[1][1], d[1][2], squares[3]!],
  ];
  const q = rows[best]!;
  const n = Math.hypot(...q);
  return [...q.map((value) => value / n), ...translation];
}

function rolePixels(problem: AlignmentProblem, role: number): number {
  return problem.observations.reduce((sum, { views }) => sum + (views[role]?.confidence.length ?? 0), 0);
}

/**
 * Maximum spanning tree over mean confidences; each tree edge carries its second pointmap into the world, and PnP
 * places the camera.
 */
function spanningTree(
  problem: AlignmentProblem,
  index: ReadonlyMap<string, number>,
): { cameras: Similarity[]; focal: number[]; observations: Similarity[]; depths: Float32Array[] } {
  const { views, observations } = problem;
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const edges = observations
    .map(({ views: [first, second] }, e) => ({
      e,
      i: index.get(first!.photo)!,
      j: index.get(second!.photo)!,
      score: mean(first!.confidence) * mean(second!.confidence),
    }))
    .sort((p, q) => q.score - p.score);
  const focal = views.map(({ width, height }, k) => {
    const own = edges.find(({ i }) => i === k);
    return (
      (own && focalFromPointmap(digestView(observations[own.e]!.views[0]!), [width / 2, height / 2])) ??
      1.2 * Math.max(width, height)
    );
  });
  const world: (Float64Array | undefined)[] = views.map(() => undefined);
  const seed = edges[0]!;
  world[seed.i] = Float64Array.from(observations[seed.e]!.views[0]!.points);
  for (let placed = 1; placed < views.length;) {
    const edge = edges.find(({ i, j }) => !world[i] !== !world[j]);
    if (!edge) break;
    const {
      views: [first, second],
    } = observations[edge.e]!;
    const [known, other, target] = world[edge.i] ? [first!, second!, edge.j] : [second!, first!, edge.i];
    const similarity = registration(known, world[target === edge.j ? edge.i : edge.j]!);
    world[target] = mapAll(similarity, other.points);
    placed++;
  }
  const cameras = views.map((view, k) => {
    const cloud = subsample(view, world[k]!);
    return (
      (k === seed.i
        ? identitySimilarity()
        : placeCamera(cloud, cloudPixels(view.width, view.height), [view.width / 2, view.height / 2], focal[k]!)) ??
      identitySimilarity()
    );
  });
  const depths = views.map((_, k) => {
    const local = mapAll(invert(cameras[k]!), world[k]!);
    return Float32Array.from({ length: local.length / 3 }, (__, p) => local[3 * p + 2]!);
  });
  const similarities = observations.map(({ views: [first] }) => registration(first!, world[index.get(first!.photo)!]!));
  const meanLog = similarities.reduce((sum, { scale }) => sum + Math.log(scale), 0) / similarities.length;
  const factor = MEAN_SCALE / Math.exp(meanLog);
  const grown = (similarity: Similarity): Similarity => ({
    ...compose({ ...identitySimilarity(), scale: factor }, similarity),
  });
  return {
    cameras: cameras.map((camera) => ({ ...grown(camera), scale: 1 })),
    focal,
    observations: similarities.map(grown),
    depths: depths.map((depth) => depth.map((value) => value * factor)),
  };
}

function registration(
  { points, confidence }: { points: Float32Array; confidence: Float32Array },
  world: Float64Array,
): Similarity {
  return registerPoints(Float64Array.from(points), world, Float64Array.from(confidence, Math.log), 1)!.similarity;
}

function mapAll(similarity: Similarity, points: ArrayLike<number>): Float64Array {
  const mapped = new Float64Array(points.length);
  for (let k = 0; k < points.length; k += 3)
    mapped.set(transform(similarity, [points[k]!, points[k + 1]!, points[k + 2]!]), k);
  return mapped;
}

/** On the grid of cloudPixels. */
function subsample(
  { width, height }: { width: number; height: number },
  world: Float64Array,
): { points: Float64Array; weights: Float64Array } {
  const pixels = cloudPixels(width, height);
  const points = new Float64Array((pixels.length / 2) * 3);
  for (let k = 0; k < pixels.length / 2; k++) {
    const pixel = pixels[2 * k + 1]! * width + pixels[2 * k]!;
    points.set(world.subarray(3 * pixel, 3 * pixel + 3), 3 * k);
  }
  return { points, weights: new Float64Array(points.length / 3).fill(1) };
}
