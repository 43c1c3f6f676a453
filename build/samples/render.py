"""Renders the sample photos: a courtyard, built here from primitives and procedural textures alone.

    blender -b --python build/samples/render.py -- OUT [--samples 64] [--scale 1.0] [--only 0,3 | --only none] [--geometry FILE.ply]

Writes OUT/<name>.png, OUT/depth.json (true depth along the camera axis on a coarse grid of pixels, for tests; 0 is the sky)
and OUT/cameras.json (pixels of the upright photo, camera x right, y down, z forward, metres).
--geometry also writes the scene's triangles, in the frame of cameras.json: the truth that surfaces are measured against.
build/samples/finish.mjs turns the PNGs into the JPEGs of resources/samples/courtyard, with EXIF.
"""
import json
import math
import random
import sys

import bpy
from mathutils import Matrix, Vector

WIDTH, HEIGHT = 1280, 960
FOCAL_35MM = 28.0
FOCAL = FOCAL_35MM / 36.0 * WIDTH
random.seed(7)


def arguments():
    rest = sys.argv[sys.argv.index('--') + 1:]
    options = {'--samples': '64', '--scale': '1.0', '--only': '', '--geometry': ''}
    for key in options:
        if key in rest:
            options[key] = rest[rest.index(key) + 1]
    only = None
    if options['--only']:
        only = [] if options['--only'] == 'none' else [int(k) for k in options['--only'].split(',')]
    return rest[0], int(options['--samples']), float(options['--scale']), only, options['--geometry']


# --- materials -------------------------------------------------------------------------------------------------------

class Material:
    """A Principled material with a texture on world-scaled object coordinates and a bump from the same texture."""

    def __init__(self, name, roughness=0.85):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.nodes, self.links = self.material.node_tree.nodes, self.material.node_tree.links
        self.shader = self.nodes['Principled BSDF']
        self.shader.inputs['Roughness'].default_value = roughness
        self.shader.inputs['Specular'].default_value = 0.2
        self.coordinates = self.nodes.new('ShaderNodeTexCoord').outputs['Object']

    def node(self, kind, inputs=None, **attributes):
        node = self.nodes.new(kind)
        for key, value in attributes.items():
            setattr(node, key, value)
        for key, value in (inputs or {}).items():
            if hasattr(value, 'is_output') or isinstance(value, bpy.types.NodeSocket):
                self.links.new(value, node.inputs[key])
            else:
                node.inputs[key].default_value = value
        return node

    def noise(self, scale, detail=8.0, vector=None):
        return self.node('ShaderNodeTexNoise', {'Scale': scale, 'Detail': detail, 'Roughness': 0.65, 'Vector': vector or self.coordinates})

    def ramp(self, factor, stops):
        node = self.node('ShaderNodeValToRGB', {'Fac': factor})
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, colour) in zip(elements, stops):
            element.position, element.color = position, (*colour, 1)
        return node.outputs['Color']

    def mix(self, factor, a, b, blend='MIX'):
        return self.node('ShaderNodeMixRGB', {'Fac': factor, 'Color1': a, 'Color2': b}, blend_type=blend).outputs['Color']

    def finish(self, colour, height, strength=0.5, distance=0.03):
        self.links.new(colour, self.shader.inputs['Base Color'])
        bump = self.node('ShaderNodeBump', {'Strength': strength, 'Distance': distance, 'Height': height})
        self.links.new(bump.outputs['Normal'], self.shader.inputs['Normal'])
        return self.material


def wall_coordinates(m, axis):
    """Puts the wall's own plane into x and y, so that bricks lie in courses."""
    split = m.node('ShaderNodeSeparateXYZ', {'Vector': m.coordinates})
    return m.node('ShaderNodeCombineXYZ', {'X': split.outputs['X' if axis == 'x' else 'Y'], 'Y': split.outputs['Z']}).outputs['Vector']


def brick(name, axis, dark, light, mortar, size=(0.5, 0.22), dirt=0.6):
    m = Material(name)
    vector = wall_coordinates(m, axis) if axis else m.coordinates
    wobble = m.noise(3.0, 4.0)
    moved = m.node('ShaderNodeMixRGB', {'Fac': 0.02, 'Color1': vector, 'Color2': wobble.outputs['Color']}, blend_type='LINEAR_LIGHT').outputs['Color']
    bricks = m.node('ShaderNodeTexBrick', {'Vector': moved, 'Scale': 1.0, 'Color1': (*dark, 1), 'Color2': (*light, 1), 'Mortar': (*mortar, 1),
                                           'Mortar Size': 0.018, 'Mortar Smooth': 0.4, 'Brick Width': size[0], 'Row Height': size[1], 'Bias': 0.0})
    grain = m.noise(26.0, 12.0)
    stains = m.noise(1.1, 10.0)
    colour = m.mix(0.75, bricks.outputs['Color'], m.ramp(grain.outputs['Fac'], [(0.3, (0.32, 0.3, 0.28)), (0.7, (1, 0.98, 0.94))]), 'MULTIPLY')
    colour = m.mix(dirt, colour, m.ramp(stains.outputs['Fac'], [(0.35, (0.45, 0.42, 0.36)), (0.62, (1, 1, 1))]), 'MULTIPLY')
    height = m.mix(0.35, bricks.outputs['Fac'], grain.outputs['Fac'], 'SUBTRACT')
    invert = m.node('ShaderNodeInvert', {'Color': height}).outputs['Color']
    return m.finish(colour, invert, 0.7, 0.03)


def plaster(name, colours):
    m = Material(name)
    large, fine, cracks = m.noise(1.3, 10.0), m.noise(38.0, 10.0), m.node('ShaderNodeTexVoronoi', {'Vector': m.coordinates, 'Scale': 2.2}, feature='DISTANCE_TO_EDGE')
    colour = m.ramp(large.outputs['Fac'], [(0.3, colours[0]), (0.5, colours[1]), (0.68, colours[2])])
    colour = m.mix(0.7, colour, m.ramp(fine.outputs['Fac'], [(0.3, (0.5, 0.48, 0.45)), (0.65, (1, 1, 1))]), 'MULTIPLY')
    colour = m.mix(0.8, colour, m.ramp(cracks.outputs['Distance'], [(0.0, (0.3, 0.27, 0.24)), (0.02, (1, 1, 1))]), 'MULTIPLY')
    return m.finish(colour, fine.outputs['Fac'], 0.4, 0.02)


def cobbles(name):
    m = Material(name)
    bend = m.noise(2.0, 3.0)
    moved = m.node('ShaderNodeMixRGB', {'Fac': 0.06, 'Color1': m.coordinates, 'Color2': bend.outputs['Color']}, blend_type='LINEAR_LIGHT').outputs['Color']
    edges = m.node('ShaderNodeTexVoronoi', {'Vector': moved, 'Scale': 4.2, 'Randomness': 0.8}, feature='DISTANCE_TO_EDGE')
    cells = m.node('ShaderNodeTexVoronoi', {'Vector': moved, 'Scale': 4.2, 'Randomness': 0.8})
    grain, moss = m.noise(45.0, 12.0), m.noise(0.8, 8.0)
    stone = m.ramp(m.node('ShaderNodeSeparateRGB', {'Image': cells.outputs['Color']}).outputs['R'], [(0, (0.17, 0.16, 0.15)), (0.5, (0.36, 0.32, 0.28)), (1, (0.5, 0.47, 0.43))])
    stone = m.mix(0.8, stone, m.ramp(grain.outputs['Fac'], [(0.3, (0.4, 0.4, 0.4)), (0.7, (1, 1, 1))]), 'MULTIPLY')
    gaps = m.mix(m.ramp(moss.outputs['Fac'], [(0.4, (0, 0, 0)), (0.6, (1, 1, 1))]), (0.1, 0.08, 0.06, 1), (0.09, 0.14, 0.04, 1))
    mask = m.ramp(edges.outputs['Distance'], [(0.03, (0, 0, 0)), (0.09, (1, 1, 1))])
    return m.finish(m.mix(mask, gaps, stone), m.mix(0.2, mask, grain.outputs['Fac'], 'ADD'), 0.9, 0.04)


def wood(name, dark, light, plank=6.0):
    m = Material(name, 0.6)
    stretched = m.node('ShaderNodeMapping', {'Vector': m.coordinates, 'Scale': (plank, plank, plank * 0.12)}).outputs['Vector']
    grain, fine = m.noise(2.5, 12.0, stretched), m.noise(60.0, 6.0)
    planks = m.node('ShaderNodeTexWave', {'Vector': m.coordinates, 'Scale': 1.2, 'Distortion': 0.3}, bands_direction='DIAGONAL')
    colour = m.ramp(grain.outputs['Fac'], [(0.3, dark), (0.65, light)])
    colour = m.mix(0.6, colour, m.ramp(fine.outputs['Fac'], [(0.3, (0.5, 0.5, 0.5)), (0.7, (1, 1, 1))]), 'MULTIPLY')
    colour = m.mix(0.5, colour, m.ramp(planks.outputs['Fac'], [(0.02, (0.15, 0.12, 0.1)), (0.1, (1, 1, 1))]), 'MULTIPLY')
    return m.finish(colour, grain.outputs['Fac'], 0.5, 0.02)


def mottled(name, colours, scale=14.0, roughness=0.7):
    m = Material(name, roughness)
    large, fine = m.noise(scale, 10.0), m.noise(scale * 6, 8.0)
    colour = m.mix(0.5, m.ramp(large.outputs['Fac'], [(0.35, colours[0]), (0.65, colours[1])]), m.ramp(fine.outputs['Fac'], [(0.3, (0.5, 0.5, 0.5)), (0.7, (1, 1, 1))]), 'MULTIPLY')
    return m.finish(colour, large.outputs['Fac'], 0.4, 0.02)


def mosaic(name):
    m = Material(name, 0.4)
    cells = m.node('ShaderNodeTexVoronoi', {'Vector': m.coordinates, 'Scale': 11.0, 'Randomness': 0.6})
    edges = m.node('ShaderNodeTexVoronoi', {'Vector': m.coordinates, 'Scale': 11.0, 'Randomness': 0.6}, feature='DISTANCE_TO_EDGE')
    hue = m.node('ShaderNodeSeparateRGB', {'Image': cells.outputs['Color']}).outputs['R']
    colour = m.ramp(hue, [(0, (0.02, 0.1, 0.3)), (0.35, (0.05, 0.32, 0.4)), (0.6, (0.75, 0.7, 0.55)), (0.85, (0.6, 0.2, 0.08))])
    mask = m.ramp(edges.outputs['Distance'], [(0.02, (0, 0, 0)), (0.06, (1, 1, 1))])
    return m.finish(m.mix(mask, (0.25, 0.23, 0.2, 1), colour), mask, 0.5, 0.01)


# --- things ----------------------------------------------------------------------------------------------------------

def box(size, at, material, turn=0.0, bevel=0.01):
    bpy.ops.mesh.primitive_cube_add(size=1, location=at, rotation=(0, 0, turn))
    thing = bpy.context.object
    thing.scale = size
    bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    if bevel:
        thing.modifiers.new('bevel', 'BEVEL').width = bevel
    thing.data.materials.append(material)
    return thing


def cylinder(radius, depth, at, material, rotation=(0, 0, 0), vertices=40):
    bpy.ops.mesh.primitive_cylinder_add(radius=radius, depth=depth, location=at, rotation=rotation, vertices=vertices)
    bpy.context.object.data.materials.append(material)
    for face in bpy.context.object.data.polygons:
        face.use_smooth = len(face.vertices) == 4
    return bpy.context.object


def barrel(at, turn, staves, hoop):
    profile = [(0.26, 0.0), (0.31, 0.22), (0.33, 0.42), (0.31, 0.62), (0.26, 0.84)]
    vertices, faces, n = [], [], 36
    for r, z in profile:
        vertices += [(r * math.cos(2 * math.pi * k / n), r * math.sin(2 * math.pi * k / n), z) for k in range(n)]
    for level in range(len(profile) - 1):
        for k in range(n):
            a, b = level * n + k, level * n + (k + 1) % n
            faces.append((a, b, b + n, a + n))
    faces.append(tuple(range((len(profile) - 1) * n, len(profile) * n)))
    mesh = bpy.data.meshes.new('barrel')
    mesh.from_pydata(vertices, [], faces)
    mesh.materials.append(staves)
    thing = bpy.data.objects.new('barrel', mesh)
    thing.location, thing.rotation_euler = at, (0, 0, turn)
    bpy.context.collection.objects.link(thing)
    for z, r in ((0.12, 0.30), (0.3, 0.325), (0.56, 0.325), (0.72, 0.30)):
        bpy.ops.mesh.primitive_torus_add(major_radius=r, minor_radius=0.014, location=(at[0], at[1], at[2] + z))
        bpy.context.object.data.materials.append(hoop)


def plant(at, radius, leaves, material):
    vertices, faces = [], []
    for _ in range(leaves):
        d = Vector((random.gauss(0, 1), random.gauss(0, 1), abs(random.gauss(0, 1)) * 0.9)).normalized() * radius * random.uniform(0.45, 1.0)
        u = Vector((random.gauss(0, 1), random.gauss(0, 1), random.gauss(0, 1))).normalized()
        v = u.cross(d.normalized()).normalized()
        s = random.uniform(0.035, 0.08)
        base = len(vertices)
        for a, b in ((0, -1.3), (0.7, 0), (0, 1.3), (-0.7, 0)):
            vertices.append(Vector(at) + d + u * s * b + v * s * a)
        faces.append((base, base + 1, base + 2, base + 3))
    mesh = bpy.data.meshes.new('plant')
    mesh.from_pydata(vertices, [], faces)
    mesh.materials.append(material)
    bpy.context.collection.objects.link(bpy.data.objects.new('plant', mesh))


def window(x, y, z, facing, frame, glass, sill):
    """A window in the back wall (facing y) or a side wall (facing x or -x)."""
    turn = {'y': 0.0, 'x': math.pi / 2, '-x': -math.pi / 2}[facing]
    offset = Matrix.Rotation(turn, 3, 'Z')

    def part(size, local, material):
        place = Vector((x, y, z)) + offset @ Vector(local)
        box(size, place, material, turn)
    part((1.0, 0.05, 1.3), (0, 0.0, 0), glass)
    for side in (-0.55, 0.55):
        part((0.12, 0.16, 1.5), (side, -0.04, 0), frame)
        part((0.5, 0.06, 1.36), (side * 1.58, -0.1, 0), sill[1])
    part((1.22, 0.18, 0.14), (0, -0.05, 0.72), frame)
    part((1.35, 0.3, 0.1), (0, -0.1, -0.72), sill[0])
    part((0.06, 0.09, 1.3), (0, -0.03, 0), frame)
    part((1.0, 0.09, 0.05), (0, -0.03, 0.15), frame)


def build():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    stone_x = brick('stone wall', 'x', (0.42, 0.34, 0.25), (0.62, 0.53, 0.4), (0.5, 0.46, 0.4))
    brick_y = brick('brick wall', 'y', (0.34, 0.13, 0.08), (0.52, 0.25, 0.15), (0.5, 0.46, 0.41), (0.34, 0.12))
    ochre = plaster('ochre plaster', [(0.5, 0.27, 0.1), (0.68, 0.44, 0.2), (0.74, 0.58, 0.36)])
    tiles = brick('roof tiles', None, (0.3, 0.1, 0.05), (0.5, 0.21, 0.11), (0.1, 0.05, 0.04), (0.3, 0.35))
    ground = cobbles('cobbles')
    oak, pine, green = wood('oak', (0.07, 0.035, 0.015), (0.28, 0.16, 0.07)), wood('pine', (0.3, 0.17, 0.07), (0.6, 0.42, 0.22)), wood('green shutters', (0.03, 0.1, 0.07), (0.1, 0.24, 0.17))
    iron, glass = mottled('iron', [(0.03, 0.03, 0.03), (0.12, 0.08, 0.06)], 30), mottled('old glass', [(0.03, 0.04, 0.05), (0.1, 0.12, 0.14)], 3, 0.15)
    clay, leaf, flower = mottled('clay', [(0.35, 0.13, 0.06), (0.6, 0.3, 0.17)], 16), mottled('leaves', [(0.03, 0.09, 0.015), (0.14, 0.28, 0.05)], 9), mottled('flowers', [(0.6, 0.05, 0.1), (0.8, 0.35, 0.1)], 7)
    cut = mottled('cut stone', [(0.4, 0.36, 0.3), (0.66, 0.61, 0.53)], 18)
    blue = mosaic('mosaic')

    bpy.ops.mesh.primitive_plane_add(size=40, location=(0, 0, 0))
    bpy.context.object.data.materials.append(ground)
    # Three sides of the yard; the fourth is behind the photographer. Walls end inside their roofs, with no strip of sky between.
    box((12, 0.5, 5.42), (0, 5.25, 2.71), stone_x)
    box((0.5, 11, 4.48), (-6.0, 0.5, 2.24), brick_y)
    box((0.5, 11, 4.88), (6.0, 0.5, 2.44), ochre)
    box((12.6, 0.12, 0.35), (0, 4.95, 0.17), cut)
    box((12.6, 1.6, 0.12), (0, 4.75, 5.35), tiles).rotation_euler = (math.radians(18), 0, 0)
    box((1.4, 11, 0.12), (-5.7, 0.5, 4.5), tiles).rotation_euler = (0, math.radians(16), 0)
    box((1.4, 11, 0.12), (5.7, 0.5, 4.9), tiles).rotation_euler = (0, math.radians(-16), 0)
    for x in (-4.2, -1.9, 2.4, 4.75):
        window(x, 4.98, 3.75, 'y', cut, glass, (cut, green))
    for x in (-4.1, 4.1):
        window(x, 4.98, 1.6, 'y', cut, glass, (cut, green))
    for y in (-2.2, 0.6, 3.2):
        window(-5.73, y, 2.9, 'x', pine, glass, (cut, oak))
        window(5.73, y, 3.1, '-x', cut, glass, (cut, green))
    # The gate: an arch of cut stones about an oak door.
    box((1.9, 0.1, 2.3), (0.4, 4.96, 1.15), oak)
    cylinder(0.95, 0.1, (0.4, 4.985, 2.3), oak, (math.pi / 2, 0, 0))
    for k in range(13):
        angle = math.pi * k / 12
        stone = box((0.3, 0.35, 0.42), (0.4 + 1.14 * math.cos(angle), 4.92, 2.3 + 1.14 * math.sin(angle)), cut, bevel=0.03)
        stone.rotation_euler = (0, -angle + math.pi / 2, 0)
    for k in range(6):
        for side in (-1.14, 1.14):
            box((0.42 if k % 2 else 0.32, 0.33, 0.37), (0.4 + side, 4.92, 0.2 + 0.385 * k), cut, bevel=0.03)
    for z in (0.6, 1.9):
        box((1.7, 0.04, 0.08), (0.4, 4.89, z), iron)
    # The well, left of the middle.
    cylinder(0.85, 0.8, (-1.7, 1.7, 0.4), brick('well stones', None, (0.4, 0.36, 0.3), (0.58, 0.53, 0.46), (0.3, 0.27, 0.22), (0.45, 0.2)))
    bpy.ops.mesh.primitive_torus_add(major_radius=0.84, minor_radius=0.11, location=(-1.7, 1.7, 0.82))
    bpy.context.object.data.materials.append(cut)
    cylinder(0.7, 0.05, (-1.7, 1.7, 0.78), iron)
    for side in (-0.8, 0.8):
        box((0.12, 0.12, 2.1), (-1.7 + side, 1.7, 1.05), oak)
    for tilt in (-1, 1):
        box((2.1, 0.85, 0.06), (-1.7, 1.7 + tilt * 0.34, 2.2), tiles).rotation_euler = (math.radians(-tilt * 38), 0, 0)
    cylinder(0.07, 1.7, (-1.7, 1.7, 1.75), pine, (0, math.pi / 2, 0))
    cylinder(0.15, 0.26, (-1.55, 1.7, 1.2), oak)
    # Crates, barrels, a cart, pots.
    for size, x, y, z, turn in ((0.8, 3.3, 2.9, 0.4, 0.2), (0.7, 4.2, 3.1, 0.35, -0.3), (0.6, 3.6, 3.0, 1.1, 0.5), (0.65, 4.5, 1.9, 0.33, 0.9)):
        box((size, size, size), (x, y, z), pine, turn)
        for k in (-0.42, 0, 0.42):
            box((size * 1.04, size * 1.04, 0.07), (x, y, z + k * size), oak, turn)
    for x, y, turn in ((2.0, 4.2, 0.3), (2.75, 4.35, 1.0), (-4.9, 3.9, 0.7), (-5.1, 3.0, 2.0)):
        barrel((x, y, 0), turn, oak, iron)
    box((1.9, 1.0, 0.1), (1.6, 0.9, 0.75), pine, 0.35)
    for side in (-0.52, 0.52):
        d = Matrix.Rotation(0.35, 3, 'Z') @ Vector((0, side, 0))
        box((1.9, 0.06, 0.35), (1.6 + d.x, 0.9 + d.y, 0.95), oak, 0.35)
        d = Matrix.Rotation(0.35, 3, 'Z') @ Vector((0.3, side * 1.15, 0))
        bpy.ops.mesh.primitive_torus_add(major_radius=0.55, minor_radius=0.05, location=(1.6 + d.x, 0.9 + d.y, 0.58), rotation=(math.pi / 2, 0, 0.35))
        bpy.context.object.data.materials.append(oak)
        for k in range(4):
            spoke = cylinder(0.025, 1.08, (1.6 + d.x, 0.9 + d.y, 0.58), oak)
            spoke.rotation_euler = (Matrix.Rotation(0.35, 4, 'Z') @ Matrix.Rotation(k * math.pi / 4, 4, 'Y')).to_euler()
    for k in range(26):
        bpy.ops.mesh.primitive_ico_sphere_add(radius=random.uniform(0.11, 0.17), subdivisions=3, location=(1.6 + random.uniform(-0.6, 0.6), 0.9 + random.uniform(-0.3, 0.3), 0.92 + random.uniform(0, 0.16)))
        bpy.context.object.data.materials.append(random.choice([flower, leaf, clay]))
    for x, y, r, kind in ((-3.3, 4.4, 0.28, flower), (-2.6, 4.5, 0.22, leaf), (-5.2, 0.9, 0.3, leaf), (5.1, 0.4, 0.3, flower), (5.2, -0.7, 0.26, leaf), (-0.9, 4.5, 0.25, flower), (0.2, 2.6, 0.24, flower)):
        cylinder(r, 0.42, (x, y, 0.21), clay)
        plant((x, y, 0.5), r * 1.7, 500, leaf)
        if kind is flower:
            plant((x, y, 0.62), r * 1.5, 110, flower)
    for x in (-5.6, -5.2, -4.6, -3.2):
        plant((x, 4.9, random.uniform(1.2, 3.4)), 0.75, 900, leaf)
    box((1.6, 0.06, 0.9), (-3.0, 4.97, 1.75), blue, bevel=0)
    box((0.06, 1.5, 1.0), (5.72, 1.9, 1.5), blue, bevel=0)
    box((2.0, 0.45, 0.08), (-4.9, -0.8, 0.48), oak, math.pi / 2)
    for y in (-1.5, -0.1):
        box((0.4, 0.12, 0.45), (-4.9, y, 0.23), cut)


def light():
    world = bpy.data.worlds.new('sky')
    bpy.context.scene.world = world
    world.use_nodes = True
    sky = world.node_tree.nodes.new('ShaderNodeTexSky')
    sky.sky_type, sky.sun_elevation, sky.sun_rotation, sky.sun_intensity, sky.sun_size = 'NISHITA', math.radians(48), math.radians(212), 0.5, math.radians(1.2)
    world.node_tree.links.new(sky.outputs['Color'], world.node_tree.nodes['Background'].inputs['Color'])
    world.node_tree.nodes['Background'].inputs['Strength'].default_value = 0.12


def poses():
    """(name, portrait, eye, target): a walk along an arc at the open side of the yard."""
    shots = []
    for k in range(10):
        angle = math.radians(-46 + 92 * k / 9)
        radius = 6.1 + 0.35 * math.sin(2.1 * k)
        eye = Vector((radius * math.sin(angle) * 0.78, 2.2 - radius * math.cos(angle), 1.55 + 0.22 * math.sin(1.7 * k)))
        target = Vector((0.25 * math.sin(k) - 0.25 * eye.x, 3.4, 1.35 + 0.1 * math.cos(k)))
        shots.append((f'courtyard-{k + 1:02d}', k in (3, 6), eye, target))
    return shots


def write_geometry(path):
    """All triangles of the scene, world frame, as binary PLY."""
    import numpy as np
    graph = bpy.context.evaluated_depsgraph_get()
    corners, faces, count = [], [], 0
    for instance in graph.object_instances:
        if instance.object.type != 'MESH':
            continue
        mesh = instance.object.to_mesh()
        mesh.calc_loop_triangles()
        places = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get('co', places)
        triangles = np.empty(3 * len(mesh.loop_triangles), np.int32)
        mesh.loop_triangles.foreach_get('vertices', triangles)
        matrix = np.array(instance.matrix_world)
        corners.append(places.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3])
        faces.append(triangles.reshape(-1, 3) + count)
        count += len(corners[-1])
        instance.object.to_mesh_clear()
    corners, faces = np.concatenate(corners).astype('<f4'), np.concatenate(faces)
    rows = np.empty(len(faces), [('n', 'u1'), ('v', '<i4', 3)])
    rows['n'], rows['v'] = 3, faces
    with open(path, 'wb') as file:
        file.write(f'ply\nformat binary_little_endian 1.0\nelement vertex {len(corners)}\nproperty float x\nproperty float y\nproperty float z\n'
                   f'element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n'.encode())
        file.write(corners.tobytes())
        file.write(rows.tobytes())


DEPTH_STEP = 32


def true_depths(camera, width, height):
    """Depth along the camera axis at pixels (step * i + step / 2, step * j + step / 2), row by row."""
    graph = bpy.context.evaluated_depsgraph_get()
    origin = camera.matrix_world.translation
    forward = -camera.matrix_world.col[2].to_3d()
    rows = []
    for y in range(DEPTH_STEP // 2, height, DEPTH_STEP):
        for x in range(DEPTH_STEP // 2, width, DEPTH_STEP):
            ray = Vector(((x - width / 2 + 0.5) / FOCAL, -(y - height / 2 + 0.5) / FOCAL, -1.0))
            hit, place, *_ = bpy.context.scene.ray_cast(graph, origin, (camera.matrix_world.to_3x3() @ ray).normalized())
            rows.append(round((place - origin).dot(forward), 4) if hit else 0)
    return rows


def main():
    out, samples, scale, only, geometry = arguments()
    build()
    if geometry:
        write_geometry(geometry)
    light()
    scene = bpy.context.scene
    scene.render.engine = 'CYCLES'
    scene.cycles.device, scene.cycles.samples, scene.cycles.max_bounces = 'CPU', samples, 3
    scene.cycles.use_denoising = bool(getattr(bpy.app.build_options, 'openimagedenoise', False))
    scene.render.threads_mode, scene.render.threads = 'FIXED', 1
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform, scene.view_settings.exposure = 'Filmic', 0.35
    scene.view_settings.look = 'Medium High Contrast'
    camera = bpy.data.objects.new('camera', bpy.data.cameras.new('camera'))
    scene.collection.objects.link(camera)
    scene.camera = camera
    records, depths = [], []
    for index, (name, portrait, eye, target) in enumerate(poses()):
        width, height = (HEIGHT, WIDTH) if portrait else (WIDTH, HEIGHT)
        scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, round(100 * scale)
        camera.data.sensor_fit, camera.data.sensor_width = 'HORIZONTAL', 36.0
        camera.data.lens = FOCAL / width * 36.0
        camera.location = eye
        camera.rotation_euler = (target - eye).to_track_quat('-Z', 'Y').to_euler()
        bpy.context.view_layer.update()
        # Blender's camera looks along -z with y up; ours along +z with y down.
        pose = camera.matrix_world @ Matrix.Diagonal((1, -1, -1, 1))
        records.append({'name': f'{name}.jpg', 'width': width, 'height': height, 'fx': FOCAL, 'fy': FOCAL, 'cx': width / 2 - 0.5, 'cy': height / 2 - 0.5,
                        'k1': 0, 'worldFromCamera': [round(value, 7) for row in pose for value in row]})
        depths.append({'name': f'{name}.jpg', 'step': DEPTH_STEP, 'columns': width // DEPTH_STEP, 'depth': true_depths(camera, width, height)})
        if only is None or index in only:
            scene.render.filepath = f'{out}/{name}.png'
            bpy.ops.render.render(write_still=True)
    with open(f'{out}/depth.json', 'w') as file:
        json.dump({'source': 'build/samples/render.py', 'photos': depths}, file)
    with open(f'{out}/cameras.json', 'w') as file:
        json.dump({'source': 'build/samples/render.py', 'convention': 'camera x right, y down, z forward; 4x4 row-major; pixels of the upright photo, centres at integers', 'photos': records}, file, indent=1)


main()
