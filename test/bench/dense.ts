/**
 * Dense depth with known cameras: how right and how complete it is, and whether its confidence tells the truth.
 *
 *   node build/wasm.mjs && node --import tsx test/bench/dense.ts [--fit] [--quick]
 *
 * Sets: rendered rooms and yards under a sky, of many kinds (dense/scenes.ts), and the sample scene with its true cameras and depths. Errors are
 * relative to the true depth; "right" is 2 %. Told are the reliability curve and the expected calibration error of odd
 * rooms and of the samples. With --fit the weights of the confidence (dense/checks.ts) and the probabilities of completed
 * pixels (dense/complete.ts) are found from the even rooms alone, printed, and judged by the others. --quick takes a few
 * of each.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { invertRigid, multiply4, randomNumbers, rotationOf } from '../../electron/numerics/linear.js';
import {
  CONFIDENCE_DEFAULTS,
  evidence,
  EVIDENCE,
  isJudged,
  probabilityOf,
} from '../../electron/pointmaps/geometric/dense/checks.js';
import { COMPLETE_DEFAULTS } from '../../electron/pointmaps/geometric/dense/complete.js';
import { planGroups, type GroupPoint } from '../../electron/pointmaps/geometric/dense/groups.js';
import { consistencyOf } from '../../electron/pointmaps/geometric/dense/judge.js';
import { matchViews, type Matched } from '../../electron/pointmaps/geometric/dense/match.js';
import { tellDepths } from '../../electron/pointmaps/geometric/dense/tell.js';
import { calibration, fitLogistic, logistic, type Sample } from './dense/logistic.js';
import { roomShots, sampleShots, type Shot } from './dense/scenes.js';

/** A pixel that something is told of. */
interface Told extends Sample {
  probability: number;
  /** 0 for a measured one, else the probability of its kind of completed pixel. */
  inferred: number;
}

interface Judged {
  name: string;
  /** Pixels with evidence, told or not. */
  evident: Sample[];
  told: Told[];
  /** Errors of measured pixels, then of completed ones. */
  errors: [number[], number[]];
  known: number;
  seconds: number;
}

const RIGHT = 0.02;
/** Pixels of one scene that the fit sees at most: a scene with much texture must not outweigh one with little. */
const MOST_FIT = 4000;

const { values } = parseArgs({ options: { fit: { type: 'boolean' }, quick: { type: 'boolean' } } });
const rooms = Array.from({ length: values.quick ? 8 : 32 }, (_, k) => k);
const fitted: Judged[] = [];
const heldOut: Judged[] = [];
for (const seed of rooms) {
  const isFit = seed % 2 === 0;
  if (isFit && !values.fit) continue;
  (isFit ? fitted : heldOut).push(report(judge(`room ${seed}`, roomShots(seed))));
}
const folder = 'resources/samples/courtyard';
const samples: Judged[] = [];
if (existsSync(join(folder, 'depth.json')))
  samples.push(report(judge('courtyard', (await sampleShots(folder)).slice(0, values.quick ? 5 : undefined))));

curve('rooms that no fit has seen', heldOut);
curve('samples', samples);
if (values.fit) {
  applyFit();
  curve('rooms that no fit has seen, by the weights above', heldOut);
  curve('samples, by the weights above', samples);
}

/** Finds the weights, prints them, and gives the held-out pixels the probabilities that follow. */
function applyFit(): void {
  const weights = fitLogistic(
    fitted.flatMap(({ evident }) => thinned(evident)),
    EVIDENCE,
  );
  console.log(`weights ${JSON.stringify([...weights].map((w) => Number(w.toFixed(3))))}`);
  const told = fitted.flatMap((judged) => judged.told);
  const kinds = [COMPLETE_DEFAULTS.supported, COMPLETE_DEFAULTS.unsupported].map((kind) => {
    const pixels = told.filter(({ inferred }) => inferred === kind);
    const right = pixels.filter((pixel) => pixel.right).length / Math.max(1, pixels.length);
    console.log(`completed pixels now told ${kind}: right ${right.toFixed(3)} of ${pixels.length}`);
    return [kind, right] as const;
  });
  const rights = new Map(kinds);
  for (const judged of [...heldOut, ...samples]) {
    judged.told.forEach((pixel) => {
      pixel.probability = pixel.inferred > 0 ? rights.get(pixel.inferred)! : logistic(weights, pixel.facts);
    });
    judged.told = judged.told.filter(({ probability }) => probability >= CONFIDENCE_DEFAULTS.leastProbability);
  }
}

/** Prints the reliability curve, and the expected calibration error over all pixels and of each scene alone. */
function curve(title: string, scenes: readonly Judged[]): void {
  if (scenes.length === 0) return;
  const all = scenes.flatMap(({ told }) => told);
  const { error, curve: bins } = calibration(all);
  console.log(`${title}: expected calibration error ${error.toFixed(4)}; told, right, pixels:`);
  for (const bin of bins) console.log(`  ${bin.told.toFixed(3)}  ${bin.right.toFixed(3)}  ${bin.pixels}`);
  const measured = calibration(all.filter(({ inferred }) => inferred === 0));
  console.log(`  measured ones alone ${measured.error.toFixed(4)}`);
  const each = scenes.map(({ name, told }) => `${name} ${calibration(told).error.toFixed(3)}`);
  console.log(`  scene by scene: ${each.join(', ')}`);
}

/** Depth of all shots, and what is told of it. */
function judge(name: string, shots: readonly Shot[]): Judged {
  const started = process.cpuUsage();
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
  const out: Judged = { name, evident: [], told: [], errors: [[], []], known: 0, seconds: 0 };
  const scale = scaleOf(groups.map(({ reference }) => [matched.get(reference)!, shots[reference]!.truth]));
  for (const { reference, neighbours, range } of groups) {
    const { view, truth, pixels, looksLikeSky } = shots[reference]!;
    const own = { view, matched: matched.get(reference)!, pixels, looksLikeSky };
    const compared = neighbours
      .filter((other) => matched.has(other))
      .map((other) => ({
        view: shots[other]!.view,
        matched: matched.get(other)!,
        fromReference: relative(reference, other),
      }));
    const consistency = consistencyOf(own, compared);
    const { depth, confidence, inferred } = tellDepths(own, compared, range[1]);
    truth.forEach((z, k) => {
      if (z === 0) return;
      if (z < Infinity) out.known++;
      const facts = new Float64Array(EVIDENCE);
      if (isJudged(k, own.matched, consistency)) {
        evidence(k, own.matched, consistency, facts);
        out.evident.push({ facts, right: Math.abs(scale / own.matched.inverseDepth[k]! / z - 1) < RIGHT });
      }
      if (confidence[k]! <= 1) return;
      const error = Math.abs((scale * depth[k]!) / z - 1);
      out.errors[inferred[k]!]!.push(error);
      const probability = probabilityOf(confidence[k]!);
      const completed = inferred[k] === 1 ? Number(probability.toFixed(3)) : 0;
      out.told.push({ facts, probability, right: error < RIGHT, inferred: completed });
    });
  }
  const { user, system } = process.cpuUsage(started);
  out.seconds = (user + system) / 1e6;
  return out;
}

/** What all depths are to be multiplied with: cameras that are a little wrong give a scene of another size. */
function scaleOf(maps: readonly (readonly [Matched, Float32Array])[]): number {
  const ratios = maps.flatMap(([{ inverseDepth, score }, truth]) =>
    Array.from(truth, (z, k) => (z > 0 && z < Infinity && score[k]! > 0.7 ? z * inverseDepth[k]! : 0)).filter(
      (ratio) => ratio > 0,
    ),
  );
  return ratios.sort((p, q) => p - q)[ratios.length >> 1] ?? 1;
}

function report(judged: Judged): Judged {
  const { name, errors, known, seconds } = judged;
  const columns = errors.map((list) => {
    list.sort((p, q) => p - q);
    const share = (limit: number) => (list.filter((error) => error < limit).length / (list.length || 1)).toFixed(3);
    return `${(list.length / known).toFixed(3)} (within 2 % ${share(0.02)}, 5 % ${share(0.05)})`;
  });
  console.log(`${name.padEnd(10)} measured ${columns[0]}, completed ${columns[1]}, ${seconds.toFixed(1)} CPU s`);
  return judged;
}

/** True points, each with the cameras that see it: what a good sparse model would know. */
function truePoints(shots: readonly Shot[]): GroupPoint[] {
  const random = randomNumbers(3);
  return shots.flatMap((shot) => {
    const known = Array.from(shot.truth.keys()).filter((k) => shot.truth[k]! > 0 && shot.truth[k]! < Infinity);
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

function thinned<T>(list: readonly T[]): T[] {
  const stride = Math.max(1, Math.ceil(list.length / MOST_FIT));
  return list.filter((_, k) => k % stride === 0);
}
