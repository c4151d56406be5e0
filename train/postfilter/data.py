"""Random patches of the pairs that `prepare.py` wrote, kept in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .network import MAX_QP, SAMPLE_CHANNELS

# Decoded samples have 10 bits; 8-bit sources are scaled by 4 to the same range.
PEAK = 1023
# Of the patches, how many get a bar of one colour, as films have above and below: photographs have
# neither flat areas without any error nor samples outside the limited range.
BAR_SHARE = 0.08


@dataclass(frozen=True)
class Pair:
    """One picture: samples (6, H, W), the four phases of luma, Cb and Cr, of 10 bits."""

    name: str
    qp: int
    source: NDArray[np.uint16]
    decoded: NDArray[np.uint16]

    @property
    def unfiltered_errors(self) -> NDArray[np.float32]:
        """Mean squared errors of the decoded Y, Cb and Cr, samples counted 0 to 1."""
        return plane_means(torch.from_numpy(squared_difference(self.source, self.decoded))).numpy()


def squared_difference(
    source: NDArray[np.uint16], decoded: NDArray[np.uint16]
) -> NDArray[np.float32]:
    return np.square((source.astype(np.float32) - decoded) / np.float32(PEAK))


def plane_means(values: Tensor) -> Tensor:
    """Mean of the six channels over each plane: (..., 6, H, W) to (..., 3)."""
    means = values.mean((-2, -1))
    return torch.stack([means[..., :4].mean(-1), means[..., 4], means[..., 5]], -1)


def phases(luma: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Cut a plane into its four phases, row by row: (2 H, 2 W) to (4, H, W)."""
    height, width = luma.shape
    return (
        luma.reshape(height // 2, 2, width // 2, 2)
        .transpose(1, 3, 0, 2)
        .reshape(4, height // 2, width // 2)
    )


def load_pairs(folder: Path) -> list[Pair]:
    pairs = []
    for path in sorted(folder.glob("*.npz")):
        name, qp = re.fullmatch(r"(.+)-qp(\d+)", path.stem).groups()
        with np.load(path) as arrays:
            # 4:2:0 has whole phases; an odd row or column, which a crop left, is cut.
            rows, columns = (side // 2 for side in arrays["y"].shape)
            planes = [
                np.concatenate(
                    [
                        phases(arrays[f"{prefix}y"][: 2 * rows, : 2 * columns]),
                        arrays[f"{prefix}u"][None, :rows, :columns],
                        arrays[f"{prefix}v"][None, :rows, :columns],
                    ]
                ).astype(np.uint16)
                for prefix in ("", "decoded_")
            ]
        pairs.append(Pair(name, int(qp), planes[0] * np.uint16(4), planes[1]))
    return pairs


def tensors(
    pair: Pair, rows: slice = slice(None), columns: slice = slice(None)
) -> tuple[Tensor, Tensor]:
    """The network's input (7, H, W) and the source (6, H, W), all 0 to 1."""
    decoded = pair.decoded[:, rows, columns].astype(np.float32) / PEAK
    qp = np.full_like(decoded[:1], pair.qp / MAX_QP)
    source = pair.source[:, rows, columns].astype(np.float32) / PEAK
    return torch.from_numpy(np.concatenate([decoded, qp])), torch.from_numpy(source)


class PatchSampler:
    """Batches of patches, drawn evenly over area.

    They are neither turned nor mirrored: an encoder predicts from above and from the left, and
    the network may know that.
    """

    def __init__(self, pairs: list[Pair], patch: int, batch: int, seed: int) -> None:
        self._pairs = pairs
        self._patch = patch
        self._batch = batch
        self._random = np.random.default_rng(seed)
        self._errors = torch.from_numpy(np.stack([pair.unfiltered_errors for pair in pairs]))
        area = np.array([pair.source.size for pair in pairs], np.float64)
        self._probability = area / area.sum()

    def __call__(self) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs (batch, 7, patch, patch), targets (batch, 6, patch, patch), and for each patch
        the unfiltered errors of the planes of the picture it was cut from (batch, 3)."""
        chosen = self._random.choice(len(self._pairs), self._batch, p=self._probability)
        drawn = [self._draw(self._pairs[index]) for index in chosen]
        inputs, targets = (torch.stack(part) for part in zip(*drawn, strict=True))
        return inputs, targets, self._errors[chosen]

    def _draw(self, pair: Pair) -> tuple[Tensor, Tensor]:
        height, width = pair.source.shape[1:]
        top = self._random.integers(height - self._patch + 1)
        left = self._random.integers(width - self._patch + 1)
        patch = tensors(pair, slice(top, top + self._patch), slice(left, left + self._patch))
        if self._random.random() < BAR_SHARE:
            self._draw_bar(*patch)
        return patch

    def _draw_bar(self, inputs: Tensor, target: Tensor) -> None:
        rows = int(self._random.integers(1, self._patch))
        part = slice(rows) if self._random.random() < 0.5 else slice(-rows, None)
        colour = torch.from_numpy(self._random.random(3).astype(np.float32))
        # Black more often than not, and below the darkest sample that photographs have.
        if self._random.random() < 0.5:
            colour[0] = self._random.choice([0.0, 16 * 4 / PEAK])
            colour[1:] = 128 * 4 / PEAK
        samples = colour[[0, 0, 0, 0, 1, 2], None, None]
        inputs[:SAMPLE_CHANNELS, part] = samples
        target[:, part] = samples
