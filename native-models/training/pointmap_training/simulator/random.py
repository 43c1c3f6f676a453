"""Random numbers that depend on a seed and a batch's number alone, so that any batch can be made again."""
import hashlib

import torch


def seed_of(*parts):
    """A 63-bit seed from any printable parts; different parts give unrelated seeds."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


class Draw:
    """Draws tensors on one device from one seeded generator."""

    def __init__(self, seed, device="cpu"):
        self.device = torch.device(device)
        self.generator = torch.Generator(device=self.device)
        self.generator.manual_seed(seed)

    def uniform(self, low, high, *shape):
        return torch.rand(shape, generator=self.generator, device=self.device) * (high - low) + low

    def log_uniform(self, low, high, *shape):
        ratio = high / low
        return low * ratio ** torch.rand(shape, generator=self.generator, device=self.device)

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator, device=self.device)

    def chance(self, probability, *shape):
        return torch.rand(shape, generator=self.generator, device=self.device) < probability

    def integer(self, low, high, *shape):
        """Integers in [low, high)."""
        return torch.randint(low, high, shape, generator=self.generator, device=self.device)

    def direction(self, *shape):
        """Unit vectors, uniform on the sphere: [*shape, 3]."""
        return torch.nn.functional.normalize(self.normal(*shape, 3), dim=-1)

    def rotation(self, *shape):
        """Rotations, uniform: [*shape, 3, 3]."""
        q = torch.nn.functional.normalize(self.normal(*shape, 4), dim=-1)
        w, x, y, z = q.unbind(-1)
        rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
                2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
                2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
        return torch.stack(rows, -1).reshape(*shape, 3, 3)

    def upright(self, *shape):
        """Rotations about the vertical axis: [*shape, 3, 3]."""
        return about_vertical(self.uniform(0, 6.2832, *shape))


def about_vertical(angle):
    """Rotation about y by `angle` radians: [..., 3, 3]."""
    cosine, sine, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    rows = [cosine, zero, sine, zero, zero + 1, zero, -sine, zero, cosine]
    return torch.stack(rows, -1).reshape(*angle.shape, 3, 3)
