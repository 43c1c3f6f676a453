"""Export of a network: model.safetensors (float16), config.json, and recorded cases for parity. See FORMAT.md."""
import json
import os

import torch

from . import safetensors
from .network import configuration, parameter_count
from .simulator.pairs import Settings, make_pairs, photographed

CASES = {"square": ((128, 128), (128, 128)), "landscape": ((96, 160), (96, 160)), "portrait": ((160, 96), (160, 96)),
         "mixed": ((96, 160), (160, 96)), "large": ((224, 224), (224, 224)), "one-row": ((16, 64), (32, 48))}
"""Heights and widths of both views of every recorded case."""


def rounded(network):
    """The network with its weights rounded to float16, as a reader of the file computes it (in float32)."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())
    return network.eval()


def case_images(seed, size1, size2):
    """Two images [1, 3, h, w] in -1..1 of the two sizes, cut from one simulated pair."""
    pairs = make_pairs(Settings(width=224, height=224), seed, 1)
    images = photographed(pairs, seed)
    return [image[:, :, :h, :w].contiguous() for image, (h, w) in zip(images, (size1, size2))]


def run_case(network, image1, image2):
    """A case's tensors: inputs, both pointmaps and confidences."""
    with torch.no_grad():
        output = network(image1, image2)
    return {"image1": image1, "image2": image2, "pts3d_1": output["points"][0], "conf_1": output["confidence"][0],
            "pts3d_2_in_view_1": output["points"][1], "conf_2": output["confidence"][1], "correlation": output["logits"]}


def export(network, folder, metadata=None, cases=None, seed=1, input_size=128):
    """Writes a network into a folder; cases into `cases` (a folder) where given. Returns the weights' size in bytes."""
    os.makedirs(folder, exist_ok=True)
    network = rounded(network)
    path = os.path.join(folder, "model.safetensors")
    safetensors.write(path, {name: value.half() for name, value in network.state_dict().items()},
                      {"format": "pt", "licence": "Apache-2.0", "parameters": parameter_count(network), **(metadata or {})})
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(configuration(network.shape, input_size), file, indent=2)
        file.write("\n")
    if cases:
        os.makedirs(cases, exist_ok=True)
        for number, (name, sizes) in enumerate(CASES.items()):
            tensors = run_case(network, *case_images(seed + number, *sizes))
            safetensors.write(os.path.join(cases, f"case-{name}.safetensors"), tensors)
    return os.path.getsize(path)
