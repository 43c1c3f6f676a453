"""Pictures for people and photo sets for programs: contact sheets of pairs, sets with cameras, a plot of curves."""
import json
import os

import numpy as np
import torch
from PIL import Image

from .simulator.cameras import VISIBLE, Cameras, look_at, sample_pairs
from .simulator.families import make_scenes
from .simulator.pairs import correspondences, make_pairs, photographed
from .simulator.photometry import photograph
from .simulator.random import Draw, seed_of
from .simulator.render import render
from .simulator.textures import HELD_OUT_KINDS, TRAINING_KINDS, make_bank

CLASS_COLOURS = torch.tensor([[0.25, 0.7, 0.35], [0.85, 0.45, 0.15], [0.25, 0.3, 0.45]])
"""Visible, occluded, outside."""


def to_bytes(image):
    """[3, H, W] in 0..1 as bytes [H, W, 3]."""
    return (image.clamp(0, 1).permute(1, 2, 0).cpu().numpy() * 255 + 0.5).astype(np.uint8)


def save_image(path, image):
    Image.fromarray(to_bytes(image)).save(path)


def _depth_picture(depth):
    """Inverse depth, near white, the sky dark blue: [3, H, W]."""
    known = depth < 40
    nearness = torch.where(known, depth[known].quantile(0.02) / depth, torch.zeros_like(depth)).clamp(0, 1) if known.any() else depth * 0
    sky = torch.tensor([0.05, 0.08, 0.2], device=depth.device)[:, None, None]
    return torch.where(known[None], nearness[None].expand(3, -1, -1), sky)


def contact_sheet(settings, seed, count, path, device="cpu", columns=2):
    """Writes a sheet: per pair both photographs, both depths, and the first view's covisibility over its image."""
    pairs = make_pairs(settings, seed, count, device)
    matches = correspondences(pairs)
    images = [(image + 1) / 2 for image in photographed(pairs, seed)]
    strips = []
    for k in range(count):
        first = images[0][k]
        colours = CLASS_COLOURS.to(first.device)[matches[0]["class"][k]].permute(2, 0, 1)
        classes = 0.35 * first.mean(0, keepdim=True) + 0.65 * colours
        strips.append(torch.cat([first, images[1][k], _depth_picture(pairs.depths[0][k]), _depth_picture(pairs.depths[1][k]), classes], 2))
    gap = torch.ones(3, 4, strips[0].shape[2], device=strips[0].device)
    per_column = -(-count // columns)
    while len(strips) < per_column * columns:
        strips.append(torch.ones_like(strips[0]))
    stacks = [torch.cat([part for strip in strips[c * per_column:(c + 1) * per_column] for part in (strip, gap)], 1) for c in range(columns)]
    save_image(path, torch.cat([part for stack in stacks for part in (stack, torch.ones(3, stack.shape[1], 8, device=stack.device))], 2))
    shares = (matches[0]["class"] == VISIBLE).float().mean((1, 2))
    return pairs.family, shares.tolist()


def world_from_camera(camera, index):
    """A camera's pose as a row-major 4x4 list."""
    matrix = np.eye(4)
    matrix[:3, :3] = camera.world_from_camera[index].cpu().numpy()
    matrix[:3, 3] = camera.position[index].cpu().numpy()
    return [float(x) for x in matrix.flatten()]


def export_set(cameras, images, folder, source):
    """Writes photos (PNG) and `cameras.json`. cameras: (Cameras, index) each; images: [3, H, W] in 0..1 each."""
    os.makedirs(folder, exist_ok=True)
    photos = []
    for number, ((camera, index), image) in enumerate(zip(cameras, images), 1):
        name = f"view-{number:02d}.png"
        save_image(os.path.join(folder, name), image)
        focal = float(camera.focal[index])
        photos.append({"name": name, "width": camera.width, "height": camera.height, "fx": focal, "fy": focal,
                       "cx": (camera.width - 1) / 2, "cy": (camera.height - 1) / 2, "k1": 0.0,
                       "worldFromCamera": world_from_camera(camera, index)})
    content = {"source": source, "convention": "camera x right, y down, z forward; 4x4 row-major; pixel centres at integers", "photos": photos}
    with open(os.path.join(folder, "cameras.json"), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)


def orbit_set(settings, seed, family, count, folder, device="cpu"):
    """Writes a set of `count` photos of one scene of a family, taken along an arc about what its first view looks at."""
    draw = Draw(seed_of(seed, "set"), device)
    bank = make_bank(draw, HELD_OUT_KINDS if settings.held_out else TRAINING_KINDS, settings.bank, settings.bank_size)
    scene = make_scenes(draw, family, 1, bank, settings.held_out, settings.plain)
    first, _ = sample_pairs(draw, scene, family, settings.width, settings.height, odd=0.0)
    _, depth = render(scene, bank, first, shadows=False)
    middle = depth.clamp_max(15).median()
    forward, right = first.world_from_camera[:, :, 2], first.world_from_camera[:, :, 0]
    target = first.position + forward * middle
    step = torch.linspace(-1, 1, count, device=draw.device)[:, None]
    # A shallow arc: sideways by up to a third of the distance, a little closer in the middle.
    position = first.position + right * step * middle * 0.3 + forward * (1 - step ** 2) * middle * 0.08
    position = position + draw.normal(count, 3) * middle * 0.02
    rotation = look_at(position, target.expand(count, 3) + draw.normal(count, 3) * middle * 0.03, draw.normal(count) * 0.02)
    focal = torch.full((count,), settings.width * 0.85, device=draw.device)
    cameras = Cameras(rotation, position, focal, settings.width, settings.height)
    images, _ = render(scene.select(torch.zeros(count, dtype=torch.long, device=draw.device)), bank, cameras)
    images = photograph(draw, images)
    export_set([(cameras, k) for k in range(count)], images, folder, f"simulated scene, family {family}, seed {seed}")


def plot_curves(folder, path):
    """Plots `log.jsonl` of a training folder over pairs seen."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(os.path.join(folder, "log.jsonl"), encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    panels = [("matching recall", ["recall", "recall_same_place"]), ("unweighted point error", ["error1", "error2"]),
              ("losses", ["loss", "correlation", "completion"]), ("covisibility, share right", ["covisibility"])]
    panels = [(title, [n for n in names if any(n in r for r in records)]) for title, names in panels]
    panels = [(title, names) for title, names in panels if names]
    figure, axes = pyplot.subplots(1, len(panels), figsize=(4.4 * len(panels), 3.4), squeeze=False)
    for axis, (title, names) in zip(axes[0], panels):
        for name in names:
            axis.plot([r["pairs"] / 1000 for r in records if name in r], [r[name] for r in records if name in r], label=name.replace("_", " "))
        axis.set(title=title, xlabel="thousand pairs seen")
        axis.grid(alpha=0.3)
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
