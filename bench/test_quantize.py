"""Whole-tensor quantisation and its parts, at every level; each result is checked.

python -m pytest bench --benchmark-columns=min,median,rounds
"""

from __future__ import annotations

import numpy as np
import pytest

import nnr

SIZES = {"4 KB": 1 << 10, "256 KB": 1 << 16, "4 MB": 1 << 20, "64 MB": 1 << 24}


@pytest.fixture(params=nnr.cpu.targets())
def target(request):
    with nnr.cpu.use_target(request.param):
        yield request.param


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def values(request):
    return np.random.default_rng(1).normal(size=request.param).astype(np.float32)


def run(benchmark, function, *arguments, nbytes, **keywords):
    result = benchmark(function, *arguments, threads=1, **keywords)
    benchmark.extra_info["input bytes"] = nbytes
    benchmark.extra_info["GB/s"] = nbytes / benchmark.stats.stats.min / 1e9
    return result


@pytest.mark.usefixtures("target")
def test_minmax(benchmark, values):
    got = run(benchmark, nnr.minmax, values, nbytes=values.nbytes)
    assert got == (values.min(), values.max())


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bits", [4, 8, 12])
def test_quantize(benchmark, values, bits):
    got = run(benchmark, nnr.quantize, values, bits, nbytes=values.nbytes)
    np.testing.assert_array_equal(got.packed, nnr.reference.quantize(values, bits).packed)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bits", [4, 8, 12])
def test_dequantize(benchmark, values, bits):
    quantized = nnr.quantize(values, bits)
    got = run(benchmark, nnr.dequantize, quantized, nbytes=values.nbytes)
    np.testing.assert_array_equal(got, nnr.reference.dequantize(quantized))
