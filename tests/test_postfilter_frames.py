"""Post filters over whole frames: Y, Cb and Cr."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_models import (
    as_model,
    cut_of,
    expected,
    frame_filter,
    residual_filter,
    session_of,
)

from nnr.networks import IntegerNetwork, PostFilter
from nnr.networks.planes import network_input
from nnr.video import Frame, FrameFormat

SIZES = [(1, 1), (2, 2), (3, 2), (16, 34), (37, 26), (64, 65)]


def random_frame(width: int, height: int, bit_depth: int, seed: int = 0) -> Frame:
    shape = FrameFormat(width, height, bit_depth)
    rng = np.random.default_rng(seed)
    planes = [
        rng.integers(0, 1 << bit_depth, size).astype(shape.dtype) for size in shape.plane_shapes
    ]
    return Frame(*planes, bit_depth)


def planes_of(samples: np.ndarray, like: Frame) -> tuple[np.ndarray, ...]:
    """The planes of six channels of samples at the resolution of chroma."""
    rows, columns = samples.shape[1:]
    luma = np.empty((2 * rows, 2 * columns), samples.dtype)
    for phase in range(4):
        luma[phase // 2 :: 2, phase % 2 :: 2] = samples[phase]
    height, width = like.y.shape
    return luma[:height, :width], *samples[4:]


def frame_of(samples: np.ndarray, like: Frame) -> Frame:
    return Frame(
        *(plane.astype(like.y.dtype) for plane in planes_of(samples, like)), like.bit_depth
    )


def assert_same(result: Frame, wanted: Frame) -> None:
    assert result.format == wanted.format
    for plane, other in zip(result.planes, wanted.planes, strict=True):
        np.testing.assert_array_equal(plane, other)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bit_depth", [8, 10, 16])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("inputs", [6, 7])
def test_frame_equals_onnxruntime(inputs: int, size: tuple[int, int], bit_depth: int) -> None:
    proto = frame_filter(inputs=inputs)
    frame = random_frame(*size, bit_depth)
    peak = (1 << bit_depth) - 1
    result = PostFilter.load(as_model(proto)).apply_frame(frame, qp=37)
    given = network_input(frame.planes, 37, peak)[:inputs]
    wanted = np.clip(expected(session_of(proto), given) * np.float32(peak), 0, peak)
    # Both round to whole samples; 1e-5 of full scale may be a sample's difference at 16 bits.
    assert result.format == frame.format
    for plane, other in zip(result.planes, planes_of(wanted, frame), strict=True):
        assert np.abs(plane - other).max() <= 0.5 + 1e-5 * peak


def test_qp_matters() -> None:
    post_filter = PostFilter.load(as_model(frame_filter()))
    frame = random_frame(32, 32, 10)
    one, other = (post_filter.apply_frame(frame, qp=qp) for qp in (22, 42))
    assert (one.y != other.y).any()


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("size", [(45, 67), (90, 32)])
def test_result_depends_on_neither_cuts_nor_threads(size: tuple[int, int]) -> None:
    post_filter = PostFilter.load(as_model(frame_filter()))
    frame = random_frame(*size, 10)

    def apply(**options: Any) -> Frame:
        return post_filter.apply_frame(frame, qp=32, **options)

    whole = apply(threads=1, _cut=(1000, 1000, 1000))
    for number, cut in enumerate([cut_of(1), cut_of(5), cut_of(16), (8, 3, 9)]):
        assert_same(apply(threads=1 + number % 4, _cut=cut), whole)


@pytest.mark.usefixtures("target")
def test_integers_are_samples(tmp_path: Any) -> None:
    post_filter = PostFilter.load(as_model(frame_filter(16)))
    seen = [(random_frame(64, 64, 10, seed), qp) for seed, qp in enumerate((22, 32, 42))]
    exact = post_filter.to_integer(seen, bit_depth=10)
    frame = random_frame(37, 26, 10, 9)
    result = exact.apply_frame(frame, qp=30)
    luma = np.pad(frame.y, ((0, 0), (0, 1)), mode="edge")
    phases = [luma[row::2, column::2] for row in (0, 1) for column in (0, 1)]
    q = np.stack([*phases, frame.u, frame.v, np.full_like(frame.u, 30)]).astype(np.int16)
    network = exact.network
    assert isinstance(network, IntegerNetwork)
    assert_same(result, frame_of(network.run_integers(q), frame))
    network.save(tmp_path / "exact.safetensors")
    loaded = PostFilter.load(tmp_path / "exact.safetensors")
    assert (loaded.bit_depth, loaded.filters_chroma) == (10, True)
    assert_same(loaded.apply_frame(frame, qp=30), result)
    floats = post_filter.apply_frame(frame, qp=30)
    assert np.abs(floats.y.astype(int) - result.y).mean() < 8


def test_a_network_of_luma_leaves_chroma() -> None:
    post_filter = PostFilter.load(as_model(residual_filter()))
    frame = random_frame(31, 22, 8)
    result = post_filter.apply_frame(frame, qp=27)
    np.testing.assert_array_equal(result.y, post_filter.apply(frame.y, qp=27))
    assert (result.y != frame.y).any()
    assert result.u is frame.u
    assert result.v is frame.v


def test_wrong_use() -> None:
    post_filter = PostFilter.load(as_model(frame_filter()))
    frame = random_frame(32, 32, 8)
    with pytest.raises(ValueError, match="see apply_frame"):
        post_filter.apply(frame.y, qp=30)
    with pytest.raises(TypeError, match="filters frames, got a plane"):
        post_filter.to_integer([(frame.y, 30)])
    with pytest.raises(ValueError, match="qp must be 0 to 63"):
        post_filter.apply_frame(frame, qp=64)
    exact = post_filter.to_integer([(frame, 30)])
    with pytest.raises(ValueError, match="compiled to integers for 8 bits"):
        exact.apply_frame(random_frame(32, 32, 10), qp=30)
    with pytest.raises(ValueError, match="6 or 7"):
        PostFilter.load(as_model(frame_filter(inputs=8)))
