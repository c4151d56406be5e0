"""Chooses which values of a network have 8 bits and which have 16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..layers import Add, Conv, DepthToSpace, DepthwiseConv, SpaceToDepth
from .grouping import Moving, Step
from .layers import INT16, UINT8
from .scales import Classes

# What the convolutions that may read 16 bits do together, of all multiplications of a network.
# They take half as many at a time, and losing little speed there wins much precision.
_SMALL_SHARE = 0.05


def choose_dtypes(steps: Sequence[Step], output: int, activation_bits: int) -> dict[int, Any]:
    """The dtype of every value that a step gives, and of value 0.

    With 8 bits, uint8 for what a large convolution depends on. int16 for input and output, for what
    none depends on, such as a residual, and for what moving layers tie to input or output.
    """
    values = [0, *(step.value for step in steps)]
    if activation_bits == 16:
        return dict.fromkeys(values, INT16)
    large = _large_convolutions(steps)
    needed: set[int] = set()
    for step in reversed(steps):
        if step.value in needed or step.value in large:
            needed.update(step.inputs)
    groups = Classes([1] * (max(values) + 1))
    for step in steps:
        if isinstance(step.head, Moving):
            for i in step.inputs:
                groups.join((step.value, 0), (i, 0))
    root = {value: groups.find(value, 0) for value in values}
    coarse = {root[value] for value in needed} - {root[0], root[output]}
    return {value: UINT8 if root[value] in coarse else INT16 for value in values}


def residual_starts(steps: Sequence[Step], dtypes: dict[int, Any]) -> set[int]:
    """The values with which residuals start: additions read them beside convolutions.

    What an addition carries past convolutions is not averaged by any, so that rounding it to 8 bits
    costs most. These values get 16, and a copy of 8 for the convolutions. The sums that follow in
    the same stream do not: measured, that gains nothing more.
    """
    convolutions = [step for step in steps if isinstance(step.head, Conv | DepthwiseConv)]
    read = {step.head.inputs[0] for step in convolutions}
    tied = {i for step in steps if isinstance(step.head, Moving) for i in step.inputs}
    added = {step.addend for step in steps}
    return {
        step.value
        for step in steps
        if step.value in (read & added) - tied
        and dtypes[step.value] == UINT8
        and step.addend is None
        and not step.clips
        and not isinstance(step.head, Add | Moving)
    }


def _large_convolutions(steps: Sequence[Step]) -> set[int]:
    """The values that all convolutions give but the smallest, which together do little."""
    # Samples of a channel, beside those of the input.
    areas = {0: 1.0}
    work: dict[int, float] = {}
    for step in steps:
        area = areas[step.head.inputs[0]]
        match step.head:
            case SpaceToDepth():
                area /= step.head.block**2
            case DepthToSpace():
                area *= step.head.block**2
            case Conv() | DepthwiseConv():
                area /= step.head.stride[0] * step.head.stride[1]
                work[step.value] = area * step.head.weights.size
        areas[step.value] = area
    left = _SMALL_SHARE * sum(work.values())
    large = set(work)
    # The later first: what follows it repairs less.
    for value in sorted(work, key=lambda value: (work[value], -value)):
        left -= work[value]
        if left < 0:
            break
        large.remove(value)
    return large
