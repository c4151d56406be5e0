"""The quantiser against its NumPy twin, its error bound, its known ranges and its edge cases."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from array_cases import DTYPES, assert_same, normal
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnr

FLOAT32_MAX = float(np.finfo(np.float32).max)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", range(1, 17))
def test_equals_reference(dtype, bits: int) -> None:
    random = np.random.default_rng(bits)
    for count in [*range(1, 40), 100, 200, 8191, 8192, 8193, 30_001]:
        values = random.normal(size=count).astype(dtype)
        assert_same(nnr.quantize(values, bits), nnr.reference.quantize(values, bits))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1])
@pytest.mark.parametrize("bits", [3, 8, 11])
def test_one_range_a_channel(axis: int, bits: int) -> None:
    values = np.random.default_rng(3).normal(size=(5, 7, 3, 31)).astype(np.float32)
    got = nnr.quantize(values, bits, axis=axis)
    assert_same(got, nnr.reference.quantize(values, bits, axis=axis))
    assert got.step.shape == (values.shape[axis],)
    step = np.expand_dims(got.step, [i for i in range(4) if i != axis % 4])
    assert np.all(np.abs(got.dequantize() - values) <= step / 2 * 1.00001 + 1e-7)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("dtype", DTYPES)
def test_known_range_clips_and_counts(dtype) -> None:
    values = np.linspace(-2, 2, 401).astype(dtype)
    got = nnr.quantize(values, 8, lo=-1.0, hi=1.5)
    assert_same(got, nnr.reference.quantize(values, 8, lo=-1.0, hi=1.5))
    as_float = values.astype(np.float64)
    assert got.clipped == np.count_nonzero((as_float < -1) | (as_float > 1.5))
    assert (got.lo, got.hi) == (-1.0, 1.5)
    assert got.codes()[0] == 0
    assert got.codes()[-1] == 255


@pytest.mark.usefixtures("target")
def test_values_far_outside_a_known_range() -> None:
    values = np.float32([-FLOAT32_MAX, -1e30, 0.25, 1e30, FLOAT32_MAX] * 7)
    got = nnr.quantize(values, 4, lo=0.0, hi=1.0)
    assert_same(got, nnr.reference.quantize(values, 4, lo=0.0, hi=1.0))
    assert got.codes()[:5].tolist() == [0, 0, 4, 15, 15]


def test_known_range_a_channel() -> None:
    values = np.random.default_rng(4).normal(size=(3, 50)).astype(np.float32)
    lo, hi = np.float32([-1, -2, -3]), np.float32([1, 2, 3])
    got = nnr.quantize(values, 6, lo=lo, hi=hi, axis=0)
    assert_same(got, nnr.reference.quantize(values, 6, lo=lo, hi=hi, axis=0))
    assert got.clipped == np.count_nonzero(np.abs(values) > hi[:, None])


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_threads_do_not_change_the_result(threads: int, axis: int | None) -> None:
    values = np.random.default_rng(8).normal(size=(13, 9001)).astype(np.float32)
    got = nnr.quantize(values, 5, axis=axis, threads=threads)
    assert_same(got, nnr.reference.quantize(values, 5, axis=axis))
    want = got.dequantize(threads=1)
    np.testing.assert_array_equal(got.dequantize(threads=threads), want)


def test_python_threads_at_once() -> None:
    values = [np.random.default_rng(i).normal(size=70_001).astype(np.float32) for i in range(8)]

    def work(array: np.ndarray) -> tuple[bytes, bytes]:
        quantized = nnr.quantize(array, 7, threads=2)
        return quantized.packed.tobytes(), quantized.dequantize(threads=2).tobytes()

    alone = [work(array) for array in values]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, values)) == alone


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("value", [0.0, -0.0, 1.5, -3e38, 1e-45])
def test_constant_arrays(value: float) -> None:
    values = np.full((3, 11), value, np.float32)
    got = nnr.quantize(values, 7)
    assert_same(got, nnr.reference.quantize(values, 7))
    assert got.step == 0
    assert not got.codes().any()
    np.testing.assert_array_equal(got.dequantize(), values)
    assert got.max_error(values) == 0


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("scale", [1e-45, 1e-44, 1e-40, 1e-38, 3e-38, 1e-36])
@pytest.mark.parametrize("bits", [1, 8, 16])
def test_subnormal_steps(scale: float, bits: int) -> None:
    values = (np.random.default_rng(9).uniform(-1, 1, 77) * scale).astype(np.float32)
    got = nnr.quantize(values, bits)
    assert_same(got, nnr.reference.quantize(values, bits))
    smallest_step = float(np.finfo(np.float32).smallest_normal)
    assert got.step >= smallest_step
    assert got.max_error(values) <= got.step / 2 + 2.0**-149


@pytest.mark.usefixtures("target")
def test_range_as_wide_as_float32() -> None:
    values = np.float32([0, 3.4e38, 1e38])
    got = nnr.quantize(values, 16)
    assert_same(got, nnr.reference.quantize(values, 16))
    assert np.isfinite(got.dequantize()).all()


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
def test_range_wider_than_float32(module) -> None:
    with pytest.raises(ValueError, match="scale the values down"):
        module.quantize(np.float32([-3e38, 3e38]))
    with pytest.raises(ValueError, match="scale the values down"):
        module.quantize(np.float32([0, FLOAT32_MAX]), 16)  # 65535 * step rounds up
    with pytest.raises(ValueError, match="of channel 1"):
        module.quantize(np.float32([[0, 1], [-3e38, 3e38]]), axis=0)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (4, 0, 2)])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_empty(shape: tuple[int, ...], axis: int | None) -> None:
    values = np.zeros(shape, np.float32)
    got = nnr.quantize(values, 8, axis=axis)
    assert_same(got, nnr.reference.quantize(values, 8, axis=axis))
    assert got.packed.size == 0
    assert got.dequantize().shape == shape


def test_zero_dimensions() -> None:
    got = nnr.quantize(np.float32(2.5), 8)
    assert got.shape == ()
    assert got.dequantize() == np.float32(2.5)
    assert_same(got, nnr.reference.quantize(np.float32(2.5), 8))


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=1, max_dims=4, max_side=9),
        elements=st.floats(-(2.0**100), 2.0**100, width=32),
    ),
    st.integers(1, 16),
)
def test_every_value_comes_back_within_half_a_step(values, bits: int) -> None:
    got = nnr.quantize(values, bits)
    # Float rounding: of (x - lo) * inv_step, then of lo + code * step.
    rounding = np.spacing(np.float32(max(abs(got.lo), abs(got.hi)))) + got.step * 2**-7 * (
        bits > 14
    )
    rounding += got.step * 2.0 ** (bits - 22)
    assert got.max_error(values) <= got.step / 2 + rounding
    assert_same(got, nnr.reference.quantize(values, bits))


def test_quantising_the_reconstruction_changes_nothing() -> None:
    values = np.random.default_rng(2).normal(size=1000).astype(np.float32)
    once = nnr.quantize(values, 8)
    again = nnr.quantize(once.dequantize(), 8, lo=once.lo, hi=once.hi)
    np.testing.assert_array_equal(once.packed, again.packed)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_with_a_known_range(bad: float) -> None:
    for position in [*range(36), 8191, 8192, 19_999]:
        values = np.zeros((2, 10_000), np.float32)
        values.reshape(-1)[position] = bad
        index = (position // 10_000, position % 10_000)
        with pytest.raises(ValueError, match=rf"at index \({index[0]}, {index[1]}\)"):
            nnr.quantize(values, 8, lo=-1.0, hi=1.0, threads=2)


# The kernels first take it that nothing of a block is clipped, and look again where something is.
@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [5, 8, 13])
def test_clipped_values_are_counted_wherever_they_stand(dtype, bits: int) -> None:
    # In float32, 1 - lo is hi - lo though 1 is above hi.
    lo, hi = -1024.0, float(np.nextafter(np.float32(1), np.float32(0)))
    for count in (1, 63, 1023, 1024, 1500, 4097, 9001):
        inside = np.linspace(-1000, 0.5, count).astype(dtype)
        for places in ([], [0], [count - 1], [count // 2], [0, count - 1], [*range(count)]):
            for outside in (1.0, 2000.0, -1100.0):
                values = inside.copy()
                values[np.array(places, int)] = outside
                got = nnr.quantize(values, bits, lo=lo, hi=hi, threads=2)
                assert got.clipped == len(set(places))
                want = nnr.reference.quantize(values, bits, lo=lo, hi=hi)
                np.testing.assert_array_equal(got.packed, want.packed)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("dtype", DTYPES)
def test_dequantize_of_more_than_the_cache_holds(dtype) -> None:
    values = np.tile(normal(100_003), 97).astype(dtype)
    got = nnr.quantize(values, 8, threads=2)
    period = got.dequantize(threads=2).reshape(97, -1)
    want = nnr.reference.quantize(values[:100_003], 8, lo=got.lo, hi=got.hi)
    assert period[0].tobytes() == nnr.reference.dequantize(want).tobytes()
    assert all(row.tobytes() == period[0].tobytes() for row in period)


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
class TestOut:
    VALUES = normal(7, 11)
    SIZE = (77 * 5 + 7) // 8

    @pytest.mark.parametrize("axis", [None, 0, 1])
    @pytest.mark.parametrize("known", [{}, {"lo": -1.0, "hi": 1.0}], ids=["searched", "known"])
    def test_is_filled_and_is_the_results_packed(self, module, axis, known) -> None:
        out = np.full(self.SIZE, 0xAA, np.uint8)
        got = module.quantize(self.VALUES, 5, axis=axis, out=out, **known)
        assert got.packed is out
        assert_same(got, nnr.quantize(self.VALUES, 5, axis=axis, **known))

    def test_nothing_beside_it_is_written(self, module) -> None:
        memory = np.full(self.SIZE + 2, 0xAA, np.uint8)
        module.quantize(self.VALUES.T, 5, out=memory[1:-1])
        assert memory[[0, -1]].tolist() == [0xAA, 0xAA]

    def test_may_be_empty(self, module) -> None:
        out = np.empty(0, np.uint8)
        assert module.quantize(np.zeros((0, 3), np.float32), out=out).packed is out

    @pytest.mark.parametrize("known", [{}, {"lo": -1.0, "hi": 1.0}], ids=["searched", "known"])
    @pytest.mark.parametrize(
        ("out", "error", "message"),
        [
            (np.empty(SIZE - 1, np.uint8), ValueError, r"out must have shape \(49,\), got \(48,\)"),
            (np.empty(SIZE + 1, np.uint8), ValueError, r"out must have shape \(49,\), got \(50,\)"),
            (np.empty((1, SIZE), np.uint8), ValueError, r"out must have shape \(49,\)"),
            (np.empty(SIZE, np.int8), TypeError, "out must be uint8, got int8"),
            (np.empty(2 * SIZE, np.uint8)[::2], ValueError, "C-contiguous"),
            (np.frombuffer(bytes(SIZE), np.uint8), ValueError, "out is read-only"),
            (bytearray(SIZE), TypeError, "out must be a NumPy array, got bytearray"),
            (VALUES.view(np.uint8).reshape(-1)[8 : 8 + SIZE], ValueError, "overlap the input"),
        ],
    )
    def test_wrong_out(self, module, out, error, message, known) -> None:
        before = self.VALUES.copy()
        with pytest.raises(error, match=message):
            module.quantize(self.VALUES, 5, out=out, **known)
        np.testing.assert_array_equal(self.VALUES, before)


class TestQuantizedArray:
    @pytest.mark.parametrize("axis", [None, -1])
    @pytest.mark.parametrize("known", [{}, {"lo": -1.0, "hi": 1.0}], ids=["searched", "known"])
    def test_it_is_a_dataclass_like_any_other(self, axis, known) -> None:
        got = nnr.quantize(normal(5, 3), 5, axis=axis, **known)
        parts = {field.name: getattr(got, field.name) for field in dataclasses.fields(got)}
        assert vars(got).keys() == parts.keys()
        for again in (
            nnr.QuantizedArray(**parts),
            dataclasses.replace(got),
            copy.copy(got),
            copy.deepcopy(got),
            pickle.loads(pickle.dumps(got)),
        ):
            assert_same(again, got)
            assert {name: type(value) for name, value in vars(again).items()} == {
                name: type(value) for name, value in parts.items()
            }
        with pytest.raises(dataclasses.FrozenInstanceError):
            got.bits = 3

    def test_it_says_what_it_holds(self) -> None:
        got = nnr.quantize(np.linspace(-1, 1, 1000, dtype=np.float32), 8)
        assert repr(got) == (
            "QuantizedArray(shape=(1000,), dtype=float32, bits=8, range -1 to 1, 4000 -> 1008 bytes)"
        )
        assert got.nbytes == 1008
        clipped = nnr.quantize(np.float32([0, 5]), 8, lo=0.0, hi=1.0)
        assert repr(clipped).endswith("1 clipped)")

    def test_codes_have_the_tensors_shape(self) -> None:
        values = np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)
        assert nnr.quantize(values, 8).codes().shape == (4, 5)
        assert nnr.quantize(values, 9).codes().dtype == np.uint16

    def test_as_a_numpy_array(self) -> None:
        values = np.float16([[0, 1], [2, 3]])
        got = nnr.quantize(values, 2)
        np.testing.assert_array_equal(np.asarray(got), values)
        assert np.asarray(got, dtype=np.float64).dtype == np.float64
        with pytest.raises(ValueError, match="computing a new one"):
            np.array(got, copy=False)

    def test_dequantize_into_out(self) -> None:
        got = nnr.quantize(np.float32([[0, 1], [2, 3]]), 2)
        out = np.empty((2, 2), np.float64)
        assert got.dequantize(out=out) is out
        np.testing.assert_array_equal(out, [[0, 1], [2, 3]])

    @pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
    @pytest.mark.parametrize(
        ("out", "error", "message"),
        [
            (np.empty((2, 3), np.float32), ValueError, r"shape \(2, 2\), got \(2, 3\)"),
            (np.empty((2, 2), np.int32), TypeError, "out must be float16"),
            (np.empty((2, 4), np.float32)[:, ::2], ValueError, "C-contiguous"),
            ([[0.0, 0.0], [0.0, 0.0]], TypeError, "NumPy array, got list"),
        ],
    )
    def test_wrong_out(self, module, out, error, message) -> None:
        got = nnr.quantize(np.float32([[0, 1], [2, 3]]), 2)
        with pytest.raises(error, match=message):
            module.dequantize(got, out=out)

    def test_read_only_out(self) -> None:
        out = np.empty(2, np.float32)
        out.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            nnr.quantize(np.float32([0, 1])).dequantize(out=out)

    def test_max_error(self) -> None:
        values = np.random.default_rng(1).normal(size=500).astype(np.float32)
        got = nnr.quantize(values, 6)
        measured = np.abs(values.astype(np.float64) - got.dequantize()).max()
        assert got.max_error(values) == measured
        assert measured <= got.max_error() * 1.0001
        with pytest.raises(ValueError, match="1 values were clipped"):
            nnr.quantize(np.float32([0, 5]), lo=0.0, hi=1.0).max_error()
        with pytest.raises(ValueError, match="original must have shape"):
            got.max_error(values[:-1])

    def test_rebuilt_from_its_parts(self) -> None:
        got = nnr.quantize(
            np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32), 5, axis=1
        )
        again = nnr.QuantizedArray(
            packed=got.packed, bits=5, shape=(3, 5), dtype=got.dtype, lo=got.lo, hi=got.hi, axis=1
        )
        assert_same(again, got)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"bits": 17}, "bits must be 1 to 16"),
            ({"packed": np.zeros(2, np.uint8)}, "take 3 bytes"),
            ({"lo": 2.0}, "lo not above hi"),
            ({"hi": np.nan}, "finite"),
            ({"lo": -3e38, "hi": 3e38}, "scale the values down"),
            ({"shape": (-3,)}, "negative"),
            ({"shape": (1 << 32, 1 << 32), "packed": np.zeros(0, np.uint8)}, "take"),
            ({"axis": 1}, "axis must be within"),
        ],
    )
    def test_parts_that_do_not_fit(self, change, message) -> None:
        parts = {
            "packed": np.zeros(3, np.uint8),
            "bits": 8,
            "shape": (3,),
            "dtype": np.dtype(np.float32),
            "lo": 0.0,
            "hi": 1.0,
        }
        with pytest.raises(ValueError, match=message):
            nnr.QuantizedArray(**{**parts, **change})
