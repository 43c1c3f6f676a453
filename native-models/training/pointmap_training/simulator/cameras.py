"""Pinhole cameras and the choice of camera pairs with a wanted overlap."""
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from .scene import intersect


@dataclass
class Cameras:
    """B cameras of W x H pixels, centres of pixels at integers, principal point in the middle, square pixels."""

    world_from_camera: torch.Tensor  # [B, 3, 3] rotation; camera frame x right, y down, z forward
    position: torch.Tensor           # [B, 3] metres
    focal: torch.Tensor              # [B] pixels
    width: int
    height: int

    def select(self, index):
        return Cameras(self.world_from_camera[index], self.position[index], self.focal[index], self.width, self.height)


def pixel_grid(width, height, stride=1, device="cpu"):
    """Pixel positions [2, R] (x, y) of every `stride`-th pixel, row-major, centred in their cells."""
    offset = (stride - 1) / 2
    y, x = torch.meshgrid(torch.arange(height // stride, device=device) * stride + offset,
                          torch.arange(width // stride, device=device) * stride + offset, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()]).float()


def camera_rays(cameras, pixels):
    """Rays [B, 3, R] in the camera's frame with z = 1, so that the parameter along them is depth."""
    centre = torch.tensor([(cameras.width - 1) / 2, (cameras.height - 1) / 2], device=pixels.device)
    xy = (pixels - centre[:, None]) / cameras.focal[:, None, None]
    return torch.cat([xy, torch.ones_like(xy[:, :1])], 1)


def world_rays(cameras, pixels):
    """Origins [B, 3, 1] and directions [B, 3, R] in the world's frame; the parameter along them is depth."""
    return cameras.position[..., None], cameras.world_from_camera @ camera_rays(cameras, pixels)


def to_camera(cameras, points):
    """World points [B, 3, R] in the camera's frame."""
    return cameras.world_from_camera.transpose(1, 2) @ (points - cameras.position[..., None])


def project(cameras, points):
    """Pixels [B, 2, R] and depths [B, R] of world points; behind the camera the pixel is far outside."""
    local = to_camera(cameras, points)
    depth = local[:, 2]
    centre = torch.tensor([(cameras.width - 1) / 2, (cameras.height - 1) / 2], device=points.device)
    pixels = local[:, :2] / depth[:, None].clamp_min(1e-6) * cameras.focal[:, None, None] + centre[:, None]
    return torch.where(depth[:, None] > 1e-4, pixels, torch.full_like(pixels, -1e6)), depth


def look_at(position, target, roll):
    """Rotation [..., 3, 3] (world from camera) that looks at a target, turned by `roll` radians about the view."""
    forward = F.normalize(target - position, dim=-1)
    down = torch.zeros_like(forward)
    down[..., 1] = 1
    right = F.normalize(torch.cross(down, forward, dim=-1) + 1e-6, dim=-1)
    below = torch.cross(forward, right, dim=-1)
    cosine, sine = roll.cos()[..., None], roll.sin()[..., None]
    return torch.stack([right * cosine + below * sine, below * cosine - right * sine, forward], -1)


VISIBLE, OCCLUDED, OUTSIDE = 0, 1, 2


def covisibility(scene, points, other):
    """Which class each surface point [B, 3, R] (world) has in another view, exactly: [B, R], and its pixel [B, 2, R].

    VISIBLE: inside the frame and the first surface on its ray; OCCLUDED: inside, behind another surface;
    OUTSIDE: outside the frame or behind the camera.
    """
    pixels, depth = project(other, points)
    inside = (depth > 1e-4) & (pixels[:, 0] > -0.5) & (pixels[:, 0] < other.width - 0.5) \
        & (pixels[:, 1] > -0.5) & (pixels[:, 1] < other.height - 0.5)
    origin = other.position[..., None]
    nearest, _ = intersect(scene, origin, points - origin)
    hidden = nearest < 1 - 2e-3
    return torch.where(inside, torch.where(hidden, OCCLUDED, VISIBLE), torch.full_like(hidden, OUTSIDE, dtype=torch.long)), pixels


def _repeated(scene, count):
    """Each scene `count` times in a row."""
    batch = scene.centre.shape[0]
    return scene.select(torch.arange(batch, device=scene.centre.device).repeat_interleave(count))


def _first_positions(draw, scene, family, count):
    """Candidate viewpoints and targets [B, count, 3] for the first view."""
    batch = scene.centre.shape[0]
    if family == "room":
        room = scene.half[:, 0][:, None]
        position = draw.uniform(-0.85, 0.85, batch, count, 3) * room * torch.tensor([1, 0.6, 1.0], device=draw.device)
        target = draw.uniform(-0.9, 0.9, batch, count, 3) * room * torch.tensor([1, 0.7, 1.0], device=draw.device)
    elif family == "street":
        position = torch.stack([draw.uniform(-3, 3, batch, count), draw.uniform(-1, 0.8, batch, count),
                                draw.uniform(-4, 1, batch, count)], -1)
        target = position + torch.stack([draw.uniform(-2.5, 2.5, batch, count), draw.uniform(-0.8, 1.0, batch, count),
                                         draw.uniform(3, 5, batch, count)], -1)
    else:
        angle, radius = draw.uniform(0, 6.2832, batch, count), draw.uniform(1.5, 2.4, batch, count)
        position = torch.stack([radius * angle.cos(), draw.uniform(-0.9, 0.3, batch, count), radius * angle.sin()], -1)
        target = draw.uniform(-0.3, 0.3, batch, count, 3)
    return position, target


def _rolls(draw, batch):
    """Roll angles [B]: mostly level, some tilted, a few quarter turns (portrait)."""
    roll = draw.normal(batch) * 0.06
    roll = torch.where(draw.chance(0.15, batch), draw.normal(batch) * 0.3, roll)
    return torch.where(draw.chance(0.05, batch), roll + 1.5708, roll)


def _focals(draw, batch, width):
    """Focal lengths in pixels for horizontal fields of view of 30 to 97 degrees."""
    return width / 2 / torch.tan(draw.uniform(30, 97, batch) * 0.5 * 0.0174533)


def sample_pairs(draw, scene, family, width, height, overlap=(0.1, 0.9), odd=0.05, candidates=8):
    """Camera pairs of a batch of scenes.

    overlap: the wanted range of the share of view 1 that is visible in view 2, stratified over the batch. odd: share of
    pairs that are pure rotations, and again of pairs without overlap. Returns two Cameras.
    """
    batch = scene.centre.shape[0]
    coarse = max(8, width // 12)
    focal = _focals(draw, batch, width)
    roll = _rolls(draw, batch)

    position, target = _first_positions(draw, scene, family, 4)
    rotation = look_at(position, target, roll[:, None].expand(-1, 4))
    first = Cameras(rotation.flatten(0, 1), position.flatten(0, 1), focal.repeat_interleave(4), width, height)
    pixels = pixel_grid(width, height, coarse, draw.device)
    depth, _ = intersect(_repeated(scene, 4), *world_rays(first, pixels))
    depth = depth.clamp_max(40).reshape(batch, 4, -1)
    near, middle = depth.quantile(0.05, dim=-1), depth.median(-1).values
    # Views right in front of a surface or into nothing teach little: prefer some room, and depths that vary.
    score = (near > 0.35) * 2.0 + (middle < 25) * 1.0 + (depth.std(-1) / middle).clamp_max(1)
    best = score.argmax(1)
    row = torch.arange(batch, device=draw.device)
    first = first.select(row * 4 + best)
    depth, middle = depth[row, best], middle[row, best]

    strata = (torch.randperm(batch, generator=draw.generator, device=draw.device) + draw.uniform(0, 1, batch)) / batch
    wanted = overlap[0] + (overlap[1] - overlap[0]) * strata
    wanted = torch.where(draw.chance(odd, batch), torch.zeros_like(wanted), wanted)
    # A room is seen from the inside: its shell is the first box, about the origin.
    limit = scene.half[:, :1] * 0.93 if family == "room" else None
    second = _second_candidates(draw, first, middle, odd, candidates, width, limit)
    scenes = _repeated(scene, candidates)
    origin, direction = world_rays(first, pixels)
    points = (origin + direction * depth[:, None]).repeat_interleave(candidates, 0)
    classes, _ = covisibility(scenes, points, second)
    share = (classes == VISIBLE).float().mean(1).reshape(batch, candidates)
    own, _ = intersect(scenes, *world_rays(second, pixels))
    blocked = own.reshape(batch, candidates, -1).clamp_max(40).quantile(0.05, dim=-1) < 0.25
    best = ((share - wanted[:, None]).abs() + blocked).argmin(1)
    return first, second.select(row * candidates + best)


def _second_candidates(draw, first, middle, odd, count, width, limit):
    """Candidates for the second view: a log-uniform baseline, looking near what the first view looks at.

    limit: [B, 1, 3] half extents within which positions are kept, or None.
    """
    batch = middle.shape[0]
    # The steps are spread over the whole log-uniform range within each scene, so that any overlap can be had.
    step = (torch.arange(count, device=draw.device) + draw.uniform(0, 1, batch, count)) / count
    baseline = middle[:, None] * 0.02 * 50 ** step
    still = draw.chance(odd, batch)
    baseline = torch.where(still[:, None], torch.zeros_like(baseline), baseline)
    move = draw.direction(batch, count) * torch.tensor([1, 0.45, 0.7], device=draw.device)
    move = F.normalize(move, dim=-1) * baseline[..., None]
    forward = first.world_from_camera[:, :, 2]
    position = first.position[:, None] + move
    if limit is not None:
        position = torch.maximum(torch.minimum(position, limit), -limit)
    aim = first.position + forward * middle[:, None]
    spread = draw.log_uniform(0.03, 0.6, batch, count, 1) * middle[:, None, None]
    target = aim[:, None] + draw.normal(batch, count, 3) * spread
    # The first view's roll is kept by and large: its "right" against the level one gives the angle.
    roll = torch.atan2(first.world_from_camera[:, 1, 0], first.world_from_camera[:, 1, 1])
    rotation = look_at(position, target, roll[:, None] + draw.normal(batch, count) * 0.05)
    other = torch.where(draw.chance(0.3, batch), _focals(draw, batch, width), first.focal)
    return Cameras(rotation.flatten(0, 1), position.flatten(0, 1), other.repeat_interleave(count), first.width, first.height)
