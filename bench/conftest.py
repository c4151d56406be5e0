"""What the benchmarks share: cases, levels, and how a result is timed, checked and recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import nnr

from .cases import SIZES, Case, Work
from .contestants import Contestant

# Enough for a minimum that repeats; all of `pytest bench` stays under three minutes.
MAX_TIME = "0.15"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    given = config.invocation_params.args
    if not any(str(argument).startswith("--benchmark-max-time") for argument in given):
        config.option.benchmark_max_time = type(config.option.benchmark_max_time)(MAX_TIME)


def cases(works: Sequence[Work], sizes: Sequence[str] = tuple(SIZES)) -> pytest.MarkDecorator:
    """Runs a test on every work and size; one case serves all levels before the next is made."""
    parameters = [
        pytest.param((work, SIZES[size]), id=f"{work.title}, {size}")
        for work in works
        for size in sizes
    ]
    return pytest.mark.parametrize("case", parameters, indirect=True, scope="module")


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    work, nbytes = request.param
    return Case(work, nbytes)


@pytest.fixture(params=nnr.cpu.targets())
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    with nnr.cpu.use_target(request.param):
        assert nnr.cpu.current_target() == request.param
        yield request.param


@pytest.fixture
def time_and_check(benchmark: BenchmarkFixture, target: str) -> Callable[[Contestant, Case], None]:
    def run(contestant: Contestant, case: Case) -> None:
        benchmark.group = f"{case.work.title}, {case.nbytes:,} bytes"  # levels side by side
        contestant.check(benchmark(contestant.run))
        benchmark.extra_info["level"] = target
        benchmark.extra_info["bytes"] = case.nbytes
        if benchmark.stats is not None:  # not with --benchmark-disable
            benchmark.extra_info["GB/s"] = case.nbytes / benchmark.stats.stats.min / 1e9

    return run
