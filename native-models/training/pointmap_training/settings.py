"""A run's configuration: a small JSON file, checked on reading."""
import json
from dataclasses import dataclass, field, fields

from .simulator.pairs import Settings


class ConfigurationError(Exception):
    """A configuration that cannot be used; one line for people."""


@dataclass
class Run:
    """Everything that decides what a run computes."""

    network: str = "small"
    seed: int = 1
    batch: int = 16                     # pairs a step
    simulator: dict = field(default_factory=dict)
    later: dict = field(default_factory=dict)  # simulator settings that replace the above from `later_from` on
    later_from: int = 0
    reuse: int = 1                      # steps that use a simulated batch on average
    window: int = 1                     # simulated batches kept for reuse
    correspondence_steps: int = 0       # first steps that train the correlation alone
    learning_rate: float = 5e-4
    warm_up: int = 200
    weight_decay: float = 0.03
    clip: float = 1.0
    average: float = 0.999              # decay of the averaged weights
    correlation_weight: float = 0.3
    covisibility_weight: float = 0.1
    alpha: float = 0.2
    half: bool = False                  # bfloat16 in the network (CUDA)

    def settings(self, step=0):
        chosen = {**self.simulator, **(self.later if self.later and step >= self.later_from else {})}
        return Settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in chosen.items()})


def read_run(path):
    """Reads and checks a configuration file."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise ConfigurationError(f"The configuration could not be read ({error.strerror}). Name a file like configs/small-cpu.json: {path}") from error
    except ValueError as error:
        raise ConfigurationError(f"The configuration is not valid JSON ({error}). Correct it: {path}") from error
    return run_of(content, path)


def run_of(content, path="(given values)"):
    """A Run from a dictionary; unknown names and wrong values are refused."""
    if not isinstance(content, dict):
        raise ConfigurationError(f"The configuration must be a JSON object: {path}")
    known = {f.name: f for f in fields(Run)}
    simulator = {f.name for f in fields(Settings)}
    for name in content:
        if name not in known:
            raise ConfigurationError(f"The configuration has an unknown entry '{name}'. Known: {', '.join(known)}: {path}")
    for part in ("simulator", "later"):
        for name in content.get(part, {}):
            if name not in simulator:
                raise ConfigurationError(f"The configuration has an unknown entry '{part}.{name}'. Known: {', '.join(simulator)}: {path}")
    run = Run(**content)
    settings = run.settings()
    if settings.width % 16 or settings.height % 16 or min(settings.width, settings.height) < 32:
        raise ConfigurationError(f"Images of {settings.width} x {settings.height} cannot be used. Give multiples of 16, at least 32: {path}")
    if run.batch < 1 or run.reuse < 1 or run.window < 1 or not run.learning_rate > 0:
        raise ConfigurationError(f"batch, reuse and window must be at least 1 and learning_rate positive: {path}")
    return run
