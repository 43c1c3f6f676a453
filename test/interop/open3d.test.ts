import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exported, installed, lastJson, python, run } from './tools.js';

const SCRIPT = `
import json, sys, numpy, open3d
cloud = open3d.io.read_point_cloud(sys.argv[1])
p, c, n = (numpy.asarray(a) for a in (cloud.points, cloud.colors, cloud.normals))
print(json.dumps(dict(count=len(p), mean=p.mean(0).tolist(), last=p[-1].tolist(), color=(c[-1] * 255).round().tolist(), lengths=[float(numpy.linalg.norm(n, axis=1).min()), float(numpy.linalg.norm(n, axis=1).max())])))
`;

describe.skipIf(!installed(python, '-c', 'import open3d'))('Open3D reads our PLY', () => {
  test('points, colours and normals come back', async () => {
    const {
      folder,
      scene: { cloud },
    } = await exported('ply');
    const read = lastJson<{ count: number; last: number[]; color: number[]; lengths: [number, number] }>(
      run(python, '-c', SCRIPT, join(folder, 'scene.ply')),
    );
    const n = cloud.confidence.length;
    expect(read.count).toBe(n);
    read.last.forEach((value, i) => expect(value).toBeCloseTo(cloud.positions[3 * (n - 1) + i]!, 5));
    expect(read.color).toEqual([...cloud.colors.subarray(3 * (n - 1))]);
    expect(read.lengths[0]).toBeGreaterThan(0.999);
    expect(read.lengths[1]).toBeLessThan(1.001);
  });
});

const DEPTH_SCRIPT = `
import json, sys, numpy
from PIL import Image
folder = sys.argv[1]
side = json.load(open(folder + '/png.json'))['maps'][0]
png = numpy.asarray(Image.open(folder + '/' + side['file'])).astype(float) * side['unitsPerStep']
lines = open(folder + '/photo-0.pfm', 'rb').read().split(b'\\n', 3)
w, h = map(int, lines[1].split())
pfm = numpy.frombuffer(lines[3], '<f4').reshape(h, w)[::-1]
print(json.dumps(dict(shape=list(pfm.shape), top=float(pfm[0, 0]), difference=float(abs(png - pfm).max()), step=side['unitsPerStep'])))
`;

describe.skipIf(!installed(python, '-c', 'import numpy, PIL'))('NumPy and Pillow read our depth maps', () => {
  test('PNG and PFM agree to half a step', async () => {
    const { folder, scene } = await exported('depth-png', 'depth-pfm');
    const read = lastJson<{ shape: number[]; top: number; difference: number; step: number }>(
      run(python, '-c', DEPTH_SCRIPT, join(folder, 'depth')),
    );
    const map = scene.depthMaps[0]!;
    expect(read.shape).toEqual([map.height, map.width]);
    expect(read.top).toBeCloseTo(map.depth[0]!, 5);
    expect(read.difference).toBeLessThan(read.step * 0.51);
  });
});
