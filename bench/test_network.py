from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from nnr.networks.graph import read_graph
from nnr.reference import network as reference

from . import engines, float64, network, network_memory, network_speed, network_tables
from .engines import CannotRunError, Entrant, Job, Way
from .network_speed import Expected
from .networks import NETWORKS, benchmark_filter, block_filter, half_size_filter, loaded

SIZE = (64, 64)
MEGABYTE = 1 << 20
BRIEF = replace(network.QUICK, case_seconds=0.01)

available = engines.installed()


def ways() -> list[Any]:
    found = [
        pytest.param(library, way, id=" ".join(filter(None, (library, way.precision, way.variant))))
        for library, module in available.modules.items()
        for way in module.WAYS
    ]
    return found + [
        pytest.param(name, None, id=name, marks=pytest.mark.skip(reason=why))
        for name, why in available.missing.items()
    ]


def prepared(library: str, way: Way, job: Job, threads: int) -> Entrant:
    try:
        runner = way.prepare(job, threads)
    except CannotRunError as why:
        pytest.skip(str(why))
    return Entrant(library, way.precision, way.variant, threads, runner)


@pytest.fixture(scope="module", params=NETWORKS)
def job(request: pytest.FixtureRequest) -> Job:
    made = NETWORKS[request.param]()
    return Job(made, made.size or SIZE)


@pytest.fixture(scope="module")
def expected(job: Job) -> Expected:
    return Expected(job)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("library", "way"), ways())
def test_engines_are_right(
    benchmark: BenchmarkFixture, job: Job, expected: Expected, library: str, way: Way, threads: int
) -> None:
    entrant = prepared(library, way, job, threads)
    benchmark.group = f"{job.network.title}, {threads} threads"
    benchmark(entrant.run)
    network_speed.check(entrant, expected)


@pytest.mark.parametrize("library", ["nnr", "openvino", "ncnn"])
def test_equal_to_onnxruntime(job: Job, library: str) -> None:
    results = []
    for name in ("onnxruntime", library):
        if name in available.missing:
            pytest.skip(f"{name}: {available.missing[name]}")
        [way] = [way for way in available.modules[name].WAYS if way.precision == "fp32"]
        results.append(prepared(name, way, job, 1).result().copy())
    assert np.abs(results[1] - results[0]).max() <= 1e-4


def test_networks_are_as_large_as_they_say() -> None:
    assert benchmark_filter().weights == 185_857
    multiplied = 185_857 - (6 * 64 + 1)
    assert benchmark_filter().operations(SIZE) == 2 * multiplied * 64 * 64
    block = block_filter()
    assert sum(node.op_type == "Conv" for node in block.model.graph.node) == 35
    assert 100_000 < block.weights < 110_000
    assert float64.run(block.model, block.picture((72, 72))).shape == (6, 64, 64)


def test_float64_is_what_the_twin_of_the_engine_gives() -> None:
    network = half_size_filter()
    picture = network.picture((16, 24))
    wanted = reference.run(read_graph(loaded(network)), picture.astype(np.float64))
    assert np.abs(float64.run(network.model, picture) - wanted).max() < 1e-12


def test_corners_are_those_of_the_whole() -> None:
    job = Job(half_size_filter(), (176, 212))  # of the networks the one that looks the furthest
    whole = float64.run(job.model, job.picture)
    assert Expected(job).errors(whole)["max"] < 1e-12
    for row, column in ((0, 0), (-1, -1)):
        damaged = whole.copy()
        damaged[0, row, column] += 1
        assert Expected(job).errors(damaged)["max"] == pytest.approx(1)


def test_eight_bits_have_a_scale_a_channel(job: Job) -> None:
    pytest.importorskip("onnxruntime")
    from .engines import qdq

    graph = qdq.model(job).graph
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}
    of_weights = [
        sizes[node.input[1]]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in sizes
    ]
    assert max(of_weights) >= 64


def test_ratios_are_of_one_precision_and_number_of_threads() -> None:
    keys = ("library", "engine", "precision", "threads", "median s")
    rows = [
        ("nnr", "nnr fp32", "fp32", 1, 2.0),
        ("ncnn", "ncnn fp32", "fp32", 1, 3.0),
        ("ncnn", "ncnn fp32", "fp32", 2, 1.0),
        ("openvino", "openvino int8", "int8", 1, 1.0),
    ]
    found = network_speed.ratios([dict(zip(keys, row, strict=True)) for row in rows])
    wanted = {"ours": "nnr fp32", "engine": "ncnn fp32", "threads": 1, "ratio": 1.5}
    assert found == [wanted]


def test_filtering_needs_little_memory() -> None:
    for spent in network_memory.measure(network_memory.SMALL_SIZES, (1,)):
        if spent["way"] == "nnr PostFilter":
            assert spent["bytes"] < 16 * MEGABYTE


def test_everything_is_measured_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from . import network_picture

    results = network.measure(BRIEF) | {"command": "this test"}
    text = network_tables.markdown(results)
    for title in NETWORKS:
        assert f"### {title.capitalize()}" in text
    for name, why in available.missing.items():
        assert f"{name}: {why}" in text
    drawn = tmp_path / "networks.png"
    network_picture.draw(network.drawable(results), results["peaks"], drawn)
    assert drawn.stat().st_size


def test_the_documentation_has_the_marks() -> None:
    network.MARKS.check(Path(__file__).parents[1] / "docs" / "benchmarks.md")
