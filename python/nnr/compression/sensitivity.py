"""What the output of a network changes by when one of its tensors is coded."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import fmean
from typing import Generic, TypeVar

from .allocation import Option, error_shares
from .coder import Coder
from .loss import Loss

ChoiceT = TypeVar("ChoiceT")

# The first error that is tried: that of some 6 bits.
_FIRST_ERROR = 2.0**-6
# Then twice the error, and so on, where a tensor did not change at all, or the output did not.
_ATTEMPTS = 6


class SingleLosses(Generic[ChoiceT]):
    """The losses of networks of which one tensor is coded and the others are as they were.

    What counts is `Loss.change`, which grows with the square of the errors, and of which those of
    single tensors add up. How fast it grows depends on how the errors of the weights of a sum happen
    to add up, so that a choice that was measured counts as it was measured, and others by the mean
    of the tensor, its sensitivity.

    Parameters
    ----------
    coder : Coder
    measure : callable
        Returns what the network loses with the choices that it is given.
    """

    def __init__(
        self, coder: Coder[ChoiceT], measure: Callable[[Mapping[str, ChoiceT]], Loss]
    ) -> None:
        self._coder = coder
        self._measure = measure
        self._losses: dict[tuple[str, ChoiceT], Loss] = {}
        self._ratios: dict[str, list[float]] = {name: [] for name in coder.sizes}

    @property
    def sensitivities(self) -> dict[str, float]:
        """Loss in dB by the mean square error of each tensor, the geometric mean of all measured.

        Tensors that never changed the output are left out.
        """
        return {
            name: math.exp(fmean(map(math.log, ratios)))
            for name, ratios in self._ratios.items()
            if ratios
        }

    def measure(self, name: str, choice: ChoiceT) -> None:
        """Measure the loss of one choice, unless it was measured before or has no error."""
        error = self._coder.costs([(name, choice)])[0].error
        if not error or (name, choice) in self._losses:
            return
        loss = self._measure({name: choice})
        self._losses[name, choice] = loss
        if 0 < loss.change < math.inf:
            self._ratios[name].append(loss.change / error)

    def psnr(self, name: str, option: Option[ChoiceT]) -> float:
        """Return the loss of PSNR that is to be expected of an option."""
        measured = self._losses.get((name, option.choice))
        return self._psnr_ratio * option.loss if measured is None else measured.psnr

    @property
    def _psnr_ratio(self) -> float:
        """Loss of PSNR by change of all that was measured."""
        losses = [loss for loss in self._losses.values() if 0 < loss.change < math.inf]
        change = sum(loss.change for loss in losses)
        return max(0.0, sum(loss.psnr for loss in losses) / change) if change else 1.0

    def measure_around(self, allowed: float) -> None:
        """Measure every tensor where it will about be if all may lose *allowed* dB."""
        for name in self._coder.sizes:
            self._find_change(name)
        for name, error in self.shares(allowed).items():
            self.measure(name, self._coder.probe(name, error))

    def shares(self, allowed: float, names: Collection[str] | None = None) -> dict[str, float]:
        """Return the mean square errors that the derivation gives to the sensitive tensors.

        Among *names*, if these alone are to have any.
        """
        sensitivities = self.sensitivities
        counts = {
            name: self._coder.sizes[name]
            for name in sensitivities
            if names is None or name in names
        }
        return error_shares(counts, sensitivities, allowed)

    def options(
        self, candidates: Mapping[str, Sequence[ChoiceT]]
    ) -> dict[str, list[Option[ChoiceT]]]:
        """Return what candidates cost, by measurement or by the sensitivity."""
        sensitivities = self.sensitivities
        return {
            name: [
                Option(choice, cost.size, self._loss(name, choice, cost.error, sensitivities))
                for choice, cost in zip(
                    choices, self._coder.costs([(name, choice) for choice in choices]), strict=True
                )
            ]
            for name, choices in candidates.items()
        }

    def _loss(
        self, name: str, choice: ChoiceT, error: float, sensitivities: Mapping[str, float]
    ) -> float:
        measured = self._losses.get((name, choice))
        return sensitivities.get(name, 0.0) * error if measured is None else measured.change

    def _find_change(self, name: str) -> None:
        scale = self._coder.scale(name) * _FIRST_ERROR
        for attempt in range(_ATTEMPTS if scale else 0):
            self.measure(name, self._coder.probe(name, (scale * 2**attempt) ** 2))
            if self._ratios[name]:
                return
