from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .overhead import SMALL, TENSORS, Call, measure, small_calls, state_dict_calls

MICROSECONDS_BEYOND_A_UFUNC = 3


@pytest.mark.parametrize("call", small_calls(), ids=lambda call: call.name)
def test_small_call(benchmark: BenchmarkFixture, call: Call) -> None:
    benchmark(call.run)


@pytest.mark.timed
def test_many_tensors_are_one_call(benchmark: BenchmarkFixture) -> None:
    *_, together = state_dict_calls()
    benchmark(together.run)
    times = measure(seconds=0.5)[f"{TENSORS} tensors"]
    assert times["nnr.quantize_many(tensors)"]["min"] < times["nnr.quantize of each"]["min"]


@pytest.mark.timed
@pytest.mark.parametrize("call", ["nnr.quantize(x)", "nnr.quantize(x, lo=, hi=)"])
def test_small_quantize_costs_little_beyond_a_ufunc(call: str) -> None:
    times = measure(seconds=0.5)[f"{SMALL} floats"]
    beyond = times[call]["min"] - times["np.multiply(x, 2)"]["min"]
    assert beyond < MICROSECONDS_BEYOND_A_UFUNC
