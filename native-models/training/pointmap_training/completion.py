"""Pre-training by cross-view completion: view 1's hidden patches are painted from the few seen and from view 2.

A separate stage on the same network (CroCo, Weinzaepfel et al. 2022, sections 3.1 and 3.2): 90 % of view 1's patches
are hidden, the loss is the mean squared error on hidden patches, their target normalised per patch.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .network import PATCH

MASKED = 0.9


def random_mask(generator, batch, tokens, share=MASKED):
    """[B, S], true where hidden: the same number in every image."""
    order = torch.rand(batch, tokens, generator=generator, device=generator.device).argsort(1)
    return order < round(tokens * share)


def patch_targets(image):
    """Patches [B, S, 3 * 256] of an image, each normalised to zero mean and unit variance."""
    patches = F.unfold(image, PATCH, stride=PATCH).transpose(1, 2)
    mean, variance = patches.mean(-1, keepdim=True), patches.var(-1, keepdim=True)
    return (patches - mean) / (variance + 1e-4).sqrt()


class Completion(nn.Module):
    """A compact network with a mask token and a painting head; neither is exported."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        width = network.shape.width
        self.mask_token = nn.Parameter(torch.randn(width) * 0.02)
        self.norm = nn.LayerNorm(width)
        self.paint = nn.Linear(width, 3 * PATCH * PATCH)

    def forward(self, image1, image2, mask):
        """Images [B, 3, H, W] in -1..1, mask [B, S] true where view 1 is hidden. Returns patches [B, S, 768]."""
        batch, _, height, width = image1.shape
        hidden = mask.reshape(batch, 1, height // PATCH, width // PATCH).float()
        hidden = F.interpolate(hidden, (height, width), mode="nearest")
        network = self.network
        x1, _, table1, coordinates1 = network.encode(image1 * (1 - hidden))
        x2, _, table2, coordinates2 = network.encode(image2)
        x1 = torch.where(mask[..., None], self.mask_token.to(x1.dtype).expand_as(x1), x1)
        x1, _, _ = network.mix(x1, x2, table1, table2, coordinates1, coordinates2)
        return self.paint(self.norm(x1))


def completion_loss(painted, image1, mask):
    """Mean squared error on hidden patches."""
    error = (painted.float() - patch_targets(image1)).pow(2).mean(-1)
    return error[mask].mean()
