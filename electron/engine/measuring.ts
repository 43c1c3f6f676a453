import { UserError } from '../contract/errors.js';
import type { MeasuredValue, Measurement, Vector } from '../contract/scene.js';
import { transform } from '../geometry/similarity.js';
import type { Scene } from '../geometry/types.js';
import type { Project } from '../project/project.js';
import { controlResiduals, controlScaleDeviation } from '../scene/control.js';
import type { Frame } from '../scene/frame.js';
import { placeScaleDeviation } from '../scene/gps-frame.js';
import { leastPoints, measure, scaleDeviation } from '../scene/measure.js';
import { areSameScale } from '../scene/scale.js';
import { describeScene, positionsOf, sceneOf } from './scene-edits.js';
import { scaleOf, ScenePoints } from './scene-points.js';
import type { Workspace } from './workspace.js';

export { levelTitles } from '../scene/frame.js';
export { leastPoints } from '../scene/measure.js';

type Asked = Pick<Measurement, 'kind' | 'points'>;

/** A measurement's value, its points found as exactly as the photos allow. @throws UserError 'bad-input' */
export async function measureScene(workspace: Workspace, asked: Asked): Promise<MeasuredValue> {
  const { component } = await sceneOf(workspace);
  return measureWith(workspace, new ScenePoints(workspace.project, component), asked);
}

async function measureWith(workspace: Workspace, finder: ScenePoints, { kind, points }: Asked): Promise<MeasuredValue> {
  const { alignment, component } = await sceneOf(workspace);
  if (points.length < leastPoints[kind])
    throw new UserError('bad-input', `this measurement takes at least ${leastPoints[kind]} points; choose more`);
  const frame = workspace.scene.frame(alignment, component);
  const { sceneFromAlignment } = frame;
  const found = [];
  for (const pixel of points) found.push(await finder.find(pixel));
  const positions = found.map(({ position }) => [...transform(sceneFromAlignment, position)] as unknown as Vector);
  const deviations = found.map(({ deviation }) => deviation * sceneFromAlignment.scale);
  const { value, deviation } = measure(kind, positions, deviations);
  const residuals = found.flatMap(({ residualPixels }) => residualPixels ?? []);
  const scale = scaleShare(workspace.project, { alignment, component, frame });
  return {
    positions,
    value,
    deviation: Math.hypot(deviation, (kind === 'area' ? 2 : kind === 'angle' ? 0 : 1) * scale * value),
    ...(residuals.length > 0 ? { residualPixels: Math.max(...residuals) } : {}),
  };
}

/** One standard deviation of the scene's scale, as a share of it, from what gave it; 0 where nothing tells. */
function scaleShare(
  project: Project,
  { alignment, component, frame }: { alignment: string; component: Scene; frame: Frame },
): number {
  const { lengths, controls } = project.scene();
  if (lengths.length > 0) {
    const fit = scaleOf(lengths, alignment, component);
    if (areSameScale(fit.metresPerUnit, frame.sceneFromAlignment.scale))
      return scaleDeviation(fit.lengths, fit.deviations);
  }
  if (frame.level === 'control') return controlScaleDeviation(controlResiduals(controls, component, frame));
  return frame.level === 'gps' ? placeScaleDeviation(component.cameras, positionsOf(project), frame) : 0;
}

/** A measurement of the project with its value; `error` where its points can't be found any more. */
export interface KeptMeasurement extends Measurement {
  measured?: MeasuredValue;
  error?: string;
}

/** All measurements of the project, measured. */
export async function keptMeasurements(workspace: Workspace): Promise<KeptMeasurement[]> {
  const { measurements } = workspace.project.scene();
  if (measurements.length === 0) return [];
  const { component } = await sceneOf(workspace);
  // One finder: photos that were read for one measurement serve the next.
  const finder = new ScenePoints(workspace.project, component);
  const kept: KeptMeasurement[] = [];
  for (const measurement of measurements) {
    try {
      kept.push({ ...measurement, measured: await measureWith(workspace, finder, measurement) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      kept.push({ ...measurement, error: error.message });
    }
  }
  return kept;
}

/** Unit of a kind's value. */
export const unitOf = (kind: Measurement['kind'], unit: 'metre' | 'scene'): string => {
  if (kind === 'angle') return 'degrees';
  const length = unit === 'metre' ? 'm' : 'scene units';
  return kind === 'area' ? (unit === 'metre' ? 'm2' : 'square scene units') : length;
};

/** Measurements as a file: CSV for names that end so, JSON else. Positions are of the scene frame. */
export async function measurementsFile(workspace: Workspace, format: 'csv' | 'json'): Promise<string> {
  const [kept, { frame }] = [await keptMeasurements(workspace), await describeScene(workspace)];
  const names = new Map(workspace.project.photos().map(({ id, name }) => [id, name]));
  const rows = kept.map(({ name, kind, points, measured, error }) => ({
    name,
    kind,
    value: measured?.value ?? null,
    deviation: measured?.deviation ?? null,
    unit: unitOf(kind, frame.unit),
    residualPixels: measured?.residualPixels ?? null,
    positions: measured?.positions ?? [],
    points: points.map(({ others = [], ...first }) =>
      [first, ...others].map(({ photo, x, y }) => ({ photo: names.get(photo) ?? photo, x, y })),
    ),
    ...(error ? { error } : {}),
  }));
  if (format === 'json') return `${JSON.stringify({ frame, measurements: rows }, null, 1)}\n`;
  const head = ['name', 'kind', 'value', 'deviation', 'unit', 'residual_pixels', 'positions'];
  const lines = rows.map((row) => [
    row.name,
    row.kind,
    row.value ?? '',
    row.deviation ?? '',
    row.unit,
    row.residualPixels ?? '',
    row.positions.map((at) => at.map((value) => value.toFixed(6)).join(' ')).join('; '),
  ]);
  return [head, ...lines].map((line) => line.map(cell).join(',')).join('\n') + '\n';
}

/**
 * A cell of a CSV file. Names that a spreadsheet would take for a formula get an apostrophe before them.
 */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
