import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exported, installed, lastJson, run } from './tools.js';

// Blender's world has z up: its importer turns glTF's (x, y, z) into (x, -z, y). Ours is turned to glTF's by (x, -y,
// -z), so Blender holds (x, z, -y).
const SCRIPT = `
import bpy, json, numpy, sys
# Debian's Blender 3.4 comes with a NumPy that no longer has the alias its importer uses.
if 'bool' not in numpy.__dict__: numpy.bool = bool
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=sys.argv[-1])
meshes = [o for o in bpy.data.objects if o.type == 'MESH']
bpy.context.view_layer.update()
cameras = {o.name: dict(position=list(o.matrix_world.translation), forward=list(-o.matrix_world.col[2].to_3d()), fov=(o.data.angle_x, o.data.angle_y)) for o in bpy.data.objects if o.type == 'CAMERA'}
mesh = meshes[0].data
print(json.dumps(dict(points=len(mesh.vertices), first=list(meshes[0].matrix_world @ mesh.vertices[0].co), attributes=[a.name for a in mesh.color_attributes], cameras=cameras)))
`;

interface Read {
  points: number;
  first: number[];
  attributes: string[];
  cameras: Record<string, { position: number[]; forward: number[]; fov: [number, number] }>;
}

describe.skipIf(!installed('blender', '--version'))('Blender reads our GLB', () => {
  test('points with colours, and cameras where they stood, looking the same way', async () => {
    const { folder, scene } = await exported('glb');
    const read = lastJson<Read>(
      run('blender', '-b', '--python-exit-code', '3', '--python-expr', SCRIPT, '--', join(folder, 'scene.glb')),
    );
    expect(read.points).toBe(scene.cloud.confidence.length);
    const [x, y, z] = scene.cloud.positions;
    [x!, z!, -y!].forEach((value, i) => expect(read.first[i]).toBeCloseTo(value, 4));
    expect(read.attributes).toHaveLength(1);
    for (const camera of scene.cameras) {
      const M = camera.worldFromCamera;
      const found = read.cameras[camera.name]!;
      [M[3]!, M[11]!, -M[7]!].forEach((value, i) => expect(found.position[i]).toBeCloseTo(value, 4));
      [M[2]!, M[10]!, -M[6]!].forEach((value, i) => expect(found.forward[i]).toBeCloseTo(value, 4));
    }
  });
});
