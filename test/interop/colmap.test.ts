import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { colmapModel, quaternionOf } from '../../electron/export/colmap.js';
import { invertRigid } from '../../electron/geometry/linear.js';
import { exported, installed, run } from './tools.js';

describe.skipIf(!installed('colmap', 'help'))('COLMAP reads our models', () => {
  test.each(['colmap-bin', 'colmap-text'])('%s: cameras, poses and points come back', async (id) => {
    const { folder, scene } = await exported(id);
    const out = join(folder, 'out');
    mkdirSync(out);
    run('colmap', 'model_converter', '--input_path', join(folder, 'colmap'), '--output_path', out, '--output_type', 'TXT');
    const lines = (name: string) => readFileSync(join(out, name), 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));
    const cameras = lines('cameras.txt').map((line) => line.split(' ')).sort((a, b) => Number(a[0]) - Number(b[0]));
    expect(cameras).toHaveLength(scene.cameras.length);
    cameras.forEach(([, model, width, height, f, cx], k) => {
      const camera = scene.cameras[k]!;
      expect([model, Number(width), Number(height)]).toEqual(['SIMPLE_RADIAL', camera.width, camera.height]);
      expect(Number(f)).toBeCloseTo(camera.fx, 6);
      expect(Number(cx)).toBeCloseTo(camera.cx + 0.5, 6);
    });
    const images = lines('images.txt').filter((line) => line.includes('photo-'));
    for (const line of images) {
      const fields = line.split(' ');
      const camera = scene.cameras.find(({ name }) => name === fields[9])!;
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
    // Recomputes the reprojection errors and drops what does not project where we say; COLMAP always drops points of one sighting.
    run('colmap', 'point_filtering', '--input_path', join(folder, 'colmap'), '--output_path', out, '--max_reproj_error', '0.1', '--min_track_len', '2', '--min_tri_angle', '0');
    const kept = Number(readFileSync(join(out, 'points3D.bin')).readBigUInt64LE(0));
    expect(kept).toBe(colmapModel(scene).points.filter(({ track }) => track.length >= 2).length);
    expect(kept).toBeGreaterThan(1000);
  });
});
