"""PyTorch's time for a Depth Anything 3 network of the published sizes (random weights) on views of 504x378, for comparison
with ONNX Runtime in test/bench/da3.ts. Prints one JSON line of CPU seconds a view.

    /usr/bin/python3 test/bench/da3_pytorch.py small|base VIEWS [THREADS]
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

GRID = (27, 36)
SIZES = {"small": (384, 6, 64, (48, 96, 192, 384)), "base": (768, 12, 128, (96, 192, 384, 768))}


def table(head, row, column):
    """Cosines and sines [tokens, head]: the first half of a head turns with the row, the second with the column."""
    quarter = head // 4
    frequency = 100.0 ** (-torch.arange(quarter) / quarter)
    angle = torch.cat([row[:, None] * frequency] * 2 + [column[:, None] * frequency] * 2, 1)
    return angle.cos(), angle.sin()


def rotate(x, turn):
    cos, sin = turn
    a, b, c, d = x.chunk(4, -1)
    return x * cos + torch.cat([-b, a, -d, c], -1) * sin


class Block(nn.Module):
    def __init__(self, width, heads, normed):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.q_norm, self.k_norm = (nn.LayerNorm(width // heads) if normed else None for _ in range(2))
        self.ls1, self.ls2 = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))

    def forward(self, x, turn=None, together=False):
        views, tokens, width = x.shape
        split = lambda part: part.view(views, tokens, self.heads, width // self.heads).transpose(1, 2)
        q, k, v = map(split, self.qkv(self.norm1(x)).chunk(3, -1))
        if turn is not None:
            q, k = rotate(self.q_norm(q), turn), rotate(self.k_norm(k), turn)
        if together:
            q, k, v = (part.transpose(0, 1).reshape(1, self.heads, views * tokens, -1) for part in (q, k, v))
        seen = (q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5).softmax(-1) @ v
        x = x + self.ls1 * self.proj(seen.transpose(1, 2).reshape(views, tokens, width))
        return x + self.ls2 * self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Unit(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return self.conv2(F.relu(self.conv1(F.relu(x)))) + x


class Dense(nn.Module):
    def __init__(self, width, features, levels, rays):
        super().__init__()
        self.norm, self.rays = nn.LayerNorm(2 * width), rays
        self.project = nn.ModuleList(nn.Conv2d(2 * width, level, 1) for level in levels)
        self.resize = nn.ModuleList([nn.ConvTranspose2d(levels[0], levels[0], 4, 4), nn.ConvTranspose2d(levels[1], levels[1], 2, 2), nn.Identity(), nn.Conv2d(levels[3], levels[3], 3, 2, 1)])
        self.reduce = nn.ModuleList(nn.Conv2d(level, features, 3, padding=1, bias=False) for level in levels)
        self.first, self.second = (nn.ModuleList(Unit(features) for _ in range(4)) for _ in range(2))
        self.out = nn.ModuleList(nn.Conv2d(features, features, 1) for _ in range(4))
        steps = [features, features // 2] * 3 if rays else [features, features // 2]
        self.before = nn.Sequential(*(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(steps, steps[1:])))
        self.after, self.last, self.channel = nn.Conv2d(features // 2, 32, 3, padding=1), nn.Conv2d(32, 7 if rays else 2, 1), nn.LayerNorm(32)

    def forward(self, tokens):
        maps = [self.reduce[k](self.resize[k](self.project[k](self.norm(set_).transpose(1, 2).unflatten(2, GRID)))) for k, set_ in enumerate(tokens)]
        path = None
        for level in (3, 2, 1, 0):
            path = self.second[level](maps[level] if path is None else path + self.first[level](maps[level]))
            size = [side * (8, 4, 2, 1)[level] for side in GRID]
            path = self.out[level](F.interpolate(path, size=size, mode="bilinear", align_corners=True))
        x = self.before(path)
        if self.rays:
            x = self.channel(self.after(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        else:
            x = self.after(F.interpolate(x, size=[14 * side for side in GRID], mode="bilinear", align_corners=True))
        return self.last(F.relu(x))


class Network(nn.Module):
    def __init__(self, width, heads, features, levels):
        super().__init__()
        self.embed, self.norm = nn.Conv2d(3, width, 14, 14), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, heads, k >= 4) for k in range(12))
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        rows, columns = (torch.arange(side) + 1.0 for side in GRID)
        row, column = rows.repeat_interleave(GRID[1]), columns.repeat(GRID[0])
        zero = torch.zeros(1)
        ones = torch.cat([zero, torch.ones(GRID[0] * GRID[1])])
        self.local = table(width // heads, torch.cat([zero, row]), torch.cat([zero, column]))
        self.together = table(width // heads, ones, ones)
        self.depth, self.rays = (Dense(width, features, levels, rays) for rays in (False, True))

    def tokens(self, images):
        x = self.embed(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(images), -1, -1), x], 1)
        taken, local = [], x
        for k, block in enumerate(self.blocks):
            together = k > 4 and k % 2 == 1
            x = block(x, None if k < 4 else self.together if together else self.local, together)
            local = local if together else x
            if k in (5, 7, 9, 11):
                taken.append(torch.cat([local, self.norm(x)], -1)[:, 1:])
        return taken


def main(name, views, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = Network(*SIZES[name]).eval()
    images = torch.randn(views, 3, 14 * GRID[0], 14 * GRID[1])
    best = {}

    def timed(part, run):
        before = time.process_time()
        out = run()
        best[part] = min(best.get(part, 1e9), (time.process_time() - before) / views)
        return out

    with torch.inference_mode():
        for _ in range(2):
            taken = timed("tokens", lambda: network.tokens(images))
            for part, head in (("depth", network.depth), ("rays", network.rays)):
                timed(part, lambda: [head([level[k : k + 1] for level in taken]) for k in range(views)])
    print(json.dumps({"version": torch.__version__, **best}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 2)
