import { digestObservation, gridPixels, pick, type ObservationDigest, type ViewDigest } from '../geometry/digest.js';
import { decodeView } from '../geometry/view-record.js';
import type { Observation, ObservedView } from '../geometry/types.js';
import type { AlignmentProblem, StoredObservation } from './types.js';

/** One view's whole pointmap: as it is, or as it was stored. */
export type FullView = ObservedView | Uint8Array;

/** An observation as the alignment works with it: the digest at hand, the pointmaps when they are asked for. */
export interface PreparedObservation extends ObservationDigest {
  /** @throws DamagedObservation */
  full(role: number): FullView;
}

export interface PreparedProblem extends Omit<AlignmentProblem, 'observations'> {
  observations: PreparedObservation[];
  /** Pointmaps are read from a file when they are asked for. */
  stored: boolean;
}

/** A stored pointmap that can't be read; what it held has to be computed again. */
export class DamagedObservation extends Error {
  constructor(
    /** Index into AlignmentProblem.observations. */
    readonly observation: number,
  ) {
    super(`the stored pointmaps of observation ${observation} are damaged`);
  }
}

export function prepare(problem: AlignmentProblem<Observation | StoredObservation>): PreparedProblem {
  return {
    ...problem,
    stored: problem.observations.some(isStored),
    observations: problem.observations.map((observation, k): PreparedObservation => {
      if (!isStored(observation)) return prepareInMemory(observation);
      return {
        ...observation.digest,
        full: (role) => {
          const record = observation.record(role);
          if (!record) throw new DamagedObservation(k);
          return record;
        },
      };
    }),
  };
}

/** The grids are picked whenever they are read: all of them at once are as large as the pointmaps. */
function prepareInMemory(observation: Observation): PreparedObservation {
  const { views, ...rest } = digestObservation(observation);
  return {
    ...rest,
    views: views.map(({ grid: _, ...digest }, role) => ({
      ...digest,
      get grid() {
        const { width, height, stride, far } = digest;
        return pick(observation.views[role]!, gridPixels(width, height, stride), far);
      },
    })),
    full: (role) => observation.views[role]!,
  };
}

export const isStored = (observation: Observation | StoredObservation): observation is StoredObservation =>
  'digest' in observation;

/** @throws DamagedObservation */
export function decodeFull(view: FullView, observation: number): ObservedView {
  if (!(view instanceof Uint8Array)) return view;
  const decoded = decodeView(view);
  if (!decoded) throw new DamagedObservation(observation);
  return decoded;
}

/** Finds the entry of a digest's grid nearest to a pixel. */
export function gridLookup({ width, height, stride }: ViewDigest): (x: number, y: number) => number {
  const starts: number[] = [];
  const offsets: number[] = [];
  const counts: number[] = [];
  let entries = 0;
  for (let y = stride >> 1, row = 0; y < height; y += stride, row++) {
    const offset = (row * (stride >> 1)) % stride;
    starts.push(entries);
    offsets.push(offset);
    counts.push(Math.max(0, Math.ceil((width - offset) / stride)));
    entries += counts[row]!;
  }
  const within = (value: number, count: number): number => Math.min(count - 1, Math.max(0, Math.round(value)));
  return (x, y) => {
    const row = within((y - (stride >> 1)) / stride, starts.length);
    return starts[row]! + within((x - offsets[row]!) / stride, counts[row]!);
  };
}
