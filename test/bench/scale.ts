/**
 * What hundreds of photos cost, on sets with exact cameras (test/fixtures/large-set.ts):
 *
 *   node build/wasm.mjs && node --import tsx test/bench/scale.ts [structure] [retrieval] [model] [--sizes 50,100,200,400]
 *     [--colmap] [--verbose] [--report REPORT.json]
 *
 * structure: geometry of pairs and structure from simulated features and raw matches (an orbit of the first size where
 * it is at most 50, streets of the others), in processor seconds of all threads; with --colmap, COLMAP's row on the same
 * input. What it measures is kept in .cache/bench-scale.json.
 *
 * retrieval: shuffled streets; of the photos that truly see a quarter of a photo's picture, how many are among its 20
 * candidates, over the smaller of 20 and their number: of those of whose picture it sees a twentieth too, and of all.
 *
 * model: what 1,000 and 10,000 photos would take, from what `structure` measured and the `cpuSeconds` of a run's
 * report.json (its features, depth and fusion per photo).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { randomNumbers } from '../../electron/numerics/linear.js';
import { similarPhotos, SIMILAR_DEFAULTS } from '../../electron/retrieval/similar.js';
import { decodeVocabulary, quantise } from '../../electron/retrieval/vocabulary.js';
import { FEATURE_OPTIONS } from '../../electron/sparse/correspondence.js';
import { shuffled, simulateDescriptors } from '../fixtures/descriptors.js';
import { orbit, overlap, overlaps, simulateFeatures, street } from '../fixtures/large-set.js';
import { hasColmap, runOnSame } from './scale/colmap.js';
import { MODEL_DEFAULTS, predict, type MeasuredCosts } from './scale/model.js';
import { rmse, runOurs, simulate } from './scale/sparse.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string', default: '50,100,200,400' },
    colmap: { type: 'boolean' },
    verbose: { type: 'boolean' },
    report: { type: 'string' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const root = join(import.meta.dirname, '..', '..');
const wordsAt = join(root, 'resources', 'vocabulary', 'words.bin');
const keptAt = join(root, '.cache', 'bench-scale.json');

/** Of the streets: photos, pairs and processor seconds. */
interface Measured {
  photos: number;
  pairs: number;
  verify: number;
  structure: number;
}

const row = (cells: readonly (string | number)[]): void =>
  console.log(cells.map((cell, k) => (k === 0 ? String(cell).padEnd(16) : String(cell).padStart(11))).join(' '));

const slope = (p: Measured, q: Measured): number => Math.log(q.structure / p.structure) / Math.log(q.photos / p.photos);

async function structure(): Promise<void> {
  row(['set', 'placed', 'pairs s', 'structure s', 'sum s', 'rmse', 'peak MB']);
  const measured: Measured[] = [];
  for (const [k, size] of sizes.entries()) {
    const set = size <= 50 && k === 0 ? orbit(size) : street(size);
    const input = simulate(set);
    const { survey, seconds, total } = await runOurs(input);
    const verify = (seconds['comparing photos'] ?? 0) + (seconds['relating pairs'] ?? 0);
    const largest = survey.pieces[0]?.cameras ?? new Map();
    if (set.name.startsWith('street'))
      measured.push({ photos: size, pairs: input.matches.length, verify, structure: total - verify });
    row([
      set.name,
      `${largest.size}/${size}`,
      verify.toFixed(1),
      (total - verify).toFixed(1),
      total.toFixed(1),
      `${(100 * rmse(set, largest)).toFixed(4)} %`,
      (process.resourceUsage().maxRSS / 1024).toFixed(0),
    ]);
    if (values.verbose)
      console.log(
        `    ${Object.entries(seconds)
          .map(([stage, time]) => `${stage} ${time.toFixed(1)} s`)
          .join(', ')}`,
      );
    if (values.colmap && hasColmap()) await colmapRow(set, input);
  }
  const [first, last] = [measured[0], measured.at(-1)];
  if (!first || !last) return;
  if (first !== last)
    console.log(
      `structure grows with N^${slope(first, last).toFixed(2)} from ${first.photos} to ${last.photos} photos`,
    );
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(keptAt, JSON.stringify(measured));
}

async function colmapRow(set: ReturnType<typeof street>, input: ReturnType<typeof simulate>): Promise<void> {
  const theirs = await runOnSame(input);
  const cameras = new Map([...theirs.cameras].map(([name, camera]) => [Number.parseInt(name), camera]));
  row([
    '  COLMAP',
    `${cameras.size}/${set.cameras.length}`,
    theirs.verifySeconds.toFixed(1),
    theirs.mapSeconds.toFixed(1),
    (theirs.verifySeconds + theirs.mapSeconds).toFixed(1),
    `${(100 * rmse(set, cameras)).toFixed(4)} %`,
    (theirs.memory / 1e6).toFixed(0),
  ]);
}

function retrieval(): void {
  const vocabulary = decodeVocabulary(readFileSync(wordsAt));
  row(['set', 'recall', 'of all', 'index s', 'search s']);
  for (const size of sizes) {
    const set = street(size);
    const order = shuffled(size, randomNumbers(5));
    const { pointOf } = simulateFeatures(set);
    const all = overlaps(set, 0.25);
    // From far along a street one sees a third of a facade on a hundredth of one's own picture: nobody could match that.
    const mutual = all.map((list, a) => list.filter(({ photo }) => overlap(set, photo, a) >= 0.05));
    const look = simulateDescriptors(vocabulary, 3);
    const described = order.map((photo) => look(Array.from(pointOf[photo]!)));
    const before = performance.now();
    const photos = described.map((descriptors) => quantise(vocabulary, descriptors));
    const between = performance.now();
    const similar = similarPhotos(photos, vocabulary.branches * vocabulary.leaves, {
      ...SIMILAR_DEFAULTS,
      candidates: 20,
    });
    const after = performance.now();
    const recall = (truth: ReturnType<typeof overlaps>): number => {
      const shares = order.map((photo, k) => {
        const mine = new Set(similar[k]!.map((each) => order[each.photo]!));
        const wanted = truth[photo]!;
        return Math.min(1, wanted.filter((each) => mine.has(each.photo)).length / Math.min(20, wanted.length || 1));
      });
      return shares.reduce((sum, share) => sum + share, 0) / size;
    };
    const seconds = [between - before, after - between].map((each) => (each / 1000).toFixed(1));
    row([set.name, recall(mutual).toFixed(3), recall(all).toFixed(3), ...seconds]);
  }
}

/** Of a photo with as many features as the stage finds. */
function indexSeconds(): number {
  const vocabulary = decodeVocabulary(readFileSync(wordsAt));
  const descriptors = simulateDescriptors(vocabulary, 1)(Array.from({ length: FEATURE_OPTIONS.maximum }, (_, k) => k));
  const before = process.cpuUsage();
  quantise(vocabulary, descriptors);
  return process.cpuUsage(before).user / 1e6;
}

function model(): void {
  if (!existsSync(keptAt) || !values.report)
    throw new Error('first run `structure` with two streets, and give --report');
  const streets = JSON.parse(readFileSync(keptAt, 'utf8')) as Measured[];
  const [first, last] = [streets[0]!, streets.at(-1)!];
  if (first === last) throw new Error('two streets of different sizes are needed: --sizes 100,200');
  const report = JSON.parse(readFileSync(values.report, 'utf8')) as {
    photos: number;
    pairs: number;
    cpuSeconds: Record<string, number>;
  };
  const perPhoto = (stage: string): number => (report.cpuSeconds[stage] ?? 0) / report.photos;
  const verify = last.verify / last.pairs;
  const costs: MeasuredCosts = {
    // What the sparse stage took beyond what these pairs take: reading, features, matches.
    features: Math.max(0, (report.cpuSeconds.sparse ?? 0) - report.pairs * verify) / report.photos,
    index: indexSeconds(),
    match: 0,
    verify,
    dense: perPhoto('pointmaps') + perPhoto('alignment'),
    fuse: perPhoto('cloud'),
    pairsPerPhoto: last.pairs / last.photos,
    structure: { photos: last.photos, seconds: last.structure, exponent: slope(first, last) },
  };
  row(['photos', 'cores', 'hours', 'bottleneck']);
  for (const photos of [1_000, 10_000]) {
    for (const cores of [2, 16, 128]) {
      const { seconds, stages, bottleneck } = predict(photos, costs, { ...MODEL_DEFAULTS, cores });
      row([photos, cores, (seconds / 3600).toFixed(2), bottleneck]);
      for (const each of stages)
        console.log(
          `    ${each.stage.padEnd(24)} ${(each.seconds / 3600).toFixed(2)} h, ${(100 * each.busy).toFixed(0)} % busy`,
        );
    }
  }
}

const parts: Record<string, () => void | Promise<void>> = { structure, retrieval, model };
for (const part of positionals.length > 0 ? positionals : ['structure', 'retrieval']) {
  const work = parts[part];
  if (!work) throw new Error(`no part '${part}'; there are ${Object.keys(parts).join(', ')}`);
  await work();
}
