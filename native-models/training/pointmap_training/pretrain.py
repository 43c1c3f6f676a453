"""Pre-training by cross-view completion, as a stage before `train --start`."""
import json
import os
import time

import torch

from . import checkpoints
from .completion import Completion, completion_loss, random_mask
from .data import Source
from .network import Compact, shape_of
from .simulator.random import seed_of
from .train import learning_rate, make_optimizer, mean_of


def pretrain(run, folder, device="cpu", minutes=None, steps=None, log_every=20, tell=print):
    """Trains until the time or the number of steps is over; goes on with `completion.pt` where there is one."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "completion.pt")
    torch.manual_seed(seed_of(run.seed, "weights") % 2 ** 31)
    model = Completion(Compact(shape_of(run.network))).to(device)
    optimizer = make_optimizer(model, run)
    step = 0
    if os.path.exists(path):
        content = checkpoints.load(path, device)
        model.network.load_state_dict(content["network"])
        model.load_state_dict(content["extra"]["painting"], strict=False)
        optimizer.load_state_dict(content["optimizer"])
        step = content["step"]
    source = Source(run.settings(), seed_of(run.seed, "completion"), run.batch, device, run.reuse, run.window)
    start, longest, records = time.monotonic(), 0.0, []
    last = None if steps is None else step + steps
    with open(os.path.join(folder, "completion.jsonl"), "a", encoding="utf-8") as log:
        while last is None or step < last:
            began = time.monotonic()
            if minutes is not None and minutes * 60 - (began - start) < 2 * longest + 2:
                break
            batch = source.batch(step)
            tokens = batch.images[0].shape[2] * batch.images[0].shape[3] // 256
            generator = torch.Generator(device=device).manual_seed(seed_of(run.seed, "mask", step))
            mask = random_mask(generator, batch.images[0].shape[0], tokens)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(run, step)
            with torch.autocast(batch.images[0].device.type, torch.bfloat16, enabled=run.half):
                painted = model(*batch.images, mask)
            loss = completion_loss(painted, batch.images[0], mask)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), run.clip)
            optimizer.step()
            step += 1
            records.append({"completion": loss.item()})
            longest = max(longest * 0.98, time.monotonic() - began)
            if len(records) >= log_every:
                line = {"step": step, "pairs": step * run.batch, **{k: round(v, 5) for k, v in mean_of(records).items()}}
                log.write(json.dumps(line) + "\n")
                log.flush()
                tell(" ".join(f"{k} {v:g}" for k, v in line.items()))
                records = []
    painting = {k: v for k, v in model.state_dict().items() if not k.startswith("network.")}
    weights = model.network.state_dict()
    checkpoints.save(path, model.network, weights, optimizer, step, run, time.monotonic() - start, {"painting": painting})
    tell(f"stopped at step {step}: {path}")
