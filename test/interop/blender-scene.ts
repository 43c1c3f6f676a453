import { lastJson, runWithin } from './tools.js';

/** Runs the script of an export in Blender, then renders through some of its cameras at half size. */
const SCRIPT = `
import bpy, json, sys
folder, engine, wanted = sys.argv[sys.argv.index('--') + 1:][:3]
# As a person has it: with the cube, the lamp and the camera that Blender begins with.
bpy.ops.wm.read_factory_settings()
path = folder + '/open_in_blender.py'
exec(compile(open(path).read(), path, 'exec'), {'__name__': '__main__', '__file__': path})
scene = bpy.context.scene
bpy.context.view_layer.update()
cameras = sorted((o for o in bpy.data.objects if o.type == 'CAMERA' and 'photo' in o), key=lambda o: o.name)
first = dict(camera=scene.camera.name, size=[scene.render.resolution_x, scene.render.resolution_y])
[root] = [o for o in bpy.data.collections['scene'].objects if o.parent is None]
thing = next(o for o in bpy.data.objects if o.type == 'MESH' and not o.hide_render)
def places():
    bpy.context.view_layer.update()
    return [list(cameras[0].matrix_world.translation), list(thing.matrix_world @ thing.data.vertices[0].co)]
before = places()
root.scale = (3, 3, 3)
after = places()
root.scale = (1, 1, 1)
scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = engine, 6, False
scene.eevee.taa_render_samples = 4
scene.render.film_transparent = True
scene.render.resolution_percentage = 50
renders = []
step = max(1, (len(cameras) - 1) // max(1, int(wanted) - 1))
for camera in cameras[::step][:int(wanted)]:
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = int(camera['width']), int(camera['height'])
    scene.render.filepath = folder + '/' + camera.name + '.render.png'
    bpy.ops.render.render(write_still=True)
    lens = camera.data
    background = lens.background_images[0]
    renders.append(dict(render=scene.render.filepath, picture=bpy.path.abspath(background.image.filepath),
        pictureSize=list(background.image.size), size=[int(camera['width']), int(camera['height'])], display=lens.display_size))
print(json.dumps(dict(first=first, root=root.type, collections=[c.name for c in bpy.data.collections if c.name != 'Collection'], before=before, after=after, renders=renders)))
`;

export interface BlenderScene {
  first: { camera: string; size: [number, number] };
  root: string;
  collections: string[];
  /** Places of a camera and of a point, before and after the parent was scaled by 3. */
  before: number[][];
  after: number[][];
  renders: { render: string; picture: string; pictureSize: number[]; size: number[]; display: number }[];
}

export function openedInBlender(folder: string, engine: 'CYCLES' | 'BLENDER_EEVEE', cameras: number): BlenderScene {
  const parameters = ['-b', '--python-exit-code', '3', '--python-expr', SCRIPT, '--', folder, engine, String(cameras)];
  // EEVEE draws with OpenGL, which needs a screen, if only a pretended one.
  return lastJson<BlenderScene>(
    engine === 'CYCLES'
      ? runWithin(560_000, 'blender', ...parameters)
      : runWithin(560_000, 'xvfb-run', '-a', 'blender', ...parameters),
  );
}
