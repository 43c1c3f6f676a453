"""Training: losses fall on a set seen again and again, gate 1 can be measured, and a resumed run is the same run."""
import json
import os
import sys
import tempfile
import time
import unittest
from dataclasses import asdict

import torch

from pointmap_training import checkpoints
from pointmap_training.data import Source
from pointmap_training.evaluate import evaluate_family, family_settings, gates, true_relative_pose
from pointmap_training.geometric import estimate_by_command
from pointmap_training.photos import evaluate_photos, nothing_moved
from pointmap_training.pictures import contact_sheet, orbit_set
from pointmap_training.poses import pose_errors
from pointmap_training.pretrain import pretrain
from pointmap_training.settings import ConfigurationError, run_of
from pointmap_training.simulator.pairs import Settings, make_pairs
from pointmap_training.train import Trainer, losses_of, train

from test_network import TINY, tiny

SMALL = {"width": 48, "height": 48, "overlap": [0.5, 0.95], "odd": 0.0, "shadows": 0.0, "bank": 10, "bank_size": 32}


def tiny_run(**changes):
    return run_of({"network": asdict(TINY), "simulator": SMALL, "batch": 6, "learning_rate": 3e-3, "warm_up": 5, **changes})


def silent(_):
    pass


class Learning(unittest.TestCase):
    def test_losses_fall_on_an_overfit_set(self):
        trainer = Trainer(tiny_run())
        batch = trainer.source().batch(0)
        trainer.source().batch = lambda step: batch
        records = [trainer.advance() for _ in range(70)]
        for name, share in (("error1", 0.7), ("error2", 0.7), ("correlation", 0.75)):
            first, last = records[0][name], sum(r[name] for r in records[-5:]) / 5
            self.assertLess(last, share * first, name)
        self.assertGreater(records[-1]["recall"], records[0]["recall"] + 0.2)
        # Gate 1 on what was learnt: beside another scene, view 2 is placed worse.
        network = trainer.network.eval()
        with torch.no_grad():
            _, own = losses_of(network, batch, trainer.run)
            batch.images[0] = batch.images[0].roll(1, 0)
            _, strange = losses_of(network, batch, trainer.run)
        self.assertGreater(strange["error2"], 1.1 * own["error2"])

    def test_completion_loss_falls(self):
        with tempfile.TemporaryDirectory() as folder:
            run = tiny_run(reuse=8, window=1)
            pretrain(run, folder, steps=24, log_every=4, tell=silent)
            with open(os.path.join(folder, "completion.jsonl"), encoding="utf-8") as file:
                losses = [json.loads(line)["completion"] for line in file]
            self.assertLess(losses[-1], losses[0])
            pretrain(run, folder, steps=1, tell=silent)
            self.assertEqual(checkpoints.load(os.path.join(folder, "completion.pt"))["step"], 25)
            trainer = Trainer(run)
            trainer.start_from(os.path.join(folder, "completion.pt"))
            self.assertTrue(torch.isfinite(torch.tensor(trainer.advance()["loss"])))


class Resuming(unittest.TestCase):
    def test_a_resumed_run_is_bit_exact(self):
        run = tiny_run(reuse=2, window=2, correspondence_steps=2, later={"plain": 0.5}, later_from=3)
        with tempfile.TemporaryDirectory() as folder:
            whole = Trainer(run)
            for _ in range(5):
                whole.advance()
            train(Trainer(run), folder, steps=2, log_every=1, tell=silent)
            path = os.path.join(folder, "last.pt")
            train(Trainer.resume(path), folder, steps=3, log_every=1, tell=silent)
            resumed = checkpoints.load(path)
            for name, value in whole.network.state_dict().items():
                self.assertTrue(torch.equal(value, resumed["network"][name]), name)
                self.assertTrue(torch.equal(whole.average[name], resumed["average"][name]), name)
            with open(os.path.join(folder, "log.jsonl"), encoding="utf-8") as file:
                self.assertEqual([json.loads(line)["step"] for line in file], [1, 2, 3, 4, 5])

    def test_training_stops_in_time_with_a_usable_checkpoint(self):
        with tempfile.TemporaryDirectory() as folder:
            start = time.monotonic()
            train(Trainer(tiny_run()), folder, minutes=0.15, decay_minutes=0.05, tell=silent)
            self.assertLess(time.monotonic() - start, 12)
            content = checkpoints.load(os.path.join(folder, "last.pt"))
            self.assertGreater(content["step"], 0)
            network = checkpoints.network_of(content)
            with torch.no_grad():
                output = network(torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32))
            self.assertTrue(torch.isfinite(output["points"][0]).all())

    def test_a_damaged_checkpoint_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "last.pt")
            with self.assertRaisesRegex(ConfigurationError, "no checkpoint"):
                checkpoints.load(path)
            with open(path, "wb") as file:
                file.write(b"not a checkpoint")
            with self.assertRaisesRegex(ConfigurationError, "could not be read"):
                checkpoints.load(path)

    def test_batches_do_not_depend_on_those_before(self):
        settings = Settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in SMALL.items()})
        straight = Source(settings, 3, 6, reuse=2, window=3)
        for step in range(6):
            expected = straight.batch(step)
        found = Source(settings, 3, 6, reuse=2, window=3).batch(5)
        self.assertTrue(torch.equal(expected.images[0], found.images[0]) and torch.equal(expected.points[1], found.points[1]))


class Evaluation(unittest.TestCase):
    def test_every_measure_and_gate(self):
        network = tiny()
        results = {name: evaluate_family(network, family_settings(name, 48, 48), 6, 9, batch=6) for name in ("seen kinds", "held-out kinds")}
        for result in results.values():
            self.assertTrue(0 < result["error1"] < 3 and 0 < result["plane1"] < 3)
            self.assertEqual(result["pose"]["pairs"], 6)
        # An untrained network passes nothing.
        self.assertFalse(any(gate["passed"] for gate in gates(results).values()))

    def test_pictures_and_photo_sets(self):
        settings = Settings(width=64, height=48, bank=10, bank_size=32)
        with tempfile.TemporaryDirectory() as folder:
            sheet = os.path.join(folder, "sheet.png")
            contact_sheet(settings, 1, 4, sheet)
            self.assertGreater(os.path.getsize(sheet), 5000)
            photos = os.path.join(folder, "photos")
            orbit_set(settings, 2, "street", 3, photos)
            self.assertEqual(sorted(os.listdir(photos)), ["cameras.json", "view-01.png", "view-02.png", "view-03.png"])
            self.assertEqual(evaluate_photos(tiny(), photos, size=64)["pairs"], 3)
            self.assertEqual(nothing_moved(photos)["pairs"], 3)
            with self.assertRaisesRegex(ConfigurationError, "no cameras.json"):
                evaluate_photos(tiny(), folder)

    def test_estimator_behind_a_command(self):
        pairs = make_pairs(Settings(width=48, height=32, bank=10, bank_size=16), 3, 2)
        # Stands in for the studio: hands the true cameras back in a frame of its own, three times as large.
        program = """
import json, os, sys
out = sys.argv[sys.argv.index("--out") + 1]
truth = json.load(open(os.path.join(os.path.dirname(sys.argv[1]), "cameras.json")))
for photo in truth["photos"]:
    matrix = photo["worldFromCamera"]
    for k in (3, 7, 11):
        matrix[k] = 3 * matrix[k] + 1
os.makedirs(out)
json.dump(truth, open(os.path.join(out, "cameras.json"), "w"))
"""
        found = estimate_by_command(pairs, pairs.images, 1, [sys.executable, "-c", program])
        rotation, translation = pose_errors(*found, *true_relative_pose(pairs.cameras, 1))
        self.assertLess(rotation, 0.1)
        self.assertLess(translation, 0.1)
        self.assertIsNone(estimate_by_command(pairs, pairs.images, 0, [sys.executable, "-c", "raise SystemExit(1)"]))

    def test_real_photos(self):
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "photos", "fox")
        if not os.path.isdir(folder):
            self.skipTest("the real photos are not here")
        self.assertEqual(evaluate_photos(tiny(), folder, size=64, gaps=(1,))["pairs"], 12)


if __name__ == "__main__":
    unittest.main()
