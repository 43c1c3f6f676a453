/**
 * What a run of many photos would take on some cores, from measured costs: a list of jobs in stages, given to the first
 * core that is free (Graham, "Bounds for Certain Multiprocessing Anomalies", 1966). Stages wait for each other where
 * the work does; inside a stage every photo, pair, cluster or tile is a job of its own.
 */

/** Processor seconds, measured (scale.ts writes and reads them). */
export interface MeasuredCosts {
  /** Per photo. */
  features: number;
  index: number;
  dense: number;
  fuse: number;
  /** Per pair. */
  match: number;
  verify: number;
  pairsPerPhoto: number;
  /** Of structure: seconds at `photos` photos, growing with the power `exponent`. */
  structure: { photos: number; seconds: number; exponent: number };
}

export interface ModelOptions {
  cores: number;
  /** Photos of a cluster whose structure is one job; each shares `shared` of them with others. */
  cluster: number;
  shared: number;
  /** Photos of a tile of the fusion. */
  tile: number;
}

export const MODEL_DEFAULTS: ModelOptions = { cores: 2, cluster: 400, shared: 0.15, tile: 50 };

export interface StageTime {
  stage: string;
  /** From when its first job began to the end of its last one. */
  seconds: number;
  /** Share of the cores' time that was work. */
  busy: number;
}

export interface Outcome {
  seconds: number;
  stages: StageTime[];
  /** The stage that gains least from twice the cores, of those that take a tenth of the time or more. */
  bottleneck: string;
}

interface Stage {
  stage: string;
  jobs: readonly number[];
}

/** The stages of a run, and what each of their jobs takes. */
export function stagesOf(photos: number, costs: MeasuredCosts, options: ModelOptions): Stage[] {
  const pairs = Math.round(photos * costs.pairsPerPhoto);
  const structure = (size: number): number =>
    costs.structure.seconds * (size / costs.structure.photos) ** costs.structure.exponent;
  const clusters = photos <= options.cluster ? 1 : Math.ceil(photos / (options.cluster * (1 - options.shared)));
  const size = clusters === 1 ? photos : options.cluster;
  const many = (count: number, seconds: number): number[] => new Array<number>(count).fill(seconds);
  return [
    { stage: 'features', jobs: many(photos, costs.features) },
    { stage: 'index', jobs: many(photos, costs.index) },
    { stage: 'match and verify', jobs: many(pairs, costs.match + costs.verify) },
    { stage: 'structure of clusters', jobs: many(clusters, structure(size)) },
    // One adjustment of everything, of the some dozen that a cluster's growth took.
    { stage: 'merge and adjust', jobs: clusters === 1 ? [] : [structure(photos) / ADJUSTMENTS] },
    { stage: 'dense', jobs: many(photos, costs.dense) },
    { stage: 'fuse tiles', jobs: many(Math.ceil(photos / options.tile), costs.fuse * options.tile) },
  ];
}

/**
 * Growing by a tenth between adjustments makes their sizes add up to eleven times the last; three more settle the end.
 */
const ADJUSTMENTS = 14;

export function predict(photos: number, costs: MeasuredCosts, options: ModelOptions = MODEL_DEFAULTS): Outcome {
  const times = timesOf(photos, costs, options);
  const twice = timesOf(photos, costs, { ...options, cores: 2 * options.cores });
  const seconds = times.reduce((sum, stage) => sum + stage.seconds, 0);
  const candidates = times
    .map((stage, k) => ({ ...stage, gain: stage.seconds / (twice[k]!.seconds || 1) }))
    .filter((stage) => stage.seconds > 0.1 * seconds)
    .sort((p, q) => p.gain - q.gain || q.seconds - p.seconds);
  return { seconds, stages: times, bottleneck: candidates[0]?.stage ?? '-' };
}

function timesOf(photos: number, costs: MeasuredCosts, options: ModelOptions): StageTime[] {
  return stagesOf(photos, costs, options).map(({ stage, jobs }) => {
    const free = new Float64Array(options.cores);
    for (const job of jobs) {
      let first = 0;
      for (let core = 1; core < free.length; core++) if (free[core]! < free[first]!) first = core;
      free[first] = free[first]! + job;
    }
    const seconds = Math.max(0, ...free);
    const work = jobs.reduce((sum, job) => sum + job, 0);
    return { stage, seconds, busy: seconds > 0 ? work / (seconds * options.cores) : 1 };
  });
}
