"""PyTorch's time for one direction of one 512x384 pair through a network of DUSt3R's published size (random weights), for
comparison with ONNX Runtime in test/bench/dust3r.ts. Layers follow the papers (CroCo, DUSt3R, DPT); prints one JSON line.

    /usr/bin/python3 test/bench/dust3r_pytorch.py [THREADS] [RUNS]
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def rotary(grid, head):
    """Cosines and sines [tokens, head]: the first half of a head turns with the row, the second with the column."""
    rows, columns = grid
    quarter = head // 4
    frequency = 100.0 ** (-torch.arange(quarter) / quarter)
    row = torch.arange(rows).repeat_interleave(columns)[:, None] * frequency
    column = torch.arange(columns).repeat(rows)[:, None] * frequency
    angle = torch.cat([row, row, column, column], 1)
    return angle.cos(), angle.sin()


def rotate(x, table):
    cos, sin = table
    a, b, c, d = x.chunk(4, -1)
    return x * cos + torch.cat([-b, a, -d, c], -1) * sin


def attend(q, k, v, heads, own, other):
    batch, tokens, width = q.shape
    split = lambda x: x.view(batch, x.shape[1], heads, width // heads).transpose(1, 2)
    q, k, v = rotate(split(q), own), rotate(split(k), other), split(v)
    weights = (q @ k.transpose(-2, -1) * (width // heads) ** -0.5).softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(batch, tokens, width)


class Block(nn.Module):
    def __init__(self, width, heads, cross):
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.proj = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        if cross:
            self.norm_y, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.norm3, self.fc1, self.fc2 = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, own, y=None, other=None):
        x = x + self.proj(attend(*self.qkv(self.norm1(x)).chunk(3, -1), self.heads, own, own))
        if y is not None:
            y = self.norm_y(y)
            x = x + self.out(attend(self.q(self.norm2(x)), self.k(y), self.v(y), self.heads, own, other))
        return x + self.fc2(F.gelu(self.fc1(self.norm3(x))))


class Unit(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return self.conv2(F.relu(self.conv1(F.relu(x)))) + x


class Dense(nn.Module):
    def __init__(self, widths, levels=(96, 192, 384, 768), features=256):
        super().__init__()
        spread = [nn.ConvTranspose2d(levels[0], levels[0], 4, 4), nn.ConvTranspose2d(levels[1], levels[1], 2, 2), nn.Identity(), nn.Conv2d(levels[3], levels[3], 3, 2, 1)]
        self.reassemble = nn.ModuleList(nn.Sequential(nn.Conv2d(width, level, 1), layer, nn.Conv2d(level, features, 3, padding=1, bias=False)) for width, level, layer in zip(widths, levels, spread))
        self.first, self.second = (nn.ModuleList(Unit(features) for _ in range(4)) for _ in range(2))
        self.out = nn.ModuleList(nn.Conv2d(features, features, 1) for _ in range(4))
        self.head = nn.Sequential(nn.Conv2d(features, 128, 3, padding=1), nn.UpsamplingBilinear2d(scale_factor=2), nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(), nn.Conv2d(128, 4, 1))

    def forward(self, tokens, grid):
        maps = [layer(set_.transpose(1, 2).unflatten(2, grid)) for layer, set_ in zip(self.reassemble, tokens)]
        path = None
        for level in (3, 2, 1, 0):
            path = maps[level] if path is None else path[..., : maps[level].shape[2], : maps[level].shape[3]] + self.first[level](maps[level])
            path = self.out[level](F.interpolate(self.second[level](path), scale_factor=2, mode="bilinear", align_corners=True))
        return self.head(path)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 1024, 16, 16)
        self.encoder = nn.ModuleList(Block(1024, 16, False) for _ in range(24))
        self.norm, self.reduce, self.last = nn.LayerNorm(1024), nn.Linear(1024, 768), nn.LayerNorm(768)
        self.decoders = nn.ModuleList(nn.ModuleList(Block(768, 12, True) for _ in range(12)) for _ in range(2))
        self.heads = nn.ModuleList(Dense([1024, 768, 768, 768]) for _ in range(2))

    def encode(self, image, grid):
        x = self.embed(image).flatten(2).transpose(1, 2)
        table = rotary(grid, 64)
        for block in self.encoder:
            x = block(x, table)
        return self.norm(x)

    def decode(self, features, grid):
        table = rotary(grid, 64)
        levels = [[self.reduce(x) for x in features]]
        for one, two in zip(*self.decoders):
            x, y = levels[-1]
            levels.append([one(x, table, y, table), two(y, table, x, table)])
        outputs = []
        for view, head in enumerate(self.heads):
            v = head([features[view], levels[6][view], levels[9][view], self.last(levels[12][view])], grid).permute(0, 2, 3, 1)
            norm = v[..., :3].norm(dim=-1, keepdim=True).clip(min=1e-8)
            outputs.append((v[..., :3] / norm * torch.expm1(norm), 1 + v[..., 3].exp()))
        return outputs


def main(threads, runs):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = Network().eval()
    grid = (24, 32)
    images = [torch.randn(1, 3, 384, 512) for _ in range(2)]
    encoder, decoder, used = [], [], []
    with torch.inference_mode():
        for _ in range(runs):
            start, before = time.perf_counter(), time.process_time()
            features = [network.encode(image, grid) for image in images]
            middle = time.perf_counter()
            network.decode(features, grid)
            encoder.append((middle - start) / 2)
            decoder.append(time.perf_counter() - middle)
            used.append(time.process_time() - before)
    parameters = sum(p.numel() for p in network.parameters())
    print(json.dumps({"version": torch.__version__, "parameters": parameters, "encoder": min(encoder), "decoder": min(decoder), "cpu": min(used)}))


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    main(*(arguments + [2, 3][len(arguments):]))
