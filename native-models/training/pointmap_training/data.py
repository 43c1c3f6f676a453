"""Training batches: a pure function of the step's number, whatever was made before, so that a resumed run sees the same."""
from dataclasses import dataclass

import torch

from .simulator.pairs import Pairs, correspondences, make_pairs, photographed, pointmaps
from .simulator.random import seed_of


@dataclass
class Batch:
    """What one step sees. Lists hold view 1, view 2; pointmaps are in view 1's frame."""

    images: list   # [B, 3, H, W] in -1..1
    points: list   # [B, H, W, 3] metres
    valid: list    # [B, H, W]
    matches: list  # dicts of class, pixel, valid at every 4th pixel


class Source:
    """Simulated batches, each used `reuse` times on average before it leaves a window of `window` batches.

    Rendering costs more than a step of the small network on a CPU; an image comes back photographed anew, and half of
    the time with its views in the other order.
    """

    def __init__(self, settings, seed, batch, device="cpu", reuse=1, window=1, stride=4):
        self.settings, self.seed, self.size, self.device = settings, seed, batch, device
        self.reuse, self.window, self.stride = reuse, max(1, window), stride
        self.made = {}

    def number(self, step):
        """Which simulated batch a step uses."""
        newest = step // self.reuse
        if self.reuse == 1:
            return newest
        if step % self.reuse == 0:
            return newest
        back = seed_of(self.seed, "window", step) % min(self.window, newest + 1)
        return newest - back

    def _pairs(self, number):
        if number not in self.made:
            oldest = number - 2 * self.window
            self.made = {n: value for n, value in self.made.items() if n > oldest}
            pairs = make_pairs(self.settings, self.seed, self.size, self.device, number)
            self.made[number] = (_without_scene(pairs), correspondences(pairs, self.stride))
        return self.made[number]

    def batch(self, step):
        pairs, matches = self._pairs(self.number(step))
        if seed_of(self.seed, "order", step) % 2:
            pairs, matches = pairs.swapped(), matches[::-1]
        return batch_of(pairs, matches, seed_of(self.seed, "step", step))


def _without_scene(pairs):
    """A scene is only needed to cast rays."""
    return Pairs(None, pairs.cameras, pairs.images, pairs.depths, pairs.family)


def batch_of(pairs, matches, seed):
    """A batch with newly photographed images."""
    points, valid = pointmaps(pairs)
    return Batch(photographed(pairs, seed), points, valid, matches)


def joined(batches):
    """Several batches as one."""
    return Batch(*([torch.cat([getattr(b, name)[view] for b in batches]) for view in (0, 1)] for name in ("images", "points", "valid")),
                 [{key: torch.cat([b.matches[view][key] for b in batches]) for key in ("class", "pixel", "valid")} for view in (0, 1)])
