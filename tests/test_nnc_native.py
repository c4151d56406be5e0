"""The native NNC codec and its pure-Python twin: the same bytes, and each reads what the other writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import nnr
from nnr import _core
from nnr.reference import nnc

Tensors = dict[str, NDArray[Any]]
NODE = (0, 0, 0)


def tensors_of(seed: int, scale: float, zeros: float) -> Tensors:
    """A matrix with rows of zeros, a vector, a 4-D tensor, integers, a single column."""
    random = np.random.default_rng(seed)

    def floats(*shape: int) -> NDArray[np.float32]:
        values = random.laplace(scale=scale, size=shape)
        values[random.random(shape) < zeros] = 0
        values[random.random(shape[0]) < zeros / 2] = 0
        return values.astype(np.float32)

    return {
        "matrix": floats(19, 11),
        "vector": floats(23),
        "kernel": floats(5, 3, 3, 3),
        "integers": random.integers(-300, 300, (7, 6), np.int32),
        "column": floats(9, 1),
    }


def native_stream(
    tensors: Tensors,
    *,
    qp: int,
    dq: bool,
    unary_length: int,
    scan_order: int = 0,
    qp_density: int = 2,
    param_opt: bool = True,
    row_skip: bool = True,
    nncodec: bool = True,
    rdo: float = 0,
    threads: int = 1,
) -> tuple[bytes, Tensors]:
    """The stream that the native encoder writes, and the levels that it reports."""
    tasks = [
        _core.NncEncodeTask(
            name,
            values,
            qp if values.ndim > 1 else qp - 8,
            dq=dq,
            rdo=rdo,
            unary_length=unary_length,
            scan_order=scan_order,
            row_skipping=row_skip,
            optimize_contexts=param_opt,
            codebook=False,
            raw=False,
            nncodec=nncodec,
            node=(0, index, 0),
            parent=None,
            base_levels=None,
            history=None,
        )
        for index, (name, values) in enumerate(tensors.items())
    ]
    encoded = _core.nnc_encode(tasks, qp_density, False, False, threads)
    head = _core.nnc_parameter_units(qp_density, False, False, False)
    topology = _core.nnc_topology_unit(0, 0, b"\0")
    levels = {name: result[1] for name, result in zip(tensors, encoded, strict=True)}
    return head + topology + b"".join(result[0] for result in encoded), levels


def native_decode(data: bytes, threads: int = 1) -> tuple[Tensors, Tensors]:
    stream = _core.NncStream(np.frombuffer(data, np.uint8))
    indices = list(range(len(stream.data_units)))
    units = stream.decode(indices, True, True, {}, {}, 1 << 24, threads)
    tensors = [tensor for unit in units for tensor in unit]
    return {t[0]: t[1] for t in tensors}, {t[0]: t[2] for t in tensors}


def assert_same(first: Any, second: Any) -> None:
    assert list(first) == list(second)
    for name in first:
        assert first[name].dtype == second[name].dtype
        np.testing.assert_array_equal(first[name], second[name], strict=True)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([1e-3, 0.02, 0.5]),
    zeros=st.sampled_from([0.0, 0.5, 0.97]),
    qp=st.integers(-40, -8),
    dq=st.booleans(),
    unary_length=st.sampled_from([1, 3, 11, 30]),
    qp_density=st.sampled_from([2, 3]),
    param_opt=st.booleans(),
    row_skip=st.booleans(),
    nncodec=st.booleans(),
)
def test_both_encoders_write_the_same_bytes(
    seed: int, scale: float, zeros: float, unary_length: int, **options: Any
) -> None:
    tensors = tensors_of(seed, scale, zeros)
    data, levels = native_stream(tensors, unary_length=unary_length, **options)
    twin = nnc.encode_stream(
        tensors,
        nonweight_qp=options["qp"] - 8,
        cabac_unary_length_minus1=unary_length - 1,
        **options,
    )
    assert data == twin
    decoded = nnc.decode_stream(data)
    assert_same(decoded.levels, levels)
    assert_same(decoded.tensors, native_decode(data)[0])


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    zeros=st.sampled_from([0.0, 0.6, 0.97]),
    qp=st.integers(-36, -8),
    dq=st.booleans(),
    scan_order=st.integers(1, 4),
    row_skip=st.booleans(),
    rdo=st.sampled_from([0.0, 1.0, 4.0]),
)
def test_the_twin_reads_every_scan_and_every_choice_of_levels(
    seed: int, zeros: float, **options: Any
) -> None:
    tensors = tensors_of(seed, 0.1, zeros)
    data, levels = native_stream(tensors, unary_length=0, nncodec=False, **options)
    decoded = nnc.decode_stream(data)
    assert_same(decoded.levels, levels)
    for threads in (1, 3):
        values, native_levels = native_decode(data, threads)
        assert_same(native_levels, levels)
        assert_same(values, decoded.tensors)


@pytest.mark.parametrize("scan_order", range(5))
def test_the_native_decoder_reads_what_the_twin_writes(scan_order: int) -> None:
    tensors = tensors_of(3, 0.1, 0.5)
    data = nnc.encode_stream(tensors, qp=-24, scan_order=scan_order)
    decoded = nnc.decode_stream(data)
    values, levels = native_decode(data, threads=2)
    assert_same(levels, decoded.levels)
    assert_same(values, decoded.tensors)


def test_series_with_temporal_contexts_and_history() -> None:
    base, twin_base = None, None
    for step in range(3):
        tensors = tensors_of(step, 0.2, 0.5)
        data = nnc.encode_stream(
            tensors,
            qp=-20,
            put_node_depth=step + 1,
            base=twin_base,
            temporal_context=step > 0,
            history_context=step > 0,
        )
        twin_base = nnc.decode_stream(data, twin_base)
        model = nnr.decode(data, base=base)
        assert_same(model.tensors, twin_base.tensors)
        for name, levels in twin_base.levels.items():
            np.testing.assert_array_equal(model.levels(name), levels)
        base = model


def test_every_level_writes_the_same_bytes(target: str) -> None:  # noqa: ARG001 - by its effect
    tensors = tensors_of(11, 0.2, 0.3)
    tensors["large"] = np.random.default_rng(5).normal(size=(64, 300)).astype(np.float32)
    options = {"qp": -26, "dq": True, "unary_length": 0, "nncodec": False, "rdo": 1.0}
    here, _ = native_stream(tensors, **options)
    with nnr.cpu.use_target("scalar"):
        plainly, _ = native_stream(tensors, **options)
    assert here == plainly


@pytest.mark.parametrize("dq", [False, True])
def test_quantizers_equal_their_twins(dq: bool) -> None:
    weights = np.random.default_rng(1).normal(size=4000).astype(np.float32)
    step = _core.nnc_step_size(-20, 2)
    assert step == nnc.step_size(-20, 2)
    _, levels = native_stream({"w": weights}, qp=-12, dq=dq, unary_length=11)
    if not dq:
        np.testing.assert_array_equal(levels["w"], nnc.uniform_quantize(weights, step))
        return
    coded = nnc.trellis_quantize(weights, step)
    state = 0
    for level, multiple in zip(coded.tolist(), levels["w"].tolist(), strict=True):
        assert nnc.dq_index(level, state) == multiple
        state = ((0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6))[state][level & 1]
