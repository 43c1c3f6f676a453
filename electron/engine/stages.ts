import type { StageName } from '../contract/stages.js';

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
  /** Seconds, on two cores of 2024. */
  forecast(size: RunSize): number;
}

/** The engine's part of the table of stages (contract/stages.ts): what each costs, and what is said when it begins. */
export const engineStages: Record<StageName, EngineStage> = {
  photos: { begins: 'checking the photos', forecast: () => 0.1 },
  pairs: { begins: 'choosing pairs', forecast: () => 0.2 },
  sparse: {
    begins: 'looking at the photos',
    // Features 1.3 s a photo, matching and relating 0.15 s a pair.
    forecast: ({ photos, pairs, threads, sparse }) => (sparse ? (photos * 1.3 + pairs * 0.15) / threads + 2 : 0),
  },
  pointmaps: { begins: 'computing depth', forecast: ({ estimator }) => estimator },
  alignment: { begins: 'aligning', forecast: ({ estimator, photos }) => Math.min(estimator / 4, photos * 0.5) + 0.5 },
  cloud: { begins: 'building the cloud', forecast: ({ photos }) => photos * 0.3 },
};

/** Seconds per stage, in order. */
export function forecast(size: RunSize): Record<StageName, number> {
  return Object.fromEntries(
    Object.entries(engineStages).map(([name, stage]) => [name, stage.forecast(size)]),
  ) as Record<StageName, number>;
}
