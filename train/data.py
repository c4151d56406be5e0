"""Random patches of the pairs that `prepare.py` wrote, kept in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from network import MAX_QP

# Decoded samples have 10 bits; 8-bit sources are scaled by 4 to the same range.
DECODED_PEAK = 1023


@dataclass(frozen=True)
class Pair:
    name: str
    qp: int
    source: NDArray[np.uint8]
    decoded: NDArray[np.uint16]

    @property
    def unfiltered_error(self) -> float:
        """Mean squared error of the decoded luma, samples counted 0 to 1."""
        difference = self.source * np.float32(4) - self.decoded
        return float(np.mean(np.square(difference / np.float32(DECODED_PEAK))))


def load_pairs(folder: Path) -> list[Pair]:
    pairs = []
    for path in sorted(folder.glob("*.npz")):
        name, qp = re.fullmatch(r"(.+)-qp(\d+)", path.stem).groups()
        with np.load(path) as arrays:
            pairs.append(Pair(name, int(qp), arrays["source"], arrays["decoded"]))
    return pairs


def tensors(pair: Pair, rows: slice = slice(None), columns: slice = slice(None)) -> Tensor:
    """Stacked (3, H, W): decoded luma, QP plane, source luma; all 0 to 1."""
    decoded = pair.decoded[rows, columns].astype(np.float32) / DECODED_PEAK
    source = pair.source[rows, columns].astype(np.float32) * (4 / DECODED_PEAK)
    qp = np.full_like(decoded, pair.qp / MAX_QP)
    return torch.from_numpy(np.stack([decoded, qp, source]))


class PatchSampler:
    """Batches of patches, drawn evenly over area, flipped and transposed at random."""

    def __init__(self, pairs: list[Pair], patch: int, batch: int, seed: int) -> None:
        self._pairs = pairs
        self._patch = patch
        self._batch = batch
        self._random = np.random.default_rng(seed)
        self._errors = torch.tensor([pair.unfiltered_error for pair in pairs])
        area = np.array([pair.source.size for pair in pairs], np.float64)
        self._probability = area / area.sum()

    def __call__(self) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs (batch, 2, patch, patch), targets (batch, 1, patch, patch), and for each patch
        the unfiltered error of the whole picture it was cut from (batch)."""
        chosen = self._random.choice(len(self._pairs), self._batch, p=self._probability)
        patches = torch.stack([self._draw(self._pairs[index]) for index in chosen])
        return patches[:, :2], patches[:, 2:], self._errors[chosen]

    def _draw(self, pair: Pair) -> Tensor:
        height, width = pair.source.shape
        # Any offset, odd ones too: the phases must not learn the encoder's grid.
        top = self._random.integers(height - self._patch + 1)
        left = self._random.integers(width - self._patch + 1)
        patch = tensors(pair, slice(top, top + self._patch), slice(left, left + self._patch))
        for turn, dims in ((0.5, [1]), (0.5, [2])):
            if self._random.random() < turn:
                patch = patch.flip(dims)
        return patch.transpose(1, 2) if self._random.random() < 0.5 else patch
