"""The studio's own estimator on the pairs that networks are evaluated on, through the studio's command line."""
import json
import os
import subprocess
import tempfile

from .evaluate import BATCH, FAMILIES, SEED, family_settings, true_relative_pose
from .photos import read_set, true_pose
from .pictures import export_set
from .poses import accuracy, pose_errors
from .report import tell_pose
from .simulator.pairs import make_pairs, photographed

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
COMMAND = ["npm", "--prefix", REPOSITORY, "run", "--silent", "pointmap", "--", "reconstruct"]
GEOMETRIC_SIZE = 448
"""The studio's own estimator gets the same scenes at a size that suits it."""


def estimate_by_command(pairs, images, index, command):
    """The studio's own estimator on one pair, through its command line. Returns (R, t) of view 1 from view 2, or None."""
    with tempfile.TemporaryDirectory() as folder:
        photos, results = os.path.join(folder, "photos"), os.path.join(folder, "results")
        export_set([(camera, index) for camera in pairs.cameras], [image[index] * 0.5 + 0.5 for image in images], photos, "evaluation")
        names = [os.path.join(photos, f"view-{k:02d}.png") for k in (1, 2)]
        done = subprocess.run([*command, *names, "--out", results, "--formats", "cameras", "--quality", "draft", "--threads", "1"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                              env={**os.environ, "POINTMAP_DATA": os.path.join(folder, "data")})  # Not among its user's recent projects.
        path = os.path.join(results, "cameras.json")
        if done.returncode != 0 or not os.path.exists(path):
            return None
        poses = dict(read_set(results))
        if len(poses) < 2:
            return None
        first, second = (poses[name] for name in sorted(poses))
        return true_pose(first, second)


def geometric_poses(name, count):
    """Poses of the first `count` pairs of a family by the studio's own estimator; a failure counts as 180 degrees."""
    settings = family_settings(name, GEOMETRIC_SIZE, GEOMETRIC_SIZE)
    errors, failed = [], 0
    for number in range(-(-count // BATCH)):
        pairs = make_pairs(settings, SEED, BATCH, "cpu", number)
        images = photographed(pairs, SEED + number)
        for index in range(BATCH):
            if len(errors) == count:
                break
            found = estimate_by_command(pairs, images, index, COMMAND)
            failed += found is None
            errors.append((180.0, 180.0) if found is None else pose_errors(*found, *true_relative_pose(pairs.cameras, index)))
    return {**accuracy(errors), "without_result": failed}


def evaluate_geometric(options):
    """Runs the command `geometric` with its parsed options: all families, written after each."""
    results = {}
    for name in FAMILIES:
        results[name] = geometric_poses(name, options.pairs)
        tell_pose(f"{name}, {results[name]['without_result']} of {options.pairs} without a result", results[name])
        with open(options.file, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
            file.write("\n")
