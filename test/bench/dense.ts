/**
 * Dense depth with known cameras: how right and how complete it is, and whether its confidence tells the truth.
 *
 *   node build/wasm.mjs && node --import tsx test/bench/dense.ts [--fit] [--quick]
 *
 * Sets: the sample scene (its true cameras and depths) and rendered rooms with plain surfaces, noise and blur. With --fit
 * the weights of the confidence (dense/checks.ts) are fitted on the even rooms and photos and printed. The reliability
 * curve is told for the odd ones, which the fit never sees. --quick takes half of it all. Errors are relative to the true
 * depth; "right" is 2 %.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { invertRigid, multiply4, randomNumbers, rotationOf } from '../../electron/numerics/linear.js';
import {
  confidenceOf,
  evidence,
  EVIDENCE,
  isJudged,
  probabilityOf,
} from '../../electron/pointmaps/geometric/dense/checks.js';
import { planGroups, type GroupPoint } from '../../electron/pointmaps/geometric/dense/groups.js';
import { consistencyOf } from '../../electron/pointmaps/geometric/dense/judge.js';
import { matchViews, type GreyView, type Matched } from '../../electron/pointmaps/geometric/dense/match.js';
import { Room } from '../fixtures/room.js';

interface Shot {
  view: GreyView;
  cameraFromWorld: Float64Array;
  /** True depth of pixels [h, w]; 0 where it is not known. */
  truth: Float32Array;
}

interface Pixel {
  facts: Float64Array;
  right: boolean;
}

interface Judged {
  fit: Pixel[];
  /** Probability told and whether it was right, of held-out pixels. */
  heldOut: (Pixel & { probability: number })[];
  errors: number[];
  known: number;
  told: number;
  seconds: number;
}

const RIGHT = 0.02;
const BINS = 10;
/** Pixels of one set that the fit sees at most: a set whose every pixel is known must not outweigh one of few. */
const MOST_FIT = 8000;

const { values } = parseArgs({ options: { fit: { type: 'boolean' }, quick: { type: 'boolean' } } });
const all: Judged[] = [];
const report = (name: string, judged: Judged): void => {
  all.push(judged);
  const { errors, known, told, seconds } = judged;
  errors.sort((p, q) => p - q);
  const share = (limit: number) => (errors.filter((error) => error < limit).length / (errors.length || 1)).toFixed(3);
  const median = ((errors[errors.length >> 1] ?? NaN) * 100).toFixed(2);
  console.log(
    `${name.padEnd(14)} told ${(told / known).toFixed(3)}  median ${median} %  within 2 % ${share(0.02)}  5 % ${share(0.05)}  ${seconds.toFixed(1)} s`,
  );
};

const seeds = values.quick ? [1, 2, 3] : [1, 2, 3, 4, 5, 6];
for (const seed of seeds)
  report(
    `room ${seed}`,
    judge(roomShots(seed), (photo) => (seed + photo * 0) % 2 === 0),
  );
const samples = 'resources/samples/courtyard';
if (existsSync(join(samples, 'depth.json'))) {
  const shots = (await sampleShots(samples)).slice(0, values.quick ? 5 : undefined);
  report(
    'courtyard',
    judge(shots, (photo) => photo % 2 === 0),
  );
}

const weights = values.fit ? fit(all.flatMap((judged) => thinned(judged.fit))) : undefined;
if (weights) console.log(`weights ${JSON.stringify(weights.map((w) => Number(w.toFixed(3))))}`);
const heldOut = all.flatMap((judged) => judged.heldOut);
if (weights) for (const pixel of heldOut) pixel.probability = logistic(weights, pixel.facts);
console.log('held out: told, right, pixels');
console.log(`expected calibration error ${reliability(heldOut).toFixed(4)}`);

/** Depth of all shots, and what is told of it. */
function judge(shots: readonly Shot[], isFit: (photo: number) => boolean): Judged {
  const started = performance.now();
  const cameras = shots.map(({ view, cameraFromWorld: T }) => ({
    rotation: rotationOf(T),
    translation: [T[3]!, T[7]!, T[11]!],
    focal: view.focal,
    width: view.width,
    height: view.height,
  }));
  const groups = planGroups(cameras, truePoints(shots));
  const relative = (from: number, to: number) =>
    multiply4(shots[to]!.cameraFromWorld, invertRigid(shots[from]!.cameraFromWorld));
  const matched = new Map<number, Matched>();
  for (const { reference, neighbours, range } of groups)
    matched.set(
      reference,
      matchViews(
        shots[reference]!.view,
        neighbours.map((other) => ({ view: shots[other]!.view, fromReference: relative(reference, other) })),
        range,
      ),
    );
  const out: Judged = { fit: [], heldOut: [], errors: [], known: 0, told: 0, seconds: 0 };
  for (const { reference, neighbours } of groups) {
    const { view, truth } = shots[reference]!;
    const own = matched.get(reference)!;
    const consistency = consistencyOf(
      { view, matched: own },
      neighbours
        .filter((other) => matched.has(other))
        .map((other) => ({
          view: shots[other]!.view,
          matched: matched.get(other)!,
          fromReference: relative(reference, other),
        })),
    );
    const confidence = confidenceOf(view, own, consistency);
    truth.forEach((depth, k) => {
      if (depth === 0) return;
      out.known++;
      const error = own.inverseDepth[k]! > 0 ? Math.abs(1 / own.inverseDepth[k]! / depth - 1) : Infinity;
      const facts = new Float64Array(EVIDENCE);
      if (isJudged(k, own, consistency)) {
        evidence(k, own, consistency, facts);
        if (isFit(reference)) out.fit.push({ facts, right: error < RIGHT });
      }
      if (confidence[k]! <= 1) return;
      out.told++;
      out.errors.push(error);
      if (!isFit(reference))
        out.heldOut.push({ facts, probability: probabilityOf(confidence[k]!), right: error < RIGHT });
    });
  }
  out.seconds = (performance.now() - started) / 1000;
  return out;
}

/** True points, each with the cameras that see it: what a good sparse model would know. */
function truePoints(shots: readonly Shot[]): GroupPoint[] {
  const random = randomNumbers(3);
  return shots.flatMap((shot) => {
    const known = Array.from(shot.truth.keys()).filter((k) => shot.truth[k]! > 0);
    return Array.from({ length: 150 }, (): GroupPoint => {
      const k = known[Math.floor(random() * known.length)]!;
      const { view, truth } = shot;
      const z = truth[k]!;
      const X = transformed(invertRigid(shot.cameraFromWorld), [
        (((k % view.width) - view.centreX) / view.focal) * z,
        ((Math.floor(k / view.width) - view.centreY) / view.focal) * z,
        z,
      ]);
      return { position: X, cameras: shots.flatMap((other, index) => (sees(other, X) ? [index] : [])) };
    });
  });
}

function sees({ view, truth, cameraFromWorld }: Shot, X: readonly number[]): boolean {
  const [x, y, z] = transformed(cameraFromWorld, X);
  if (!(z > 0)) return false;
  const u = Math.round((view.focal * x) / z + view.centreX);
  const v = Math.round((view.focal * y) / z + view.centreY);
  for (let j = Math.max(0, v - 8); j <= Math.min(view.height - 1, v + 8); j++)
    for (let i = Math.max(0, u - 8); i <= Math.min(view.width - 1, u + 8); i++)
      if (Math.abs(truth[j * view.width + i]! / z - 1) < 0.03) return true;
  return false;
}

function transformed(T: Float64Array, X: readonly number[]): [number, number, number] {
  return [0, 1, 2].map((i) => T[4 * i]! * X[0]! + T[4 * i + 1]! * X[1]! + T[4 * i + 2]! * X[2]! + T[4 * i + 3]!) as [
    number,
    number,
    number,
  ];
}

/** Five photos of a room in which every third surface is nearly plain, blurred, with noise and light of their own. */
function roomShots(seed: number): Shot[] {
  const room = new Room(seed, 6, (surface) => [1, 0.25, 0.03][(surface * 7 + seed) % 3]!);
  const [width, height, focal] = [320, 240, 290];
  const random = randomNumbers(seed + 500);
  return room.arc(5, 0.3 + 0.12 * seed).map((pose) => {
    const { pixels, depth } = room.render(pose, focal, width, height);
    const gain = 0.7 + 0.5 * random();
    const sharp = new Float32Array(width * height);
    for (let k = 0; k < sharp.length; k++)
      sharp[k] = gain * (0.299 * pixels[3 * k]! + 0.587 * pixels[3 * k + 1]! + 0.114 * pixels[3 * k + 2]!);
    const grey = new Uint8Array(width * height);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const right = y * width + Math.min(width - 1, x + 1);
        const below = Math.min(height - 1, y + 1) * width + x;
        const blurred = 0.5 * sharp[y * width + x]! + 0.25 * sharp[right]! + 0.25 * sharp[below]!;
        grey[y * width + x] = Math.min(
          255,
          Math.max(0, Math.round(blurred + 3 * (random() + random() + random() - 1.5))),
        );
      }
    const view = { grey, width, height, focal, centreX: width / 2, centreY: height / 2 };
    return { view, cameraFromWorld: invertRigid(pose), truth: depth };
  });
}

async function sampleShots(folder: string): Promise<Shot[]> {
  const read = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
  const depths = read<{ photos: { name: string; step: number; columns: number; depth: number[] }[] }>('depth.json');
  const { photos } = read<{
    photos: { name: string; width: number; height: number; fx: number; worldFromCamera: number[] }[];
  }>('cameras.json');
  const scale = 2.5;
  return Promise.all(
    photos.map(async ({ name, width: fullWidth, height: fullHeight, fx, worldFromCamera }): Promise<Shot> => {
      const [width, height] = [fullWidth / scale, fullHeight / scale];
      const grey = await sharp(await sharp(join(folder, name)).raw().toBuffer(), {
        raw: { width: fullWidth, height: fullHeight, channels: 3 },
      })
        .resize(width, height)
        .greyscale()
        .raw()
        .toBuffer();
      const truth = new Float32Array(width * height);
      const { step, columns, depth } = depths.photos.find((known) => known.name === name)!;
      depth.forEach((z, k) => {
        const x = (step * (k % columns) + step / 2 + 0.5) / scale - 0.5;
        const y = (step * Math.floor(k / columns) + step / 2 + 0.5) / scale - 0.5;
        truth[Math.round(y) * width + Math.round(x)] = z;
      });
      // The true principal point lies half a pixel of the photo off its middle.
      const centre = (full: number) => (full / 2 - 0.5 + 0.5) / scale - 0.5;
      const view = {
        grey: new Uint8Array(grey),
        width,
        height,
        focal: fx / scale,
        centreX: centre(fullWidth),
        centreY: centre(fullHeight),
      };
      return { view, cameraFromWorld: invertRigid(worldFromCamera), truth };
    }),
  );
}

function thinned(pixels: readonly Pixel[]): Pixel[] {
  const stride = Math.max(1, Math.ceil(pixels.length / MOST_FIT));
  return pixels.filter((_, k) => k % stride === 0);
}

function logistic(weights: readonly number[] | Float64Array, facts: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < EVIDENCE; i++) sum += weights[i]! * facts[i]!;
  return 1 / (1 + Math.exp(-sum));
}

/** Logistic regression by Newton's method, with a little ridge. */
function fit(pixels: readonly Pixel[]): number[] {
  let weights = new Float64Array(EVIDENCE);
  for (let round = 0; round < 25; round++) {
    const H = Array.from({ length: EVIDENCE }, (_, i) =>
      Float64Array.from({ length: EVIDENCE }, (__, j) => (i === j ? 1 : 0)),
    );
    const g = Float64Array.from(weights, (w) => -w);
    for (const { facts, right } of pixels) {
      const p = logistic(weights, facts);
      for (let i = 0; i < EVIDENCE; i++) {
        g[i]! += facts[i]! * ((right ? 1 : 0) - p);
        for (let j = 0; j <= i; j++) H[i]![j]! += facts[i]! * facts[j]! * p * (1 - p);
      }
    }
    for (let i = 0; i < EVIDENCE; i++) for (let j = i + 1; j < EVIDENCE; j++) H[i]![j] = H[j]![i]!;
    const step = solved(H, g);
    weights = weights.map((w, i) => w + step[i]!);
  }
  return [...weights];
}

/** Gaussian elimination with pivots. */
function solved(H: Float64Array[], g: Float64Array): Float64Array {
  const n = g.length;
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let k = i + 1; k < n; k++) if (Math.abs(H[k]![i]!) > Math.abs(H[pivot]![i]!)) pivot = k;
    [H[i], H[pivot]] = [H[pivot]!, H[i]!];
    [g[i], g[pivot]] = [g[pivot]!, g[i]!];
    for (let k = i + 1; k < n; k++) {
      const factor = H[k]![i]! / H[i]![i]!;
      for (let j = i; j < n; j++) H[k]![j]! -= factor * H[i]![j]!;
      g[k]! -= factor * g[i]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) g[i]! -= H[i]![j]! * g[j]!;
    g[i]! /= H[i]![i]!;
  }
  return g;
}

/** Prints the reliability curve. @returns the expected calibration error */
function reliability(pixels: readonly { probability: number; right: boolean }[]): number {
  let error = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const inside = pixels.filter(({ probability }) => Math.min(BINS - 1, Math.floor(probability * BINS)) === bin);
    if (inside.length === 0) continue;
    const told = inside.reduce((sum, { probability }) => sum + probability, 0) / inside.length;
    const right = inside.filter((pixel) => pixel.right).length / inside.length;
    error += (Math.abs(told - right) * inside.length) / pixels.length;
    console.log(`  ${told.toFixed(3)}  ${right.toFixed(3)}  ${inside.length}`);
  }
  return error;
}
