"""Reading and writing safetensors files: an 8-byte length, a JSON header, the tensors' bytes."""
import json
import os

import numpy as np
import torch

NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64", torch.uint8: "U8"}
TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "U8": np.uint8}


def write(path, tensors, metadata=None):
    """Writes a dictionary of tensors, in its order; the header is padded so that the data is 8-byte aligned."""
    header, offset, parts = {}, 0, []
    if metadata:
        header["__metadata__"] = {key: str(value) for key, value in metadata.items()}
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        content = tensor.numpy().tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(content)]}
        offset += len(content)
        parts.append(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for content in parts:
            file.write(content)
    os.replace(partial, path)


def read(path):
    """The tensors of a file by name."""
    with open(path, "rb") as file:
        content = file.read()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(content[start:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors


def metadata(path):
    """The text entries that a file carries beside its tensors."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(length)).get("__metadata__", {})
