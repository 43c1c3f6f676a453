"""Evaluation on photo sets with known cameras: real ones, or simulated ones that the kit exported."""
import json
import os

import numpy as np
import torch
from PIL import Image

from .evaluate import relative_pose
from .poses import accuracy, pose_errors
from .settings import ConfigurationError


def read_set(folder):
    """Names and poses (world from camera, 4x4) of a set's photos, from its cameras.json."""
    path = os.path.join(folder, "cameras.json")
    try:
        with open(path, encoding="utf-8") as file:
            photos = json.load(file)["photos"]
        return [(photo["name"], np.array(photo["worldFromCamera"], dtype=np.float64).reshape(4, 4)) for photo in photos]
    except FileNotFoundError as error:
        raise ConfigurationError(f"The photo set has no cameras.json. Name a folder with photos and reference cameras: {folder}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"The photo set's cameras could not be read ({error}): {path}") from error


def load_photo(path, size):
    """A photo [1, 3, h, w] in -1..1, `size` on its long side, cropped about the centre to multiples of 16."""
    image = Image.open(path).convert("RGB")
    ratio = size / max(image.size)
    image = image.resize([max(16, round(side * ratio)) for side in image.size], Image.LANCZOS)
    width, height = (side // 16 * 16 for side in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    image = image.crop((left, top, left + width, top + height))
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def true_pose(first, second):
    """View 1 from view 2, as rotation and translation tensors."""
    relative = torch.from_numpy(np.linalg.inv(first) @ second)
    return relative[:3, :3], relative[:3, 3]


@torch.no_grad()
def evaluate_photos(network, folder, size=128, gaps=(1, 2)):
    """Relative poses of neighbours (and of every second photo) of a set. Returns a summary."""
    photos = read_set(folder)
    images = {}
    errors = []
    for gap in gaps:
        for (name1, pose1), (name2, pose2) in zip(photos, photos[gap:]):
            for name in (name1, name2):
                if name not in images:
                    images[name] = load_photo(os.path.join(folder, name), size)
            forward, backward = network(images[name1], images[name2]), network(images[name2], images[name1])
            rotation, translation, _ = relative_pose((forward["points"][1][0], forward["confidence"][1][0]),
                                                     (backward["points"][0][0], backward["confidence"][0][0]))
            errors.append(pose_errors(rotation, translation, *true_pose(pose1, pose2)))
    return accuracy(errors)


def nothing_moved(folder, gaps=(1, 2)):
    """What guessing no rotation and a step to the right would score: a floor to compare with."""
    photos = read_set(folder)
    identity, right = torch.eye(3, dtype=torch.float64), torch.tensor([1.0, 0, 0], dtype=torch.float64)
    return accuracy([pose_errors(identity, right, *true_pose(a[1], b[1])) for gap in gaps for a, b in zip(photos, photos[gap:])])
