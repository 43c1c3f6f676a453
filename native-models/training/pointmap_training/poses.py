"""Relative poses from pointmaps, and how good they are."""
import torch


def similarity(source, target, weight, rounds=6):
    """Rotation, translation and scale with target = scale * R @ source + t, robustly (reweighted Umeyama registration).

    source, target [N, 3], weight [N]. Residuals beyond their median count less (weights 1 / max(r, median)).
    """
    source, target, weight = (value.detach().cpu().double() for value in (source, target, weight))
    robust = torch.ones_like(weight)
    for _ in range(rounds):
        w = weight * robust
        w = w / w.sum().clamp_min(1e-12)
        a_mean, b_mean = (w[:, None] * source).sum(0), (w[:, None] * target).sum(0)
        a, b = source - a_mean, target - b_mean
        u, s, vh = torch.linalg.svd((w[:, None] * b).T @ a)
        sign = torch.ones(3, dtype=torch.float64)
        sign[2] = torch.sign(torch.det(u @ vh))
        rotation = u @ torch.diag(sign) @ vh
        scale = (s * sign).sum() / (w[:, None] * a * a).sum().clamp_min(1e-12)
        translation = b_mean - scale * rotation @ a_mean
        residual = (target - scale * source @ rotation.T - translation).norm(dim=1)
        robust = 1 / torch.maximum(residual, residual.median()).clamp_min(1e-9)
    return rotation, translation, scale


def rotation_angle(a, b):
    """Angle in degrees between two rotations."""
    cosine = ((a.cpu().double().T @ b.cpu().double()).trace() - 1) / 2
    return torch.rad2deg(torch.acos(cosine.clamp(-1, 1))).item()


def direction_angle(a, b):
    """Angle in degrees between two directions; 180 where one has no length."""
    a, b = a.cpu().double(), b.cpu().double()
    length = a.norm() * b.norm()
    if length < 1e-12:
        return 180.0
    return torch.rad2deg(torch.acos(((a @ b) / length).clamp(-1, 1))).item()


def area_under_curve(errors, limit):
    """Area under the recall curve of angular errors up to `limit` degrees, 0..1."""
    ordered = torch.tensor(sorted(errors), dtype=torch.float64)
    if len(ordered) == 0:
        return float("nan")
    return ((limit - ordered).clamp_min(0) / limit).mean().item()


def pose_errors(rotation, translation, true_rotation, true_translation):
    """Rotation and translation-direction errors in degrees."""
    return rotation_angle(rotation, true_rotation), direction_angle(translation, true_translation)


def accuracy(errors):
    """Summary of (rotation, translation) errors: AUC of the larger one at 5, 10, 20 degrees, and medians."""
    worst = [max(pair) for pair in errors]
    rotation, translation = (torch.tensor([pair[k] for pair in errors]) for k in (0, 1))
    return {"pairs": len(errors), **{f"auc{limit}": area_under_curve(worst, limit) for limit in (5, 10, 20)},
            "median_rotation": rotation.median().item(), "median_translation": translation.median().item()}
