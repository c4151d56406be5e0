"""Turn the filter of luma that was bundled before into the start of one of whole frames.

    git show 2eb1470:python/nnr/networks/weights/postfilter-luma.onnx > postfilter-luma.onnx
    python -m train.postfilter.from_luma --network postfilter-luma.onnx --output start.pt

That network has the same layers, but saw luma and the QP in four phases each and ran its blocks once.
What it knew of luma is kept, chroma begins as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from .network import CHANNELS, SAMPLE_CHANNELS, PostFilterNetwork

PHASES = 4
# Of the weights that make chroma: small, but not so that no gradient passes.
CHROMA_DEVIATION = 0.0005


def head(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of (luma, QP) phase by phase; the QP is now one plane, and chroma not seen at first."""
    by_phase = luma.reshape(CHANNELS, PHASES, 2, 3, 3)
    whole = np.zeros((CHANNELS, SAMPLE_CHANNELS + 1, 3, 3), np.float32)
    whole[:, :PHASES] = by_phase[:, :, 0]
    whole[:, -1] = by_phase[:, :, 1].sum(1)
    return whole


def tail(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    shape = (SAMPLE_CHANNELS, *luma.shape[1:])
    whole = np.random.default_rng(0).normal(size=shape).astype(np.float32) * CHROMA_DEVIATION
    whole[:PHASES] = luma
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    weights = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in onnx.load(options.network).graph.initializer
    }
    weights["head.weight"] = head(weights["head.weight"])
    weights["tail.weight"] = tail(weights["tail.weight"])
    weights["tail.bias"] = np.pad(weights["tail.bias"], (0, SAMPLE_CHANNELS - PHASES))
    state = PostFilterNetwork().state_dict()
    for name, value in state.items():
        if not name.endswith(".step"):
            state[name] = torch.from_numpy(weights[name].copy()).reshape(value.shape)
    torch.save(state, options.output)


if __name__ == "__main__":
    main()
