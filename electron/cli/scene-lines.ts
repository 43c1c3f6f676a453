import type { FrameUnit, SceneDescription, Vector } from '../contract/scene.js';
import { levelTitles, unitOf, type KeptMeasurement } from '../engine/measuring.js';

/** What `scene` prints for people. */
export function sceneLines(description: SceneDescription): string[] {
  const { frame, bounds, cameras, points, kept, region, deletions, lengths, controls, places } = description;
  const unit = frame.unit === 'metre' ? ' m' : '';
  const three = (values: Vector): string => values.map((value) => value.toPrecision(4)).join(' x ');
  const off = (residual: number, metres: number): string =>
    `${residual >= 0 ? '+' : ''}${(residual * 1000).toFixed(1)} mm, ${((100 * residual) / metres).toFixed(2)} %`;
  return [
    `${levelTitles[frame.level]}; z is up; ${frame.unit === 'metre' ? 'in metres' : 'no scale yet: lengths are in units of the scene'}`,
    `size ${three(bounds.size)}${unit} (middle 98 % of the points), from ${bounds.least.map((value) => value.toPrecision(4)).join(', ')}`,
    `${cameras} cameras, ${kept.toLocaleString('en')} of ${points.toLocaleString('en')} points kept`,
    ...(region
      ? [`crop box of ${three(region.size)}${unit} at ${region.centre.map((value) => value.toPrecision(4)).join(', ')}`]
      : []),
    ...(deletions > 0 ? [`${deletions} steps of cleaning`] : []),
    ...lengths.map(
      ({ name, metres, measured, residual }) =>
        `${name ?? 'length'} ${metres} m: ${measured.toFixed(4)} m in the scene (${off(residual, metres)})`,
    ),
    ...controls.map(
      ({ name, role, off, residualPixels }) =>
        `${role} point ${name}: off by ${off.map((value) => (1000 * value).toFixed(1)).join(', ')} mm` +
        (residualPixels === undefined ? '' : ` (${residualPixels.toFixed(2)} px in the photos)`),
    ),
    ...places.map(
      ({ name, across, up }) => `GPS of ${name}: off by ${across.toFixed(2)} m across, ${up.toFixed(2)} m up`,
    ),
  ];
}

/** The measurements of a project, a line each. */
export function measurementLines(measurements: readonly KeptMeasurement[], unit: FrameUnit): string[] {
  return measurements.map(({ name, kind, measured, error }) => {
    if (!measured) return `${name}: ${error}`;
    const { value, deviation, residualPixels } = measured;
    const seen = residualPixels === undefined ? '' : `, ${residualPixels.toFixed(2)} px in the photos`;
    return `${name}: ${value.toPrecision(5)} +- ${deviation.toPrecision(2)} ${unitOf(kind, unit)}${seen}`;
  });
}
