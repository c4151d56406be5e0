"""minmax against its NumPy twin: every level, dtype, axis, odd lengths."""

from __future__ import annotations

import numpy as np
import pytest
from array_cases import DTYPES

import nnr


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_reference(dtype) -> None:
    random = np.random.default_rng(5)
    for count in [*range(1, 70), 200, 16384, 16385, 70_000]:
        values = random.normal(size=count).astype(dtype)
        assert nnr.minmax(values) == nnr.reference.minmax(values)
        assert nnr.minmax(values) == (float(values.min()), float(values.max())) or (
            dtype is np.float64  # read as float32
        )


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_one_range_a_channel(axis: int) -> None:
    values = np.random.default_rng(6).normal(size=(9, 17, 33)).astype(np.float32)
    lo, hi = nnr.minmax(values, axis=axis)
    others = tuple(i for i in range(3) if i != axis % 3)
    np.testing.assert_array_equal(lo, values.min(axis=others))
    np.testing.assert_array_equal(hi, values.max(axis=others))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_not_finite_is_named_wherever_it_stands(bad: float, dtype) -> None:
    for position in [*range(40), 16383, 16384, 39_999]:
        values = np.zeros((2, 20_000), dtype)
        values.reshape(-1)[position] = bad
        values.reshape(-1)[-1] = bad  # the first one counts
        index = (position // 20_000, position % 20_000)
        with pytest.raises(ValueError, match=rf"at index \({index[0]}, {index[1]}\)"):
            nnr.minmax(values, threads=2)


@pytest.mark.usefixtures("target")
def test_zero_is_positive() -> None:
    for values in (np.float32([-0.0]), np.full(33, -0.0, np.float32), np.float32([0.0, -0.0] * 9)):
        lo, hi = nnr.minmax(values)
        assert not np.signbit([lo, hi]).any()


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_threads_do_not_change_the_result(threads: int) -> None:
    values = np.random.default_rng(7).normal(size=(7, 50_001)).astype(np.float32)
    assert nnr.minmax(values, threads=threads) == nnr.reference.minmax(values)
    got = nnr.minmax(values, axis=0, threads=threads)
    np.testing.assert_array_equal(got, nnr.reference.minmax(values, axis=0))


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
def test_empty_has_no_range(module) -> None:
    with pytest.raises(ValueError, match=r"shape \(0, 3\) is empty"):
        module.minmax(np.zeros((0, 3), np.float32))


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
def test_float64_beyond_float32(module) -> None:
    with pytest.raises(ValueError, match=r"1e\+300 \(beyond float32\) at index \(1,\)"):
        module.minmax(np.array([0.0, 1e300]))
