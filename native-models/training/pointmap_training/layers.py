"""Attention with rotary positions, and the blocks made of it."""
import torch
from torch import nn
from torch.nn import functional as F

EPSILON = 1e-6
ROTARY_BASE = 100.0


def token_positions(rows, columns, device):
    """Row and column of every token, row-major: [rows * columns, 2]."""
    y, x = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")
    return torch.stack([y.flatten(), x.flatten()], -1)


def rotary_table(positions, width):
    """Cosine and sine [S, width] for heads of `width` features: rows turn the first half, columns the second (RoPE100)."""
    half = width // 2
    exponent = torch.arange(0, half, 2, device=positions.device).float() / half
    angle = positions[..., None].float() * ROTARY_BASE ** -exponent      # [S, 2, half / 2]
    angle = torch.cat([angle, angle], -1).flatten(1)                     # each half's list twice, halves end to end
    return angle.cos(), angle.sin()


def rotate(x, table):
    """x [B, heads, S, width] rotated by its tokens' positions."""
    cosine, sine = table
    first, second = x.chunk(2, -1)
    turned = torch.cat([_quarter(first), _quarter(second)], -1)
    return x * cosine.to(x.dtype) + turned * sine.to(x.dtype)


def _quarter(x):
    a, b = x.chunk(2, -1)
    return torch.cat([-b, a], -1)


def root_mean_square_norm(x, scale):
    """x over its root mean square along the last axis, times a learned scale per feature."""
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON) * scale


class Attention(nn.Module):
    """Attention of S tokens to T tokens; `query` [width, width], `keyvalue` [2 * width, width] packs k, then v."""

    def __init__(self, width, head_width):
        super().__init__()
        self.heads, self.head_width = width // head_width, head_width
        self.query = nn.Linear(width, width)
        self.keyvalue = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        self.query_scale = nn.Parameter(torch.ones(head_width))
        self.key_scale = nn.Parameter(torch.ones(head_width))

    def forward(self, x, memory, table, memory_table):
        def split(t):
            return t.reshape(t.shape[0], t.shape[1], self.heads, self.head_width).transpose(1, 2)

        q = split(self.query(x))
        k, v = (split(t) for t in self.keyvalue(memory).chunk(2, -1))
        q = rotate(root_mean_square_norm(q, self.query_scale), table)
        k = rotate(root_mean_square_norm(k, self.key_scale), memory_table)
        weights = torch.softmax(q @ k.transpose(-1, -2) * self.head_width ** -0.5, -1)
        return self.output((weights @ v).transpose(1, 2).flatten(2))


class Perceptron(nn.Module):
    """Two linear layers with an exact GELU between."""

    def __init__(self, width, ratio):
        super().__init__()
        self.expand = nn.Linear(width, ratio * width)
        self.reduce = nn.Linear(ratio * width, width)

    def forward(self, x):
        return self.reduce(F.gelu(self.expand(x)))


class ViewBlock(nn.Module):
    """x += attention(norm1(x)); x += perceptron(norm2(x))."""

    def __init__(self, width, head_width, ratio):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.attention = Attention(width, head_width)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.perceptron = Perceptron(width, ratio)

    def forward(self, x, table):
        y = self.norm1(x)
        x = x + self.attention(y, y, table, table)
        return x + self.perceptron(self.norm2(x))


class CrossBlock(nn.Module):
    """A view block with attention to the other view's tokens (as they were before this block) in the middle."""

    def __init__(self, width, head_width, ratio):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.attention = Attention(width, head_width)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.norm_memory = nn.LayerNorm(width, EPSILON)
        self.cross = Attention(width, head_width)
        self.norm3 = nn.LayerNorm(width, EPSILON)
        self.perceptron = Perceptron(width, ratio)

    def forward(self, x, other, table, other_table):
        y = self.norm1(x)
        x = x + self.attention(y, y, table, table)
        x = x + self.cross(self.norm2(x), self.norm_memory(other), table, other_table)
        return x + self.perceptron(self.norm3(x))
