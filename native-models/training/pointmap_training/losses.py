"""Losses and the measures that belong to them. All in float32."""
import torch
from torch.nn import functional as F

from .network import PATCH
from .simulator.cameras import VISIBLE


def mean_distance(points, valid):
    """Mean distance to view 1's camera over both views' valid pixels: [B]."""
    total = sum((p.norm(dim=-1) * v).flatten(1).sum(1) for p, v in zip(points, valid))
    return total / sum(v.flatten(1).sum(1) for v in valid).clamp_min(1)


def normalised(points, valid):
    """Pointmaps divided by their mean distance to view 1's camera."""
    scale = mean_distance(points, valid).clamp_min(1e-6)[:, None, None, None]
    return [p / scale for p in points]


def point_errors(predicted, true, valid):
    """Euclidean errors [B, H, W] of both views, each side brought to mean distance 1."""
    predicted, true = normalised(predicted, valid), normalised(true, valid)
    return [((p - t).pow(2).sum(-1) + 1e-12).sqrt() for p, t in zip(predicted, true)]


def regression_loss(output, true, valid, alpha=0.2):
    """Confidence-weighted regression (DUSt3R, section 3.2): mean of C * error - alpha * log C over valid pixels."""
    errors = point_errors(output["points"], true, valid)
    loss = 0
    for error, confidence, known in zip(errors, output["confidence"], valid):
        loss = loss + ((confidence * error - alpha * confidence.log()) * known).sum() / known.sum().clamp_min(1)
    unweighted = [(e * v).sum() / v.sum().clamp_min(1) for e, v in zip(errors, valid)]
    return loss / 2, [u.detach() for u in unweighted]


def token_coordinates(pixels):
    """Pixel positions in units of tokens: a token's centre is at integers."""
    return (pixels + 0.5) / PATCH - 0.5


def match_targets(matches, rows, columns, other_rows, other_columns):
    """What the softmax correlation of one view's tokens should be: [B, S, S'].

    Every visible sample of a token's patch spreads one unit over the (up to four) tokens of the other view around its
    match, bilinearly. matches: `class`, `pixel`, `valid` on a regular grid of samples over the view.
    """
    visible = ((matches["class"] == VISIBLE) & matches["valid"]).float()
    batch, height, width = visible.shape
    row = torch.arange(height, device=visible.device) * rows // height
    column = torch.arange(width, device=visible.device) * columns // width
    token = (row[:, None] * columns + column[None]).expand(batch, -1, -1)
    xy = token_coordinates(matches["pixel"])
    x = xy[..., 0].clamp(0, other_columns - 1)
    y = xy[..., 1].clamp(0, other_rows - 1)
    x0, y0 = x.floor().clamp_max(max(other_columns - 2, 0)), y.floor().clamp_max(max(other_rows - 2, 0))
    fx, fy = x - x0, y - y0
    size = rows * columns * other_rows * other_columns
    target = torch.zeros(batch, size, device=visible.device)
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = (fx if dx else 1 - fx) * (fy if dy else 1 - fy) * visible
        cell = (y0 + dy).clamp_max(other_rows - 1) * other_columns + (x0 + dx).clamp_max(other_columns - 1)
        index = token * other_rows * other_columns + cell.long()
        target.scatter_add_(1, index.flatten(1), weight.flatten(1))
    return target.reshape(batch, rows * columns, other_rows * other_columns)


def correlation_loss(logits, matches, grid1, grid2):
    """Cross-entropy of the correlation in both directions. grid: (rows, columns) of each view's tokens."""
    loss = 0
    for scores, own, a, b in ((logits, matches[0], grid1, grid2), (logits.transpose(1, 2), matches[1], grid2, grid1)):
        target = match_targets(own, *a, *b)
        loss = loss - (target * torch.log_softmax(scores.float(), -1)).sum() / target.sum().clamp_min(1)
    return loss / 2


def matching_recall(logits, matches, grid1, grid2):
    """Share of visible samples of view 1 whose token's best match lies within one token of the truth in x and y.

    Returns recall, and the same for the guess that nothing moved (each token matches its own place), and for chance.
    """
    rows, columns = grid1
    visible = (matches["class"] == VISIBLE) & matches["valid"]
    batch, height, width = visible.shape
    row = torch.arange(height, device=visible.device) * rows // height
    column = torch.arange(width, device=visible.device) * columns // width
    token = (row[:, None] * columns + column[None]).flatten()
    xy = token_coordinates(matches["pixel"]).flatten(1, 2)

    def share(found):
        guess = torch.stack([found % grid2[1], torch.div(found, grid2[1], rounding_mode="floor")], -1).float()
        close = (guess - xy).abs().amax(-1) < 1
        return (close & visible.flatten(1)).sum().float() / visible.sum().clamp_min(1)

    best = logits.argmax(-1)[:, token]
    random_tokens = torch.arange(batch * len(token), device=visible.device).mul(7919).remainder(grid2[0] * grid2[1])
    same = token.expand(batch, -1)
    return share(best), share(same), share(random_tokens.reshape(batch, -1))


def covisibility_loss(logits, matches):
    """Cross-entropy over the three classes at every sample with a surface, both views; and the share classified right."""
    loss, right, count = 0, 0, 0
    for scores, own in zip(logits, matches):
        scores = F.interpolate(scores.float(), own["class"].shape[1:], mode="nearest")
        target = torch.where(own["valid"], own["class"], torch.full_like(own["class"], -100))
        loss = loss + F.cross_entropy(scores, target, ignore_index=-100)
        right = right + ((scores.argmax(1) == own["class"]) & own["valid"]).sum()
        count = count + own["valid"].sum()
    return loss / 2, right.float() / count.clamp_min(1)
