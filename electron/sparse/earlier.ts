import type { Lens } from './bundle.js';

/** A photo as an earlier survey of the set left it. */
export interface SurveyedPhoto {
  id: string;
  /** What its lens was known as (calibration.ts): another one when the user types in a focal. */
  lensKey: string;
  /** As in the bundle; `related` is the focal that the pairs were first related with. */
  lens: Pick<Lens, 'focal' | 'k1' | 'k2' | 'cx' | 'cy'> & { related?: number };
  /** The piece and world-to-camera pose, when placed. */
  camera?: { piece: number; rotation: Float64Array; translation: Float64Array } | undefined;
}

/** An earlier solution, whose cameras are held where they are while new photos join. */
export interface EarlierSurvey {
  photos: SurveyedPhoto[];
}
