"""The search for the fewest bytes at which a network loses no more than allowed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..coding.nnc.search import largest
from ..networks import PostFilter
from .allocation import Allocation, Option, allocate, total_size
from .coder import Coder
from .loss import Loss, LossMeter
from .sensitivity import SingleLosses

ChoiceT = TypeVar("ChoiceT")

OnStep = Callable[[str], None]

# Allocations in a row whose choices are measured one by one before the next is made. Those of
# tensors that are to lose less than this part of all are not: the sensitivity will do.
_ROUNDS = 4
_NEGLIGIBLE = 0.01
# Sums of losses that are tried lie so many to the octave, over as many octaves on both sides of the
# loss that is allowed.
_PER_OCTAVE, _OCTAVES = 32, 4
# Where that is too much for a network, as little losses may grow faster than squares of errors, so
# many times less is tried, so often.
_LOWERING, _LOWERINGS = 16, 4
# Moves that are tried at the end, and by how many places along the options of a tensor.
_MOVES = 32
_MOVE_REACH = 4
# Of the loss that is allowed, by how much a prediction may well be wrong; and below which chance a
# move is not tried.
_DOUBT = 0.03
_HOPELESS = 0.01
_FAR = 100.0


@dataclass(frozen=True)
class Found(Generic[ChoiceT]):
    """An allocation, and what the whole network loses with it."""

    allocation: Allocation[ChoiceT]
    loss: Loss

    @property
    def choices(self) -> dict[str, ChoiceT]:
        """The choice of each tensor."""
        return {name: option.choice for name, option in self.allocation.items()}


class Search(Generic[ChoiceT]):
    """Tries codings of a network on pictures.

    Parameters
    ----------
    coder : Coder
    meter : LossMeter
    max_loss : float
        Of PSNR, in dB.
    on_step : callable
        Called after each trial with what it was.
    """

    def __init__(
        self, coder: Coder[ChoiceT], meter: LossMeter, max_loss: float, on_step: OnStep
    ) -> None:
        self._coder = coder
        self._meter = meter
        self._max_loss = max_loss
        self._on_step = on_step
        self._tried: dict[tuple[tuple[str, ChoiceT], ...], Loss] = {}
        self._best: Found[ChoiceT] | None = None
        self.trials = 0
        self.singles = SingleLosses(coder, self._measure_single)

    def run(self) -> Found[ChoiceT]:
        """Return the smallest that was found.

        Raises
        ------
        ValueError
            The loss is not within reach.
        """
        self.singles.measure_around(self._max_loss)
        expected = self._max_loss
        for _ in range(_LOWERINGS):
            options = self._measured_options(expected)
            self._search_sum(options, expected)
            if self._best is not None:
                break
            expected /= _LOWERING
        self._try_moves(options)
        if self._best is None:
            least = min(loss.counted for loss in self._tried.values())
            raise ValueError(
                f"max_loss: {self._max_loss:g} dB is not within reach, the least was {least:.3g} dB"
            )
        return self._best

    def _measured_options(self, expected: float) -> dict[str, list[Option[ChoiceT]]]:
        """All options around a sum of losses, with those measured alone that are chosen for it."""
        candidates = {
            # What changes nothing here may matter elsewhere, so it stays reasonably fine.
            name: [self._coder.probe(name, (self._coder.scale(name) / 64) ** 2)]
            for name in self._coder.sizes
        }
        candidates |= self._candidates(self.singles.shares(expected))
        allocation = allocate(self.singles.options(candidates), expected)
        inexact = {name for name, option in allocation.items() if option.loss}
        # Where tensors lie on a grid of their own, the others may lose all that is allowed.
        for name, more in self._candidates(self.singles.shares(expected, inexact)).items():
            candidates[name] = list(dict.fromkeys([*candidates[name], *more]))
        for _ in range(_ROUNDS):
            allocation = allocate(self.singles.options(candidates), expected)
            for name, option in allocation.items():
                if option.loss > _NEGLIGIBLE * expected:
                    self.singles.measure(name, option.choice)
        return self.singles.options(candidates)

    def _candidates(self, errors: Mapping[str, float]) -> dict[str, list[ChoiceT]]:
        return {name: list(self._coder.candidates(name, error)) for name, error in errors.items()}

    def _search_sum(self, options: dict[str, list[Option[ChoiceT]]], expected: float) -> None:
        """Find the largest sum of the losses of single tensors at which the network keeps its own."""

        def measure(number: int) -> float:
            allowed = expected * 2 ** (number / _PER_OCTAVE)
            return self._try(allocate(options, allowed)).counted

        def predict(number: int, loss: float) -> int:
            octaves = math.log2(self._max_loss / loss) if 0 < loss < math.inf else 1.0
            return number + round(octaves * _PER_OCTAVE)

        end = _OCTAVES * _PER_OCTAVE
        largest(measure, self._max_loss, predict, 0, (-end, end))

    def _try_moves(self, options: dict[str, list[Option[ChoiceT]]]) -> None:
        """Move single tensors, or one up and another down, while that saves bytes."""
        if self._best is None:
            return
        least = _NEGLIGIBLE * total_size(self._best.allocation)
        heavy = [name for name, option in self._best.allocation.items() if option.size > least]
        fronts = {name: _front(options[name]) for name in heavy}
        left = _MOVES
        while left and (moves := self._moves(fronts, self._best)):
            before = self._best
            for moved in moves[:left]:
                left -= 1
                self._try(moved)
                if self._best is not before:
                    break

    def _moves(
        self, fronts: Mapping[str, list[Option[ChoiceT]]], found: Found[ChoiceT]
    ) -> list[Allocation[ChoiceT]]:
        """Allocations of fewer bytes near one, those first that promise to save most.

        For each option that is coarser it is one, with what goes best with it and was not tried.
        """
        before = found.allocation
        promising: dict[tuple[str, ChoiceT], tuple[float, Allocation[ChoiceT]]] = {}
        for coarser, changes in _changes(fronts, before):
            saved = sum(before[name].size - option.size for name, option in changes.items())
            chance = self._chance(self._predicted(found, changes))
            promise, moved = saved * chance, before | changes
            worth_trying = chance > _HOPELESS and _key(moved) not in self._tried
            if worth_trying and promise > promising.get(coarser, (0.0,))[0]:
                promising[coarser] = promise, moved
        return [moved for _, moved in sorted(promising.values(), key=lambda pair: -pair[0])]

    def _predicted(self, found: Found[ChoiceT], changes: Allocation[ChoiceT]) -> float:
        """What an allocation should lose after some changes."""
        psnr, change = found.loss.psnr, found.loss.change
        for name, after in changes.items():
            before = found.allocation[name]
            psnr += self.singles.psnr(name, after) - self.singles.psnr(name, before)
            change += after.loss - before.loss
        return Loss(psnr, change).counted

    def _chance(self, loss: float) -> float:
        """How likely a network loses no more than allowed, if this loss was predicted."""
        excess = (loss / self._max_loss - 1) / _DOUBT
        return 1 / (1 + math.exp(min(excess, _FAR)))

    def _try(self, allocation: Allocation[ChoiceT]) -> Loss:
        key = _key(allocation)
        if key not in self._tried:
            self._tried[key] = loss = self._measure(dict(key))
            self._on_step(f"{total_size(allocation):,} bytes, {loss.psnr:.4f} dB")
            smaller = self._best is None or total_size(allocation) < total_size(
                self._best.allocation
            )
            if loss.counted <= self._max_loss and smaller:
                self._best = Found(allocation, loss)
        return self._tried[key]

    def _measure_single(self, choices: Mapping[str, ChoiceT]) -> Loss:
        loss = self._measure(choices)
        self._on_step(f"sensitivity of {', '.join(choices)}")
        return loss

    def _measure(self, choices: Mapping[str, ChoiceT]) -> Loss:
        self.trials += 1
        try:
            post_filter = PostFilter.load(self._coder.model(choices))
        except ValueError:
            # A constant that the graph needs, such as a divisor, came to mean something else.
            return Loss(math.inf, math.inf)
        return self._meter.measure(post_filter)


def _key(allocation: Allocation[ChoiceT]) -> tuple[tuple[str, ChoiceT], ...]:
    return tuple((name, option.choice) for name, option in allocation.items())


def _front(options: list[Option[ChoiceT]]) -> list[Option[ChoiceT]]:
    """The options that no other is better than in both respects, the largest first."""
    front: list[Option[ChoiceT]] = []
    for option in sorted(options, key=lambda option: (option.loss, option.size)):
        if not front or option.size < front[-1].size:
            front.append(option)
    return front


def _changes(
    fronts: Mapping[str, list[Option[ChoiceT]]], allocation: Allocation[ChoiceT]
) -> Iterator[tuple[tuple[str, ChoiceT], Allocation[ChoiceT]]]:
    """One tensor coarser and perhaps another one finer, each with what is coarser."""
    coarser, finer = {}, {}
    for name, front in fronts.items():
        size = allocation[name].size
        coarser[name] = [option for option in front if option.size < size][:_MOVE_REACH]
        finer[name] = [option for option in front if option.size > size][-_MOVE_REACH:]
    for name, options in coarser.items():
        for option in options:
            yield (name, option.choice), {name: option}
            others = ((other, up) for other in fronts if other != name for up in finer[other])
            for other, up in others:
                yield (name, option.choice), {name: option, other: up}
