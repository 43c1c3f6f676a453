"""The kit's command line: python3 -m pointmap_training <command>."""
import argparse
import os
import sys

import torch

from .settings import ConfigurationError, read_run


def _train(options):
    from .train import Trainer, train

    run = read_run(options.config) if options.config else None
    last = os.path.join(options.folder, "last.pt")
    if os.path.exists(last):
        trainer = Trainer.resume(last, options.device, run)
    elif run is None:
        raise ConfigurationError(f"There is nothing to resume. Give --config for a new run: {options.folder}")
    else:
        trainer = Trainer(run, options.device)
        if options.start:
            trainer.start_from(options.start)
    train(trainer, options.folder, options.minutes, options.steps, options.decay_minutes, tell=lambda line: print(line, flush=True))


def _export(options):
    from .checkpoints import load, network_of
    from .export import export
    from .network import Compact, shape_of

    if options.random:
        torch.manual_seed(options.seed)
        network = Compact(shape_of(options.random))
        metadata = {"training": "none: random weights"}
    elif options.checkpoint:
        content = load(options.checkpoint)
        network = network_of(content, "network" if options.raw else "average")
        metadata = {"steps": content["step"], "pairs": content["extra"].get("pairs", 0)}
    else:
        raise ConfigurationError("There is nothing to export. Give --checkpoint FILE, or --random small for untrained weights.")
    size = export(network, options.folder, metadata, options.cases)
    print(f"{size / 1e6:.1f} MB of weights: {options.folder}")


def parser():
    root = argparse.ArgumentParser(prog="pointmap_training", description="Trains the compact pointmap network.")
    root.add_argument("--threads", type=int, default=0, help="CPU threads (default: as many as PyTorch likes)")
    commands = root.add_subparsers(dest="command", required=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    add = commands.add_parser("train", help="train pointmaps; goes on with the folder's last checkpoint where there is one")
    add.add_argument("folder", help="where the checkpoint and the log go")
    add.add_argument("--config", help="configuration file; on resuming it replaces the checkpoint's")
    add.add_argument("--minutes", type=float, help="stop in time for this many minutes in all")
    add.add_argument("--steps", type=int, help="stop after this many further steps")
    add.add_argument("--decay-minutes", type=float, default=0, help="bring the learning rate to zero over the last minutes")
    add.add_argument("--start", help="checkpoint whose weights a new run starts from")
    add.add_argument("--device", default=device)
    add.set_defaults(run=_train)

    add = commands.add_parser("export", help="write model.safetensors and config.json, and recorded cases for parity")
    add.add_argument("folder")
    add.add_argument("--checkpoint", help="checkpoint to export (its averaged weights)")
    add.add_argument("--raw", action="store_true", help="the raw weights instead of the average")
    add.add_argument("--random", choices=["small", "base"], help="an untrained network, for tests of the format")
    add.add_argument("--seed", type=int, default=1)
    add.add_argument("--cases", help="folder for recorded inputs and outputs")
    add.set_defaults(run=_export)
    return root


def main():
    options = parser().parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        options.run(options)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
