"""Runs native plans over arrays, of floats or integers."""

from __future__ import annotations

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._arguments import check_out, check_threads

Cut = tuple[int, int, int]
"""Width of a strip, height of a step and of a segment; for tests, since no result depends on it."""


def check_images(x: Any, name: str, dtype: np.dtype[Any], channels: int) -> None:
    """Raise for what is not one image or several of *channels* channels."""
    if not isinstance(x, np.ndarray) or x.dtype != dtype:
        got = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"{name} must be an array of {dtype}, got {got}")
    if x.ndim not in (3, 4) or x.shape[-3] != channels:
        raise ValueError(
            f"{name} must have shape ({channels}, height, width), or that with the number of "
            f"images before it, got {x.shape}"
        )
    if 0 in x.shape[-2:]:
        raise ValueError(f"{name} must not be empty, got shape {x.shape}")


def run_plan(
    plan: _core.NetworkPlan,
    x: NDArray[Any],
    out: NDArray[Any] | None,
    threads: SupportsIndex | None,
    cut: Cut | None,
) -> NDArray[Any]:
    """The plan's output for checked images, in *out* where it is given."""
    images, out, four = _arrays(plan, x, out, np.dtype(plan.output_type))
    plan.run(images, four, check_threads(threads), cut)
    return out


def run_quantized(
    plan: _core.NetworkPlan,
    x: NDArray[np.float32],
    out: NDArray[np.float32] | None,
    scales: tuple[NDArray[np.float64], NDArray[np.float64]],
    threads: SupportsIndex | None,
) -> NDArray[np.float32]:
    """The output of a plan of integers in real numbers; *scales* are those of input and output."""
    images, out, four = _arrays(plan, x, out, np.dtype(np.float32))
    plan.run_quantized(images, four, *scales, check_threads(threads))
    return out


def _arrays(
    plan: _core.NetworkPlan, x: NDArray[Any], out: NDArray[Any] | None, dtype: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Input of four dimensions, output as it is returned, and of four dimensions."""
    images = np.require(x, requirements=["C_CONTIGUOUS", "ALIGNED"])
    height, width = plan.output_size(*x.shape[-2:])
    shape = (*x.shape[:-3], plan.out_channels, height, width)
    if out is None:
        out = np.empty(shape, dtype)
    else:
        check_out(out, shape, dtype, x)
    return images.reshape(-1, *x.shape[-3:]), out, out.reshape(-1, *shape[-3:])
