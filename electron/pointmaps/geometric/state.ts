import type { Rejection } from '../../geometry/stage.js';
import type { SurveyedPhoto } from '../../sparse/earlier.js';
import { createHash } from 'node:crypto';
import type { Pair, Photo } from '../../geometry/types.js';
import { lensKey } from '../../sparse/calibration.js';
import type { PlannedPair } from './plan.js';

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
