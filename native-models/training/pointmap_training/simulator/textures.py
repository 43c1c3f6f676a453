"""A bank of procedural textures that tile, with a pyramid of averaged levels against aliasing."""
from dataclasses import dataclass

import torch
from torch.nn import functional as F

TRAINING_KINDS = ("noise", "worley", "waves", "leaves", "checks")
HELD_OUT_KINDS = ("bricks", "glyphs")


@dataclass
class Bank:
    """T textures of S x S texels. `texels` holds each one's levels S, S/2, ..., 1 end to end: [T, sum of squares, 3]."""

    texels: torch.Tensor
    size: int

    @property
    def levels(self):
        return self.size.bit_length()


def _grid(size, device):
    line = (torch.arange(size, device=device) + 0.5) / size
    return torch.meshgrid(line, line, indexing="ij")


def _standard(x):
    """Each texture [n, S, S] brought to 0..1 by its own extremes."""
    low, high = x.flatten(1).min(1).values, x.flatten(1).max(1).values
    return (x - low[:, None, None]) / (high - low).clamp_min(1e-6)[:, None, None]


def noise(draw, count, size):
    """1/f^p noise, p 0.7 to 1.6, by its spectrum."""
    frequency = torch.fft.fftfreq(size, device=draw.device) * size
    radius = (frequency[:, None] ** 2 + frequency[None] ** 2).sqrt().clamp_min(1)
    power = draw.uniform(0.7, 1.6, count, 1, 1)
    spectrum = torch.fft.fft2(draw.normal(count, size, size)) * radius ** -power
    return _standard(torch.fft.ifft2(spectrum).real)


def worley(draw, count, size, points=24):
    """Distances to the nearest of scattered points (cells), or how close the two nearest are (cracks)."""
    y, x = _grid(size, draw.device)
    best = torch.full((count, size, size), 9.0, device=draw.device)
    second = best.clone()
    for _ in range(points):
        px, py = draw.uniform(0, 1, count, 1, 1), draw.uniform(0, 1, count, 1, 1)
        dx, dy = (x - px).abs(), (y - py).abs()
        distance = torch.minimum(dx, 1 - dx) ** 2 + torch.minimum(dy, 1 - dy) ** 2
        second = torch.minimum(second, torch.maximum(best, distance))
        best = torch.minimum(best, distance)
    cracks = draw.chance(0.5, count, 1, 1)
    return _standard(torch.where(cracks, (second.sqrt() - best.sqrt()).clamp_max(0.06), best.sqrt()))


def waves(draw, count, size):
    """Sums of a few plane waves, bent by one another; some hardened into stripes."""
    y, x = _grid(size, draw.device)
    bend = torch.sin(6.2832 * (draw.integer(1, 3, count, 1, 1) * x + draw.integer(0, 3, count, 1, 1) * y)) * 0.06
    total = 0
    for _ in range(3):
        kx, ky = draw.integer(-5, 6, count, 1, 1), draw.integer(1, 6, count, 1, 1)
        phase = draw.uniform(0, 6.2832, count, 1, 1)
        total = total + draw.uniform(0.2, 1, count, 1, 1) * torch.sin(6.2832 * (kx * x + ky * (y + bend)) + phase)
    hard = draw.chance(0.4, count, 1, 1)
    return _standard(torch.where(hard, (total * 6).tanh(), total))


def leaves(draw, count, size, discs=70):
    """Dead leaves: discs and squares of random grey, laid over one another, sizes by a power law."""
    y, x = _grid(size, draw.device)
    image = draw.uniform(0, 1, count, 1, 1).expand(count, size, size).clone()
    for _ in range(discs):
        px, py = draw.uniform(0, 1, count, 1, 1), draw.uniform(0, 1, count, 1, 1)
        radius = draw.log_uniform(0.03, 0.3, count, 1, 1)
        dx, dy = (x - px).abs(), (y - py).abs()
        dx, dy = torch.minimum(dx, 1 - dx), torch.minimum(dy, 1 - dy)
        square = draw.chance(0.4, count, 1, 1)
        inside = torch.where(square, torch.maximum(dx, dy), (dx * dx + dy * dy).sqrt()) < radius
        image = torch.where(inside, draw.uniform(0, 1, count, 1, 1), image)
    return image


def checks(draw, count, size):
    """Chequered or striped cells, each cell with a grey of its own in some."""
    y, x = _grid(size, draw.device)
    across, down = 2 * draw.integer(1, 5, count, 1, 1), 2 * draw.integer(1, 5, count, 1, 1)
    column, row = (x * across).floor().long(), (y * down).floor().long()
    own = draw.uniform(0, 1, count, 64).gather(1, (column * 7 + row * 13).flatten(1) % 64).reshape(count, size, size)
    own_grey = draw.chance(0.6, count, 1, 1)
    return torch.where(own_grey, own, ((column + row) % 2).float())


def bricks(draw, count, size):
    """Courses of bricks with joints, every second course shifted, each brick slightly different."""
    y, x = _grid(size, draw.device)
    across, down = draw.integer(2, 5, count, 1, 1), 2 * draw.integer(2, 5, count, 1, 1)
    row = (y * down).floor()
    along = x * across + 0.5 * (row % 2)
    column = along.floor() % across
    joint = torch.maximum((along % 1 - 0.5).abs() * 2, ((y * down) % 1 - 0.5).abs() * 2) > draw.uniform(0.8, 0.93, count, 1, 1)
    key = (column * 7 + row * 13).long().flatten(1) % 64
    own = draw.uniform(0.45, 0.8, count, 64).gather(1, key).reshape(count, size, size)
    return torch.where(joint, draw.uniform(0, 1, count, 1, 1), own)


def glyphs(draw, count, size, cells=6, dots=5):
    """Rows of invented letters: random strokes on a dot grid, mirrored or not, on a plain page."""
    letters = draw.chance(0.45, count, cells * cells, dots, dots).float()
    half = letters[..., :dots // 2].flip(-1)
    mirrored = torch.cat([letters[..., :dots // 2 + 1], half], -1)
    letters = torch.where(draw.chance(0.5, count, cells * cells, 1, 1), mirrored, letters)
    letters = F.pad(letters, (0, 1, 0, 2))
    page = letters.reshape(count, cells, cells, dots + 2, dots + 1).permute(0, 1, 3, 2, 4)
    page = page.reshape(count, 1, cells * (dots + 2), cells * (dots + 1))
    page = F.interpolate(page, (size, size), mode="nearest")[:, 0]
    return torch.where(draw.chance(0.5, count, 1, 1), page, 1 - page)


PAINTERS = {"noise": noise, "worley": worley, "waves": waves, "leaves": leaves, "checks": checks,
            "bricks": bricks, "glyphs": glyphs}


def make_bank(draw, kinds=TRAINING_KINDS, count=40, size=128):
    """A bank of `count` textures: every kind in turn, a third combined with a second kind, coloured by palettes."""
    per_kind = -(-count // len(kinds))
    greys = torch.cat([PAINTERS[kind](draw, per_kind, size) for kind in kinds])[:count]
    other = greys[torch.randperm(count, generator=draw.generator, device=draw.device)]
    mixing = torch.where(draw.chance(0.35, count, 1, 1), draw.uniform(0.2, 0.6, count, 1, 1), torch.zeros(1, device=draw.device))
    greys = greys * (1 - mixing) + other * mixing
    grain = noise(draw, count, size) - 0.5
    palette = draw.uniform(0.05, 1, count, 3, 3)
    palette = palette * 0.6 + palette.mean(2, keepdim=True) * 0.4
    position = (greys * 2).clamp(0, 2)[:, None]
    dark, middle, bright = (palette[:, k, :, None, None] for k in range(3))
    image = torch.where(position < 1, dark + (middle - dark) * position, middle + (bright - middle) * (position - 1))
    image = (image + grain[:, None] * draw.uniform(0, 0.35, count, 1, 1, 1)).clamp(0, 1)
    levels = []
    while True:
        levels.append(image.flatten(2).transpose(1, 2))
        if image.shape[-1] == 1:
            break
        image = F.avg_pool2d(image, 2)
    return Bank(torch.cat(levels, 1).contiguous(), size)


def sample(bank, texture, u, v, level):
    """Colours [..., 3] at texture coordinates u, v (1 = one tile), bilinear on the nearest pyramid level.

    texture: index into the bank; level: 0 for full resolution, 1 for half, ...; all of one shape.
    """
    level = level.round().clamp(0, bank.levels - 1).long()
    starts = torch.tensor([0] + [4 ** (bank.levels - 1 - k) for k in range(bank.levels)], device=u.device).cumsum(0)
    side = bank.size >> level
    x, y = (u - u.floor()) * side - 0.5, (v - v.floor()) * side - 0.5
    x0, y0 = x.floor(), y.floor()
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    x0, y0 = x0.long(), y0.long()
    base = texture * bank.texels.shape[1] + starts[level]
    texels = bank.texels.reshape(-1, 3)

    def at(column, row):
        return texels[base + row % side * side + column % side]

    top = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx
    bottom = at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx
    return top * (1 - fy) + bottom * fy
