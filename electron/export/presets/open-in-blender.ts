/**
 * `open_in_blender.py`. Written to the interface that Blender documents for 3.4 to 5.x: sockets of node groups moved to
 * `interface` in 4.0, and `hasattr` finds which there is.
 *
 * @param data put in as a literal: a JSON string of a JSON text is a string of Python too
 */
export const blenderScript = (data: object): string =>
  SCRIPT.replace('@DATA@', () => JSON.stringify(JSON.stringify(data)));

const SCRIPT = `"""Opens this export in Blender 3.4 or newer.

    blender --python open_in_blender.py
or, in Blender: Scripting > Open > open_in_blender.py > Run Script.

It adds one collection with one empty, which holds everything: the cloud (or the mesh), and a camera for each photo with
the undistorted photo behind it. Scale, turn or move the empty and all follows. look_through(camera) makes a camera the
active one, and the render as large as its photo.
"""
import json
import os
import sys

import bpy
import numpy
from mathutils import Matrix

DATA = json.loads(@DATA@)


def folder():
    if "__file__" in globals() and os.path.isfile(__file__):
        return os.path.dirname(os.path.abspath(__file__))
    text = getattr(bpy.context.space_data, "text", None)
    return os.path.dirname(bpy.path.abspath(text.filepath))


HERE = folder()


def make_material():
    """The colours of the photos, which hold their light already: shown as they are."""
    material = bpy.data.materials.new(DATA["name"] + " colours")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    attribute = nodes.new("ShaderNodeAttribute")
    attribute.attribute_name = "Col"
    attribute.location = (-400, 0)
    emission = nodes.new("ShaderNodeEmission")
    emission.location = (-200, 0)
    output = nodes.new("ShaderNodeOutputMaterial")
    links.new(attribute.outputs["Color"], emission.inputs["Color"])
    links.new(emission.outputs[0], output.inputs["Surface"])
    return material


def read_points(path):
    """Positions, normals, colours (sRGB bytes) and radii of our own binary PLY."""
    with open(path, "rb") as file:
        count = 0
        fields = []
        types = {"float": "<f4", "uchar": "u1"}
        for line in iter(file.readline, b"end_header\\n"):
            words = line.decode("ascii").split()
            if words[:2] == ["element", "vertex"]:
                count = int(words[2])
            elif words[0] == "property":
                fields.append((words[2], types[words[1]]))
        return numpy.fromfile(file, dtype=fields, count=count)


def linear(srgb):
    return numpy.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def points_as_squares(material):
    """Geometry nodes that put a square on each vertex, as large and turned as its attributes say.

    Points of a point cloud would do in Cycles, but EEVEE before 4.2 draws them without their colours or not at all.
    """
    group = bpy.data.node_groups.new(DATA["name"] + " points", "GeometryNodeTree")
    if hasattr(group, "interface"):
        group.interface.new_socket(name="Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
        group.interface.new_socket(name="Size", in_out="INPUT", socket_type="NodeSocketFloat").default_value = 1.0
        group.interface.new_socket(name="Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    else:
        group.inputs.new("NodeSocketGeometry", "Geometry")
        group.inputs.new("NodeSocketFloat", "Size").default_value = 1.0
        group.outputs.new("NodeSocketGeometry", "Geometry")
    nodes, links = group.nodes, group.links

    def named(name, kind, socket_type):
        node = nodes.new("GeometryNodeInputNamedAttribute")
        node.data_type = kind
        node.inputs["Name"].default_value = name
        return node, next(socket for socket in node.outputs if socket.enabled and socket.type == socket_type)

    enter, leave = nodes.new("NodeGroupInput"), nodes.new("NodeGroupOutput")
    radius_node, radius = named("radius", "FLOAT", "VALUE")
    facing_node, facing = named("facing", "FLOAT_VECTOR", "VECTOR")
    size = nodes.new("ShaderNodeMath")
    size.operation = "MULTIPLY"
    align = nodes.new(
        "FunctionNodeAlignRotationToVector"
        if hasattr(bpy.types, "FunctionNodeAlignRotationToVector")
        else "FunctionNodeAlignEulerToVector"
    )
    align.axis = "Z"
    square = nodes.new("GeometryNodeMeshCircle")
    square.fill_type = "NGON"
    square.inputs["Vertices"].default_value = 4
    square.inputs["Radius"].default_value = 1.0
    place = nodes.new("GeometryNodeInstanceOnPoints")
    realize = nodes.new("GeometryNodeRealizeInstances")
    paint = nodes.new("GeometryNodeSetMaterial")
    paint.inputs["Material"].default_value = material
    for k, node in enumerate((enter, radius_node, facing_node, size, align, square, place, realize, paint, leave)):
        node.location = (200 * k, 0)
    links.new(radius, size.inputs[0])
    links.new(enter.outputs["Size"], size.inputs[1])
    links.new(facing, align.inputs["Vector"])
    links.new(enter.outputs["Geometry"], place.inputs["Points"])
    links.new(square.outputs["Mesh"], place.inputs["Instance"])
    links.new(align.outputs["Rotation"], place.inputs["Rotation"])
    links.new(size.outputs[0], place.inputs["Scale"])
    links.new(place.outputs[0], realize.inputs["Geometry"])
    links.new(realize.outputs[0], paint.inputs["Geometry"])
    links.new(paint.outputs[0], leave.inputs["Geometry"])
    return group


def add_points(collection, parent):
    rows = read_points(os.path.join(HERE, DATA["points"]))
    count = len(rows)
    mesh = bpy.data.meshes.new(DATA["name"] + " points")
    mesh.vertices.add(count)
    places = numpy.stack([rows["x"], rows["y"], rows["z"]], 1).astype(numpy.float32)
    mesh.vertices.foreach_set("co", places.ravel())
    colors = numpy.ones((count, 4), numpy.float32)
    for k, channel in enumerate(("red", "green", "blue")):
        colors[:, k] = linear(rows[channel] / 255.0)
    mesh.attributes.new("Col", "FLOAT_COLOR", "POINT").data.foreach_set("color", colors.ravel())
    facing = numpy.stack([rows["nx"], rows["ny"], rows["nz"]], 1).astype(numpy.float32)
    mesh.attributes.new("facing", "FLOAT_VECTOR", "POINT").data.foreach_set("vector", facing.ravel())
    mesh.attributes.new("radius", "FLOAT", "POINT").data.foreach_set("value", rows["radius"].astype(numpy.float32))
    mesh.update()
    material = make_material()
    mesh.materials.append(material)
    cloud = bpy.data.objects.new(DATA["name"] + " points", mesh)
    cloud.parent = parent
    collection.objects.link(cloud)
    cloud.modifiers.new("Points", "NODES").node_group = points_as_squares(material)
    return cloud


def add_mesh(collection, parent):
    if not hasattr(numpy, "bool"):
        # Blender 3.4's importer asks for a name that NumPy 1.24 took away.
        numpy.bool = bool
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=os.path.join(HERE, DATA["mesh"]))
    added = [thing for thing in bpy.data.objects if thing not in before]
    for camera in [thing for thing in added if thing.type == "CAMERA"]:
        # Those of this script know their photos.
        added.remove(camera)
        bpy.data.objects.remove(camera)
    for thing in added:
        for other in list(thing.users_collection):
            other.objects.unlink(thing)
        collection.objects.link(thing)
        if thing.parent is None:
            thing.parent = parent


def add_camera(collection, parent, entry):
    lens = bpy.data.cameras.new(entry["name"])
    width, height = entry["width"], entry["height"]
    lens.sensor_fit = "HORIZONTAL"
    lens.sensor_width = 36.0
    lens.sensor_height = 36.0 * height / width
    lens.lens = 36.0 * entry["focal"] / width
    # Blender counts in widths from the middle of the picture, y up; a pixel's centre is at +0.5 there.
    lens.shift_x = (width / 2 - (entry["cx"] + 0.5)) / width
    lens.shift_y = ((entry["cy"] + 0.5) - height / 2) / width
    lens.display_size = DATA["displaySize"]
    lens.clip_start = DATA["clipStart"]
    lens.clip_end = DATA["clipEnd"]
    camera = bpy.data.objects.new(entry["name"], lens)
    camera["width"], camera["height"], camera["photo"] = width, height, entry["photo"]
    camera.parent = parent
    camera.matrix_local = Matrix([entry["matrix"][4 * row : 4 * row + 4] for row in range(4)])
    collection.objects.link(camera)
    path = os.path.join(HERE, *entry["image"].split("/"))
    if os.path.isfile(path):
        lens.show_background_images = True
        background = lens.background_images.new()
        background.image = bpy.data.images.load(path, check_existing=True)
        background.alpha = 0.5
        background.display_depth = "BACK"
        background.frame_method = "FIT"
    return camera


def look_through(camera):
    """Makes a camera the active one, and the render as large as its photo."""
    render = bpy.context.scene.render
    bpy.context.scene.camera = camera
    render.resolution_x, render.resolution_y = int(camera["width"]), int(camera["height"])
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0


def hide_startup_cube():
    """The cube that a new file begins with stands in the middle of the scene; one that was touched stays."""
    cube = bpy.data.objects.get("Cube")
    if bpy.data.filepath or cube is None or cube.type != "MESH" or len(cube.data.vertices) != 8:
        return
    if cube.matrix_world == Matrix() and all(abs(abs(value) - 1) < 1e-6 for v in cube.data.vertices for value in v.co):
        cube.hide_render = True
        cube.hide_viewport = True


def show_colors():
    """Viewports show materials, and the view reaches as far as the scene."""
    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    space.shading.type = "MATERIAL"
                    space.clip_start = DATA["clipStart"]
                    space.clip_end = DATA["clipEnd"]


def main():
    scene = bpy.context.scene
    collection = bpy.data.collections.new(DATA["name"])
    scene.collection.children.link(collection)
    parent = bpy.data.objects.new(DATA["name"], None)
    parent.empty_display_type = "ARROWS"
    parent.empty_display_size = DATA["displaySize"] * 3
    collection.objects.link(parent)
    parent["unit"] = DATA["unit"]
    if DATA["unit"] == "metre":
        scene.unit_settings.system = "METRIC"
        scene.unit_settings.scale_length = 1.0
    else:
        scene.unit_settings.system = "NONE"
    if DATA["mesh"]:
        add_mesh(collection, parent)
    cloud = add_points(collection, parent)
    # With a mesh, the points are there to be switched on.
    cloud.hide_render = bool(DATA["mesh"])
    cloud.hide_viewport = bool(DATA["mesh"])
    cameras = [add_camera(collection, parent, entry) for entry in DATA["cameras"]]
    if cameras:
        look_through(cameras[0])
    # Filmic and AgX would change the photos' colours.
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    hide_startup_cube()
    show_colors()
    print("opened", DATA["name"] + ":", len(cameras), "cameras,", len(cloud.data.vertices), "points", file=sys.stderr)


main()
`;
