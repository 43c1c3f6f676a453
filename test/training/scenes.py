"""Scenes made by hand, whose answers are known in closed form."""
import torch

from pointmap_training.simulator.cameras import Cameras
from pointmap_training.simulator.scene import Scene


def scene_of(boxes=(), spheres=(), cylinders=(), bites=None, waves=None, ground=float("inf")):
    """One scene; a primitive is (centre, half extents) in metres, upright."""
    solids = [*boxes, *spheres, *cylinders]
    centre = torch.tensor([s[0] for s in solids], dtype=torch.float32)[None]
    half = torch.tensor([s[1] for s in solids], dtype=torch.float32)[None]
    count = len(solids)
    bite = torch.zeros(1, count, 4)
    for index, value in (bites or {}).items():
        bite[0, index] = torch.tensor(value)
    return Scene(
        to_local=torch.diag_embed(1 / half), centre=centre, half=half, counts=(len(boxes), len(spheres), len(cylinders)), bite=bite,
        waves=torch.tensor(waves or [[0.0, 0.0, 0.0, 0.0]])[None], ground=torch.tensor([ground]),
        texture=torch.zeros(1, count + 1, dtype=torch.long), surface=torch.tensor([1.0, 0, 0, 1, 1, 1, 1, 0, 10, 0]).expand(1, count + 1, 10).clone(),
        light=torch.tensor([[0.0, -1, 0]]), light_at=torch.zeros(1, 4), ambient=torch.tensor([0.5]), sky=torch.ones(1, 6))


def camera_at(position, width=64, height=48, focal=50.0, turn=0.0):
    """One camera at a position, looking along z, turned about the vertical by `turn` radians."""
    turn = torch.tensor(turn)
    c, s = turn.cos(), turn.sin()
    rotation = torch.stack([torch.stack([c, c * 0, s]), torch.tensor([0.0, 1, 0]), torch.stack([-s, c * 0, c])])[None]
    return Cameras(rotation, torch.tensor([position], dtype=torch.float32), torch.tensor([focal]), width, height)


def rays_of(origins, directions):
    """Origins and directions [1, 3, R] from lists of triples."""
    return torch.tensor(origins, dtype=torch.float32).T[None], torch.tensor(directions, dtype=torch.float32).T[None]
