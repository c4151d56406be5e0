"""From latents to codes and back, for several pictures of one size at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ..layers import Float32Array
from .latents import Int16Array, Prior
from .stages import Stage
from .tables import STEP_UNIT, PriorTables

# What a bit is worth in squared steps: at high rates, halving the step costs a bit and takes three
# quarters of an error of 1/12 away, which makes the slope ln(2) / 6.
RATE_WEIGHT = 0.1155


class _StageEncoder:
    """Chooses the latents of each stage, and keeps what they are coded with."""

    def __init__(self, tables: PriorTables, targets: Float32Array, rate_weight: float) -> None:
        self._tables = tables
        self._targets = targets
        self._rate_weight = rate_weight
        self._parts: list[tuple[Int16Array, Int16Array, Int16Array]] = []

    def __call__(self, stage: Stage, means: Int16Array, scales: Int16Array) -> Int16Array:
        targets = stage.of(self._targets)
        chosen = self._tables.coder.choose(
            self._tables.bits, targets, means, scales, self._rate_weight
        ).reshape(means.shape)
        self._parts.append((chosen, means, scales))
        return chosen

    def codes(self) -> list[bytes]:
        """The code of each picture."""
        values, means, scales = (
            np.concatenate(parts, axis=1) for parts in zip(*self._parts, strict=True)
        )
        encode = self._tables.coder.encode
        return [encode(*arrays) for arrays in zip(values, means, scales, strict=True)]


def encode(
    prior: Prior,
    tables: PriorTables,
    transformed: Float32Array,
    step_index: int,
    rate_weight: float = RATE_WEIGHT,
) -> tuple[Int16Array, list[bytes]]:
    """Quantise and code.

    Parameters
    ----------
    prior : Prior
    tables : PriorTables
    transformed : ndarray of float32
        What the encoder's network gives, (pictures, channels, rows, columns).
    step_index : int
    rate_weight : float
        What a bit is worth in squared steps.

    Returns
    -------
    latents : ndarray of int16
        Of the shape of *transformed*.
    codes : list of bytes
        One a picture.
    """
    step = np.float32(tables.steps[step_index] / STEP_UNIT)
    coder = _StageEncoder(tables, transformed / step, rate_weight)
    step_indices = np.full(len(transformed), step_index, np.uint8)
    rows, columns = transformed.shape[2:]
    latents = prior.go_through(step_indices, rows, columns, coder)
    return latents, coder.codes()


def decode(
    prior: Prior,
    tables: PriorTables,
    codes: Sequence[tuple[bytes, int]],
    step_indices: NDArray[np.uint8],
    rows: int,
    columns: int,
) -> Int16Array:
    """Decode the latents of pictures of one size.

    Parameters
    ----------
    prior : Prior
    tables : PriorTables
    codes : sequence of (bytes, int)
        A file, and where in it the code begins.
    step_indices : ndarray of uint8
        One a picture.
    rows, columns : int
        Of the latents.

    Raises
    ------
    BitstreamError
        A code ends too early or too late, or holds what no encoder writes.
    """
    decoders = [
        _core.LatentDecoder(tables.coder, np.frombuffer(data, np.uint8)[start:], start)
        for data, start in codes
    ]

    def code(_: Stage, means: Int16Array, scales: Int16Array) -> Int16Array:
        decoded = [
            decoder.decode(*arrays)
            for decoder, *arrays in zip(decoders, means, scales, strict=True)
        ]
        return np.stack(decoded)

    latents = prior.go_through(step_indices, rows, columns, code)
    for decoder in decoders:
        decoder.finish()
    return latents
