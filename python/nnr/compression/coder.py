"""What the search asks of a coding: to code single tensors in one way or another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..models.model import Model

ERROR_OF_STEP = 1 / 12
"""Of the square of its step, the mean square error of the uniform quantiser."""


class Cost(NamedTuple):
    """What a choice costs: the bytes of the tensor, and the mean square of its errors."""

    size: int
    error: float


ChoiceT = TypeVar("ChoiceT")
"""How a tensor is quantised, in the words of a coding; hashable."""


class Coder(Protocol[ChoiceT]):
    """The tensors of a model, each coded as chosen.

    Sizes of tensors add up: what a file has beside them depends on no choice but by a few bytes.
    """

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of elements of each tensor that there is a choice for, by name."""
        ...

    def kept_size(self, name: str) -> int:
        """Return the bytes of a tensor that there is no choice for."""
        ...

    def scale(self, name: str) -> float:
        """Return the root of the mean square of a tensor's values."""
        ...

    def probe(self, name: str, error: float) -> ChoiceT:
        """Return a choice of about this mean square error, the plainest that there is."""
        ...

    def candidates(self, name: str, error: float) -> Sequence[ChoiceT]:
        """Return what is worth trying where about this mean square error is wanted."""
        ...

    def costs(self, choices: Sequence[tuple[str, ChoiceT]]) -> list[Cost]:
        """Return what each of some choices costs."""
        ...

    def model(self, choices: Mapping[str, ChoiceT]) -> Model:
        """Return the model with these tensors as the decoder gives them, others as they were."""
        ...

    def describe(self, name: str, choice: ChoiceT) -> dict[str, Any]:
        """Return a choice as JSON has it."""
        ...


def root_mean_square(values: NDArray[Any]) -> float:
    """Return the root of the mean square of all values."""
    return math.sqrt(float(np.mean(np.square(values.astype(np.float64)))))
