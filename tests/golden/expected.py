"""What golden bitstreams decode to."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnr
from nnr.reference import nnc

Tensors = dict[str, NDArray[Any]]


def base_of(name: str) -> str | None:
    """The step before, for a step of a series after its first."""
    case, _, step = name.partition("_step")
    return f"{case}_step{int(step) - 1}" if step not in ("", "0") else None


class Expected:
    """What a bitstream decodes to, as it lies beside it; `nnc/README.md` says how.

    Parameters
    ----------
    tensors : dict of str to array
        What `nnr.decode` makes of it.
    coded : dict of str to array
        What a decoder makes of it that does not know of our description, or of factors.
    levels : dict of str to int32 array
        The integers before dequantisation, by their names in the bitstream.
    inputs : dict of str to array
        What was encoded, where the bytes are promised.
    """

    GROUPS = ("tensors", "coded", "levels", "inputs")

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.about = json.loads(file["about"].tobytes())
            data = file["data"].tobytes()
        groups: dict[str, Tensors] = {group: {} for group in self.GROUPS}
        for group, name, dtype_name, shape in self.about["arrays"]:
            dtype = np.dtype(dtype_name)
            size = dtype.itemsize * math.prod(shape)
            groups[group][name] = np.frombuffer(data[:size], dtype).reshape(shape)
            data = data[size:]
        self.tensors, self.levels = groups["tensors"], groups["levels"]
        self.inputs = groups["inputs"]
        self.coded = groups["coded"] or self.tensors
        self.options: dict[str, Any] = self.about["options"]
        self.metadata: dict[str, str] = self.about["metadata"]
        form, text = self.about["topology"]
        self.topology = nnr.Topology(form, base64.b64decode(text)) if form else None


def write_expected(
    path: Path,
    model: nnr.Model,
    coded: nnc.DecodedStream,
    inputs: Tensors,
    options: Mapping[str, Any],
) -> None:
    """Write what `Expected` reads."""
    differs = _kinds(coded.tensors) != _kinds(model.tensors)
    groups: list[Mapping[str, NDArray[Any]]] = [
        model.tensors,
        coded.tensors if differs else {},
        coded.levels,
        inputs,
    ]
    arrays = [
        (group, name, array)
        for group, tensors in zip(Expected.GROUPS, groups, strict=True)
        for name, array in tensors.items()
    ]
    form, text = (model.topology.format, model.topology.data) if model.topology else ("", b"")
    about = {
        "arrays": [(group, name, each.dtype.name, each.shape) for group, name, each in arrays],
        "metadata": model.metadata,
        "topology": (form, base64.b64encode(text).decode()),
        "options": dict(options),
    }
    data = b"".join(array.tobytes() for *_, array in arrays)
    texts = {"about": json.dumps(about).encode(), "data": data}
    arrays_of_bytes: dict[str, Any] = {
        key: np.frombuffer(each, np.uint8) for key, each in texts.items()
    }
    np.savez_compressed(path, **arrays_of_bytes)


def _kinds(tensors: Mapping[str, NDArray[Any]]) -> list[Any]:
    return [(name, array.dtype, array.shape) for name, array in tensors.items()]
