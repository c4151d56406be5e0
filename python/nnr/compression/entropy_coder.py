"""Choices for the bitstream of ISO/IEC 15938-17."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from .. import _core
from ..coding.nnc.encoder import Encoder
from ..coding.nnc.options import EncodeOptions
from ..coding.nnc.steps import highest_qp, qp_at_most
from ..coding.nnc.targets import errors
from ..models.model import Model
from .coder import ERROR_OF_STEP, Cost, root_mean_square
from .grid import grid_qp

# Steps 4 % apart, so that little is left of what is allowed; they are all steps of training at a
# density of 2 too.
DENSITY = 4

# What is tried lies within an octave of the step that the derivation gives. The step of dependent
# quantisation is finer by about one octave for the same error.
_REACH = 1 << DENSITY
_DEPENDENT_SHIFT = -(1 << DENSITY)
# Weights of the rate; above 1, a coarser step is the better way to fewer bytes.
_RATE_WEIGHTS = (0.0, 0.5, 1.0)


class EntropyChoice(NamedTuple):
    """How a tensor is quantised.

    Parameters
    ----------
    qp : int
        At a density of 4.
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
        self._index: dict[str, int] = {}
        self._kept: dict[str, int] = {}
        for index, planned in enumerate(self._encoder.planned):
            has_choice = planned.is_float and planned.coded.size and planned.name not in keep
            (self._index if has_choice else self._kept)[planned.name] = index
            planned.raw = planned.is_float and planned.name in keep
        self._encoder.run(self._kept.values())
        self._grids = {name: grid_qp(model.tensors[name], DENSITY) for name in self._index}
        self._costs: dict[tuple[str, EntropyChoice], Cost] = {}
        self._coded: dict[str, EntropyChoice] = {}

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of elements of each tensor that there is a choice for, by name."""
        return {name: self._encoder.planned[i].coded.size for name, i in self._index.items()}

    def kept_size(self, name: str) -> int:
        """Return the bytes of a tensor that there is no choice for."""
        return len(self._encoder.results[self._kept[name]].unit)

    def scale(self, name: str) -> float:
        """Return the root of the mean square of a tensor's values."""
        return root_mean_square(self._encoder.planned[self._index[name]].coded)

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
            self._code(batch)
            for name, choice in batch.items():
                self._costs[name, choice] = self._cost(self._index[name])
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

    def describe(self, name: str, choice: EntropyChoice) -> dict[str, Any]:
        """Return a choice as JSON has it, and whether it is the grid that the values lie on."""
        step = _core.nnc_step_size(choice.qp, DENSITY)
        grid = not choice.dq and choice.qp == self._grids[name]
        return {"qp": choice.qp, "step": step, "dq": choice.dq, "rdo": choice.rdo, "grid": grid}

    def _cost(self, index: int) -> Cost:
        """Of a tensor as it is coded now."""
        count = self._encoder.planned[index].coded.size
        size = len(self._encoder.results[index].unit)
        return Cost(size, errors(self._encoder, index)[2] / count)

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
    return qp_at_most(math.sqrt(error / ERROR_OF_STEP), DENSITY)


def _first_of_each(
    pairs: Sequence[tuple[str, EntropyChoice]],
) -> tuple[dict[str, EntropyChoice], list[tuple[str, EntropyChoice]]]:
    """The first choice of each name, and the other pairs."""
    first: dict[str, EntropyChoice] = {}
    others = [pair for pair in pairs if first.setdefault(*pair) != pair[1]]
    return first, others
