"""How many bytes each tensor gets, so that all together lose no more than allowed.

Where rates are high, a tensor of n weights in steps of D takes n (h - log2 D) bits and has a mean
square error of D^2 / 12, which costs s D^2 / 12 where s is its sensitivity. With a multiplier l for
what a bit is worth, the sum of both is least at

    s D / 6 = l n / (D ln 2),        D^2 = (6 l / ln 2) n / s:

the square of a step grows with the number of weights and falls with the sensitivity, and every
weight of the network costs the same loss, whatever tensor it is in. `error_shares` is that rule. It
tells where to look; what is chosen there follows from the sizes and errors of the real coder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

ChoiceT = TypeVar("ChoiceT")

# Halvings of the range of the multiplier, in octaves, until no allocation lies between.
_HALVINGS = 60
_MULTIPLIER_OCTAVES = 120.0


class Option(NamedTuple, Generic[ChoiceT]):
    """One way to code a tensor: the bytes that it takes, and the loss in dB that it should cost."""

    choice: ChoiceT
    size: int
    loss: float


Options: TypeAlias = Mapping[str, Sequence[Option[ChoiceT]]]
"""All ways to code each tensor, by its name."""

Allocation: TypeAlias = dict[str, Option[ChoiceT]]
"""The way that each tensor is coded."""


def error_shares(
    counts: Mapping[str, int], sensitivities: Mapping[str, float], allowed: float
) -> dict[str, float]:
    """Return the mean square error of each tensor at which every weight costs the same loss.

    Parameters
    ----------
    counts : mapping of str to int
        The weights of each tensor.
    sensitivities : mapping of str to float
        Loss by mean square error, above 0.
    allowed : float
        The loss of all together.

    Examples
    --------
    >>> error_shares({"wide": 300, "thin": 100}, {"wide": 3.0, "thin": 1.0}, 0.5)
    {'wide': 0.125, 'thin': 0.125}
    """
    total = sum(counts.values())
    return {name: allowed * count / total / sensitivities[name] for name, count in counts.items()}


def allocate(options: Options[ChoiceT], allowed: float) -> Allocation[ChoiceT]:
    """Choose an option for each tensor: few bytes in all, and a sum of losses within *allowed*.

    The best multiplier comes first; what it leaves of *allowed* goes to the steps that save most for
    it, one after the other. Where even the least losses are above *allowed*, these are chosen.

    Examples
    --------
    >>> options = {
    ...     "a": [Option(8, 80, 0.0), Option(4, 40, 0.1)],
    ...     "b": [Option(8, 10, 0.0), Option(4, 5, 0.1)],
    ... }
    >>> {name: option.choice for name, option in allocate(options, 0.15).items()}
    {'a': 4, 'b': 8}
    """
    low, high = -_MULTIPLIER_OCTAVES, _MULTIPLIER_OCTAVES
    chosen = {name: min(listed, key=lambda o: (o.loss, o.size)) for name, listed in options.items()}
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = _cheapest(options, 2.0**middle)
        if total_loss(found) <= allowed:
            chosen, low = found, middle
        else:
            high = middle
    return _filled(options, chosen, allowed)


def total_loss(chosen: Mapping[str, Option[ChoiceT]]) -> float:
    """Return the sum of losses."""
    return sum(option.loss for option in chosen.values())


def total_size(chosen: Mapping[str, Option[ChoiceT]]) -> int:
    """Return the sum of bytes."""
    return sum(option.size for option in chosen.values())


def _cheapest(options: Options[ChoiceT], multiplier: float) -> Allocation[ChoiceT]:
    """The options of which loss and bytes, each worth *multiplier*, are least."""
    return {
        name: min(listed, key=lambda o: (o.loss + multiplier * o.size, o.size))
        for name, listed in options.items()
    }


def _filled(
    options: Options[ChoiceT], chosen: Allocation[ChoiceT], allowed: float
) -> Allocation[ChoiceT]:
    chosen = dict(chosen)
    while True:
        room = allowed - total_loss(chosen)
        steps = [
            (option, name)
            for name, listed in options.items()
            for option in listed
            if option.size < chosen[name].size and option.loss - chosen[name].loss <= room
        ]
        if not steps:
            return chosen

        option, name = max(steps, key=lambda step: _worth(chosen[step[1]], step[0]))
        chosen[name] = option


def _worth(before: Option[ChoiceT], after: Option[ChoiceT]) -> tuple[float, int]:
    """What a step is to be preferred by: the bytes saved for its loss, then the bytes."""
    saved, cost = before.size - after.size, after.loss - before.loss
    return (saved / cost if cost > 0 else math.inf), saved
