"""The compact network: two images in, both views' pointmaps in view 1's frame out. FORMAT.md states it exactly."""
import math
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

from .layers import EPSILON, CrossBlock, ViewBlock, rotary_table, token_positions

PATCH = 16


@dataclass
class Shape:
    """Sizes of a network; `small` has 2.7 million parameters, `base` 9.9 million: 20 MB in float16."""

    width: int = 128
    head_width: int = 64
    view_blocks: int = 5
    cross_blocks: int = 5
    match_after: int = 2
    ratio: int = 4
    stem: list = field(default_factory=lambda: [24, 48, 96])
    match_width: int = 64
    refine: int = 64


SHAPES = {"small": Shape(), "base": Shape(width=256, stem=[32, 64, 96], match_width=96, refine=80)}


class Stem(nn.Module):
    """Four 3x3 convolutions of stride 2: tokens at 1/16, and a skip at 1/8 from the third."""

    def __init__(self, shape):
        super().__init__()
        channels = [3, *shape.stem, shape.width]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in zip(channels, channels[1:]))

    def forward(self, image):
        x = image
        for layer in self.layers[:-1]:
            x = F.gelu(layer(x))
        return self.layers[-1](x), x


class Matching(nn.Module):
    """Global matching: softmax correlation of the views' tokens; where it peaks, how high and how sharply, fed back."""

    def __init__(self, shape):
        super().__init__()
        self.norm = nn.LayerNorm(shape.width, EPSILON)
        self.project = nn.Linear(shape.width, shape.match_width)
        self.log_scale = nn.Parameter(torch.tensor(2.3))
        self.expand = nn.Linear(6, shape.width)
        self.reduce = nn.Linear(shape.width, shape.width)

    def correlate(self, x1, x2):
        """Logits [B, S1, S2]: cosines of projected tokens times a learned scale, in float32."""
        with torch.autocast(x1.device.type, enabled=False):
            f1, f2 = (F.normalize(self.project(self.norm(x.float())), dim=-1, eps=EPSILON) for x in (x1, x2))
            return f1 @ f2.transpose(1, 2) * self.log_scale.exp()

    def feedback(self, logits, own, other):
        """Features [B, S, width] from logits over the other view's tokens; own, other: coordinates in -1..1 [S, 2] (x, y)."""
        with torch.autocast(logits.device.type, enabled=False):
            logarithm = torch.log_softmax(logits, -1)
            weights = logarithm.exp()
            expected = weights @ other
            peak = weights.amax(-1, keepdim=True)
            entropy = -(weights * logarithm).sum(-1, keepdim=True) / math.log(logits.shape[-1])
            own = own.expand(logits.shape[0], -1, -1)
            facts = torch.cat([expected, own, peak, entropy], -1)
        return self.reduce(F.gelu(self.expand(facts)))


class Head(nn.Module):
    """Tokens and the skip to [4, H, W] by pixel shuffling (x2, then x8) with convolutions at 1/8 between."""

    def __init__(self, shape):
        super().__init__()
        self.norm = nn.LayerNorm(shape.width, EPSILON)
        self.expand = nn.Linear(shape.width, 4 * shape.refine)
        self.skip = nn.Conv2d(shape.stem[-1], shape.refine, 1)
        self.refine = nn.ModuleList(nn.Conv2d(shape.refine, shape.refine, 3, 1, 1) for _ in range(4))
        self.output = nn.Conv2d(shape.refine, 4 * 64, 1)
        self.covisibility = nn.Conv2d(shape.refine, 3, 1)

    def forward(self, x, skip):
        batch, _, rows, columns = skip.shape
        x = self.expand(self.norm(x)).transpose(1, 2).reshape(batch, -1, rows // 2, columns // 2)
        x = F.pixel_shuffle(x, 2) + self.skip(skip)
        for k in (0, 2):
            x = x + self.refine[k + 1](F.gelu(self.refine[k](F.gelu(x))))
        x = F.gelu(x)
        return F.pixel_shuffle(self.output(x), 8), self.covisibility(x)


def points_and_confidence(raw):
    """Points [B, H, W, 3] = direction * expm1(norm) and confidence [B, H, W] = 1 + exp from channels [B, 4, H, W]."""
    raw = raw.float()
    vector = raw[:, :3]
    norm = vector.norm(dim=1, keepdim=True)
    # Bounded so that a diverging start cannot overflow; trained networks stay far below.
    points = vector / norm.clamp_min(1e-8) * torch.expm1(norm.clamp_max(12))
    return points.permute(0, 2, 3, 1), 1 + raw[:, 3].clamp_max(12).exp()


class Compact(nn.Module):
    """The whole network, and the completion task that it may be pre-trained with."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.stem = Stem(shape)
        self.view_blocks = nn.ModuleList(ViewBlock(shape.width, shape.head_width, shape.ratio) for _ in range(shape.view_blocks))
        self.reference = nn.Parameter(torch.zeros(2, shape.width))
        self.cross_blocks = nn.ModuleList(CrossBlock(shape.width, shape.head_width, shape.ratio) for _ in range(shape.cross_blocks))
        self.matching = Matching(shape)
        self.head = Head(shape)
        self.apply(_initialise)
        nn.init.normal_(self.reference, std=0.02)
        # The network starts as a plane one unit in front of view 1.
        with torch.no_grad():
            self.head.output.weight *= 0.2
            self.head.output.bias.zero_()
            self.head.output.bias[128:192] = 0.6931
            self.matching.reduce.weight *= 0.5

    def encode(self, image):
        """Tokens [B, S, width] of one view alone, its skip [B, C, H/8, W/8], its rotary table and token coordinates."""
        grid, skip = self.stem(image)
        rows, columns = grid.shape[2:]
        positions = token_positions(rows, columns, image.device)
        table = rotary_table(positions, self.shape.head_width)
        x = grid.flatten(2).transpose(1, 2)
        for block in self.view_blocks:
            x = block(x, table)
        size = torch.tensor([columns, rows], device=image.device)
        coordinates = (positions.flip(-1).float() + 0.5) / size * 2 - 1
        return x, skip, table, coordinates

    def mix(self, x1, x2, table1, table2, coordinates1, coordinates2):
        """Both views' tokens after the cross blocks, and the correlation's logits [B, S1, S2]."""
        x1, x2 = x1 + self.reference[0], x2 + self.reference[1]
        logits = None
        for number, block in enumerate(self.cross_blocks, 1):
            x1, x2 = block(x1, x2, table1, table2), block(x2, x1, table2, table1)
            if number == self.shape.match_after:
                logits = self.matching.correlate(x1, x2)
                x1 = x1 + self.matching.feedback(logits, coordinates1, coordinates2)
                x2 = x2 + self.matching.feedback(logits.transpose(1, 2), coordinates2, coordinates1)
        return x1, x2, logits

    def forward(self, image1, image2):
        """Images [B, 3, H, W] in -1..1, sides multiples of 16; the views may differ in size.

        Returns a dict of `points` (two [B, H, W, 3], both in view 1's frame), `confidence` (two [B, H, W], at least 1),
        `logits` [B, S1, S2] and `covisibility` (two [B, 3, H/8, W/8] logits: visible, occluded, outside).
        """
        x1, skip1, table1, coordinates1 = self.encode(image1)
        x2, skip2, table2, coordinates2 = self.encode(image2)
        x1, x2, logits = self.mix(x1, x2, table1, table2, coordinates1, coordinates2)
        raw1, seen1 = self.head(x1, skip1)
        raw2, seen2 = self.head(x2, skip2)
        points1, confidence1 = points_and_confidence(raw1)
        points2, confidence2 = points_and_confidence(raw2)
        return {"points": [points1, points2], "confidence": [confidence1, confidence2],
                "logits": logits, "covisibility": [seen1, seen2]}

    def correspond(self, image1, image2):
        """The correlation's logits [B, S1, S2] alone: what the first stage of training needs, at half the cost."""
        x1, _, table1, _ = self.encode(image1)
        x2, _, table2, _ = self.encode(image2)
        x1, x2 = x1 + self.reference[0], x2 + self.reference[1]
        for block in self.cross_blocks[:self.shape.match_after]:
            x1, x2 = block(x1, x2, table1, table2), block(x2, x1, table2, table1)
        return self.matching.correlate(x1, x2)


def _initialise(module):
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=module.in_features ** -0.5)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


def configuration(shape, input_size=128):
    """The content of config.json for a shape; input_size: the long side in pixels that it was trained at."""
    return {"architecture": "compact", "version": 1, "inputSize": input_size, "patch": PATCH, "rotaryBase": 100, "normEpsilon": EPSILON, "width": shape.width,
            "headWidth": shape.head_width, "viewBlocks": shape.view_blocks, "crossBlocks": shape.cross_blocks,
            "matchAfter": shape.match_after, "mlpRatio": shape.ratio, "stem": shape.stem,
            "matchWidth": shape.match_width, "refine": shape.refine}


def parameter_count(network):
    return sum(p.numel() for p in network.parameters())


def shape_of(name_or_fields):
    """A Shape by name, or from its fields as a checkpoint holds them."""
    return SHAPES[name_or_fields] if isinstance(name_or_fields, str) else Shape(**name_or_fields)
