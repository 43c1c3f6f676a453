"""Training of pointmaps: correspondence first if wanted, then everything. One process, one device."""
import json
import os
import time

import torch

from . import checkpoints
from .data import Source
from .losses import correlation_loss, covisibility_loss, matching_recall, regression_loss
from .network import PATCH, Compact, parameter_count, shape_of
from .simulator.random import seed_of


def make_optimizer(network, run):
    """AdamW; weight decay on matrices and kernels only."""
    matrices = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": run.weight_decay}, {"params": others, "weight_decay": 0.0}],
                             lr=run.learning_rate, betas=(0.9, 0.98))


def learning_rate(run, step, decay=1.0):
    """Linear warm-up, then constant; `decay` falls from 1 to 0 at the end of a run that is to be exported."""
    return run.learning_rate * min(1.0, (step + 1) / max(1, run.warm_up)) * decay


def grids(images):
    """Token rows and columns of each view."""
    return [(image.shape[2] // PATCH, image.shape[3] // PATCH) for image in images]


def losses_of(network, batch, run, correspondence_only=False):
    """The total loss, and what is written to the log as plain numbers."""
    grid1, grid2 = grids(batch.images)
    if correspondence_only:
        logits = network.correspond(*batch.images)
        correlation = correlation_loss(logits, batch.matches, grid1, grid2)
        recall = matching_recall(logits.detach(), batch.matches[0], grid1, grid2)
        return correlation, {"correlation": correlation.item(), "recall": recall[0].item(), "recall_same_place": recall[1].item()}
    with torch.autocast(batch.images[0].device.type, torch.bfloat16, enabled=run.half):
        output = network(*batch.images)
    regression, unweighted = regression_loss(output, batch.points, batch.valid, run.alpha)
    correlation = correlation_loss(output["logits"], batch.matches, grid1, grid2)
    covisibility, right = covisibility_loss(output["covisibility"], batch.matches)
    total = regression + run.correlation_weight * correlation + run.covisibility_weight * covisibility
    recall = matching_recall(output["logits"].detach(), batch.matches[0], grid1, grid2)
    return total, {"loss": total.item(), "error1": unweighted[0].item(), "error2": unweighted[1].item(),
                   "correlation": correlation.item(), "recall": recall[0].item(), "recall_same_place": recall[1].item(),
                   "covisibility": right.item()}


class Trainer:
    """A run in progress: everything that a checkpoint holds, and the data that follows from it."""

    def __init__(self, run, device="cpu"):
        self.run, self.device = run, torch.device(device)
        torch.manual_seed(seed_of(run.seed, "weights") % 2 ** 31)
        self.network = Compact(shape_of(run.network)).to(self.device)
        self.optimizer = make_optimizer(self.network, run)
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.step, self.seconds, self.pairs = 0, 0.0, 0
        self._source = None

    @classmethod
    def resume(cls, path, device="cpu", run=None):
        """Goes on where a checkpoint stopped; another `run` may replace its configuration from here on."""
        content = checkpoints.load(path, device)
        trainer = cls(run or checkpoints.run_of_checkpoint(content), device)
        trainer.network.load_state_dict(content["network"])
        trainer.optimizer.load_state_dict(content["optimizer"])
        trainer.average = content["average"]
        trainer.step, trainer.seconds, trainer.pairs = content["step"], content["seconds"], content["extra"].get("pairs", 0)
        return trainer

    def start_from(self, path):
        """Takes the raw weights of another checkpoint, such as a pre-trained one; keeps those it lacks."""
        content = checkpoints.load(path, self.device)
        self.network.load_state_dict(content["network"])
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}

    def source(self):
        run = self.run
        late = bool(run.later) and self.step >= run.later_from
        if self._source is None or self._source[0] != late:
            seed = seed_of(run.seed, "data", late)
            self._source = (late, Source(run.settings(self.step), seed, run.batch, self.device, run.reuse, run.window))
        return self._source[1]

    def advance(self, decay=1.0):
        """One step. Returns the log's numbers."""
        started = time.perf_counter()
        batch = self.source().batch(self.step)
        made = time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.run, self.step, decay)
        self.network.train()
        loss, numbers = losses_of(self.network, batch, self.run, self.step < self.run.correspondence_steps)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.run.clip)
        if torch.isfinite(norm):
            self.optimizer.step()
        # Early weights are forgotten quickly, later ones slowly.
        keep = min(self.run.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
        self.step += 1
        self.pairs += batch.images[0].shape[0]
        ended = time.perf_counter()
        self.seconds += ended - started
        return {**numbers, "gradient": norm.item(), "data_seconds": made - started, "seconds": ended - started}

    def save(self, path):
        checkpoints.save(path, self.network, self.average, self.optimizer, self.step, self.run, self.seconds, {"pairs": self.pairs})


def mean_of(records):
    """Means of the records' numbers, each over the records that hold it."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: sum(r[name] for r in records if name in r) / sum(name in r for r in records) for name in names}


def train(trainer, folder, minutes=None, steps=None, decay_minutes=0.0, log_every=20, save_minutes=3.0, tell=print):
    """Trains until the time or the number of further steps is over; leaves `last.pt` and lines in `log.jsonl`.

    decay_minutes: the learning rate falls to zero over the last minutes. The time includes everything from the call on.
    """
    os.makedirs(folder, exist_ok=True)
    start = time.monotonic()
    checkpoint = os.path.join(folder, "last.pt")
    tell(f"{parameter_count(trainer.network) / 1e6:.2f} M parameters on {trainer.device}, from step {trainer.step}")
    records, saved, longest = [], time.monotonic(), 0.0
    last = None if steps is None else trainer.step + steps
    with open(os.path.join(folder, "log.jsonl"), "a", encoding="utf-8") as log:
        while last is None or trainer.step < last:
            left = None if minutes is None else minutes * 60 - (time.monotonic() - start)
            if left is not None and left < 2 * longest + 2:
                break
            decay = 1.0 if left is None or decay_minutes <= 0 else min(1.0, max(0.02, left / (decay_minutes * 60)))
            records.append(trainer.advance(decay))
            longest = max(longest * 0.98, records[-1]["seconds"])
            if len(records) >= log_every:
                means = mean_of(records)
                line = {"step": trainer.step, "pairs": trainer.pairs, "minutes": round(trainer.seconds / 60, 2),
                        **{k: round(v, 5) for k, v in means.items()}}
                log.write(json.dumps(line) + "\n")
                log.flush()
                tell(" ".join(f"{k} {v:g}" for k, v in line.items()))
                records = []
            if time.monotonic() - saved > save_minutes * 60:
                trainer.save(checkpoint)
                saved = time.monotonic()
    trainer.save(checkpoint)
    tell(f"stopped at step {trainer.step}, {trainer.pairs} pairs, {trainer.seconds / 60:.1f} minutes of training: {checkpoint}")
