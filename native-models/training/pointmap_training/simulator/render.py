"""Shading of ray hits: textures, one light with shadows, gloss, sky."""
import torch
from torch.nn import functional as F

from .cameras import pixel_grid, world_rays
from .scene import BOX, CYLINDER, GROUND, intersect
from .textures import sample


def _unit(x):
    """Vectors [..., 3] of length one. PyTorch's norm over an axis of three is five times slower on a CPU."""
    a, b, c = x.unbind(-1)
    return x * torch.rsqrt((a * a + b * b + c * c).clamp_min(1e-24))[..., None]


def _dot(x, y):
    """Scalar products [...] of vectors [..., 3]."""
    return x[..., 0] * y[..., 0] + x[..., 1] * y[..., 1] + x[..., 2] * y[..., 2]


def _gathered(table, index):
    """Rows [B, R, F] of a table [B, N, F] at index [B, R]."""
    return table.gather(1, index[..., None].expand(-1, -1, table.shape[2]))


def _local_normals(scene, kind, local, bite):
    """Outward normals in local coordinates [B, R, 3] at surface points; where a bite was taken they are the bite's."""
    size = local.abs()
    box = F.one_hot(size.argmax(-1), 3) * local.sign()
    x, y, z = local.unbind(-1)
    side = x * x + z * z > y * y
    zero = torch.zeros_like(x)
    cylinder = torch.stack([torch.where(side, x, zero), torch.where(side, zero, y), torch.where(side, z, zero)], -1)
    kind = kind[..., None]
    normal = torch.where(kind == BOX, box, torch.where(kind == CYLINDER, cylinder, local))
    from_bite = local - bite[..., :3]
    on_bite = (bite[..., 3] > 0) & ((_dot(from_bite, from_bite).sqrt() - bite[..., 3]).abs() < 2e-3)
    return torch.where(on_bite[..., None] & (kind == BOX), from_bite, normal)


def _ground_normals(scene, points):
    """Upward normals [B, R, 3] (world) of the height field under points [B, R, 3]."""
    slope_x = torch.zeros_like(points[..., 0])
    slope_z = torch.zeros_like(slope_x)
    for k in range(scene.waves.shape[1]):
        kx, kz, phase, amplitude = (scene.waves[:, k, i, None] for i in range(4))
        wave = amplitude * torch.cos(kx * points[..., 0] + kz * points[..., 2] + phase)
        slope_x, slope_z = slope_x + kx * wave, slope_z + kz * wave
    return _unit(torch.stack([-slope_x, -torch.ones_like(slope_x), -slope_z], -1))


def render(scene, bank, cameras, shadows=True):
    """Images [B, 3, H, W] in 0..1 (linear, before photometry) and depth [B, H, W] (z, metres, infinite for sky)."""
    width, height = cameras.width, cameras.height
    batch, slots = scene.centre.shape[:2]
    origin, direction = world_rays(cameras, pixel_grid(width, height, device=scene.centre.device))
    depth, index = intersect(scene, origin, direction)
    hit = torch.isfinite(depth)
    points = (origin + direction * depth.clamp_max(500)[:, None]).transpose(1, 2)
    view = _unit(direction.transpose(1, 2))
    solid = index.clamp_max(slots - 1)
    kind = scene.kinds[index]
    table = torch.cat([scene.to_local.flatten(2), scene.centre, scene.half, scene.bite], -1)
    own = _gathered(table, solid)
    maps, centre, half, bite = own[..., :9].reshape(batch, -1, 3, 3), own[..., 9:12], own[..., 12:15], own[..., 15:19]
    local = (maps * (points - centre)[..., None, :]).sum(-1)
    local_normal = _local_normals(scene, kind, local, bite)
    normal = _unit((maps * local_normal[..., None]).sum(-2))
    on_ground = (kind == GROUND)[..., None]
    normal = torch.where(on_ground, _ground_normals(scene, points), normal)
    normal = torch.where(_dot(normal, view)[..., None] > 0, -normal, normal)
    facing = -_dot(normal, view)

    surface = _gathered(scene.surface, index)
    metric = torch.where(on_ground, points, local * half)
    axis = torch.where(on_ground[..., 0], torch.ones_like(index), local_normal.abs().argmax(-1))
    # Textures lie on the plane across the dominant axis: y, z for x; x, z for y; x, y for z.
    across = torch.where(axis == 0, metric[..., 1], metric[..., 0])
    along = torch.where(axis == 2, metric[..., 1], metric[..., 2])
    tile = surface[..., 0]
    texel = depth.clamp_max(500) / cameras.focal[:, None] / tile * bank.size
    level = torch.log2(texel / facing.clamp_min(0.15).sqrt()).clamp_min(0)
    albedo = sample(bank, scene.texture.gather(1, index), across / tile + surface[..., 1], along / tile + surface[..., 2], level)
    albedo = (0.5 + (albedo - 0.5) * surface[..., 3:4]).clamp(0.02, 1) * surface[..., 4:7]

    lamp = scene.light_at[:, None, 3:] > 0
    to_light = torch.where(lamp, scene.light_at[:, None, :3] - points, scene.light[:, None] * 100)
    toward = _unit(to_light)
    diffuse = _dot(normal, toward).clamp_min(0)
    lit = torch.ones_like(diffuse)
    if shadows:
        start = points + normal * 2e-3
        blocker, _ = intersect(scene, start.transpose(1, 2).contiguous(), to_light.transpose(1, 2).contiguous())
        lit = (blocker > 0.995).float()
    halfway = _unit(toward - view)
    gloss = surface[..., 7] * _dot(normal, halfway).clamp_min(0) ** surface[..., 8]
    ambient = scene.ambient[:, None]
    # Light from everywhere is a little weaker on surfaces that face down or away, which keeps plain corners visible.
    soft = 0.8 - 0.15 * normal[..., 1] + 0.1 * normal[..., 0] + 0.05 * normal[..., 2]
    shade = ambient * soft + (1.3 - ambient) * diffuse * lit
    colour = albedo * shade[..., None] + (gloss * lit * (diffuse > 0))[..., None]
    up = (-view[..., 1:2]).clamp(0, 1)
    sky = scene.sky[:, None, :3] * (1 - up) + scene.sky[:, None, 3:] * up
    colour = torch.where(hit[..., None], colour, sky).clamp(0, 1)
    return colour.transpose(1, 2).reshape(batch, 3, height, width), depth.reshape(batch, height, width)
