import type { Pair } from '../../geometry/types.js';
import type { PlannedPair } from './plan.js';
import type { Rejection } from './survey.js';

/** All that a session needs to know of the set: survives in the project file, so that a second run surveys nothing. */
export interface SurveyState {
  photos: string[];
  /** Parallel to photos: over the long side. */
  lenses: { focal: number; k1: number }[];
  /** Parallel to photos: the piece and world-to-camera pose [12], when placed. */
  cameras: ({ piece: number; rotation: Float64Array; translation: Float64Array } | undefined)[];
  observe: PlannedPair[];
  rejected: Rejection[];
}

const numbers = (array: ArrayLike<number>): number[] => Array.from(array);

export function encodeState(state: SurveyState): Uint8Array {
  const plain = {
    ...state,
    cameras: state.cameras.map((camera) => camera && { piece: camera.piece, rotation: numbers(camera.rotation), translation: numbers(camera.translation) }),
    observe: state.observe.map((planned) => ({
      pair: planned.pair, parallax: planned.parallax, secondFromFirst: numbers(planned.secondFromFirst), points: numbers(planned.points),
      sightingsA: numbers(planned.sightingsA), sightingsB: numbers(planned.sightingsB),
    })),
  };
  return new TextEncoder().encode(JSON.stringify(plain));
}

export function decodeState(bytes: Uint8Array): SurveyState {
  const plain = JSON.parse(new TextDecoder().decode(bytes)) as {
    photos: string[]; lenses: SurveyState['lenses']; rejected: Rejection[];
    cameras: ({ piece: number; rotation: number[]; translation: number[] } | null)[];
    observe: { pair: Pair; parallax: number; secondFromFirst: number[]; points: number[]; sightingsA: number[]; sightingsB: number[] }[];
  };
  const array = (values: number[]) => Float64Array.from(values);
  return {
    photos: plain.photos, lenses: plain.lenses, rejected: plain.rejected,
    cameras: plain.cameras.map((camera) => (camera ? { piece: camera.piece, rotation: array(camera.rotation), translation: array(camera.translation) } : undefined)),
    observe: plain.observe.map((planned) => ({
      pair: planned.pair, parallax: planned.parallax, secondFromFirst: array(planned.secondFromFirst), points: array(planned.points),
      sightingsA: array(planned.sightingsA), sightingsB: array(planned.sightingsB),
    })),
  };
}
