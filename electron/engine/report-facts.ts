import { basename } from 'node:path';
import sharp from 'sharp';
import type { FrameUnit } from '../contract/scene.js';
import type { ReportFacts } from '../export/presets/types.js';
import type { Scene } from '../geometry/types.js';
import { previewPicture } from '../scene/preview.js';
import { localSystem } from '../geometry/earth.js';
import { levelTitles } from '../scene/frame.js';
import { programVersion } from './environment.js';
import { keptMeasurements, unitOf, type KeptMeasurement } from './measuring.js';
import { describeScene } from './scene-edits.js';
import type { Workspace } from './workspace.js';

type MeasurementFact = ReportFacts['measurements'][number];

/** What the report of a survey tells beside the scene. */
export async function reportFacts(workspace: Workspace, scene: Scene): Promise<ReportFacts> {
  const { project, alignment } = workspace;
  const reasons = new Map(alignment?.unplaced.map(({ photo, reason }) => [photo, reason]));
  const placed = new Set(scene.cameras.map(({ photo }) => photo));
  const { width, height, pixels } = previewPicture(scene);
  const preview = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const { frame, lengths, controls, places } = await describeScene(workspace);
  const settings = Object.entries(project.settings()).filter(([, value]) => value !== undefined);
  return {
    title: basename(workspace.path).replace(/\.pointmap$/, ''),
    version: programVersion(),
    date: new Date(),
    settings: Object.fromEntries(settings) as ReportFacts['settings'],
    photos: project
      .photos()
      .filter(({ enabled }) => enabled)
      .map(({ id, name }) => ({
        name,
        placed: placed.has(id),
        residual: alignment?.viewResidual[id],
        reason: reasons.get(id),
      })),
    preview,
    lengths: lengths.map(({ name, metres, measured }, k) => ({
      name: name ?? `length ${k + 1}`,
      given: metres,
      measured,
    })),
    measurements: (await keptMeasurements(workspace)).map((each) => measurementFact(each, frame.unit)),
    controls,
    places,
    level: levelTitles[frame.level],
    ...(frame.place ? { coordinateSystem: localSystem(frame.place) } : {}),
    offset: project.scene().offset ?? [0, 0, 0],
  };
}

function measurementFact({ name, kind, measured, error }: KeptMeasurement, unit: FrameUnit): MeasurementFact {
  if (!measured) return { name, kind, value: error ?? 'not known' };
  const { value, deviation, residualPixels } = measured;
  return {
    name,
    kind,
    value: `${Number(value.toPrecision(6))} ${unitOf(kind, unit)}`,
    uncertainty: `${Number(deviation.toPrecision(2))} ${unitOf(kind, unit)}`,
    ...(residualPixels === undefined ? {} : { residual: `${residualPixels.toFixed(2)} px` }),
  };
}
