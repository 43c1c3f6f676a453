import { packRecord, unpackRecord } from '../../compute/record.js';
import type { Rejection } from '../../geometry/stage.js';
import type { PhotoId } from '../../geometry/types.js';
import type { StereoGroup } from './dense/groups.js';
import type { PlannedPair } from './plan.js';

/** Which pairs get dense depth, and along which geometry. Survives in the project file. */
export interface Plan {
  photos: PhotoId[];
  /** Best first; pairs are indices into photos. */
  observe: PlannedPair[];
  rejected: Rejection[];
  /** What each photo is matched against. */
  groups: StereoGroup[];
  /** Of each photo, a digest of its camera and lens; empty where it was not placed. */
  cameras: string[];
}

interface Header {
  photos: PhotoId[];
  observe: { a: number; b: number; parallax: number }[];
  rejected: Rejection[];
  groups: StereoGroup[];
  cameras?: string[];
}

/** Arrays per planned pair. */
const ARRAYS = 2;

export function encodePlan({ photos, observe, rejected, groups, cameras }: Plan): Uint8Array {
  const header: Header = {
    photos,
    observe: observe.map(({ pair, parallax }) => ({ ...pair, parallax })),
    rejected,
    groups,
    cameras,
  };
  return packRecord(
    header,
    observe.flatMap(({ secondFromFirst, points }) => [secondFromFirst, points]),
  );
}

/** @returns undefined for a record that can't be read: the plan is then made anew */
export function decodePlan(bytes: Uint8Array | undefined): Plan | undefined {
  const record = unpackRecord<Header>(bytes);
  if (!record) return undefined;
  const { photos, observe, rejected, groups, cameras } = record.header;
  // Of an earlier version.
  if (!cameras) return undefined;
  return {
    photos,
    observe: observe.map(({ a, b, parallax }, k) => {
      const [secondFromFirst, points] = record.arrays.slice(ARRAYS * k, ARRAYS * (k + 1)) as [
        Float64Array,
        Float64Array,
      ];
      return { pair: { a, b }, secondFromFirst, points, parallax };
    }),
    rejected,
    groups,
    cameras,
  };
}
