import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { reconstruct } from '../../electron/cli/reconstruct.js';
import type { FisheyeProjection } from '../../electron/geometry/projection.js';
import { invertRigid, multiply4, rotationOf } from '../../electron/numerics/linear.js';
import { rotationDifference } from '../../electron/sparse/two-view.js';
import { lookAt, Room } from '../fixtures/room.js';

const folder = mkdtempSync(join(tmpdir(), 'pointmap-fisheye-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [width, height] = [720, 540];
const focal = width / ((100 / 180) * Math.PI);
const camera: FisheyeProjection = {
  kind: 'fisheye',
  ...{ width, height, fx: focal, fy: focal, cx: (width - 1) / 2, cy: (height - 1) / 2 },
  ...{ k1: 0.03, k2: -0.008, k3: 0.001, k4: 0 },
};

describe('photos of a fisheye that nothing tells', () => {
  it('are straightened in the middle of the run, and placed', { timeout: 600_000 }, async () => {
    const room = new Room(5, 8);
    const truth = new Map<string, Float64Array>();
    const photos: string[] = [];
    for (let k = 0; k < 5; k++) {
      const eye = [-1.5 + 0.6 * k, -0.4 + 0.15 * Math.sin(2 * k), -1.2 + 0.5 * Math.cos(1.3 * k)];
      const pose = lookAt(eye, [eye[0]! + 0.5 * Math.sin(k), 0.1, eye[2]! + 3], 0.05 * Math.cos(k));
      const name = `fish-${k}.png`;
      truth.set(name, pose);
      photos.push(join(folder, name));
      const { pixels } = room.renderWide(pose, camera);
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(photos[k]!);
    }
    const said: string[] = [];
    const log = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    await reconstruct(photos, { out: join(folder, 'out'), formats: 'cameras', quality: 'draft' }).finally(() =>
      log.mockRestore(),
    );
    expect(said.join('')).toMatch(/fish-0\.png, .* taken with a fisheye, some (99|100|101) degrees across/);
    const { photos: found } = JSON.parse(readFileSync(join(folder, 'out', 'cameras.json'), 'utf8')) as {
      photos: { name: string; worldFromCamera: number[] }[];
    };
    expect(found.map(({ name }) => name).sort()).toEqual([...truth.keys()]);
    const is = new Map(found.map(({ name, worldFromCamera }) => [name, Float64Array.from(worldFromCamera)]));
    const between = (set: ReadonlyMap<string, Float64Array>, k: number) =>
      rotationOf(multiply4(invertRigid(set.get('fish-0.png')!), set.get(`fish-${k}.png`)!));
    // 0.4 degrees and more under two radial terms.
    for (let k = 1; k < 5; k++) expect(rotationDifference(between(is, k), between(truth, k))).toBeLessThan(0.1);
  });
});
