"""What the array functions take and refuse, the native ones and their NumPy twins alike."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

import nnr

pytestmark = pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])

VALUES = np.random.default_rng(11).normal(size=(6, 8, 10)).astype(np.float32)


@pytest.mark.parametrize(
    "view",
    [
        VALUES[::2, ::-1, 3:],
        VALUES.T,
        VALUES[:, 0],
        np.asfortranarray(VALUES),
        np.broadcast_to(VALUES[0, 0], (5, 10)),
        VALUES.astype(">f4"),
    ],
    ids=["sliced", "transposed", "column", "fortran", "broadcast", "big-endian"],
)
def test_any_strides(module, view) -> None:
    copy = np.array(view, np.float32, order="C")
    got, want = module.quantize(view, 6), module.quantize(copy, 6)
    np.testing.assert_array_equal(got.packed, want.packed)
    assert got.shape == view.shape
    np.testing.assert_array_equal(module.minmax(view), module.minmax(copy))


def test_unaligned(module) -> None:
    raw = np.zeros(4 * 33 + 1, np.uint8)
    values = raw[1:].view(np.float32)
    values[:] = VALUES.reshape(-1)[:33]
    want = module.quantize(VALUES.reshape(-1)[:33].copy(), 8)
    np.testing.assert_array_equal(module.quantize(values, 8).packed, want.packed)


def test_results_in_foreign_byte_order_are_refused(module) -> None:
    quantized = module.quantize(VALUES, 6)
    with pytest.raises(TypeError, match="dtype must be float16"):
        module.dequantize(quantized, dtype=">f4")
    with pytest.raises(TypeError, match="out must be float16"):
        module.dequantize(quantized, out=np.empty(VALUES.shape, ">f4"))


def test_lists_of_floats(module) -> None:
    assert module.quantize([0.0, 1.0], 1).codes().tolist() == [0, 1]


@pytest.mark.parametrize(
    "array",
    [np.arange(3), np.array([True]), np.zeros(2, np.complex64), np.array(["a"]), [1, 2], None],
    ids=["int", "bool", "complex", "str", "list of int", "None"],
)
def test_not_floats(module, array) -> None:
    for function in (module.quantize, module.minmax):
        with pytest.raises(TypeError, match=r"array must be float16, bfloat16, float32 or float64"):
            function(array)


def test_float8_is_refused(module) -> None:
    with pytest.raises(TypeError, match="float8_e4m3fn"):
        module.quantize(np.zeros(3, ml_dtypes.float8_e4m3fn))


@pytest.mark.parametrize("bits", [0, 17, -3])
def test_bits_out_of_range(module, bits: int) -> None:
    with pytest.raises(ValueError, match=f"bits must be 1 to 16, got {bits}"):
        module.quantize(VALUES, bits)


def test_bits_that_are_no_integer(module) -> None:
    with pytest.raises(TypeError, match="bits must be an integer, got float"):
        module.quantize(VALUES, 8.0)


@pytest.mark.parametrize(
    ("lo", "hi", "message"),
    [
        (1.0, 1.0, "lo must be below hi"),
        (2.0, 1.0, "lo must be below hi"),
        (1.0, 1.0 + 1e-12, "as float32"),
        (np.nan, 1.0, "finite in float32"),
        (0.0, np.inf, "finite in float32"),
        (0.0, 1e300, "finite in float32"),
        (None, 1.0, "together or not at all"),
        (0.0, None, "together or not at all"),
        ([0.0, 0.0], [1.0, 1.0], "one number"),
        (-3e38, 3e38, "scale the values down"),
    ],
)
def test_wrong_known_range(module, lo, hi, message) -> None:
    with pytest.raises(ValueError, match=message):
        module.quantize(VALUES, 8, lo=lo, hi=hi)


def test_wrong_known_range_a_channel(module) -> None:
    with pytest.raises(ValueError, match="one number or 6"):
        module.quantize(VALUES, lo=np.zeros(5), hi=np.ones(5), axis=0)
    with pytest.raises(ValueError, match="in channel 2"):
        module.quantize(VALUES, lo=0.0, hi=[1, 1, 0, 1, 1, 1], axis=0)


@pytest.mark.parametrize("axis", [3, -4])
def test_axis_out_of_range(module, axis: int) -> None:
    for function in (module.quantize, module.minmax):
        with pytest.raises(ValueError, match=f"axis must be within .* got {axis}"):
            function(VALUES, axis=axis)
    with pytest.raises(ValueError, match="0 dimensions"):
        module.quantize(np.float32(1), axis=0)


@pytest.mark.parametrize("threads", [0, -1, 1025, 2**40])
def test_threads_out_of_range(module, threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads must be 1 to 1024, or None, got {threads}"):
        module.quantize(VALUES, threads=threads)


def test_masked_arrays_are_refused(module) -> None:
    masked = np.ma.masked_array(VALUES[0, 0], VALUES[0, 0] > 0)
    with pytest.raises(TypeError, match="array is masked; fill it first"):
        module.quantize(masked)


class FakeTensor:
    """What a framework's tensor shows of itself: the DLPack protocol and nothing else."""

    def __init__(self, array: np.ndarray, device: tuple[int, int] = (1, 0)) -> None:
        self._array = array
        self._device = device

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self) -> object:
        return self._array.__dlpack__()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dlpack(module, dtype) -> None:
    array = VALUES.astype(dtype)
    for view in (array, array[::2, :, ::3], array[0, 0, 0]):
        got = module.quantize(FakeTensor(np.asarray(view)), 8)
        want = module.quantize(view, 8)
        assert (got.dtype, got.shape) == (np.dtype(dtype), view.shape)
        np.testing.assert_array_equal(got.packed, want.packed)


def test_dlpack_memory_outlives_its_owner(module) -> None:
    got = module.quantize(FakeTensor(np.linspace(0, 1, 100_000, dtype=np.float32)), 16)
    assert got.codes()[-1] == 65535


def test_dlpack_refuses_integers_and_other_devices(module) -> None:
    with pytest.raises(TypeError, match="wanted float16, bfloat16, float32 or float64"):
        module.quantize(FakeTensor(np.arange(3)))
    with pytest.raises(TypeError, match="not in CPU memory"):
        module.quantize(FakeTensor(VALUES, device=(2, 0)))


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_torch_tensors(module) -> None:
    code = f"""
import nnr, numpy as np, torch
import {module.__name__} as module
for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
    tensor = torch.randn(4, 6, generator=torch.Generator().manual_seed(1)).to(dtype).t()
    got = module.quantize(tensor, 8)
    want = module.quantize(tensor.float().numpy(), 8)
    assert got.dtype.name == str(dtype).removeprefix("torch."), got.dtype
    assert got.shape == (6, 4)
    assert np.array_equal(got.packed, want.packed)
try:
    module.quantize(torch.zeros(2, requires_grad=True))
except TypeError as error:
    assert "DLPack" in str(error), error
else:
    raise AssertionError("a tensor that requires grad was taken")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
