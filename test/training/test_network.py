"""The network's shapes and symmetries, its file, its losses and measures."""
import json
import os
import tempfile
import unittest

import torch

from pointmap_training import safetensors
from pointmap_training.completion import Completion, completion_loss, patch_targets, random_mask
from pointmap_training.export import export
from pointmap_training.layers import rotary_table, rotate, token_positions
from pointmap_training.losses import correlation_loss, match_targets, matching_recall, point_errors
from pointmap_training.network import SHAPES, Compact, Shape, parameter_count, points_and_confidence
from pointmap_training.poses import area_under_curve, direction_angle, rotation_angle, similarity
from pointmap_training.report import load_network
from pointmap_training.settings import ConfigurationError, read_run, run_of
from pointmap_training.simulator.random import Draw

TINY = Shape(width=64, head_width=32, view_blocks=1, cross_blocks=2, match_after=1, ratio=2, stem=[8, 16, 24], match_width=32, refine=16)


def tiny(seed=1):
    torch.manual_seed(seed)
    return Compact(TINY).eval()


def images(batch=2, height=48, width=64, seed=1):
    draw = Draw(seed)
    return draw.uniform(-1, 1, batch, 3, height, width), draw.uniform(-1, 1, batch, 3, height, width)


class Network(unittest.TestCase):
    def test_sizes(self):
        self.assertTrue(2e6 < parameter_count(Compact(SHAPES["small"])) < 4e6)
        base = parameter_count(Compact(SHAPES["base"]))
        self.assertTrue(9e6 < base < 11e6)
        self.assertLessEqual(base * 2 + 60_000, 20_000_000, "the base network must fit 20 MB in float16")

    def test_views_of_different_sizes(self):
        with torch.no_grad():
            output = tiny()(images()[0], images(height=64, width=32)[1])
        self.assertEqual([tuple(p.shape) for p in output["points"]], [(2, 48, 64, 3), (2, 64, 32, 3)])
        self.assertEqual([tuple(c.shape) for c in output["confidence"]], [(2, 48, 64), (2, 64, 32)])
        self.assertEqual(tuple(output["logits"].shape), (2, 12, 8))
        self.assertTrue(all((c >= 1).all() for c in output["confidence"]))

    def test_correspondence_alone_equals_the_whole_network(self):
        network = tiny()
        with torch.no_grad():
            torch.testing.assert_close(network.correspond(*images()), network(*images())["logits"])

    def test_both_views_reach_both_pointmaps(self):
        network = tiny()
        image1, image2 = images()
        with torch.no_grad():
            one = network(image1, image2)["points"]
            other = network(image1, image2.flip(0))["points"]
        self.assertGreater((one[0] - other[0]).abs().max().item(), 1e-4)

    def test_points_of_known_channels(self):
        raw = torch.zeros(1, 4, 1, 2)
        raw[0, :, 0, 0] = torch.tensor([0.0, 0.6, 0.8, 0.0])
        points, confidence = points_and_confidence(raw)
        expected = torch.tensor([0.0, 0.6, 0.8]) * torch.expm1(torch.tensor(1.0))
        torch.testing.assert_close(points[0, 0, 0], expected)
        torch.testing.assert_close(points[0, 0, 1], torch.zeros(3))
        self.assertEqual(confidence[0, 0, 0].item(), 2.0)

    def test_rotation_depends_on_the_difference_of_positions_alone(self):
        table = rotary_table(token_positions(6, 6, "cpu"), 32)
        draw = Draw(2)
        q, k = (draw.normal(1, 1, 1, 32).expand(1, 1, 36, 32) for _ in range(2))
        scores = (rotate(q, table) @ rotate(k, table).transpose(-1, -2))[0, 0].reshape(6, 6, 6, 6)
        torch.testing.assert_close(scores[1, 2, 3, 5], scores[2, 1, 4, 4], rtol=1e-4, atol=1e-4)
        self.assertGreater((scores[1, 2, 3, 5] - scores[1, 2, 3, 4]).abs().item(), 1e-3)


class Files(unittest.TestCase):
    def test_exported_network_gives_the_recorded_case(self):
        with tempfile.TemporaryDirectory() as folder:
            size = export(tiny(), folder, {"steps": 3}, folder)
            self.assertEqual(size, os.path.getsize(os.path.join(folder, "model.safetensors")))
            network, _ = load_network(folder)
            for name in ("mixed", "one-row"):
                case = safetensors.read(os.path.join(folder, f"case-{name}.safetensors"))
                with torch.no_grad():
                    output = network(case["image1"], case["image2"])
                torch.testing.assert_close(output["points"][1], case["pts3d_2_in_view_1"])
                torch.testing.assert_close(output["confidence"][0], case["conf_1"])
            with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
                self.assertEqual(json.load(file)["architecture"], "compact")

    def test_safetensors_round_trip(self):
        tensors = {"a": torch.arange(6).reshape(2, 3).float(), "b": torch.tensor(1.5).half(), "c": torch.zeros(0, 4)}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "t.safetensors")
            safetensors.write(path, tensors, {"x": 1})
            read = safetensors.read(path)
        self.assertEqual(list(read), ["a", "b", "c"])
        for name, tensor in tensors.items():
            self.assertTrue(torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype)

    def test_wrong_configurations_are_refused_with_what_to_do(self):
        for content, part in (({"sed": 1}, "'sed'"), ({"simulator": {"widht": 1}}, "'simulator.widht'"), ({"simulator": {"width": 100}}, "multiples of 16"), ([], "JSON object"), ({"batch": 0}, "at least 1")):
            with self.assertRaisesRegex(ConfigurationError, part):
                run_of(content, "run.json")
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(ConfigurationError, "could not be read"):
                read_run(os.path.join(folder, "none.json"))
            with self.assertRaisesRegex(ConfigurationError, "no readable model"):
                load_network(folder)

    def test_configurations_of_the_kit_are_valid(self):
        import pointmap_training
        folder = os.path.join(os.path.dirname(pointmap_training.__file__), "..", "configs")
        names = sorted(os.listdir(folder))
        self.assertGreaterEqual(len(names), 2)
        for name in names:
            self.assertGreater(read_run(os.path.join(folder, name)).batch, 0)


class Measures(unittest.TestCase):
    def shifted(self, columns):
        """Matches at every 4th pixel of 64 x 64 images, where view 2's content is `columns` tokens further right."""
        y, x = torch.meshgrid(torch.arange(16) * 4 + 1.5, torch.arange(16) * 4 + 1.5, indexing="ij")
        pixel = torch.stack([x + 16 * columns, y], -1)[None]
        inside = (pixel[..., 0] < 63.5).long()
        return {"class": torch.where(inside > 0, 0, 2), "pixel": pixel, "valid": torch.ones(1, 16, 16, dtype=torch.bool)}

    def test_match_targets_and_recall_of_a_shift(self):
        matches = self.shifted(1)
        target = match_targets(matches, 4, 4, 4, 4)
        self.assertAlmostEqual(target.sum().item(), (matches["class"] == 0).sum().item(), places=3)
        self.assertEqual(target[0].argmax(-1).reshape(4, 4)[:, :3].tolist(), [[r * 4 + c + 1 for c in range(3)] for r in range(4)])
        recall, same, _ = matching_recall(target, matches, (4, 4), (4, 4))
        self.assertEqual(recall.item(), 1.0)
        self.assertLess(same.item(), 0.6)

    def test_correlation_loss_is_least_for_the_truth(self):
        matches = [self.shifted(1), self.shifted(-1)]
        matches[1]["class"] = torch.where(matches[1]["pixel"][..., 0] >= -0.5, 0, 2)
        good = match_targets(matches[0], 4, 4, 4, 4)
        losses = [correlation_loss(logits * 0.2, matches, (4, 4), (4, 4)).item() for logits in (good, -good, torch.zeros_like(good))]
        self.assertLess(losses[0], losses[2])
        self.assertLess(losses[2], losses[1])

    def test_errors_ignore_a_common_scale_and_invalid_pixels(self):
        draw = Draw(4)
        true = [draw.normal(2, 8, 8, 3) + torch.tensor([0, 0, 4.0]) for _ in range(2)]
        valid = [draw.chance(0.7, 2, 8, 8) for _ in range(2)]
        predicted = [torch.where(v[..., None], p * 3, torch.full_like(p, 99.0)) for p, v in zip(true, valid)]
        for error, known in zip(point_errors(predicted, true, valid), valid):
            self.assertLess(error[known].max().item(), 1e-5)

    def test_similarity_with_outliers(self):
        draw = Draw(5)
        source, rotation = draw.normal(500, 3).double(), draw.rotation(1)[0].double()
        target = 2 * source @ rotation.T + torch.tensor([1.0, -2, 3], dtype=torch.float64)
        target[:50] += draw.normal(50, 3) * 3
        found, translation, scale = similarity(source, target, torch.ones(500), rounds=30)
        self.assertLess(rotation_angle(found, rotation), 0.5)
        self.assertLess(direction_angle(translation, torch.tensor([1.0, -2, 3])), 0.5)
        self.assertAlmostEqual(scale.item(), 2.0, places=1)

    def test_area_under_curve(self):
        self.assertEqual(area_under_curve([0.0, 0.0], 5), 1.0)
        self.assertEqual(area_under_curve([180.0], 20), 0.0)
        self.assertAlmostEqual(area_under_curve([5.0, 180.0], 10), 0.25)


class CompletionTask(unittest.TestCase):
    def test_mask_and_targets(self):
        mask = random_mask(torch.Generator().manual_seed(1), 3, 64)
        self.assertEqual(mask.sum(1).tolist(), [58] * 3)
        targets = patch_targets(images()[0])
        self.assertEqual(tuple(targets.shape), (2, 12, 768))
        self.assertLess(targets.mean(-1).abs().max().item(), 1e-4)

    def test_hidden_pixels_do_not_leak(self):
        model = Completion(tiny()).eval()
        image1, image2 = images()
        mask = torch.ones(2, 12, dtype=torch.bool)
        with torch.no_grad():
            torch.testing.assert_close(model(image1, image2, mask), model(image1.flip(0) * 0.5, image2, mask))
            self.assertGreater((model(image1, image2, mask) - model(image1, image2.flip(0), mask)).abs().max().item(), 1e-5)
        self.assertGreater(completion_loss(model(image1, image2, mask), image1, mask).item(), 0)


if __name__ == "__main__":
    unittest.main()
