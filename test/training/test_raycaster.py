"""The ray caster against closed forms, and against itself from two sides."""
import unittest

import torch

from pointmap_training.simulator.cameras import OCCLUDED, OUTSIDE, VISIBLE, camera_rays, covisibility, pixel_grid, project, world_rays
from pointmap_training.simulator.pairs import Settings, correspondences, make_pairs, pointmaps
from pointmap_training.simulator.render import render
from pointmap_training.simulator.scene import intersect
from pointmap_training.simulator.random import Draw
from pointmap_training.simulator.textures import make_bank

from scenes import camera_at, rays_of, scene_of

FAR = ((0, 0, 1e4), (1, 1, 1))


class Intersections(unittest.TestCase):
    def nearest(self, scene, origins, directions):
        t, index = intersect(scene, *rays_of(origins, directions))
        return t[0].tolist(), index[0].tolist()

    def assertClose(self, values, expected, tolerance=1e-4):
        torch.testing.assert_close(torch.tensor(values), torch.tensor(expected), rtol=tolerance, atol=tolerance)

    def test_box_from_outside_inside_and_beside(self):
        scene = scene_of(boxes=[((0, 0, 5), (1, 2, 0.5))])
        t, _ = self.nearest(scene, [(0, 0, 0), (0, 0, 5), (1.5, 0, 0), (0, 0, 10)], [(0, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 1)])
        self.assertClose(t, [4.5, 1.0, float("inf"), float("inf")])

    def test_distance_is_in_units_of_the_direction(self):
        t, _ = self.nearest(scene_of(boxes=[((0, 0, 5), (1, 1, 1))]), [(0, 0, 0)], [(0, 0, 2)])
        self.assertClose(t, [2.0])

    def test_ellipsoid(self):
        scene = scene_of(boxes=[FAR], spheres=[((0, 0, 4), (1, 1, 2))])
        x = 0.6  # z - 4 = -2 sqrt(1 - x^2)
        t, index = self.nearest(scene, [(0, 0, 0), (x, 0, 0), (1.01, 0, 0)], [(0, 0, 1)] * 3)
        self.assertClose(t, [2.0, 4 - 2 * 0.8, t[2]])
        self.assertEqual(index[:2], [1, 1])
        self.assertGreater(t[2], 1000)

    def test_cylinder_side_and_cap(self):
        scene = scene_of(boxes=[FAR], cylinders=[((0, 0, 4), (1, 0.5, 1))])
        t, _ = self.nearest(scene, [(0, 0, 0), (0.6, 0, 0), (0.3, -3, 4), (0, 0.6, 0)], [(0, 0, 1), (0, 0, 1), (0, 1, 0), (0, 0, 1)])
        self.assertClose(t[:3], [3.0, 4 - 0.8, 2.5])
        self.assertGreater(t[3], 1000)

    def test_bite_out_of_a_box(self):
        # A sphere of radius 1 about the middle of the front face: the ray enters the hollow and hits its bottom.
        scene = scene_of(boxes=[((0, 0, 5), (2, 2, 2))], bites={0: [0.0, 0.0, -1.0, 0.5]})
        t, _ = self.nearest(scene, [(0, 0, 0), (1.5, 0, 0)], [(0, 0, 1)] * 2)
        self.assertClose(t, [4.0, 3.0])

    def test_height_field(self):
        scene = scene_of(boxes=[FAR], waves=[[0.0, 2.0, 0.0, 0.1]], ground=1.0)
        t, index = self.nearest(scene, [(0, 0, z) for z in (1.0, 2.0, 3.0)], [(0, 1, 0)] * 3)
        self.assertClose(t, [1 - 0.1 * torch.sin(torch.tensor(2 * z)).item() for z in (1.0, 2.0, 3.0)], 1e-3)
        self.assertEqual(index, [1, 1, 1])

    def test_slanted_rays_end_on_the_height_field(self):
        scene = scene_of(boxes=[FAR], waves=[[1.0, 2.0, 0.3, 0.1]], ground=1.0)
        draw = Draw(3)
        direction = torch.stack([draw.uniform(-0.5, 0.5, 200), draw.uniform(0.3, 1, 200), draw.uniform(0.5, 1, 200)])[None]
        t, _ = intersect(scene, torch.zeros(1, 3, 1), direction)
        p = direction * t
        surface = 1 - 0.1 * torch.sin(p[:, 0] + 2 * p[:, 2] + 0.3)
        self.assertLess((p[:, 1] - surface).abs().max().item(), 2e-3)

    def test_depth_of_a_tilted_camera_on_a_wall(self):
        camera = camera_at((0, 0, 0), turn=0.3)
        _, depth = render(scene_of(boxes=[((0, 0, 4.5), (50, 50, 0.5))]), make_bank(Draw(1), count=4, size=16), camera)
        rays = camera.world_from_camera @ camera_rays(camera, pixel_grid(64, 48))
        self.assertClose(depth.flatten().tolist(), (4 / rays[0, 2]).tolist())


class Views(unittest.TestCase):
    def test_covisibility_of_a_wall_behind_a_box(self):
        scene = scene_of(boxes=[((0, 0, 6.5), (50, 50, 0.5)), ((0.6, 0, 3), (0.3, 0.3, 0.3))])
        other = camera_at((1.0, 0, 0))
        points = torch.tensor([[0.0, 0, 6], [-3.0, 0, 6], [40.0, 0, 6]]).T[None]
        points[0, 0, 0] = 1.0 + (0.6 - 1.0) * 2  # in line with the box as the other camera sees it
        classes, pixels = covisibility(scene, points, other)
        self.assertEqual(classes[0].tolist(), [OCCLUDED, VISIBLE if abs(pixels[0, 0, 1] - 31.5) < 32 else OUTSIDE, OUTSIDE])
        self.assertAlmostEqual(pixels[0, 0, 0].item(), 31.5 - 50 * 0.8 / 6, places=3)

    def test_projection_inverts_rays(self):
        camera = camera_at((1, 2, 3), turn=0.4)
        grid = pixel_grid(64, 48)
        origin, direction = world_rays(camera, grid)
        pixels, depth = project(camera, origin + direction * 7)
        torch.testing.assert_close(pixels[0], grid, rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(depth, torch.full_like(depth, 7.0))

    def test_both_pointmaps_agree_where_they_see_the_same_point(self):
        pairs = make_pairs(Settings(width=96, height=64, overlap=(0.3, 0.9)), 5, 6)
        maps, _ = pointmaps(pairs)
        matches = correspondences(pairs)
        seen = (matches[0]["class"] == VISIBLE) & matches[0]["valid"]
        self.assertGreater(seen.float().mean().item(), 0.2)
        x, y = (matches[0]["pixel"] + 0.5).floor().long().unbind(-1)
        close = total = 0
        for k in range(6):
            there = maps[1][k][y[k].clamp(0, 63), x[k].clamp(0, 95)][seen[k]]
            here = maps[0][k][seen[k]]
            # A pixel of view 2 covers this many metres of a surface that faces it; slanted ones cover more.
            pixel = here.norm(dim=-1) / min(pairs.cameras[0].focal[k].item(), pairs.cameras[1].focal[k].item())
            close += ((there - here).norm(dim=-1) < 4 * pixel).sum().item()
            total += len(here)
        self.assertGreater(close / total, 0.93)

    def test_visible_points_are_seen_back(self):
        pairs = make_pairs(Settings(width=64, height=64, overlap=(0.3, 0.9)), 6, 6)
        matches = correspondences(pairs)
        for own, other in ((0, 1), (1, 0)):
            camera, there = pairs.cameras[own], pairs.cameras[other]
            origin, direction = world_rays(camera, pixel_grid(64, 64))
            points = origin + direction * pairs.depths[own].flatten(1)[:, None].clamp_max(40)
            _, depth = project(there, points)
            seen = ((matches[own]["class"] == VISIBLE) & matches[own]["valid"]).flatten(1)
            # Casting through the very position of the match must find the same depth.
            local = (matches[own]["pixel"].flatten(1, 2).transpose(1, 2) - 31.5) / there.focal[:, None, None]
            rays = there.world_from_camera @ torch.cat([local, torch.ones_like(local[:, :1])], 1)
            found, _ = intersect(pairs.scene, there.position[..., None], rays)
            self.assertLess(((found - depth).abs() / depth)[seen].quantile(0.99).item(), 5e-3)

    def test_pairs_depend_on_seed_and_number_alone(self):
        settings = Settings(width=32, height=32)
        first, again, other = (make_pairs(settings, 7, 6, number=n) for n in (3, 3, 4))
        self.assertTrue(torch.equal(first.images[1], again.images[1]))
        self.assertFalse(torch.equal(first.images[1], other.images[1]))

    def test_images_and_labels_are_finite(self):
        pairs = make_pairs(Settings(width=32, height=48, held_out=True, plain=1.0), 8, 12)
        for image in pairs.images:
            self.assertTrue(torch.isfinite(image).all() and image.min() >= 0 and image.max() <= 1)
        maps, valid = pointmaps(pairs)
        self.assertTrue(all(torch.isfinite(m).all() for m in maps))
        self.assertGreater(torch.stack(valid).float().mean().item(), 0.6)


if __name__ == "__main__":
    unittest.main()
