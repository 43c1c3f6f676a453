import type { StageName } from '../contract/stages.js';
import type { Photo } from '../geometry/types.js';
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
  /** Of a photo on average, 0 to 1: how many features it gives against a photo that gives as many as are taken. */
  detail: number;
  /** No photo says its focal: several are tried. */
  lensUnknown: boolean;
}

/** Photos of this size and larger give as many features as are taken, pixels. */
const FULL_DETAIL = 1.5e6;

/** What the photos themselves say of the cost. */
export function sizeOf(photos: readonly Photo[]): Pick<RunSize, 'photos' | 'detail' | 'lensUnknown'> {
  const details = photos.map(({ width, height }) => Math.min(1, (width * height) / FULL_DETAIL));
  return {
    photos: photos.length,
    detail: details.reduce((sum, value) => sum + value, 0) / Math.max(1, photos.length),
    lensUnknown: photos.every(({ focal }) => focal === undefined),
  };
}

interface EngineStage {
  /** Told when the stage begins. */
  begins: string;
  /** Sub-steps by what is told of them, in order, with seconds on two cores of 2024. */
  steps: Readonly<Record<string, (size: RunSize) => number>>;
}

/**
 * The engine's part of the table of stages (contract/stages.ts): what each costs, and what is said when it begins. The
 * seconds are measured (test/bench/progress.ts on five sets, of 8 to 16 photos of 0.3 to 2.8 megapixels).
 */
export const engineStages: Record<StageName, EngineStage> = {
  photos: { begins: 'checking the photos', steps: { 'checking the photos': () => 0.1 } },
  pairs: { begins: 'choosing pairs', steps: { 'choosing pairs': () => 0.2 } },
  sparse: {
    begins: 'looking at the photos',
    steps: {
      'looking at the photos': () => 0.2,
      'finding features': ({ photos, threads, detail }) => (photos * (0.6 + 0.8 * detail)) / threads,
      // With the second look at pairs that the first one proposes.
      matching: ({ pairs, threads, detail }) => (pairs * (0.1 + 0.25 * detail)) / threads,
      // With the cameras that are placed to try the lenses.
      calibrating: ({ pairs, photos, threads, lensUnknown }) =>
        (1 + photos * 0.1 + (Math.min(pairs, 40) * 0.1) / threads) * (lensUnknown ? 3 : 1),
      'relating pairs': ({ pairs, threads, detail }) => (pairs * (0.04 + 0.1 * detail)) / threads,
      'placing cameras': ({ photos, detail }) => 0.5 + photos * (0.1 + 0.25 * detail),
    },
  },
  pointmaps: { begins: 'computing depth', steps: { 'computing depth': ({ estimator }) => estimator } },
  alignment: {
    begins: 'aligning',
    steps: { aligning: ({ estimator, photos }) => Math.min(estimator / 8, photos * 0.25) + 0.5 },
  },
  cloud: { begins: 'building the cloud', steps: { 'building the cloud': ({ photos }) => 0.3 + photos * 0.13 } },
};

/** The sub-steps of a run in order, with the seconds that each is expected to take. */
export function forecastSteps(size: RunSize): ProgressStep[] {
  return (Object.keys(engineStages) as StageName[])
    .filter((stage) => size.sparse || stage !== 'sparse')
    .flatMap((stage) =>
      Object.entries(engineStages[stage].steps).map(([detail, seconds]) => ({ stage, detail, seconds: seconds(size) })),
    );
}
