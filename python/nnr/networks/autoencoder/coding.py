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


class Quantizer:
    """Chooses latents stage by stage, and keeps what they are coded with.

    Parameters
    ----------
    prior : Prior
    tables : PriorTables
    step_index : int
    rate_weight : float
        What a bit is worth in squared steps.
    """

    def __init__(
        self, prior: Prior, tables: PriorTables, step_index: int, rate_weight: float
    ) -> None:
        self._prior = prior
        self._tables = tables
        self._step_index = step_index
        self._rate_weight = rate_weight
        self._parts: list[tuple[Int16Array, Int16Array, Int16Array]] = []

    @property
    def step(self) -> np.float32:
        """What a latent of 1 stands for."""
        return np.float32(self._tables.steps[self._step_index] / STEP_UNIT)

    def run(self, wanted: Float32Array) -> Int16Array:
        """Choose latents that stand for about what is wanted.

        Parameters
        ----------
        wanted : ndarray of float32
            Shape (pictures, channels, rows, columns).

        Returns
        -------
        ndarray of int16
            Of the same shape.
        """
        self._parts = []
        targets = wanted / self.step
        step_indices = np.full(len(wanted), self._step_index, np.uint8)
        rows, columns = wanted.shape[2:]

        def choose(stage: Stage, means: Int16Array, scales: Int16Array) -> Int16Array:
            chosen = self._tables.coder.choose(
                self._tables.bits, stage.of(targets), means, scales, self._rate_weight
            ).reshape(means.shape)
            self._parts.append((chosen, means, scales))
            return chosen

        return self._prior.go_through(step_indices, rows, columns, choose)

    def codes(self) -> list[bytes]:
        """The code of the latents last chosen, one a picture."""
        values, means, scales = (
            np.concatenate(parts, axis=1) for parts in zip(*self._parts, strict=True)
        )
        encode = self._tables.coder.encode
        return [encode(*arrays) for arrays in zip(values, means, scales, strict=True)]


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
