"""How fast pairs are made, with everything that a training step needs."""
import resource
import time

import torch

from .data import batch_of
from .simulator.pairs import correspondences, make_pairs


def rate(settings, batch, batches, device):
    """Makes batches and returns a line with pairs per second, by the clock and (on a CPU) by processor time."""
    def one(number):
        pairs = make_pairs(settings, 1, batch, device, number)
        batch_of(pairs, correspondences(pairs, 4), number)
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()

    one(0)
    start, used = time.perf_counter(), _processor_seconds()
    for number in range(1, batches + 1):
        one(number)
    count = batch * batches
    seconds, processor = time.perf_counter() - start, _processor_seconds() - used
    return (f"{count} pairs of {settings.width} x {settings.height} on {device}: {count / seconds:.1f} a second, "
            f"{count / processor:.1f} a second of one processor core's time")


def _processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
