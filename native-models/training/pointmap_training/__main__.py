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


def _pretrain(options):
    from .pretrain import pretrain

    pretrain(read_run(options.config), options.folder, options.device, options.minutes, options.steps,
             tell=lambda line: print(line, flush=True))


def _settings(options):
    from .settings import run_of

    held_out = {"held_out": True} if options.held_out else {}
    content = {"simulator": {"width": options.width, "height": options.height, "plain": options.plain, **held_out}}
    return run_of(content, "--width, --height").settings()


def _preview(options):
    from .pictures import contact_sheet

    families, shares = contact_sheet(_settings(options), options.seed, options.pairs, options.file, options.device)
    for number, (family, share) in enumerate(zip(families, shares), 1):
        print(f"pair {number}: {family}, {share:.0%} of view 1 visible in view 2")


def _export_set(options):
    from .pictures import orbit_set

    orbit_set(_settings(options), options.seed, options.family, options.photos, options.folder, options.device)
    print(f"{options.photos} photos and cameras.json: {options.folder}")


def _measure(options):
    from .pairs_rate import rate

    print(rate(_settings(options), options.batch, options.batches, options.device))


def _curves(options):
    from .pictures import plot_curves

    plot_curves(options.folder, options.file)


def _evaluate(options):
    from .report import evaluate

    evaluate(options)


def _geometric(options):
    from .geometric import evaluate_geometric

    evaluate_geometric(options)


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


def _add_simulator(commands, device):
    simulator = commands.add_parser("simulator", help="make pictures with the simulator, or measure it")
    kinds = simulator.add_subparsers(dest="what", required=True)

    def common(add, size):
        add.add_argument("--seed", type=int, default=1)
        add.add_argument("--width", type=int, default=size)
        add.add_argument("--height", type=int, default=size)
        add.add_argument("--plain", type=float, default=0.2, help="share of surfaces nearly without texture")
        add.add_argument("--held-out", action="store_true", help="the kinds kept for evaluation")
        add.add_argument("--device", default=device)
        return add

    add = common(kinds.add_parser("preview", help="contact sheet: both photos, both depths, covisibility"), 128)
    add.add_argument("file", help="PNG file")
    add.add_argument("--pairs", type=int, default=12)
    add.set_defaults(run=_preview)
    add = common(kinds.add_parser("export", help="photos of one scene with their cameras"), 640)
    add.add_argument("folder")
    add.add_argument("--family", choices=["room", "street", "object"], default="room")
    add.add_argument("--photos", type=int, default=8)
    add.set_defaults(run=_export_set)
    add = common(kinds.add_parser("rate", help="pairs a second"), 128)
    add.add_argument("--batch", type=int, default=16)
    add.add_argument("--batches", type=int, default=4)
    add.set_defaults(run=_measure)


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

    add = commands.add_parser("pretrain", help="pre-train by cross-view completion; `train --start FOLDER/completion.pt` goes on from it")
    add.add_argument("folder")
    add.add_argument("--config", required=True)
    add.add_argument("--minutes", type=float)
    add.add_argument("--steps", type=int)
    add.add_argument("--device", default=device)
    add.set_defaults(run=_pretrain)

    _add_simulator(commands, device)

    add = commands.add_parser("evaluate", help="measure a network on held-out simulated pairs and on photos")
    add.add_argument("model", help="checkpoint of `train`, or folder that `export` wrote")
    add.add_argument("--raw", action="store_true", help="a checkpoint's raw weights instead of the average")
    add.add_argument("--pairs", type=int, default=64, help="pairs per family")
    add.add_argument("--size", type=int, default=128, help="side of simulated images, long side of photos")
    add.add_argument("--photos", action="append", default=[], help="folder of photos with cameras.json; may be repeated")
    add.add_argument("--geometric", help="results of the command `geometric`, to set beside the network's")
    add.add_argument("--out", help="JSON file for the results")
    add.add_argument("--device", default=device)
    add.set_defaults(run=_evaluate)

    add = commands.add_parser("geometric", help="the studio's own estimator on the evaluation's pairs (some ten seconds each)")
    add.add_argument("file", help="JSON file for the results")
    add.add_argument("--pairs", type=int, default=8, help="pairs per family")
    add.set_defaults(run=_geometric)

    add = commands.add_parser("curves", help="plot a training folder's log")
    add.add_argument("folder")
    add.add_argument("file", help="PNG file")
    add.set_defaults(run=_curves)

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
