import { basename } from 'node:path';
import sharp from 'sharp';
import type { ReportFacts } from '../export/presets/types.js';
import type { Scene } from '../geometry/types.js';
import { previewPicture } from '../scene/preview.js';
import { programVersion } from './environment.js';
import type { Workspace } from './workspace.js';

/** What the report of a survey tells beside the scene. */
export async function reportFacts(workspace: Workspace, scene: Scene): Promise<ReportFacts> {
  const { project, alignment } = workspace;
  const reasons = new Map(alignment?.unplaced.map(({ photo, reason }) => [photo, reason]));
  const placed = new Set(scene.cameras.map(({ photo }) => photo));
  const { width, height, pixels } = previewPicture(scene);
  const preview = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
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
    lengths: [],
    measurements: [],
    offset: [0, 0, 0],
  };
}
