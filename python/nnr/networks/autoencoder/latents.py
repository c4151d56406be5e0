"""Latents, and the prior that predicts them stage by stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..integer import IntegerNetwork
from ..layers import Float32Array
from .stages import Stage
from .tables import PriorTables

BLOCK = 8
"""Rows and columns of a picture that a latent of one channel stands for."""

# What the prior sees of a latent; larger ones are rare and tell it nothing more.
_MAX_CONTEXT = 255

Int16Array = NDArray[np.int16]
StageCoder = Callable[[Stage, Int16Array, Int16Array], Int16Array]
"""Takes a stage with the means and scales of its latents, gives the latents; (pictures, count)."""


@dataclass(frozen=True, eq=False)
class Latents:
    """The quantised latents of pictures of one size, as their files hold them.

    Parameters
    ----------
    values : ndarray of int16
        Shape (pictures, channels, rows, columns), -2047 to 2047.
    step_indices : ndarray of uint8
        One a picture; the step is ``2**(index / 32)``.
    width, height : int
        Of the pictures.
    """

    values: Int16Array = field(repr=False)
    step_indices: NDArray[np.uint8]
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Transformed:
    """What the encoder's network makes of pictures of one size, before a quality is chosen.

    Parameters
    ----------
    values : ndarray of float32
        Shape (pictures, channels, rows, columns).
    width, height : int
        Of the pictures.
    """

    values: Float32Array = field(repr=False)
    width: int
    height: int


def block_size(width: int, height: int) -> tuple[int, int]:
    """Rows and columns of the latents of a picture."""
    return -(-height // BLOCK), -(-width // BLOCK)


class Prior:
    """A network that predicts the latents that are to come by those that are known.

    Parameters
    ----------
    network : IntegerNetwork
    tables : PriorTables
    """

    def __init__(self, network: IntegerNetwork, tables: PriorTables) -> None:
        self._network = network
        self._tables = tables

    def go_through(
        self, step_indices: NDArray[np.uint8], rows: int, columns: int, code: StageCoder
    ) -> Int16Array:
        """Give *code* each stage after the other, and return the latents that it gives.

        Parameters
        ----------
        step_indices : ndarray of uint8
            One a picture.
        rows, columns : int
            Of the latents.
        code : StageCoder
        """
        channels = self._tables.channels
        latents = np.zeros((len(step_indices), channels, rows, columns), np.int16)
        seen = np.zeros((len(step_indices), channels + 2, rows, columns), np.int16)
        seen[:, channels] = step_indices[:, None, None]
        for number, stage in enumerate(self._tables.stages):
            seen[:, channels + 1] = number
            predicted = self._network.run_integers(seen)
            values = code(
                stage, stage.of(predicted[:, :channels]), stage.of(predicted[:, channels:])
            )
            stage.put(latents, values)
            stage.put(seen, values.clip(-_MAX_CONTEXT, _MAX_CONTEXT))
        return latents
