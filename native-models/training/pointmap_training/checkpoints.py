"""Checkpoints that continue exactly: network, average, optimizer, step, configuration. Written whole or not at all."""
import os
from dataclasses import asdict

import torch

from .network import Compact, shape_of
from .settings import ConfigurationError, Run


def save(path, network, average, optimizer, step, run, seconds, extra=None):
    """Writes a checkpoint beside its place and moves it there, so that a killed run leaves the last one whole."""
    content = {"format": 1, "shape": asdict(network.shape), "network": network.state_dict(), "average": average,
               "optimizer": optimizer.state_dict(), "step": step, "run": asdict(run), "seconds": seconds, "extra": extra or {}}
    partial = f"{path}.partial"
    torch.save(content, partial)
    os.replace(partial, path)


def load(path, device="cpu"):
    """The content of a checkpoint."""
    try:
        content = torch.load(path, map_location=device)
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no checkpoint. Name the file that `train` wrote: {path}") from error
    except Exception as error:  # pickle raises nearly anything on a damaged file
        raise ConfigurationError(f"The checkpoint could not be read ({error}). It may be cut off; name another one: {path}") from error
    if not isinstance(content, dict) or content.get("format") != 1:
        raise ConfigurationError(f"The file is not a checkpoint of this kit. Name the file that `train` wrote: {path}")
    return content


def network_of(content, weights="average"):
    """The network of a checkpoint's content with its `average` or raw `network` weights, ready to be evaluated."""
    network = Compact(shape_of(content["shape"]))
    network.load_state_dict(content[weights])
    return network.eval()


def run_of_checkpoint(content):
    return Run(**content["run"])
