import type { KnownLength, MeasuredLength } from '../contract/scene.js';
import { UserError } from '../contract/errors.js';
import type { FoundPoint } from './ends.js';

export interface ScaleFit {
  metresPerUnit: number;
  lengths: MeasuredLength[];
}

/** @throws UserError 'bad-input' when the two points are one, within what their depths are good for */
export function distanceBetween(a: FoundPoint, b: FoundPoint): number {
  const distance = Math.hypot(...a.position.map((value, i) => value - b.position[i]!));
  if (distance <= 2 * Math.max(a.deviation, b.deviation))
    throw new UserError(
      'bad-input',
      'the two ends of a length are one point of the scene, within what its depths are good for; choose two that are farther apart',
    );
  return distance;
}

/**
 * The scale at which the scene's distances are nearest to lengths that were measured: least squares over their
 * differences in metres.
 *
 * @param distances of the lengths, in the unit that the result scales
 */
export function fitScale(
  lengths: readonly Pick<KnownLength, 'metres' | 'name'>[],
  distances: readonly number[],
): ScaleFit {
  let [cross, square] = [0, 0];
  lengths.forEach(({ metres }, k) => {
    cross += distances[k]! * metres;
    square += distances[k]! ** 2;
  });
  const metresPerUnit = cross / square;
  return {
    metresPerUnit,
    lengths: lengths.map(({ name, metres }, k) => {
      const measured = metresPerUnit * distances[k]!;
      return { ...(name === undefined ? {} : { name }), metres, measured, residual: measured - metres };
    }),
  };
}

/** How lengths come out in a scene of another scale than theirs. */
export function lengthsAt({ metresPerUnit, lengths }: ScaleFit, scale: number): MeasuredLength[] {
  // Rounded, a length alone is off by -0.0 mm.
  if (areSameScale(scale, metresPerUnit)) return lengths;
  return lengths.map((length) => {
    const measured = (length.measured * scale) / metresPerUnit;
    return { ...length, measured, residual: measured - length.metres };
  });
}

/** As a share: scales that differ by more are not one scale that went through products. */
const ROUNDING = 1e-6;

/** Whether the scale of a scene is that of its lengths; places or control points that were given later have their own. */
export const areSameScale = (a: number, b: number): boolean => Math.abs(a / b - 1) <= ROUNDING;

/** Share of a length: what is farther off than this contradicts the others, whatever it was measured with. */
const MOST_OFF = 0.03;

/** Lengths that contradict the others, in a line; nothing where all fit. */
export function lengthNotes({ lengths }: ScaleFit): string[] {
  const off = ({ residual, metres }: MeasuredLength): number => Math.abs(residual) / metres;
  const worst = lengths.reduce<MeasuredLength | undefined>((a, b) => (a && off(a) >= off(b) ? a : b), undefined);
  if (!worst || off(worst) <= MOST_OFF) return [];
  const { name = `the length of ${worst.metres} m` } = worst;
  return [
    `known lengths contradict each other: ${name} is ${(100 * off(worst)).toFixed(0)} % off in the scene; check its value and its two points`,
  ];
}

/**
 * One standard deviation of the scale of a similarity that was fitted to known places, as a share of it: what they are
 * off by, over how far apart they lie.
 *
 * @param places known ones @param off found less known, of the same axes
 * @param freedoms that the fit had: 7 in space, 4 about the vertical
 */
export function placesDeviation(
  places: readonly (readonly number[])[],
  off: readonly (readonly number[])[],
  freedoms: number,
): number {
  const axes = places[0]?.length ?? 0;
  const left = axes * places.length - freedoms;
  if (left <= 0) return 0;
  const square = (rows: readonly (readonly number[])[]): number =>
    rows.flat().reduce((sum, value) => sum + value ** 2, 0);
  const mean = places[0]!.map((_, i) => places.reduce((sum, place) => sum + place[i]!, 0) / places.length);
  const spread = square(places.map((place) => place.map((value, i) => value - mean[i]!)));
  return spread > 0 ? Math.sqrt(square(off) / left / spread) : 0;
}
