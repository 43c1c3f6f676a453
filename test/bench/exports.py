"""Exports of a project, opened by programs that we did not make: counts, extents and reprojection errors side by side.

    python3 test/bench/exports.py PROJECT.pointmap [--crop BOX] [--delete SELECTION.json] [--keep FOLDER]

Writes every preset and the single files of a copy of the project, after --crop and --delete as `pointmap scene` has
them, and prints what Open3D, CloudCompare, laspy, Blender and COLMAP find in them. Exit 1 where they disagree: points of PLY,
LAS and GLB in number or by more than 1e-3 of the scene's size in extent, points outside the crop box, cameras through
which COLMAP's points are further than 2 pixels from their features (`point_triangulator`, `image_undistorter` and
`model_analyzer` are run too).
"""

import argparse, glob, json, os, re, shutil, subprocess, sys, tempfile

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
failures = []


def check(good, what):
    print(("  ok   " if good else "  FAIL ") + what)
    if not good:
        failures.append(what)


def run(*words, cwd=None):
    done = subprocess.run(words, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        check(False, f"{' '.join(words[:3])} ended with {done.returncode}: {(done.stderr or done.stdout)[-400:]}")
    return done.stdout + done.stderr


def pointmap(*words):
    return run("node", "--import", "tsx", "electron/cli.ts", *words, cwd=ROOT)


def box(points):
    return np.concatenate([points.min(0), points.max(0)])


def ply_points(path):
    import open3d

    return np.asarray(open3d.io.read_point_cloud(path).points)


BLENDER = """
import bpy, json, sys
import numpy as np
np.bool = bool  # Debian's importer of glTF asks for it, which its NumPy has no more.
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=sys.argv[-1])
found = dict(points=0, faces=0, least=[9e9] * 3, greatest=[-9e9] * 3, cameras=0)
for thing in bpy.data.objects:
    if thing.type == 'CAMERA': found['cameras'] += 1
    if thing.type != 'MESH' or len(thing.data.vertices) == 0: continue
    at = np.empty(3 * len(thing.data.vertices)); thing.data.vertices.foreach_get('co', at)
    at = at.reshape(-1, 3) @ np.array(thing.matrix_world)[:3, :3].T + np.array(thing.matrix_world)[:3, 3]
    found['points'] += len(at); found['faces'] += len(thing.data.polygons)
    found['least'] = np.minimum(found['least'], at.min(0)).tolist()
    found['greatest'] = np.maximum(found['greatest'], at.max(0)).tolist()
print('FOUND ' + json.dumps(found))
"""


def blender(path):
    with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as script:
        script.write(BLENDER)
    out = run("blender", "-b", "--factory-startup", "-P", script.name, "--", path)
    line = re.search(r"^FOUND (.*)$", out, re.M)
    return json.loads(line[1]) if line else None


def cloudcompare(path):
    """Number of points and the box, as CloudCompare loads them."""
    folder = tempfile.mkdtemp()
    target = os.path.join(folder, "out.ply")
    run(
        *["xvfb-run", "-a", "CloudCompare", "-SILENT", "-AUTO_SAVE", "OFF", "-C_EXPORT_FMT", "PLY"],
        *["-O", "-GLOBAL_SHIFT", "0", "0", "0", path, "-SAVE_CLOUDS", "FILE", target],
    )
    return ply_points(target) if os.path.exists(target) else np.zeros((1, 3))


def las_points(path):
    """Debian's CloudCompare has no reader of LAS."""
    try:
        import laspy
    except ImportError:
        return None
    return np.asarray(laspy.read(path).xyz)


def colmap(model, images, name):
    """What COLMAP says of a model: registered images and mean error, before and after triangulating anew."""
    told = run("colmap", "model_analyzer", "--path", model)
    registered = re.search(r"Registered images: (\d+)", told)
    error = re.search(r"Mean reprojection error: ([\d.]+)px", told)
    points = re.search(r"Points: (\d+)", told)
    if not (registered and error):
        return check(False, f"{name}: COLMAP does not read the model: {told[-200:]}")
    files = [os.path.relpath(f, images) for f in glob.glob(images + "/**/*", recursive=True) if os.path.isfile(f)]
    mean = float(error[1])
    print(f"  {name}: {registered[1]} images, {points[1]} points, {mean:.2f} px")
    check(int(registered[1]) == len(files), f"{name}: as many images as there are files ({len(files)})")
    check(0 < mean < 2, f"{name}: points lie on their features ({mean:.2f} px)")
    out = tempfile.mkdtemp()
    run("colmap", "image_undistorter", "--image_path", images, "--input_path", model, "--output_path", out)
    made = glob.glob(out + "/images/**/*.*", recursive=True)
    check(len(made) == len(files), f"{name}: image_undistorter makes every picture ({len(made)})")
    return triangulated(model, images, name)


def triangulated(model, images, name):
    """Points that COLMAP finds by its own features under our cameras: right cameras give many, and small errors."""
    out = tempfile.mkdtemp()
    data = os.path.join(out, "data.db")
    text = os.path.join(out, "text")
    os.mkdir(text)
    run("colmap", "model_converter", "--input_path", model, "--output_path", text, "--output_type", "TXT")
    quiet = ["--SiftExtraction.use_gpu", "0", "--SiftExtraction.num_threads", "1"]
    quiet += ["--SiftExtraction.max_num_features", "3000", "--SiftExtraction.max_image_size", "1000"]
    run("colmap", "feature_extractor", "--database_path", data, "--image_path", images, *quiet)
    with_cameras(data, text)
    run("colmap", "exhaustive_matcher", "--database_path", data, "--SiftMatching.use_gpu", "0")
    empty = os.path.join(out, "empty")
    os.mkdir(empty)
    made = os.path.join(out, "made")
    os.mkdir(made)
    renumbered(text, empty, data)
    run(
        *["colmap", "point_triangulator", "--database_path", data, "--image_path", images],
        *["--input_path", empty, "--output_path", made],
    )
    told = run("colmap", "model_analyzer", "--path", made)
    points = int((re.search(r"Points: (\d+)", told) or [0, 0])[1])
    error = float((re.search(r"Mean reprojection error: ([\d.]+)px", told) or [0, 99])[1])
    check(points > 200 and error < 1.5, f"{name}: point_triangulator finds {points} points, {error:.2f} px")


MODELS = dict(SIMPLE_RADIAL=2, RADIAL=3, PINHOLE=1, OPENCV=4, OPENCV_FISHEYE=5, FULL_OPENCV=6)


def lines_of(path):
    return [line.rstrip("\n") for line in open(path, encoding="utf8") if not line.startswith("#")]


def image_lines(text):
    """id, pose, camera and name; names may hold spaces."""
    return [line.split(" ", 9) for line in lines_of(os.path.join(text, "images.txt"))[::2] if line.count(" ") >= 9]


def with_cameras(data, text):
    """Gives the images of a database the lenses of a model."""
    import sqlite3

    base = sqlite3.connect(data)
    lenses = {line.split()[0]: line.split()[1:] for line in lines_of(os.path.join(text, "cameras.txt")) if line}
    for key, (model, width, height, *terms) in lenses.items():
        base.execute(
            "INSERT OR REPLACE INTO cameras VALUES (?,?,?,?,?,1)",
            (1000 + int(key), MODELS[model], int(width), int(height), np.array(terms, "f8").tobytes()),
        )
    for fields in image_lines(text):
        base.execute("UPDATE images SET camera_id=? WHERE name=?", (1000 + int(fields[8]), fields[9]))
    base.commit()


def renumbered(text, target, data):
    """The model without points, under the database's numbers."""
    import sqlite3

    numbers = dict(sqlite3.connect(data).execute("SELECT name, image_id FROM images").fetchall())
    with open(os.path.join(target, "cameras.txt"), "w") as out:
        for line in lines_of(os.path.join(text, "cameras.txt")):
            key, rest = line.split(" ", 1)
            out.write(f"{1000 + int(key)} {rest}\n")
    with open(os.path.join(target, "images.txt"), "w", encoding="utf8") as out:
        for fields in image_lines(text):
            if fields[9] in numbers:
                out.write(" ".join([str(numbers[fields[9]]), *fields[1:8], str(1000 + int(fields[8])), fields[9]]) + "\n\n")
    open(os.path.join(target, "points3D.txt"), "w").close()


def compare_points(folder, scene):
    files = glob.glob(folder + "/survey/*.ply")
    from_ply = ply_points(files[0])
    size = np.linalg.norm(box(from_ply)[3:] - box(from_ply)[:3])
    print(f"  PLY in Open3D: {len(from_ply)} points, {np.round(box(from_ply), 3).tolist()}")
    check(len(from_ply) == scene["kept"], f"as many points as the scene says it keeps ({scene['kept']})")
    readers = [("CloudCompare", cloudcompare, files), ("laspy", las_points, glob.glob(folder + "/survey/*.las"))]
    for name, reader, paths in readers:
        for path in paths:
            read = reader(path)
            if read is None:
                print(f"  {name} is not installed: {os.path.basename(path)} is not compared")
                continue
            same = len(read) == len(from_ply) and np.abs(box(read) - box(from_ply)).max() < 1e-3 * size
            check(same, f"{name}, {os.path.basename(path)}: {len(read)} points, {np.round(box(read), 3).tolist()}")
    return from_ply, size


def compare_blender(folder, from_ply, size, region):
    for path in sorted(glob.glob(folder + "/files/scene.glb") + glob.glob(folder + "/files/mesh.glb")):
        name = os.path.basename(path)
        found = blender(path)
        if not found:
            check(False, f"Blender does not open {name}")
            continue
        extent = np.array(found["least"] + found["greatest"])
        told = f"Blender, {name}: {found['points']} vertices, {found['faces']} faces, {found['cameras']} cameras, {np.round(extent, 3).tolist()}"
        if name == "mesh.glb":
            inside = region is None or (np.all(extent[:3] > region[0] - 0.02 * size) and np.all(extent[3:] < region[1] + 0.02 * size))
            check(inside, told)
        else:
            # Blender's cloud may hold a small face for each point: their corners lie beside it.
            check(np.abs(extent - box(from_ply)).max() < 0.02 * size, told)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("project")
    options.add_argument("--crop")
    options.add_argument("--delete")
    options.add_argument("--keep")
    given = options.parse_args()
    folder = given.keep or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    project = os.path.join(folder, "copy.pointmap")
    shutil.copy(given.project, project)
    if os.path.isdir(given.project + ".frames"):
        shutil.copytree(given.project + ".frames", project + ".frames", dirs_exist_ok=True)
    flags = (["--crop", given.crop] if given.crop else []) + (["--delete", given.delete] if given.delete else [])
    said = pointmap("scene", project, *flags, "--json")
    scene = json.loads([line for line in said.splitlines() if line.startswith("{")][-1])
    print(f"{given.project}: {scene['cameras']} cameras, {scene['points']} points, {scene['kept']} kept")
    region = None
    if given.crop:
        numbers = [float(each) for each in given.crop.split(",")]
        half = np.array(numbers[3:6]) / 2
        region = (np.array(numbers[:3]) - half, np.array(numbers[:3]) + half)
    for purpose in ["survey", "splatting", "colmap", "blender", "compositing"]:
        pointmap("export", project, "--for", purpose, "--out", os.path.join(folder, purpose))
    os.makedirs(os.path.join(folder, "files"), exist_ok=True)
    for file in ["scene.glb", "mesh.glb"]:
        if file == "mesh.glb" and not os.path.exists(os.path.join(os.path.dirname(given.project), "mesh.glb")):
            continue
        pointmap(*(["mesh"] if file == "mesh.glb" else ["export"]), project, "--out", os.path.join(folder, "files", file))
    from_ply, size = compare_points(folder, scene)
    if region:
        outside = np.any((from_ply < region[0] - 1e-3 * size) | (from_ply > region[1] + 1e-3 * size), axis=1).sum()
        check(outside == 0, f"{outside} points outside the crop box")
    compare_blender(folder, from_ply, size, region)
    colmap(os.path.join(folder, "splatting/sparse/0"), os.path.join(folder, "splatting/images"), "splatting")
    for model in glob.glob(folder + "/colmap/**/cameras.bin", recursive=True):
        place = os.path.dirname(model)
        # Of pictures as they were taken (sparse/originals) the files lie beside those of the views.
        images = os.path.join(folder, "colmap", os.path.relpath(place, os.path.join(folder, "colmap/sparse")), "images")
        colmap(place, images, os.path.relpath(place, folder))
    print(f"{len(failures)} faults" + "".join("\n  " + each for each in failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
