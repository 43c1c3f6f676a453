import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { presetSettings, type PresetId } from '../../electron/contract/presets.js';
import { presets } from '../../electron/export/presets/index.js';
import { writeFiles } from '../../electron/export/write-files.js';
import { presetInput } from '../fixtures/preset-input.js';
import { pointmap, realSet, reconstructed } from '../fixtures/real-photos.js';
import { blockOffsets, median } from './block-matching.js';
import { openedInBlender } from './blender-scene.js';
import { faults, readDataset, reprojectionError, squaredError } from './splatting-rules.js';
import { installed, run } from './tools.js';

async function exportOf(id: PresetId): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `pointmap-${id}-`));
  const preset = presets.find((each) => each.id === id)!;
  await writeFiles(folder, await preset.write(await presetInput(), presetSettings.parse({ preset: id })));
  return folder;
}

describe('A splatting export', () => {
  test('keeps the rules of the trainers, and its errors are those of its features', async () => {
    const folder = await exportOf('splatting');
    expect(await faults(folder)).toEqual([]);
    const dataset = readDataset(folder);
    const told = dataset.points.reduce((sum, { error, track }) => sum + error * track.length, 0);
    const sightings = dataset.points.reduce((sum, { track }) => sum + track.length, 0);
    const mean = reprojectionError(dataset);
    expect(mean).toBeGreaterThan(0.05);
    expect(Math.abs(told / sightings / mean - 1)).toBeLessThan(0.05);
  });

  test.skipIf(!installed('colmap', 'help'))('COLMAP starts its bundle adjustment from the same errors', async () => {
    const folder = await exportOf('splatting');
    const model = join(folder, 'sparse/0');
    const told = run('colmap', 'model_analyzer', '--path', model);
    expect(told).toMatch(/Registered images: 3/);
    const mean = Number(/Mean reprojection error: ([\d.]+)px/.exec(told)![1]);
    expect(Math.abs(mean / reprojectionError(readDataset(folder)) - 1)).toBeLessThan(0.05);
  });
});

/** The preset of a folder's photos, which are reconstructed once for all that is exported from them. */
async function exported(photos: string, preset: PresetId): Promise<string> {
  const { code, progress, out } = await reconstructed(photos);
  expect(code, progress).toBe(0);
  const folder = join(mkdtempSync(join(tmpdir(), `pointmap-${preset}-`)), 'out');
  const said = await pointmap('export', join(out, 'scene.pointmap'), '--for', preset, '--out', folder);
  expect(said.code, said.progress).toBe(0);
  return folder;
}

const real = ['sceaux', 'fox'].flatMap((name) => realSet(name) ?? []);

describe.skipIf(!installed('colmap', 'help')).each(real)(
  'A splatting export of real photos, with the tracks of the reconstruction: %s',
  (photos) => {
    test('keeps the rules, and COLMAP starts its bundle adjustment from the cost that its features give', async () => {
      const folder = await exported(photos, 'splatting');
      expect(await faults(folder)).toEqual([]);
      const dataset = readDataset(folder);
      expect(dataset.points.length).toBeGreaterThan(1000);
      const mean = reprojectionError(dataset);
      const told = dataset.points.reduce((sum, { error, track }) => sum + error * track.length, 0);
      const sightings = dataset.points.reduce((sum, { track }) => sum + track.length, 0);
      expect(Math.abs(told / sightings / mean - 1)).toBeLessThan(0.05);
      const out = mkdtempSync(join(tmpdir(), 'pointmap-adjusted-'));
      const model = ['--input_path', join(folder, 'sparse/0'), '--output_path', out];
      const said = run('colmap', 'bundle_adjuster', ...model, '--BundleAdjustment.max_num_iterations', '1');
      // Ceres' cost is half the sum of the squares.
      const cost = Number(/^\s*0\s+([\d.e+-]+)/m.exec(said)![1]);
      expect(Math.abs(cost / (squaredError(dataset) / 2) - 1)).toBeLessThan(0.05);
    }, 900_000);
  },
);

// The samples, whose lens bends nothing, where no other photos are.
const looked = realSet('sceaux') ?? join(import.meta.dirname, '../../resources/samples/courtyard');

describe.skipIf(!installed('blender', '--version')).each([looked])('Blender opens the export of %s', (photos) => {
  let folder: string;
  beforeAll(async () => {
    folder = await exported(photos, 'blender');
  }, 600_000);

  test('one parent that scales all; cameras through which the points lie on the undistorted photos', async () => {
    const opened = openedInBlender(folder, 'CYCLES', 3);
    expect(opened.root).toBe('EMPTY');
    expect(opened.collections).toEqual(['scene']);
    opened.before.flat().forEach((value, i) => expect(opened.after.flat()[i]).toBeCloseTo(3 * value, 3));
    expect(opened.renders).toHaveLength(3);
    expect(opened.first.size).toEqual(opened.renders[0]!.size);
    const [all, outer]: [number[], number[]] = [[], []];
    for (const { render, picture, pictureSize, size } of opened.renders) {
      expect(pictureSize).toEqual(size);
      const offsets = await blockOffsets(render, picture);
      expect(offsets.blocks).toBeGreaterThan(50);
      // Over the three cameras together below; 100_7110 of sceaux alone has 1.7 pixels. Points that its own depths gave
      // lie on their pixels exactly; those of the photos that look at the facade's other end are off by 1 at half size,
      // and where the surfaces of several photos interleave the front one is drawn.
      expect(offsets.median).toBeLessThanOrEqual(2.5);
      all.push(...offsets.all);
      outer.push(...offsets.outer);
    }
    expect(median(all)).toBeLessThanOrEqual(1.5);
    if (outer.length >= 10) expect(median(outer)).toBeLessThanOrEqual(2);
  }, 600_000);
});

test.skipIf(!installed('blender', '--version') || !installed('xvfb-run', '--help'))(
  'EEVEE draws the points in their colours too',
  async () => {
    const folder = await exportOf('blender');
    const { renders } = openedInBlender(folder, 'BLENDER_EEVEE', 1);
    const { channels } = await sharp(renders[0]!.render).stats();
    const [red, , , alpha] = channels;
    expect(alpha!.mean).toBeGreaterThan(80);
    expect(red!.stdev).toBeGreaterThan(10);
  },
);
