/**
 * Global alignment of many photos, each part in a process of its own so that its memory is its own:
 *
 *   node build/wasm.mjs && node --import tsx test/bench/alignment-large.ts [round] [growth] [realign]
 *
 * round: 100 photos along an arc, 396 observations at 224 x 160.
 *
 * growth: 100 and 400 photos, each with 8 neighbours, both ways, at 64 x 48: error against the truth, processor seconds a
 * photo, peak memory.
 *
 * realign: 60 photos and 500 two-way observations at 224 x 160 that are stored in files, as a network's project has them:
 * seconds, the longest turn of the event loop, peak memory.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { align } from '../../electron/alignment/align.js';
import type { AlignmentProblem, StoredObservation } from '../../electron/alignment/types.js';
import { digestObservation } from '../../electron/geometry/digest.js';
import { decodeDigest, encodeDigest, encodeView } from '../../electron/geometry/view-record.js';
import { makeProblem, poseErrors } from '../fixtures/alignment-problem.js';

interface Round {
  photos: number;
  /** Neighbours on either side. */
  reach: number;
  /** Of all observations so many are taken, in order. */
  most?: number;
  width: number;
  height: number;
  focal: number;
}

function roundOf({ photos, reach, most = Infinity, ...view }: Round) {
  const edges = (views: number): [number, number][] => {
    const all: [number, number][] = [];
    for (let step = 1; step <= reach; step++) {
      for (let k = 0; k + step < views; k++) all.push([k, k + step], [k + step, k]);
    }
    return all.slice(0, most);
  };
  return makeProblem({ seed: 7, views: photos, ...view, edges });
}

/** Milliseconds between two looks at the event loop. */
const RESOLUTION = 5;

async function measure(problem: AlignmentProblem | AlignmentProblem<StoredObservation>, truth: Float64Array[]) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  const before = process.cpuUsage();
  const { components, seconds, iterations } = await align(problem as AlignmentProblem, {});
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  const component = components[0]!;
  const { position, rotation } = poseErrors(
    component.worldFromCamera,
    component.views.map((view) => truth[view]!),
  );
  const cells = {
    photos: `${component.views.length}/${problem.views.length}`,
    observations: String(problem.observations.length),
    'CPU s': ((user + system) / 1e6).toFixed(1),
    's/photo': ((user + system) / 1e6 / problem.views.length).toFixed(3),
    seconds: seconds.toFixed(1),
    steps: String(iterations),
    position: position.toFixed(5),
    degrees: rotation.toFixed(3),
    'turn ms': (delay.max / 1e6).toFixed(0),
    'peak MB': (process.resourceUsage().maxRSS / 1024).toFixed(0),
  };
  console.log(
    Object.entries(cells)
      .map(([name, value]) => `${name} ${value}`)
      .join('  '),
  );
}

const truthOf = ({ truth }: ReturnType<typeof roundOf>): Float64Array[] =>
  truth.map(({ worldFromCamera }) => worldFromCamera);

async function direct(round: Round): Promise<void> {
  const problem = roundOf(round);
  await measure(problem, truthOf(problem));
}

/** Writes a problem as a project keeps it: a record per view, a digest per observation. */
function store(folder: string): void {
  const problem = roundOf({ photos: 60, reach: 5, most: 500, width: 224, height: 160, focal: 200 });
  problem.observations.forEach((observation, k) => {
    writeFileSync(join(folder, `${k}.digest`), encodeDigest(digestObservation(observation)));
    observation.views.forEach((view, role) => writeFileSync(join(folder, `${k}.${role}`), encodeView(view)));
  });
  const truth = truthOf(problem).map((pose) => [...pose]);
  writeFileSync(
    join(folder, 'problem.json'),
    JSON.stringify({ views: problem.views, count: problem.observations.length, truth }),
  );
}

async function realignStored(folder: string): Promise<void> {
  const { views, count, truth } = JSON.parse(readFileSync(join(folder, 'problem.json'), 'utf8')) as {
    views: AlignmentProblem['views'];
    count: number;
    truth: number[][];
  };
  const observations = Array.from({ length: count }, (_, k): StoredObservation => ({
    digest: decodeDigest(readFileSync(join(folder, `${k}.digest`)))!,
    record: (role) => readFileSync(join(folder, `${k}.${role}`)),
  }));
  await measure(
    { views, observations },
    truth.map((pose) => Float64Array.from(pose)),
  );
}

/** This file in a process of its own. */
function apart(...words: string[]): void {
  execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), ...words], { stdio: 'inherit' });
}

const small = { width: 64, height: 48, focal: 56 };
const jobs: Record<string, (folder: string) => void | Promise<void>> = {
  'round-100': () => direct({ photos: 100, reach: 2, width: 224, height: 160, focal: 200 }),
  'growth-100': () => direct({ photos: 100, reach: 4, ...small }),
  'growth-400': () => direct({ photos: 400, reach: 4, ...small }),
  'realign-write': store,
  'realign-read': realignStored,
};

const [first, folder = ''] = process.argv.slice(2);
if (first && jobs[first]) await jobs[first](folder);
else {
  const parts: Record<string, () => void> = {
    round: () => apart('round-100'),
    growth() {
      apart('growth-100');
      apart('growth-400');
    },
    realign() {
      const kept = mkdtempSync(join(tmpdir(), 'realign-'));
      try {
        apart('realign-write', kept);
        apart('realign-read', kept);
      } finally {
        rmSync(kept, { recursive: true, force: true });
      }
    },
  };
  const chosen = process.argv.slice(2);
  for (const part of chosen.length > 0 ? chosen : Object.keys(parts)) {
    const work = parts[part];
    if (!work) throw new Error(`no part '${part}'; there are ${Object.keys(parts).join(', ')}`);
    console.log(`${part}:`);
    work();
  }
}
