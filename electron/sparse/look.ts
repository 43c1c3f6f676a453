import type { SparseLook } from '../geometry/sparse-model.js';
import type { Photo } from '../geometry/types.js';
import type { Lens, PlacedCamera } from './bundle.js';

/** What a structure that is still growing has placed: photos and features are indices. */
export interface StructureLook {
  lenses: Lens[];
  cameras: Map<number, PlacedCamera>;
  /** [N, 3] */
  positions: Float64Array;
  /** [N] the first sighting of each point. */
  photo: Uint32Array;
  feature: Uint32Array;
}

/** A look in the terms of the model that will come of it. */
export function lookOf(
  { lenses, cameras, positions, photo, feature }: StructureLook,
  photos: readonly Photo[],
  positionOf: (photo: number, feature: number) => [number, number],
): SparseLook {
  const count = photo.length;
  return {
    lenses,
    cameras: [...cameras].map(([k, { lens, rotation, translation }]) => ({
      photo: photos[k]!.id,
      lens,
      pose: { piece: 0, rotation, translation },
    })),
    points: {
      positions,
      piece: new Uint16Array(count),
      offsets: Uint32Array.from({ length: count + 1 }, (_, k) => k),
      trackCamera: Uint32Array.from(photo, indexIn([...cameras.keys()])),
      trackAt: Float32Array.from(Array.from(photo, (k, n) => positionOf(k, feature[n]!)).flat()),
    },
  };
}

const indexIn = (list: readonly number[]): ((value: number) => number) => {
  const places = new Map(list.map((value, k) => [value, k]));
  return (value) => places.get(value)!;
};
