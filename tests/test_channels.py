"""One range a channel: every axis, and channels whose elements lie in short and in long runs."""

from __future__ import annotations

import numpy as np
import pytest
from array_cases import DTYPES, assert_same, normal
from hypothesis import given
from hypothesis import strategies as st

import nnr

# Outer axes, channels, elements of a channel side by side: the channel axis is the second one.
# Short runs are read as rows of whole periods; those of longer periods block by block or, from 16
# elements on, run by run, as long runs are.
LAYOUTS = [
    (1, 1, 1),
    (1, 5, 1),
    (700, 1, 3),
    (900, 3, 1),
    (333, 7, 2),
    (211, 5, 3),
    (37, 16, 9),
    (1, 64, 9),
    (11, 13, 63),
    (7, 9, 64),
    (5, 3, 65),
    (2, 3, 9001),
    (1, 40_000, 1),
    (3, 20_000, 1),
    (2, 33_000, 1),
    (2, 2_000, 9),
    (2, 4_000, 9),
    (1, 600, 63),
]


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_reference(layout: tuple[int, int, int], dtype) -> None:
    values = normal(*layout, dtype=dtype)
    for bits in (5, 8, 12):
        got = nnr.quantize(values, bits, axis=1, threads=2)
        assert_same(got, nnr.reference.quantize(values, bits, axis=1))
    got = nnr.minmax(values, axis=1, threads=2)
    np.testing.assert_array_equal(got, nnr.reference.minmax(values, axis=1))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bits", range(1, 17))
def test_every_axis_of_one_to_four_dimensions(bits: int) -> None:
    for shape in ((77,), (19, 31), (5, 67, 9), (6, 5, 3, 23)):
        for axis in range(-len(shape), len(shape)):
            values = normal(*shape)
            got = nnr.quantize(values, bits, axis=axis)
            assert_same(got, nnr.reference.quantize(values, bits, axis=axis))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_known_ranges_clip_and_count(layout: tuple[int, int, int]) -> None:
    values = normal(*layout)
    hi = np.random.default_rng(2).uniform(0.5, 4, layout[1]).astype(np.float32)
    for bits in (6, 8, 9):
        got = nnr.quantize(values, bits, lo=-hi, hi=hi, axis=1, threads=2)
        assert_same(got, nnr.reference.quantize(values, bits, lo=-hi, hi=hi, axis=1))
        assert got.clipped == np.count_nonzero(np.abs(values) > hi[:, None])


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_threads_do_not_change_the_result(layout: tuple[int, int, int], threads: int) -> None:
    values = normal(*layout)
    got = nnr.quantize(values, 7, axis=1, threads=threads)
    assert_same(got, nnr.quantize(values, 7, axis=1, threads=1))
    again = got.dequantize(threads=threads)
    np.testing.assert_array_equal(again, got.dequantize(threads=1))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("layout", [(900, 3, 1), (37, 16, 9), (7, 9, 64), (1, 40_000, 1)], ids=str)
def test_not_finite_is_named_wherever_it_stands(layout: tuple[int, int, int]) -> None:
    size = int(np.prod(layout))
    for place in {*range(20), 64, size // 2, size // 2 + 1, *range(size - 20, size)}:
        values = np.zeros(layout, np.float32)
        values.reshape(-1)[[place, -1]] = np.inf  # the first one counts
        index = ", ".join(str(i) for i in np.unravel_index(place, layout))
        with pytest.raises(ValueError, match=rf"inf at index \({index}\)"):
            nnr.minmax(values, axis=1, threads=2)
        with pytest.raises(ValueError, match=rf"inf at index \({index}\)"):
            nnr.quantize(values, lo=-1.0, hi=1.0, axis=1, threads=2)


@pytest.mark.usefixtures("target")
def test_zeros_are_positive_and_constant_channels_come_back() -> None:
    values = np.tile(np.float32([-0.0, 1.5, -3e38]), (200, 1))
    lo, hi = nnr.minmax(values, axis=1)
    assert not np.signbit([lo[0], hi[0]]).any()
    got = nnr.quantize(values, 5, axis=1)
    assert_same(got, nnr.reference.quantize(values, 5, axis=1))
    np.testing.assert_array_equal(got.dequantize(), values)


def test_what_the_caller_does_to_the_ranges_afterwards_does_not_show() -> None:
    values, lo, hi = normal(3, 50), np.full(3, -2, np.float32), np.full(3, 2, np.float32)
    got = nnr.quantize(values, lo=lo, hi=hi, axis=0)
    before = got.dequantize()
    lo[:], hi[:] = 7, 9
    np.testing.assert_array_equal(got.dequantize(), before)


@pytest.mark.parametrize("shape", [(0, 3, 2), (4, 0, 2), (4, 3, 0)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_no_elements(shape: tuple[int, ...], axis: int) -> None:
    values = np.zeros(shape, np.float32)
    assert_same(nnr.quantize(values, axis=axis), nnr.reference.quantize(values, axis=axis))
    got = nnr.quantize(values, lo=-1.0, hi=1.0, axis=axis)
    assert_same(got, nnr.reference.quantize(values, lo=-1.0, hi=1.0, axis=axis))


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 80),
    st.integers(1, 16),
    st.integers(1, 4),
)
def test_any_layout_equals_reference(
    outer: int, channels: int, inner: int, bits: int, threads: int
) -> None:
    values = normal(outer, channels, inner)
    got = nnr.quantize(values, bits, axis=1, threads=threads)
    assert_same(got, nnr.reference.quantize(values, bits, axis=1))
