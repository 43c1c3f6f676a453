"""Evaluation on simulated pairs that training never saw, and on real photos: errors, poses, matching, gates."""
import torch

from .losses import covisibility_loss, matching_recall, mean_distance, point_errors
from .poses import accuracy, pose_errors, similarity
from .simulator.cameras import pixel_grid
from .simulator.pairs import Settings, correspondences, make_pairs
from .data import batch_of
from .train import grids

SEED = 990_001
"""Training seeds are small numbers; this one is evaluation's alone."""

BATCH = 8
"""Pairs made together; scenes depend on it, so that every estimator is measured in batches of this size."""

FAMILIES = {
    "seen kinds": dict(),
    "held-out kinds": dict(held_out=True),
    "low texture": dict(plain=0.9),
    "wide baseline": dict(overlap=(0.1, 0.4)),
    "low texture, wide, held-out": dict(plain=0.9, overlap=(0.1, 0.4), held_out=True),
}
"""What each family changes in the simulator's settings; all others hold an overlap of 0.4 to 0.9."""


def family_settings(name, width, height):
    return Settings(width=width, height=height, odd=0.0, **{"overlap": (0.4, 0.9), **FAMILIES[name]})


def constant_plane(width, height, batch, field_of_view=60.0):
    """Pointmap [B, H, W, 3] of a plane that faces a camera of a usual field of view (degrees), one unit away."""
    focal = width / 2 / torch.tan(torch.deg2rad(torch.tensor(field_of_view / 2)))
    grid = pixel_grid(width, height) - torch.tensor([[(width - 1) / 2], [(height - 1) / 2]])
    plane = torch.cat([grid / focal, torch.ones(1, width * height)]).T.reshape(1, height, width, 3)
    return plane.expand(batch, -1, -1, -1)


def per_pair(errors, valid):
    """Mean error of each pair: [B]."""
    return (errors * valid).flatten(1).sum(1) / valid.flatten(1).sum(1).clamp_min(1)


def relative_pose(forward, backward):
    """Pose of view 2 in view 1's frame from both orders' outputs of one pair: view 2's pixels in both frames.

    forward, backward: (points [H, W, 3], confidence [H, W]) of the same view's pixels, in view 1's frame and its own.
    """
    (target, c1), (source, c2) = forward, backward
    weight = (c1 * c2).flatten()
    return similarity(source.reshape(-1, 3), target.reshape(-1, 3), weight)


def true_relative_pose(cameras, index):
    """Rotation and translation (view 1 from view 2)."""
    first, second = cameras
    rotation = first.world_from_camera[index].T @ second.world_from_camera[index]
    return rotation, first.world_from_camera[index].T @ (second.position[index] - first.position[index])


@torch.no_grad()
def evaluate_family(network, settings, pairs_wanted, seed, batch=BATCH, device="cpu"):
    """All measures on one family of simulated pairs; a dictionary of plain numbers."""
    network = network.to(device).eval()
    sums, poses, count = {}, [], 0

    def add(name, values):
        values = torch.as_tensor(values, dtype=torch.float32).flatten()
        total, number = sums.get(name, (0.0, 0))
        sums[name] = (total + values.sum().item(), number + values.numel())

    for number in range(-(-pairs_wanted // batch)):
        pairs = make_pairs(settings, seed, batch, device, number)
        matches = correspondences(pairs, 4)
        data = batch_of(pairs, matches, seed + number)
        image1, image2 = data.images
        grid1, grid2 = grids(data.images)
        output, reverse = network(image1, image2), network(image2, image1)
        for view, errors in enumerate(point_errors(output["points"], data.points, data.valid), 1):
            add(f"error{view}", per_pair(errors, data.valid[view - 1]))
        plane = constant_plane(settings.width, settings.height, batch).to(device)
        for view, errors in enumerate(point_errors([plane, plane], data.points, data.valid), 1):
            add(f"plane{view}", per_pair(errors, data.valid[view - 1]))
        recall = matching_recall(output["logits"], matches[0], grid1, grid2)
        for name, value in zip(("recall", "recall_same_place", "recall_chance"), recall):
            add(name, value)
        _, right = covisibility_loss(output["covisibility"], matches)
        add("covisibility", right)
        known = torch.cat([m["class"][m["valid"]] for m in matches])
        add("covisibility_majority", torch.bincount(known, minlength=3).max() / known.numel())
        # Gate 1: one of the views comes from another scene. The errors are of view 2, against the truth of the pair.
        strangers = network(image1, image2.roll(1, 0))
        add("error2_other_view2", per_pair(point_errors(strangers["points"], data.points, data.valid)[1], data.valid[1]))
        strangers = network(image1.roll(1, 0), image2)
        add("error2_other_view1", per_pair(second_alone(strangers["points"][1], data), data.valid[1]))
        add("error2_alone", per_pair(second_alone(output["points"][1], data), data.valid[1]))
        for k in range(batch):
            rotation, translation, _ = relative_pose((output["points"][1][k], output["confidence"][1][k]),
                                                     (reverse["points"][0][k], reverse["confidence"][0][k]))
            poses.append(pose_errors(rotation, translation, *true_relative_pose(pairs.cameras, k)))
        count += batch
    means = {name: total / max(1, number) for name, (total, number) in sums.items()}
    return {"pairs": count, **means, "pose": accuracy(poses), "pose_errors": poses}


def second_alone(points2, data):
    """Errors of view 2's pointmap when only it is scaled: the truth keeps view 1's frame, so placement counts."""
    predicted = points2 / mean_distance([points2], [data.valid[1]]).clamp_min(1e-6)[:, None, None, None]
    true = data.points[1] / mean_distance([data.points[1]], [data.valid[1]]).clamp_min(1e-6)[:, None, None, None]
    return (predicted - true).norm(dim=-1)


def gates(results):
    """The recipe's gates from a result by family: measured values and whether each is passed."""
    seen, held = results["seen kinds"], results["held-out kinds"]
    use = seen["error2_other_view1"] / seen["error2_alone"]
    recall = seen["recall"]
    share = [(r["error1"] + r["error2"]) / (r["plane1"] + r["plane2"]) for r in (seen, held)]
    return {
        "1": {"asks": "view 2's error at least 1.3 times as large once view 1 shows another scene", "measured": use, "passed": use >= 1.3},
        "2": {"asks": "matching recall at least 1.5 times that of matching the same place, and over 0.5", "measured": recall,
              "same_place": seen["recall_same_place"], "passed": recall >= 0.5 and recall >= 1.5 * seen["recall_same_place"]},
        "3a": {"asks": "error at most 0.5 of the constant plane's, on seen and held-out kinds", "measured": max(share), "passed": max(share) <= 0.5},
    }
