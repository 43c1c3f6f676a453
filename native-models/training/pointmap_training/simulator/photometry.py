"""What a camera does to an image: exposure, white balance, gamma, blur, noise, compression."""
import math

import torch
from torch.nn import functional as F


def _blur(image, sigma):
    """Separable 5-tap Gaussian of its own width (pixels) per image."""
    taps = torch.arange(-2, 3, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (taps / sigma.clamp_min(1e-3)[:, None]) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)
    batch, channels, height, width = image.shape
    flat = image.reshape(1, batch * channels, height, width)
    kernel = kernel.repeat_interleave(channels, 0)
    flat = F.conv2d(F.pad(flat, (2, 2, 0, 0), mode="replicate"), kernel[:, None, None], groups=batch * channels)
    flat = F.conv2d(F.pad(flat, (0, 0, 2, 2), mode="replicate"), kernel[:, None, :, None], groups=batch * channels)
    return flat.reshape(image.shape)


def _compress(image, strength):
    """Rounding of 8x8 cosine coefficients, coarser for higher frequencies, as in JPEG; strength per image."""
    k = torch.arange(8, device=image.device, dtype=image.dtype)
    basis = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * 0.5
    basis[0] = basis[0] / math.sqrt(2)
    batch, channels, height, width = image.shape
    blocks = image.reshape(batch, channels, height // 8, 8, width // 8, 8).permute(0, 1, 2, 4, 3, 5)
    coefficients = basis @ blocks @ basis.T
    step = (0.02 + 0.03 * (k[:, None] + k[None])) * strength.reshape(-1, 1, 1, 1, 1, 1) + 1e-4
    blocks = basis.T @ ((coefficients / step).round() * step) @ basis
    return blocks.permute(0, 1, 2, 4, 3, 5).reshape(image.shape)


def photograph(draw, image):
    """Images [B, 3, H, W] in 0..1 as different cameras would record them, again in 0..1; both sides multiples of 8."""
    batch = image.shape[0]

    def per_image(low, high, channels=1):
        return draw.uniform(low, high, batch, channels, 1, 1)

    image = image * torch.exp(per_image(-0.35, 0.35)) * torch.exp(per_image(-0.1, 0.1, 3))
    image = image.clamp(1e-4, 1) ** torch.exp(per_image(-0.3, 0.3))
    image = _blur(image, draw.uniform(0.05, 0.8, batch))
    image = image + draw.normal(*image.shape) * draw.log_uniform(0.002, 0.03, batch, 1, 1, 1)
    return _compress(image, draw.uniform(0, 1.5, batch)).clamp(0, 1)
