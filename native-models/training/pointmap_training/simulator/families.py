"""Families of scenes: rooms, streets (ground, facade, backdrop) and single objects, with clutter floating in all.

World y points down, so "up" is negative y; sizes are in metres.
"""
import torch

from .random import about_vertical
from .scene import Scene

SLOTS = (26, 8, 8)
"""Boxes, spheres and cylinders that a scene has room for."""
SHARES = {"room": 0.5, "street": 0.33, "object": 0.17}
BITTEN = slice(6, 12)
"""Box slots of which some have a bite taken out."""


def family_counts(batch):
    """How many scenes of each family a batch holds, largest remainders last."""
    rooms = round(batch * SHARES["room"])
    streets = min(batch - rooms, round(batch * SHARES["street"]))
    return {"room": rooms, "street": streets, "object": batch - rooms - streets}


def _ring(draw, batch, count, inner, outer):
    """Positions x, z on a ring about the origin: [B, count] each."""
    angle, radius = draw.uniform(0, 6.2832, batch, count), draw.uniform(inner, outer, batch, count)
    return radius * angle.cos(), radius * angle.sin()


def _solids(draw, batch, slots, low, high, thin):
    """Half extents [B, slots, 3]; a share `thin` of them are bars."""
    half = draw.log_uniform(low, high, batch, slots, 3)
    axis = torch.nn.functional.one_hot(draw.integer(0, 3, batch, slots), 3).to(half)
    bar = axis * draw.log_uniform(high, high * 3, batch, slots, 1) + (1 - axis) * draw.log_uniform(0.015, 0.05, batch, slots, 1)
    return torch.where(draw.chance(thin, batch, slots, 1), bar, half)


def make_scenes(draw, family, batch, bank, held_out=False, plain=0.2):
    """A batch of scenes of one family.

    held_out: cylinders appear, which training scenes never hold, and spheres do not. plain: share of surfaces that are
    nearly without texture. Returns a Scene.
    """
    boxes, spheres, cylinders = SLOTS
    slots = sum(SLOTS)
    device = draw.device
    rotation = draw.upright(batch, slots)
    tilted = draw.rotation(batch, slots)
    half = _solids(draw, batch, slots, 0.12, 0.55, 0.15)
    half[:, boxes:] = half[:, boxes:].clamp_min(0.03)
    centre = torch.zeros(batch, slots, 3, device=device)
    present = torch.arange(slots, device=device) >= 0
    present = present.expand(batch, slots) & (draw.uniform(0, 1, batch, slots) < draw.uniform(0.25, 1, batch, 1))
    ground = torch.full((batch,), torch.inf, device=device)
    floating = draw.chance(0.35, batch, slots)
    if family == "room":
        room = torch.stack([draw.uniform(1.6, 4, batch), draw.uniform(1.15, 1.8, batch), draw.uniform(1.6, 4, batch)], -1)
        floor = room[:, 1:2]
        x, z = (draw.uniform(-0.95, 0.95, batch, slots) * room[:, k:k + 1] for k in (0, 2))
        shell = [(torch.zeros(batch, 3, device=device), room)]
    elif family == "street":
        floor = draw.uniform(1.2, 1.8, batch, 1)
        x, z = draw.uniform(-4, 4, batch, slots), draw.uniform(-3, 4.5, batch, slots)
        shell = _street_shell(draw, batch, floor)
        hilly = draw.chance(0.5, batch)
        ground = torch.where(hilly, floor[:, 0], ground)
    else:
        floor = draw.uniform(0.5, 1.0, batch, 1)
        x, z = _ring(draw, batch, slots, 0, 0.9)
        half = half * 0.75
        shell = [(torch.stack([0 * floor[:, 0], floor[:, 0] - size, 0 * size], -1), torch.stack([size * 1.5, size, size * 1.5], -1))
                 for size in [draw.uniform(2.5, 5, batch)]]
    resting = floor - half[..., 1]
    y = torch.where(floating, floor - draw.uniform(0.3, 2.6, batch, slots), resting)
    centre = torch.stack([x, y, z], -1)
    rotation = torch.where(floating[..., None, None], tilted, rotation)
    fixed = len(shell)
    for slot, (position, extent) in enumerate(shell):
        centre[:, slot], half[:, slot] = position, extent
        rotation[:, slot] = torch.eye(3, device=device)
    if family == "street":
        rotation[:, 1:fixed] = about_vertical(draw.uniform(-0.25, 0.25, batch, 1)).expand(-1, fixed - 1, -1, -1)
        _windows(draw, centre, half, rotation, fixed)
    kept = torch.ones_like(present)
    kept[:, boxes:boxes + spheres] = not held_out
    kept[:, boxes + spheres:] = held_out
    present = present & kept
    present[:, :fixed] = True
    if family == "street":
        present[:, 0] = ~hilly
    centre[~present] = torch.tensor([0.0, 1e5, 0.0], device=device)
    half[~present] = 1e-3
    bite = torch.zeros(batch, slots, 4, device=device)
    count = BITTEN.stop - BITTEN.start
    bite[:, BITTEN, :3] = draw.uniform(-0.9, 0.9, batch, count, 3)
    bite[:, BITTEN, 3] = torch.where(draw.chance(0.6, batch, count), draw.uniform(0.5, 1.1, batch, count),
                                     torch.zeros(1, device=device))
    amplitude = draw.log_uniform(0.04, 0.2, batch, 3)
    wave = draw.uniform(-1, 1, batch, 3, 2) * draw.log_uniform(0.5, 3, batch, 3, 1)
    waves = torch.cat([wave, draw.uniform(0, 6.28, batch, 3, 1), amplitude[..., None]], -1)
    return Scene(
        to_local=rotation.transpose(-1, -2) / half[..., None], centre=centre, half=half, counts=SLOTS, bite=bite,
        waves=waves, ground=ground, **_surfaces(draw, batch, slots, bank, plain), **_lights(draw, batch, family))


def _street_shell(draw, batch, floor):
    """Ground slab, facade, one side wall and a far backdrop."""
    zero = torch.zeros(batch, device=draw.device)
    ground = (torch.stack([zero, floor[:, 0] + 0.5, zero], -1), torch.tensor([60.0, 0.5, 60.0], device=draw.device).expand(batch, 3))
    depth = draw.uniform(3, 8, batch)
    facade = (torch.stack([draw.uniform(-3, 3, batch), floor[:, 0] - 3, depth], -1),
              torch.stack([draw.uniform(2, 7, batch), draw.uniform(3, 6, batch), zero + 0.4], -1))
    side = draw.uniform(3.5, 6, batch) * torch.where(draw.chance(0.5, batch), 1.0, -1.0)
    wall = (torch.stack([side, floor[:, 0] - 2, draw.uniform(-2, 6, batch)], -1),
            torch.stack([zero + 0.3, draw.uniform(1, 4, batch), draw.uniform(1, 5, batch)], -1))
    backdrop = (torch.stack([zero, zero, draw.uniform(9, 25, batch)], -1),
                torch.stack([zero + 80, draw.uniform(2, 30, batch), zero + 0.5], -1))
    return [ground, facade, wall, backdrop]


def _windows(draw, centre, half, rotation, first, rows=2, columns=3):
    """Shallow boxes in a regular grid on the facade (slot 1), as windows and balconies, in the slots from 12."""
    batch = centre.shape[0]
    size = torch.stack([draw.uniform(0.25, 0.55, batch), draw.uniform(0.3, 0.7, batch), draw.uniform(0.03, 0.25, batch)], -1)
    pitch_x, pitch_y = draw.uniform(1.3, 2, batch), draw.uniform(1.6, 2.2, batch)
    for k in range(rows * columns):
        slot = 12 + k
        offset = torch.stack([(k % columns - 1) * pitch_x, (k // columns - 0.2) * pitch_y, -half[:, 1, 2]], -1)
        centre[:, slot] = centre[:, 1] + (rotation[:, 1] @ offset[..., None])[..., 0]
        half[:, slot], rotation[:, slot] = size, rotation[:, 1]


def _surfaces(draw, batch, slots, bank, plain):
    """Texture, scale, contrast, tint and gloss of every surface; the last is the height field's."""
    count = slots + 1
    tile = draw.log_uniform(0.6, 3.0, batch, count, 1)
    texture = draw.integer(0, bank.texels.shape[0], batch, count)
    small = draw.chance(0.15, batch, count, 1)
    tile = torch.where(small, tile * 0.35, tile)
    contrast = torch.where(draw.chance(plain, batch, count, 1), draw.uniform(0.02, 0.12, batch, count, 1),
                           draw.uniform(0.5, 1.2, batch, count, 1))
    tint = draw.uniform(0.55, 1.15, batch, count, 3)
    specular = torch.where(draw.chance(0.25, batch, count, 1), draw.uniform(0.1, 0.5, batch, count, 1), torch.zeros(1, device=draw.device))
    gloss = draw.log_uniform(8, 60, batch, count, 1)
    surface = torch.cat([tile, draw.uniform(0, 1, batch, count, 2), contrast, tint, specular, gloss, torch.zeros_like(tile)], -1)
    return {"texture": texture, "surface": surface}


def _lights(draw, batch, family):
    """One light with shadows (the sun, or a lamp in rooms and with objects), and light from everywhere."""
    light = torch.nn.functional.normalize(torch.stack(
        [draw.uniform(-1, 1, batch), draw.uniform(-1.2, -0.35, batch), draw.uniform(-1, 0.6, batch)], -1), dim=-1)
    position = torch.cat([draw.uniform(-1.2, 1.2, batch, 1), draw.uniform(-1.0, -0.6, batch, 1),
                          draw.uniform(-1.2, 1.2, batch, 1), torch.full((batch, 1), float(family != "street"), device=draw.device)], -1)
    horizon = draw.uniform(0.4, 1, batch, 3)
    return {"light": light, "light_at": position, "ambient": draw.uniform(0.45, 0.9, batch),
            "sky": torch.cat([horizon, horizon * draw.uniform(0.4, 1, batch, 3)], -1)}
