import { packRecord, unpackRecord } from '../../compute/record.js';
import type { Rejection } from '../../geometry/stage.js';
import type { PhotoId } from '../../geometry/types.js';
import type { PlannedPair } from './plan.js';

/** Which pairs get dense depth, and along which geometry. Survives in the project file. */
export interface Plan {
  photos: PhotoId[];
  /** Best first; pairs are indices into photos. */
  observe: PlannedPair[];
  rejected: Rejection[];
}

interface Header {
  photos: PhotoId[];
  observe: { a: number; b: number; parallax: number }[];
  rejected: Rejection[];
}

/** Arrays per planned pair. */
const ARRAYS = 4;

export function encodePlan({ photos, observe, rejected }: Plan): Uint8Array {
  const header: Header = {
    photos,
    observe: observe.map(({ pair, parallax }) => ({ ...pair, parallax })),
    rejected,
  };
  return packRecord(
    header,
    observe.flatMap(({ secondFromFirst, points, sightingsA, sightingsB }) => [
      secondFromFirst,
      points,
      sightingsA,
      sightingsB,
    ]),
  );
}

/** @returns undefined for a record that can't be read: the plan is then made anew */
export function decodePlan(bytes: Uint8Array | undefined): Plan | undefined {
  const record = unpackRecord<Header>(bytes);
  if (!record) return undefined;
  const { photos, observe, rejected } = record.header;
  return {
    photos,
    observe: observe.map(({ a, b, parallax }, k) => {
      const [secondFromFirst, points, sightingsA, sightingsB] = record.arrays.slice(ARRAYS * k, ARRAYS * (k + 1)) as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      return { pair: { a, b }, secondFromFirst, points, sightingsA, sightingsB, parallax };
    }),
    rejected,
  };
}
