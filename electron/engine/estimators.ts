import type { PhotoReader } from '../geometry/stage.js';
import type { EstimatorInfo, RunSettings } from '../contract/api.js';
import { UserError } from '../contract/errors.js';
import { createGeometricEstimator } from '../pointmaps/geometric/index.js';
import type { Estimator } from '../pointmaps/estimator.js';

/** What the engine needs to know of an estimator before making one. */
export interface EstimatorEntry {
  info: EstimatorInfo;
  /** Told before every run with it. */
  caution?: string;
  /** What it computes on: "cpu", "cuda", ... */
  provider: string;
  create(reader: PhotoReader, settings: RunSettings, threads: number | undefined): Estimator | Promise<Estimator>;
}

/** A source of entries that may change while the program runs, as models are added and removed. */
export type EstimatorSource = () => readonly EstimatorEntry[];

/** Long side of the views depth is computed on. */
const viewSizes: Record<RunSettings['quality'], number> = { draft: 384, normal: 512, high: 768 };

export const geometric: EstimatorEntry = {
  info: {
    id: 'geometric',
    title: 'Geometric (built in)',
    licence: 'Apache-2.0',
    nonCommercial: false,
    installed: true,
    description:
      'Features, calibration over the whole set and dense stereo. No learned weights, nothing to download, any use.',
  },
  provider: 'cpu',
  create: (reader, { quality }, threads) =>
    createGeometricEstimator(reader, {
      viewLongSide: viewSizes[quality],
      ...(threads === undefined ? {} : { threads }),
    }),
};

/** @throws UserError 'not-found', naming what there is */
export function findEstimator(sources: readonly EstimatorSource[], id: string): EstimatorEntry {
  const entries = sources.flatMap((source) => source());
  const entry = entries.find(({ info }) => info.id === id);
  if (!entry)
    throw new UserError(
      'not-found',
      `there is no estimator '${id}'; installed: ${entries
        .filter(({ info }) => info.installed)
        .map(({ info }) => info.id)
        .join(', ')}`,
    );
  if (!entry.info.installed)
    throw new UserError('not-found', `the model '${id}' is not installed; add it with: pointmap models add ${id}`);
  return entry;
}
