"""quantize_many: what a loop of quantize gives, with the tensors' names."""

from __future__ import annotations

from types import MappingProxyType

import ml_dtypes
import numpy as np
import pytest
from array_cases import DTYPES, assert_same, normal
from hypothesis import given
from hypothesis import strategies as st

import nnr


class FakeTensor:
    """What a framework's tensor shows of itself: the DLPack protocol and nothing else."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __dlpack__(self) -> object:
        return self._array.__dlpack__()


def mixed_tensors() -> dict[str, object]:
    """All that a tensor may be, with more than one dimension where it has any."""
    tensors: dict[str, object] = {f"{np.dtype(t)}": normal(9, 33, dtype=t) for t in DTYPES}
    return tensors | {
        "a/b.c d": normal(64, 16, 3, 3),
        "transposed": normal(77, 45).T,
        "steps": normal(50, 60)[::2, ::-3],
        "no rows": np.zeros((0, 3), np.float32),
        "no columns": np.zeros((3, 0), np.float16),
        "one": np.float32([[5]]),
        "": normal(3, 700),
    }


def assert_equals_loop(tensors: dict[str, object], bits: int, **arguments: int | None) -> None:
    got = nnr.quantize_many(tensors, bits, **arguments)
    want = nnr.reference.quantize_many(tensors, bits, **arguments)
    assert type(got) is dict
    assert list(got) == list(want) == list(tensors)
    for name, array in tensors.items():
        assert_same(got[name], want[name])
        assert_same(got[name], nnr.quantize(array, bits, axis=arguments.get("axis")))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
def test_equals_a_loop_of_quantize(axis: int | None) -> None:
    for bits in (1, 8, 11, 16):
        assert_equals_loop(mixed_tensors(), bits, axis=axis)


def test_array_likes() -> None:
    tensors = {
        "list": [0.0, 1.0, 0.25],
        "number": 2.5,
        "NumPy's number": np.float16(3),
        "without dimensions": np.array(7.0, ml_dtypes.bfloat16),
        "big-endian": normal(5, 7).astype(">f4"),
        "DLPack": FakeTensor(normal(3, 5)),
        "DLPack, steps": FakeTensor(normal(8, 5)[::2]),
    }
    assert_equals_loop(tensors, 6)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("threads", [1, 2, 3, 7, None])
def test_threads_do_not_change_the_result(threads: int | None) -> None:
    large = normal(1100, 1000)  # more than 4 MB, so that the threads share it
    tensors = {"small": normal(9), "large": large, "strided": large.T}
    tensors |= {f"{i}": normal(i * 37, seed=i) for i in range(40)}
    want = {name: nnr.quantize(array, 7, threads=1) for name, array in tensors.items()}
    got = nnr.quantize_many(tensors, 7, threads=threads)
    for name, array in want.items():
        np.testing.assert_array_equal(got[name].packed, array.packed)
        assert (got[name].lo, got[name].hi) == (array.lo, array.hi)


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
def test_no_tensors(module) -> None:
    assert module.quantize_many({}) == {}
    assert module.quantize_many({}, 3, axis=5, threads=2) == {}


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
def test_any_mapping(module) -> None:
    got = module.quantize_many(MappingProxyType({"b": np.float32([0, 1]), "a": np.float32([2])}), 1)
    assert list(got) == ["b", "a"]
    assert got["b"].codes().tolist() == [0, 1]


def test_dimensions_differ_and_the_axis_counts_from_either_end() -> None:
    tensors = {"4": normal(3, 4, 5, 6), "2": normal(7, 8), "1": normal(9)}
    assert_equals_loop(tensors, 8, axis=0)
    got = nnr.quantize_many(tensors, axis=-1)
    assert [(got[name].axis, got[name].lo.shape) for name in tensors] == [
        (3, (6,)),
        (1, (8,)),
        (0, (9,)),
    ]


def test_the_results_do_not_share_memory_with_the_tensors() -> None:
    tensors = {"a": normal(100), "b": normal(100)}
    got = nnr.quantize_many(tensors)
    before = {name: array.dequantize() for name, array in got.items()}
    for array in tensors.values():
        array[:] = 0
    got["a"].packed[:] = 0
    np.testing.assert_array_equal(got["b"].dequantize(), before["b"])


@pytest.mark.parametrize(
    ("wrong", "axis", "error", "message"),
    [
        (np.float32([[0, 1], [np.nan, 1]]), None, ValueError, r"conv\.w holds nan at index \(1, 0"),
        (np.float32([[0, 1], [1, -np.inf]]), 0, ValueError, r"conv\.w holds -inf at index \(1, 1"),
        (np.array([[0, 1e300]]), None, ValueError, r"conv\.w holds 1e\+300 \(beyond float32\)"),
        (np.float32([[-3e38, 3e38]]), None, ValueError, r"range of conv\.w, .* overflows float32"),
        (np.float32([[0, 1], [-3e38, 3e38]]), 0, ValueError, r"of channel 1 of conv\.w"),
        (np.arange(4).reshape(2, 2), None, TypeError, r"conv\.w must be float16"),
        (np.ma.masked_array(np.float32([[1, 2]]), [[True, False]]), None, TypeError, "is masked"),
        (np.float32([1]), 1, ValueError, r"axis must be within conv\.w's 1 dimensions, got 1"),
        (np.float32(1), 0, ValueError, r"axis must be within conv\.w's 0 dimensions, got 0"),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_errors_name_the_tensor(wrong, axis, error, message, threads: int) -> None:
    fine = {f"fine {i}": np.zeros((2, 2), np.float32) for i in range(5)}
    for tensors in ({"conv.w": wrong}, fine | {"conv.w": wrong}, {"conv.w": wrong} | fine):
        with pytest.raises(error, match=message):
            nnr.quantize_many(tensors, axis=axis, threads=threads)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_first_of_several_wrong_tensors_is_named(threads: int) -> None:
    large = np.zeros((1100, 1000), np.float32)
    large[1099, 999] = np.nan  # large tensors are done before small ones
    bad = np.float32([0, np.inf])
    with pytest.raises(ValueError, match=r"second holds inf at index \(1,\)"):
        nnr.quantize_many(
            {"first": np.float32([0]), "second": bad, "large": large, "last": bad}, threads=threads
        )
    with pytest.raises(ValueError, match=r"large holds nan at index \(1099, 999\)"):
        nnr.quantize_many({"large": large, "last": bad}, threads=threads)


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
def test_arguments_out_of_range(module) -> None:
    tensors = {"a": np.float32([0, 1])}
    with pytest.raises(ValueError, match="bits must be 1 to 16, got 17"):
        module.quantize_many(tensors, 17)
    with pytest.raises(ValueError, match="threads must be 1 to 1024"):
        module.quantize_many(tensors, threads=0)
    with pytest.raises(TypeError, match="axis must be an integer, got float"):
        module.quantize_many(tensors, axis=0.0)


@given(st.lists(st.integers(0, 3000), max_size=12), st.integers(1, 16), st.integers(1, 5))
def test_any_sizes(sizes: list[int], bits: int, threads: int) -> None:
    tensors = {f"{i}": normal(size, seed=i) for i, size in enumerate(sizes)}
    assert_equals_loop(tensors, bits, threads=threads)


def test_a_failure_leaves_nothing_half_made_in_the_traceback() -> None:
    with pytest.raises(ValueError, match="nan") as caught:
        nnr.quantize(np.float32([1, np.nan]))
    for entry in caught.traceback:
        assert list(entry.frame.f_locals.get("quantized", [])) == []
