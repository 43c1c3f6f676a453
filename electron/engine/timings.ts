import { join } from 'node:path';
import { JsonFile } from './json-file.js';
import type { ProgressStep } from './run-progress.js';

/** How much the newest run says against all before it. */
const NEWEST = 0.5;
/** A step that is further off than this was not the step that was expected: its result was there already. */
const LIMITS = { least: 1 / 20, most: 20 };
/** Steps that are expected to be shorter say nothing of the machine, seconds. */
const SHORTEST = 0.3;
/** The truth has been within these factors of the forecast: with a history of the machine, and without. */
const SPREADS = { known: [0.75, 1.4], unknown: [0.6, 3] } as const;

type Ratios = Record<string, Record<string, number>>;

/** How long each sub-step takes on this machine against the built-in forecast: learnt from finished runs, kept in a file. */
export class Timings {
  private readonly file: JsonFile;

  constructor(dataFolder: string) {
    this.file = new JsonFile(join(dataFolder, 'timings.json'));
  }

  /** The forecast in seconds of this machine. @param kind of run: estimator and quality */
  apply(kind: string, steps: readonly ProgressStep[]): ProgressStep[] {
    const ratios = this.read()[kind] ?? {};
    return steps.map((step) => ({ ...step, seconds: step.seconds * (ratios[nameOf(step)] ?? 1) }));
  }

  /** Least and most seconds that a run of this kind will probably take. */
  range(kind: string, steps: readonly ProgressStep[]): [least: number, most: number] {
    const total = this.apply(kind, steps).reduce((sum, { seconds }) => sum + seconds, 0);
    const [least, most] = SPREADS[this.read()[kind] ? 'known' : 'unknown'];
    return [total * least, total * most];
  }

  /** Learns from a run that computed everything. @param expected by the built-in forecast */
  learn(kind: string, expected: readonly ProgressStep[], measured: readonly ProgressStep[]): void {
    const all = this.read();
    const ratios = { ...all[kind] };
    for (const step of expected) {
      const took = measured
        .filter((each) => nameOf(each) === nameOf(step))
        .reduce((sum, { seconds }) => sum + seconds, 0);
      const ratio = took / step.seconds;
      if (step.seconds < SHORTEST || ratio < LIMITS.least || ratio > LIMITS.most) continue;
      const before = ratios[nameOf(step)];
      ratios[nameOf(step)] = before === undefined ? ratio : before + (ratio - before) * NEWEST;
    }
    this.file.tryToWrite({ ...all, [kind]: ratios });
  }

  private read(): Ratios {
    return this.file.read((value) => value as Ratios, {});
  }
}

const nameOf = ({ stage, detail }: Pick<ProgressStep, 'stage' | 'detail'>): string => `${stage}/${detail}`;
