/**
 * What a run says of itself against what came: `node --import tsx test/bench/progress.ts [folders of photos]`. For each
 * set: whether the bar ever went back, how far the time left was from the truth after 30 % of the run, and when the
 * first cameras and points were there. Without folders, the sample and the real sets beside the checkout. Each set runs
 * twice: on a machine without a history, and with that of the run before. What each sub-step took against the built-in
 * forecast stands before: where it is far from the others' on every set, the forecast of that step is wrong.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Engine } from '../../electron/engine/engine.js';

/** Milliseconds between two looks. */
const PERIOD = 500;
/** Nothing is asked of the last moments, seconds: there a second is half of the truth. */
const LAST_SECONDS = 3;
const FROM = 0.3;

interface Sample {
  at: number;
  share: number;
  left: number | undefined;
  stage: string;
}

const given = process.argv.slice(2);
const usual = ['resources/samples/courtyard', '../shared/photos/sceaux', '../shared/photos/fox'];
for (const set of (given.length > 0 ? given : usual).filter((folder) => existsSync(folder))) {
  const folder = mkdtempSync(join(tmpdir(), 'progress-bench-'));
  try {
    for (const round of ['no history', 'with history']) await measure(set, folder, round);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(set: string, dataFolder: string, round: string): Promise<void> {
  const engine = new Engine({ dataFolder, partial: true });
  const start = (): number => performance.now() / 1000;
  const samples: Sample[] = [];
  let told = { at: 0, share: 0, left: undefined as number | undefined, stage: '' };
  const looks: { at: number; cameras: number; points: number }[] = [];
  await engine.request('project.create', { path: join(dataFolder, `${round}.pointmap`) });
  await engine.request('photos.add', { paths: [set] });
  const begin = start();
  engine.on('job.changed', ({ share = 0, secondsLeft, stage, detail }) => {
    told = { at: start() - begin, share, left: secondsLeft, stage: `${stage}: ${detail?.replace(/,.*/, '')}` };
    samples.push(told);
  });
  engine.on('project.changed', ({ scene }) => {
    const last = looks.at(-1);
    if (scene && (scene.cameras.length !== last?.cameras || scene.points !== last.points))
      looks.push({ at: start() - begin, cameras: scene.cameras.length, points: scene.points });
  });
  // Between two tellings the studio's own clock counts down.
  const timer = setInterval(() => {
    const at = start() - begin;
    samples.push({ ...told, at, left: told.left === undefined ? undefined : Math.max(1, told.left - (at - told.at)) });
  }, PERIOD);
  await engine.request('run.start', {});
  await engine.settled();
  clearInterval(timer);
  await engine.close();
  printRatios(dataFolder);
  print(`${basename(set)}, ${round}`, samples, looks, start() - begin);
}

function print(
  title: string,
  samples: readonly Sample[],
  looks: readonly { at: number; cameras: number; points: number }[],
  total: number,
): void {
  const back = samples.filter(({ share }, k) => share < (samples[k - 1]?.share ?? 0)).length;
  const asked = samples.filter(({ at }) => at > FROM * total && total - at > LAST_SECONDS);
  const ratios = asked.map(({ at, left, stage }) => ({
    ratio: left === undefined ? NaN : left / (total - at),
    stage,
    at,
  }));
  const known = ratios.filter(({ ratio }) => !Number.isNaN(ratio));
  const worst = (pick: (...values: number[]) => number) => pick(...known.map(({ ratio }) => ratio));
  const within = (least: number, most: number): string =>
    ((100 * known.filter(({ ratio }) => ratio >= least && ratio <= most).length) / ratios.length).toFixed(0);
  console.log(
    `${title}: ${total.toFixed(1)} s; the bar went back ${back} times; time left over truth from 30 % on: ` +
      `${worst(Math.min).toFixed(2)} to ${worst(Math.max).toFixed(2)}, within 35 % ${within(0.65, 1.35)} %, within a factor of two ${within(0.5, 2)} %`,
  );
  const tenths = Array.from({ length: 7 }, (_, k) => known.find(({ at }) => at > (0.3 + 0.1 * k) * total));
  console.log(
    `  over the truth at each tenth: ${tenths.map((each) => (each ? `${each.ratio.toFixed(2)} (${each.stage})` : '-')).join(', ')}`,
  );
  const [first] = looks.filter(({ cameras }) => cameras > 0);
  if (first)
    console.log(
      `  first cameras after ${((100 * first.at) / total).toFixed(0)} %: ${first.cameras}, with ${first.points} points; looks: ${looks.map(({ at, cameras, points }) => `${at.toFixed(0)} s ${cameras}/${points}`).join(', ')}`,
    );
  let stage = '';
  for (const sample of samples) {
    if (sample.stage === stage) continue;
    stage = sample.stage;
    const truth = total - sample.at;
    console.log(
      `  ${sample.at.toFixed(1)} s ${stage}: share ${sample.share.toFixed(2)}, left ${sample.left?.toFixed(0) ?? '-'} of ${truth.toFixed(0)}`,
    );
  }
}

function printRatios(dataFolder: string): void {
  const learnt = JSON.parse(readFileSync(join(dataFolder, 'timings.json'), 'utf8')) as Record<
    string,
    Record<string, number>
  >;
  for (const [kind, ratios] of Object.entries(learnt)) {
    const steps = Object.entries(ratios).map(([step, ratio]) => `${step} ${ratio.toFixed(2)}`);
    console.log(`${kind}, took over forecast: ${steps.join(', ')}`);
  }
}
