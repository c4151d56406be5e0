"""Choices for the bitstream of ISO/IEC 15938-17."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from .. import _core
from ..coding.nnc.encoder import Encoder
from ..coding.nnc.options import EncodeOptions
from ..coding.nnc.steps import highest_qp, qp_at_most
from ..coding.nnc.targets import errors
from ..models.model import Model
from .coder import Cost
from .grid import DENSITY, grid_qp

# Of the square of its step, the mean square error of the uniform quantiser.
_ERROR_OF_STEP = 1 / 12
# What is tried lies within two octaves of the step that the derivation gives. The step of dependent
# quantisation is finer by about one octave for the same error.
_REACH = 2 << DENSITY
_DEPENDENT_SHIFT = -(1 << DENSITY)
# Weights of the rate; above 1, a coarser step is the better way to fewer bytes.
_RATE_WEIGHTS = (0.0, 0.5, 1.0)


class EntropyChoice(NamedTuple):
    """How a tensor is quantised.

    Parameters
    ----------
    qp : int
        At a density of 2.
    dq : bool
        Whether the quantisation is dependent; otherwise it is uniform, to the nearest.
    rdo : float
        With dependent quantisation, the weight of the rate against the squared error.
    """

    qp: int
    dq: bool = False
    rdo: float = 0.0


class EntropyCoder:
    """The tensors of a model as units of a bitstream.

    Parameters
    ----------
    model : Model
    keep : collection of str
        Names of tensors that stay raw.
    threads : int, optional
        Never changes a byte.
    """

    def __init__(
        self, model: Model, *, keep: Collection[str] = (), threads: int | None = None
    ) -> None:
        options = EncodeOptions(qp=0, qp_density=DENSITY, threads=threads)
        self._encoder = Encoder(model, options, with_values=True)
        planned = self._encoder.planned
        self._index = {
            each.name: index
            for index, each in enumerate(planned)
            if each.is_float and each.coded.size and each.name not in keep
        }
        for each in planned:
            each.raw = each.name in keep and each.is_float
        chosen = set(self._index.values())
        self._encoder.run(index for index in range(len(planned)) if index not in chosen)
        self._grids = {name: grid_qp(model.tensors[name]) for name in self._index}
        self._costs: dict[tuple[str, EntropyChoice], Cost] = {}
        self._coded: dict[str, EntropyChoice] = {}

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of elements of each tensor that there is a choice for, by name."""
        return {name: self._encoder.planned[i].coded.size for name, i in self._index.items()}

    @property
    def grids(self) -> Mapping[str, int | None]:
        """The QP of the grid that the values of each tensor lie on, if they do."""
        return self._grids

    def scale(self, name: str) -> float:
        """Return the root of the mean square of a tensor's values."""
        values = self._encoder.planned[self._index[name]].coded
        return math.sqrt(float(np.mean(np.square(values, dtype=np.float64))))

    def probe(self, name: str, error: float) -> EntropyChoice:
        """Return a choice of about this mean square error, the plainest that there is."""
        return EntropyChoice(self._clamped(name, _qp_of_error(error)))

    def candidates(self, name: str, error: float) -> list[EntropyChoice]:
        """Return what is worth trying where about this mean square error is wanted."""
        found = {}
        middle = _qp_of_error(error)
        for qp in range(middle - _REACH, middle + _REACH + 1):
            found[EntropyChoice(self._clamped(name, qp))] = True
            dependent = self._clamped(name, qp + _DEPENDENT_SHIFT)
            found |= {EntropyChoice(dependent, True, weight): True for weight in _RATE_WEIGHTS}
        grid = self._grids[name]
        if grid is not None:
            found[EntropyChoice(grid)] = True
        return list(found)

    def costs(self, choices: Sequence[tuple[str, EntropyChoice]]) -> list[Cost]:
        """Return what each of some choices costs."""
        missing = [pair for pair in dict.fromkeys(choices) if pair not in self._costs]
        while missing:
            # One choice for each tensor, so that threads have several at a time.
            batch, missing = _first_of_each(missing)
            self._code(dict(batch))
            for name, choice in batch:
                index = self._index[name]
                count = self._encoder.planned[index].coded.size
                squares = errors(self._encoder, index)[2]
                size = len(self._encoder.results[index].unit)
                self._costs[name, choice] = Cost(size, squares / count)
        return [self._costs[pair] for pair in choices]

    def model(self, choices: Mapping[str, EntropyChoice]) -> Model:
        """Return the model with these tensors as the decoder gives them, others as they were."""
        self._code(choices)
        original = self._encoder.model
        rebuilt = {name: self._encoder.rebuilt(self._index[name]) for name in choices}
        return Model(original.tensors | rebuilt, original.topology, dict(original.metadata))

    def data(self, choices: Mapping[str, EntropyChoice]) -> bytes:
        """Return the bitstream; *choices* has every tensor of `sizes`."""
        self._code(choices)
        return self._encoder.data()

    def describe(self, choice: EntropyChoice) -> dict[str, Any]:
        """Return a choice as JSON has it."""
        step = _core.nnc_step_size(choice.qp, DENSITY)
        return {"qp": choice.qp, "step": step, "dq": choice.dq, "rdo": choice.rdo}

    def _clamped(self, name: str, qp: int) -> int:
        finest = self._encoder.planner.finest(self._encoder.planned[self._index[name]])
        return min(max(qp, finest), highest_qp(DENSITY))

    def _code(self, choices: Mapping[str, EntropyChoice]) -> None:
        changed = [name for name, choice in choices.items() if self._coded.get(name) != choice]
        for name in changed:
            planned = self._encoder.planned[self._index[name]]
            planned.qp, planned.dq, planned.rdo = choices[name]
            self._coded[name] = choices[name]
        self._encoder.run(self._index[name] for name in changed)


def _qp_of_error(error: float) -> int:
    return qp_at_most(math.sqrt(error / _ERROR_OF_STEP), DENSITY)


def _first_of_each(
    pairs: Sequence[tuple[str, EntropyChoice]],
) -> tuple[list[tuple[str, EntropyChoice]], list[tuple[str, EntropyChoice]]]:
    """The first pair of each name, and the others."""
    by_name = [list(group) for _, group in groupby(sorted(pairs, key=lambda pair: pair[0]), key=lambda pair: pair[0])]
    return [group[0] for group in by_name], [pair for group in by_name for pair in group[1:]]
