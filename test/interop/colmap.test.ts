import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../electron/engine/engine.js';
import { colmapModel, quaternionOf } from '../../electron/export/colmap.js';
import { invertRigid } from '../../electron/numerics/linear.js';
import { roomEstimator, roomPhotos } from '../fixtures/room-estimator.js';
import { exported, installed, run } from './tools.js';

describe.skipIf(!installed('colmap', 'help'))('COLMAP reads our models', () => {
  test.each(['colmap-bin', 'colmap-text'])('%s: cameras, poses and points come back', async (id) => {
    const { folder, scene } = await exported(id);
    const out = join(folder, 'out');
    mkdirSync(out);
    run(
      'colmap',
      'model_converter',
      '--input_path',
      join(folder, 'colmap'),
      '--output_path',
      out,
      '--output_type',
      'TXT',
    );
    const lines = (name: string) =>
      readFileSync(join(out, name), 'utf8')
        .split('\n')
        .filter((line) => line && !line.startsWith('#'));
    const cameras = new Map(lines('cameras.txt').map((line) => [line.split(' ')[0], line.split(' ')]));
    const images = lines('images.txt').filter((line) => line.includes('photo-'));
    expect(images).toHaveLength(scene.cameras.length);
    for (const line of images) {
      const fields = line.split(' ');
      const camera = scene.cameras.find(({ name }) => name === fields[9])!;
      const [, model, width, height, f, cx] = cameras.get(fields[8])!;
      expect([model, Number(width), Number(height)]).toEqual(['SIMPLE_RADIAL', camera.width, camera.height]);
      expect(Number(f)).toBeCloseTo(camera.fx, 6);
      expect(Number(cx)).toBeCloseTo(camera.cx + 0.5, 6);
      const pose = invertRigid(camera.worldFromCamera);
      const q = quaternionOf(pose);
      const sign = Math.sign(q[0] * Number(fields[1]));
      fields.slice(1, 5).forEach((value, i) => expect(sign * Number(value)).toBeCloseTo(q[i]!, 6));
      fields.slice(5, 8).forEach((value, i) => expect(Number(value)).toBeCloseTo(pose[4 * i + 3]!, 6));
    }
    expect(lines('points3D.txt').length).toBe(scene.cloud.confidence.length);
  });

  test('its own reprojection errors of our points are nil', async () => {
    const { folder, scene } = await exported('colmap-bin');
    const out = join(folder, 'out');
    mkdirSync(out);
    // Recomputes the reprojection errors and drops what does not project where we say; COLMAP always drops points of
    // one sighting.
    run(
      'colmap',
      'point_filtering',
      '--input_path',
      join(folder, 'colmap'),
      '--output_path',
      out,
      '--max_reproj_error',
      '0.1',
      '--min_track_len',
      '2',
      '--min_tri_angle',
      '0',
    );
    const kept = Number(readFileSync(join(out, 'points3D.bin')).readBigUInt64LE(0));
    expect(kept).toBe(colmapModel(scene).points.filter(({ track }) => track.length >= 2).length);
    expect(kept).toBeGreaterThan(1000);
  });

  test('it undistorts the photos that come with a model, one turned by its EXIF among them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pointmap-interop-'));
    const photos = await roomPhotos(folder, 4);
    const upright = readdirSync(photos).sort()[1]!;
    const stored = await sharp(join(photos, upright)).rotate(270).toBuffer();
    rmSync(join(photos, upright));
    await sharp(stored)
      .jpeg({ quality: 95 })
      .withMetadata({ orientation: 6 })
      .toFile(join(photos, upright.replace('.png', '.jpg')));
    const engine = new Engine({
      dataFolder: join(folder, 'data'),
      threads: 1,
      estimators: [() => [roomEstimator({ observed: 0 })]],
    });
    await engine.request('project.create', { path: join(folder, 'room.pointmap') });
    await engine.request('photos.add', { paths: [photos] });
    await engine.request('edit.apply', {
      edit: { kind: 'settings', settings: { estimator: 'room', graph: 'complete' } },
    });
    await engine.request('run.start', {});
    expect(await engine.settled()).toMatchObject({ state: 'finished' });
    await engine.request('export.write', { folder, formats: ['colmap-text'] });
    await engine.close();

    const model = join(folder, 'colmap');
    const out = join(folder, 'undistorted');
    // The room's lens bends nothing, for which COLMAP would copy the photos unread; it stops at one whose size is not
    // its camera's.
    const cameras = readFileSync(join(model, 'cameras.txt'), 'utf8');
    writeFileSync(join(model, 'cameras.txt'), cameras.replace(/ 0$/gm, ' 0.01'));
    run(
      'colmap',
      'image_undistorter',
      '--image_path',
      join(model, 'images'),
      '--input_path',
      model,
      '--output_path',
      out,
    );
    expect(readdirSync(join(out, 'images')).sort()).toEqual(readdirSync(join(model, 'images')).sort());
    expect(readdirSync(join(model, 'images'))).toContain(upright.replace('.png', '.jpg'));
  });
});
