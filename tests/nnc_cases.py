"""Bitstreams of other encoders that lie beside the checkout, and models to encode."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from conftest import SHARED_DATA
from model_files import normal
from numpy.typing import NDArray

CORPUS = SHARED_DATA / "nnc"
# One name stands for all where there are none, so that the skipped test is seen.
CASES = sorted(path.stem for path in CORPUS.glob("*.nnc")) or ["corpus"]


def need_corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip(f"needs the bitstreams in {SHARED_DATA.name}/{CORPUS.name}, which are not here")
    return CORPUS


def arrays(case: str, ending: str) -> dict[str, NDArray[Any]]:
    """The tensors of one file of the corpus, in their order."""
    with np.load(need_corpus() / f"{case}{ending}.npz") as file:
        return {str(name): file[f"a{index}"] for index, name in enumerate(file["names"])}


def settings_of(case: str) -> Any:
    """What the corpus says of a bitstream."""
    return json.loads((need_corpus() / f"{case}.json").read_text(encoding="utf-8"))


# Of every type and shape that a bitstream of ours brings back as it was.
EVERY_TYPE: dict[str, NDArray[Any]] = {
    "weight": normal(12, 5, 3),
    "bias": normal(12, seed=1),
    "scale": np.float32(0.25).reshape(()),
    "half": normal(6, 4).astype(np.float16),
    "brain": normal(6, 4).astype(ml_dtypes.bfloat16),
    "e4m3": normal(5, 4).astype(ml_dtypes.float8_e4m3fn),
    "e5m2": normal(5, 4).astype(ml_dtypes.float8_e5m2),
    "powers": np.array([0.5, 1, 2, 2**-100], ml_dtypes.float8_e8m0fnu),
    "double": normal(4, 4).astype(np.float64),
    "none": np.zeros((4, 0, 2), np.float32),
    "no integers": np.zeros((0, 3), np.int64),
    "steps": np.array(41, np.int64),
    "ends": np.array([2**63 - 1, -(2**63), 3], np.int64),
    "unsigned": np.array([[2**32 - 1, 0], [7, 2**31]], np.uint32),
    "wide": np.array([2**64 - 1, 5], np.uint64),
    "bytes": np.arange(256, dtype=np.uint8).reshape(16, 16),
    "small": np.array([-128, 127], np.int8),
    "short": np.array([-(2**15), 2**15 - 1], np.int16),
    "word": np.array([0, 2**16 - 1], np.uint16),
    "int": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "flags": np.array([[True, False, True]]),
}
LOSSLESS = [name for name, array in EVERY_TYPE.items() if array.dtype.kind in "iub"] + ["powers"]
