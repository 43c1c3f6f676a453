"""Batches of image pairs with everything that is known about them."""
from dataclasses import dataclass, field
from functools import lru_cache

import torch

from .cameras import Cameras, camera_rays, covisibility, pixel_grid, sample_pairs, to_camera, world_rays
from .families import family_counts, make_scenes
from .photometry import photograph
from .random import Draw, seed_of
from .render import render
from .scene import Scene, intersect, join
from .textures import HELD_OUT_KINDS, TRAINING_KINDS, make_bank


@dataclass
class Settings:
    """What the simulator makes."""

    width: int = 128
    height: int = 128
    overlap: tuple = (0.1, 0.9)
    odd: float = 0.05          # share of pure rotations, and of pairs without overlap
    plain: float = 0.2         # share of surfaces that are nearly without texture
    shadows: float = 1.0       # share of batches with cast shadows
    held_out: bool = False     # the families of textures and primitives kept for evaluation
    bank: int = 40             # textures in a bank
    bank_size: int = 128       # texels across
    bank_batches: int = 100    # batches before a new bank is made
    families: tuple = ("room", "street", "object")


@dataclass
class Pairs:
    """B pairs. Lists hold view 1, view 2. Nothing here is photographed yet: `images` are as rendered."""

    scene: Scene
    cameras: list              # two Cameras
    images: list               # [B, 3, H, W] in 0..1
    depths: list               # [B, H, W] z in metres, infinite where there is no surface
    family: list = field(default_factory=list)

    def swapped(self):
        return Pairs(self.scene, self.cameras[::-1], self.images[::-1], self.depths[::-1], self.family)


@lru_cache(maxsize=2)
def _bank(seed, kinds, count, size, device):
    return make_bank(Draw(seed_of(seed, "bank"), device), kinds, count, size)


def make_pairs(settings, seed, batch, device="cpu", number=0):
    """Batch `number` of `batch` pairs; a pure function of its arguments. Returns Pairs."""
    kinds = HELD_OUT_KINDS if settings.held_out else TRAINING_KINDS
    bank = _bank(seed_of(seed, number // settings.bank_batches), kinds, settings.bank, settings.bank_size, str(device))
    draw = Draw(seed_of(seed, "pairs", number), device)
    if len(settings.families) == 3:
        counts = family_counts(batch)
        if batch < 6:  # too few for shares: take turns
            names = [settings.families[(number * batch + k) % 6 // 2 % 3] for k in range(batch)]
            counts = {name: names.count(name) for name in settings.families}
    else:
        counts = {name: batch // len(settings.families) for name in settings.families}
        counts[settings.families[0]] += batch - sum(counts.values())
    scenes, firsts, seconds, family = [], [], [], []
    for name, count in counts.items():
        if count == 0:
            continue
        scene = make_scenes(draw, name, count, bank, settings.held_out, settings.plain)
        first, second = sample_pairs(draw, scene, name, settings.width, settings.height, settings.overlap, settings.odd)
        scenes.append(scene)
        firsts.append(first)
        seconds.append(second)
        family += [name] * count
    scene = join(scenes)
    cameras = [_joined(firsts), _joined(seconds)]
    shadows = bool(draw.uniform(0, 1, 1).item() < settings.shadows)
    images, depths = zip(*(render(scene, bank, camera, shadows) for camera in cameras))
    return Pairs(scene, cameras, list(images), list(depths), family)


def _joined(parts):
    return Cameras(torch.cat([p.world_from_camera for p in parts]), torch.cat([p.position for p in parts]),
                   torch.cat([p.focal for p in parts]), parts[0].width, parts[0].height)


FARTHEST = 40.0
"""Surfaces farther than this (metres) count as sky: they carry no parallax and would rule the loss."""


def pointmaps(pairs):
    """Both views' pointmaps in view 1's camera frame, metres, [B, H, W, 3] each, and where they are valid [B, H, W]."""
    first = pairs.cameras[0]
    maps, valid = [], []
    for camera, depth in zip(pairs.cameras, pairs.depths):
        batch, height, width = depth.shape
        known = depth < FARTHEST
        z = torch.where(known, depth, torch.ones_like(depth)).flatten(1)[:, None]
        if camera is first:
            points = camera_rays(camera, pixel_grid(width, height, device=depth.device)) * z
        else:
            origin, direction = world_rays(camera, pixel_grid(width, height, device=depth.device))
            points = to_camera(first, origin + direction * z)
        maps.append(points.transpose(1, 2).reshape(batch, height, width, 3))
        valid.append(known)
    return maps, valid


def correspondences(pairs, stride=1):
    """For every `stride`-th pixel of each view: class in the other view, its pixel there, and whether it has a surface.

    Per view a dict of `class` [B, h, w] (VISIBLE, OCCLUDED, OUTSIDE), `pixel` [B, h, w, 2] (x, y) and `valid` [B, h, w],
    h = H // stride. Exact: by rays cast through the scene, not by comparing depth maps.
    """
    results = []
    for own, other in ((0, 1), (1, 0)):
        camera = pairs.cameras[own]
        grid = pixel_grid(camera.width, camera.height, stride, pairs.depths[0].device)
        origin, direction = world_rays(camera, grid)
        if stride == 1:
            depth = pairs.depths[own].flatten(1)
        else:
            depth, _ = intersect(pairs.scene, origin, direction)
        valid = depth < FARTHEST
        points = origin + direction * torch.where(valid, depth, torch.ones_like(depth))[:, None]
        classes, pixels = covisibility(pairs.scene, points, pairs.cameras[other])
        shape = (depth.shape[0], camera.height // stride, camera.width // stride)
        results.append({"class": classes.reshape(shape), "pixel": pixels.transpose(1, 2).reshape(*shape, 2),
                        "valid": valid.reshape(shape)})
    return results


def photographed(pairs, seed):
    """Both views' images [B, 3, H, W] in -1..1 as two different cameras would record them."""
    draw = Draw(seed_of(seed, "photograph"), pairs.images[0].device)
    return [photograph(draw, image) * 2 - 1 for image in pairs.images]
