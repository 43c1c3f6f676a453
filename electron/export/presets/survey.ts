import { boundsOf, las } from '../las.js';
import { pointsAbout } from '../../geometry/cloud.js';
import { plyChunks } from '../ply.js';
import { textChunks } from '../types.js';
import { reportHtml } from './survey-report.js';
import type { Preset } from './types.js';

/** Cloud as PLY and LAS, and a report that tells how it was made and how far to trust it. */
export const survey: Preset = {
  id: 'survey',
  title: 'Survey',
  description: 'cloud as LAS 1.4 and PLY with its offset, and a report to print',
  needsPhotos: false,
  estimateBytes: (scene) => 300_000 + pointsAbout(scene) * (40 + 43),
  write: async (input) => {
    const { scene, facts, unit } = input;
    const software = `Pointmap Studio ${facts.version}`;
    return [
      las(scene, 'scene.las', {
        offset: facts.offset,
        step: unit === 'metre' ? 0.001 : stepOf(scene.cloud.positions),
        wkt: facts.coordinateSystem?.wkt,
        date: facts.date,
        software,
      }),
      { name: 'scene.ply', chunks: plyChunks(scene, facts.offset) },
      { name: 'report.html', chunks: textChunks([reportHtml(input, await boundsOf(scene))]) },
    ];
  },
};

/** A millionth of the cloud's size, as a power of ten: without a scale nobody knows what a millimetre is. */
function stepOf(positions: Float32Array): number {
  let most = 0;
  for (const value of positions) most = Math.max(most, Math.abs(value));
  return 10 ** Math.floor(Math.log10(most || 1) - 6);
}
