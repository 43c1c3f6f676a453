import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { exported, installed, lastJson, run } from './tools.js';

// Blender's world has z up, as the scene frame has: its importer undoes the turn to glTF's y up.
const SCRIPT = `
import bpy, json, numpy, sys
# Debian's Blender 3.4 comes with a NumPy that no longer has the alias its importer uses.
if 'bool' not in numpy.__dict__: numpy.bool = bool
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=sys.argv[-1])
scene = bpy.context.scene
bpy.context.view_layer.update()
cameras = {o.name: dict(position=list(o.matrix_world.translation), forward=list(-o.matrix_world.col[2].to_3d()), fov=(o.data.angle_x, o.data.angle_y)) for o in bpy.data.objects if o.type == 'CAMERA'}
[points] = [o for o in bpy.data.objects if o.type == 'MESH']
mesh = points.data
colors = numpy.zeros(4 * len(mesh.loops), numpy.float32)
mesh.color_attributes[0].data.foreach_get('color_srgb', colors)
roots = [o.name for o in bpy.data.objects if o.parent is None]
# What Cycles draws through the first camera without any lamp, against nothing.
scene.camera = next(o for o in bpy.data.objects if o.type == 'CAMERA')
scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = 'CYCLES', 4, False
scene.render.resolution_x, scene.render.resolution_y, scene.render.film_transparent = 64, 48, True
scene.view_settings.view_transform = 'Standard'
scene.render.filepath = sys.argv[-1] + '.png'
bpy.ops.render.render(write_still=True)
print(json.dumps(dict(points=len(mesh.polygons), first=list(points.matrix_world @ mesh.polygons[0].center), color=(colors[:4] * 255).round().tolist(), roots=roots, cameras=cameras)))
`;

interface Read {
  points: number;
  first: number[];
  color: number[];
  roots: string[];
  cameras: Record<string, { position: number[]; forward: number[]; fov: [number, number] }>;
}

describe.skipIf(!installed('blender', '--version'))('Blender reads our GLB', () => {
  test('coloured without any script, under one parent; cameras where they stood, looking the same way', async () => {
    const { folder, scene } = await exported('glb');
    const file = join(folder, 'scene.glb');
    const read = lastJson<Read>(run('blender', '-b', '--python-exit-code', '3', '--python-expr', SCRIPT, '--', file));
    expect(read.points).toBe(scene.cloud.confidence.length);
    const [x, y, z] = scene.cloud.positions;
    [x!, y!, z!].forEach((value, i) => expect(read.first[i]).toBeCloseTo(value, 4));
    expect(read.color).toEqual([...scene.cloud.colors.subarray(0, 3), 255]);
    expect(read.roots).toEqual(['scene']);
    for (const camera of scene.cameras) {
      const M = camera.worldFromCamera;
      const found = read.cameras[camera.name]!;
      [M[3]!, M[7]!, M[11]!].forEach((value, i) => expect(found.position[i]).toBeCloseTo(value, 4));
      [M[2]!, M[6]!, M[10]!].forEach((value, i) => expect(found.forward[i]).toBeCloseTo(value, 4));
    }
    const { data } = await sharp(`${file}.png`).raw().toBuffer({ resolveWithObject: true });
    const mean = (values: ArrayLike<number>, channel: number, step: number): number => {
      let [sum, count] = [0, 0];
      for (let k = 0; k < values.length; k += step) {
        // Drawn pixels only.
        if (step === 4 && values[k + 3]! < 255) continue;
        sum += values[k + channel]!;
        count++;
      }
      return sum / count;
    };
    const drawn = Array.from({ length: data.length / 4 }, (_, k) => data[4 * k + 3]!).filter((alpha) => alpha === 255);
    expect(drawn.length).toBeGreaterThan((0.5 * data.length) / 4);
    for (let channel = 0; channel < 3; channel++)
      expect(Math.abs(mean(data, channel, 4) - mean(scene.cloud.colors, channel, 3))).toBeLessThan(20);
  });
});
