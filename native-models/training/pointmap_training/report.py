"""The `evaluate` command: runs every measure, prints a table, writes JSON."""
import json
import os

from . import checkpoints, safetensors
from .evaluate import FAMILIES, SEED, evaluate_family, family_settings, gates
from .network import Compact, Shape
from .photos import evaluate_photos, nothing_moved
from .poses import accuracy
from .settings import ConfigurationError

def load_network(path, raw=False):
    """The network of a checkpoint, or of a folder with config.json and model.safetensors; and what is known of its training."""
    if os.path.isdir(path):
        try:
            with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
                config = json.load(file)
            tensors = safetensors.read(os.path.join(path, "model.safetensors"))
            known = safetensors.metadata(os.path.join(path, "model.safetensors"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"The folder holds no readable model ({error}). Name one that `export` wrote: {path}") from error
        shape = Shape(width=config["width"], head_width=config["headWidth"], view_blocks=config["viewBlocks"],
                      cross_blocks=config["crossBlocks"], match_after=config["matchAfter"], ratio=config["mlpRatio"],
                      stem=config["stem"], match_width=config["matchWidth"], refine=config["refine"])
        network = Compact(shape)
        network.load_state_dict({name: value.float() for name, value in tensors.items()})
        return network.eval(), {name: int(known[name]) for name in ("steps", "pairs") if name in known}
    content = checkpoints.load(path)
    return checkpoints.network_of(content, "network" if raw else "average"), {
        "steps": content["step"], "pairs": content["extra"].get("pairs", 0), "minutes": round(content["seconds"] / 60, 1)}


def evaluate(options):
    """Runs the command with its parsed options."""
    network, training = load_network(options.model, options.raw)
    families = {}
    for name in FAMILIES:
        families[name] = evaluate_family(network, family_settings(name, options.size, options.size), options.pairs, SEED, device=options.device)
        _tell(name, families[name])
    results = {"training": training, "size": options.size, "families": families, "gates": gates(families), "photos": {}, "geometric": {}}
    network = network.cpu()
    for folder in options.photos:
        name = os.path.basename(os.path.normpath(folder))
        if not os.path.isdir(folder):
            print(f"photos: skipped, not there: {folder}")
            continue
        results["photos"][name] = {"network": evaluate_photos(network, folder, options.size), "nothing moved": nothing_moved(folder)}
        tell_pose(f"photos {name}", results["photos"][name]["network"])
        tell_pose(f"photos {name}, nothing moved", results["photos"][name]["nothing moved"])
    if options.geometric:
        results["geometric"] = _read_geometric(options.geometric)
        results["gates"]["3b"] = _beats_geometric(results)
    for number, gate in results["gates"].items():
        print(f"gate {number}: {'passed' if gate['passed'] else 'not passed'} ({gate['asks']}: {gate['measured']:.3f})")
    for result in families.values():
        del result["pose_errors"]
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(_rounded(results), file, indent=1)
            file.write("\n")
    return results


def _read_geometric(path):
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        return {name: found[name] for name in FAMILIES}
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"The estimator's results could not be read ({error}). Make them with the command `geometric`: {path}") from error


def _beats_geometric(results):
    """Gate 3b, on the very pairs that the geometric estimator was given: the first of each family."""
    margins = []
    for name in ("low texture", "wide baseline", "low texture, wide, held-out"):
        other = results["geometric"][name]
        own = accuracy(results["families"][name]["pose_errors"][:other["pairs"]])
        results["families"][name]["pose_same_pairs"] = own
        tell_pose(f"{name}: network", own)
        tell_pose(f"{name}: geometric, {other['without_result']} without a result", other)
        margins.append(own["auc20"] - other["auc20"])
    return {"asks": "pose AUC at 20 degrees above the geometric estimator's on low-texture and wide-baseline scenes; the smallest margin",
            "measured": min(margins), "passed": min(margins) > 0}


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(entry) for entry in value]
    return round(value, 4) if isinstance(value, float) else value


def _tell(name, r):
    print(f"{name}: {r['pairs']} pairs; error {r['error1']:.3f} / {r['error2']:.3f} (plane {r['plane1']:.3f} / {r['plane2']:.3f}); "
          f"recall {r['recall']:.3f} (same place {r['recall_same_place']:.3f}, chance {r['recall_chance']:.3f}); "
          f"covisibility {r['covisibility']:.3f} (majority {r['covisibility_majority']:.3f}); "
          f"view 2 placed {r['error2_alone']:.3f}, beside another scene {r['error2_other_view1']:.3f}", flush=True)
    tell_pose("  pose", r["pose"])


def tell_pose(name, pose):
    print(f"{name}: AUC@5/10/20 {pose['auc5']:.3f} / {pose['auc10']:.3f} / {pose['auc20']:.3f}, "
          f"median rotation {pose['median_rotation']:.1f}, translation {pose['median_translation']:.1f} degrees, {pose['pairs']} pairs", flush=True)
