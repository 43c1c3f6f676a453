import { UserError } from '../contract/errors.js';
import {
  controlCount,
  LEAST_CONTROLS,
  type ControlPoint,
  type ControlResidual,
  type Vector,
} from '../contract/scene.js';
import { registerPoints, transform } from '../geometry/similarity.js';
import type { Scene } from '../geometry/types.js';
import { endPoint, type FoundPoint } from './ends.js';
import type { Frame } from './frame.js';
import { spreads } from './known-frame.js';
import { placesDeviation } from './scale.js';

/** @throws UserError 'bad-input' for control points that are too few to fix a scene */
export function checkControls(points: readonly Pick<ControlPoint, 'role'>[]): void {
  const count = controlCount(points);
  if (count < LEAST_CONTROLS)
    throw new UserError(
      'bad-input',
      `three control points at least fix a scene in its coordinates, and ${count} were given; add some, or give a length`,
    );
}

/**
 * The frame that takes control points to their known coordinates: least squares, as surveyors expect it. Check points
 * have no say.
 *
 * @throws UserError 'bad-input' for fewer than three control points, or points in one place or on one line
 */
export function controlFrame(points: readonly ControlPoint[], scene: Scene): Frame {
  checkControls(points);
  const control = points.filter(({ role }) => role === 'control');
  const found = control.map((point) => placeOf(point, scene).position);
  const known = control.map((point) => point.known);
  if (!spreads(found) || !spreads(known))
    throw new UserError(
      'bad-input',
      'the control points lie in one place or on one line, which leaves the turn about it open; add one beside it',
    );
  const registered = registerPoints(
    Float64Array.from(found.flat()),
    Float64Array.from(known.flat()),
    new Float64Array(control.length).fill(1),
    1,
  );
  if (!registered)
    throw new UserError('bad-input', 'the control points lie in one place; add some that lie farther apart');
  return { level: 'control', unit: 'metre', sceneFromAlignment: registered.similarity };
}

/** Where a point is in the scene. @throws UserError 'bad-input', with its name */
function placeOf({ name, at }: ControlPoint, scene: Scene): FoundPoint {
  try {
    return endPoint(at, scene);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.code, `the point ${name} has no place in the scene: ${error.message}`, { cause: error });
  }
}

/** Points that have no place in the scene, and why: nothing else would tell of a check point that says nothing. */
export function controlNotes(points: readonly ControlPoint[], scene: Scene): string[] {
  return points.flatMap((point): string[] => {
    try {
      placeOf(point, scene);
      return [];
    } catch (error) {
      if (error instanceof UserError) return [error.message];
      throw error;
    }
  });
}

/** How far points with known coordinates come out from them; points whose photos are gone are left out. */
export function controlResiduals(points: readonly ControlPoint[], scene: Scene, frame: Frame): ControlResidual[] {
  return points.flatMap(({ name, role, known, at }): ControlResidual[] => {
    try {
      const { position, residualPixels } = endPoint(at, scene);
      const there = transform(frame.sceneFromAlignment, position);
      const off = [...there].map((value, i) => value - known[i]!) as Vector;
      return [{ name, role, known, off, ...(residualPixels === undefined ? {} : { residualPixels }) }];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  });
}

/** One standard deviation of the scale that control points give, as a share of it. */
export function controlScaleDeviation(residuals: readonly ControlResidual[]): number {
  const control = residuals.filter(({ role }) => role === 'control');
  return placesDeviation(
    control.map(({ known }) => known),
    control.map(({ off }) => off),
    7,
  );
}
