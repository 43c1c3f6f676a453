import type { StageName } from '../contract/stages.js';
import type { ProgressStep } from './run-progress.js';

/** What the cost of a run is told from before anything is measured. */
export interface RunSize {
  photos: number;
  pairs: number;
  threads: number;
  /** Seconds that the estimator says its observations will take. */
  estimator: number;
  /** The estimator makes use of a sparse model. */
  sparse: boolean;
}

interface EngineStage {
  /** Told when the stage begins. */
  begins: string;
  /** Sub-steps by what is told of them, in order, with seconds on two cores of 2024. */
  steps: Readonly<Record<string, (size: RunSize) => number>>;
}

/** The engine's part of the table of stages (contract/stages.ts): what each costs, and what is said when it begins. */
export const engineStages: Record<StageName, EngineStage> = {
  photos: { begins: 'checking the photos', steps: { 'checking the photos': () => 0.1 } },
  pairs: { begins: 'choosing pairs', steps: { 'choosing pairs': () => 0.2 } },
  sparse: {
    begins: 'looking at the photos',
    steps: {
      'looking at the photos': () => 0.2,
      'finding features': ({ photos, threads }) => (photos * 1.3) / threads,
      matching: ({ pairs, threads }) => (pairs * 0.06) / threads,
      // With the cameras that are placed to try the lenses.
      calibrating: ({ pairs, photos, threads }) => 1 + photos * 0.05 + (Math.min(pairs, 40) * 0.05) / threads,
      'relating pairs': ({ pairs, threads }) => (pairs * 0.09) / threads,
      'placing cameras': ({ photos }) => 0.5 + photos * 0.05,
    },
  },
  pointmaps: { begins: 'computing depth', steps: { 'computing depth': ({ estimator }) => estimator } },
  alignment: {
    begins: 'aligning',
    steps: { aligning: ({ estimator, photos }) => Math.min(estimator / 4, photos * 0.5) + 0.5 },
  },
  cloud: { begins: 'building the cloud', steps: { 'building the cloud': ({ photos }) => photos * 0.3 } },
};

/** The sub-steps of a run in order, with the seconds that each is expected to take. */
export function forecastSteps(size: RunSize): ProgressStep[] {
  return (Object.keys(engineStages) as StageName[])
    .filter((stage) => size.sparse || stage !== 'sparse')
    .flatMap((stage) =>
      Object.entries(engineStages[stage].steps).map(([detail, seconds]) => ({ stage, detail, seconds: seconds(size) })),
    );
}
