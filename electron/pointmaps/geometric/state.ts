import { createHash } from 'node:crypto';
import type { Pair, Photo } from '../../geometry/types.js';
import type { PairRejection } from '../estimator.js';
import { lensKey } from './calibration.js';
import type { PlannedPair } from './plan.js';

export interface Rejection {
  pair: Pair;
  reason: PairRejection;
  detail: string;
}

export interface SurveyedPhoto {
  id: string;
  /** What its lens was known as (calibration.ts): another one when the user types in a focal. */
  lensKey: string;
  /** Over the long side, and SIMPLE_RADIAL's term; `related` is the focal that the pairs were first related with. */
  lens: { focal: number; k1: number; related?: number };
  /** The piece and world-to-camera pose, when placed. */
  camera?: { piece: number; rotation: Float64Array; translation: Float64Array } | undefined;
}

/** All that a session needs to know of the set: survives in the project file, so that a second run surveys nothing. */
export interface SurveyState {
  photos: SurveyedPhoto[];
  /** Best first; pairs are indices into photos. */
  observe: PlannedPair[];
  rejected: Rejection[];
}

/** Identifies what a survey was made from. */
export function surveyInputs(photos: readonly Photo[], pairs: readonly Pair[]): string {
  const text = JSON.stringify([photos.map((photo) => [photo.id, lensKey(photo)]), pairs.map(({ a, b }) => [a, b])]);
  return createHash('sha256').update(text).digest('hex');
}

/** JSON, arrays of numbers marked as such; numbers keep every bit. */
export function encodeState(state: SurveyState): Uint8Array {
  const text = JSON.stringify(state, (_, value: unknown) =>
    value instanceof Float64Array ? { float64: Array.from(value) } : value,
  );
  return new TextEncoder().encode(text);
}

/** @returns undefined for a record that can't be read: the survey is then made anew */
export function decodeState(bytes: Uint8Array | undefined): SurveyState | undefined {
  if (!bytes) return undefined;
  try {
    const isNumbers = (value: unknown): value is { float64: number[] } =>
      typeof value === 'object' && value !== null && 'float64' in value;
    const state = JSON.parse(new TextDecoder().decode(bytes), (_, value: unknown) =>
      isNumbers(value) ? Float64Array.from(value.float64) : value,
    ) as SurveyState;
    return Array.isArray(state.photos) && Array.isArray(state.observe) && Array.isArray(state.rejected)
      ? state
      : undefined;
  } catch {
    return undefined;
  }
}
