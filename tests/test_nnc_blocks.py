"""Units of several tensors, put together with the twin in Python: no encoder at hand writes factors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import nnr
from nnr.reference.nnc.arithmetic import ArithmeticEncoder
from nnr.reference.nnc.coders import LayerEncoder
from nnr.reference.nnc.layer import Choices, Layer, code_layer
from nnr.reference.nnc.ndu import NduHeader, NodeId, ParameterTypes, PayloadType, write_ndu_header
from nnr.reference.nnc.tensor import as_matrix
from nnr.reference.nnc.units import (
    ModelParameterSet,
    UnitType,
    write_model_parameter_set,
    write_start,
    write_unit,
)

QP, DENSITY = -12, 2
STEP = np.float32(2.0**-3)


def levels(*shape: int, seed: int) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(-9, 10, shape, dtype=np.int32)


def block(
    names: list[str],
    types: ParameterTypes,
    payload: list[NDArray[np.int32]],
    *,
    shape: tuple[int, ...],
    g_rows: int,
    rank: int,
) -> bytes:
    """A bitstream of one unit whose tensors have these levels, in the order of the payload."""
    header = NduHeader(
        PayloadType.BLOCK,
        names,
        node_id=NodeId(),
        compressed_parameter_types=types,
        tensor_dimensions=list(shape),
        decomposition_rank=rank,
        g_number_of_rows=g_rows,
    )
    arithmetic = ArithmeticEncoder()
    for array in payload:
        layer = Layer(array.shape, unary_length=header.cabac_unary_length_minus1 + 1)
        arithmetic.bypass(6 + DENSITY, QP & 0xFF)
        code_layer(LayerEncoder(arithmetic, layer), layer, as_matrix(layer, array), Choices())
    mps = ModelParameterSet(mps_qp_density=DENSITY)
    content = write_ndu_header(header, mps, 1) + arithmetic.terminate()
    return write_start(1) + write_model_parameter_set(mps, 1) + write_unit(UnitType.NDU, content)


def test_factors_are_multiplied() -> None:
    g, h, bias = levels(8, 3, seed=0), levels(3, 9, seed=1), levels(4, seed=2)
    data = block(
        ["w_G", "w_H", "b"],
        ParameterTypes.DECOMPOSED | ParameterTypes.BIAS,
        [bias, g, h],
        shape=(4, 2, 3, 3),
        g_rows=8,
        rank=3,
    )
    file = nnr.NncFile(data)
    factors = [np.float32(factor) * STEP for factor in (g, h)]
    expected = (factors[0] @ factors[1]).reshape(4, 2, 3, 3)
    for model in (nnr.decode(data), file.decompress(on_tensor=lambda _: None)):
        assert list(model.tensors) == ["b", "w"]
        np.testing.assert_array_equal(model.tensors["w"], expected, strict=True)
        np.testing.assert_array_equal(model.tensors["b"], np.float32(bias) * STEP, strict=True)
        np.testing.assert_array_equal(model.levels("w_G"), g, strict=True)
        np.testing.assert_array_equal(model.levels("w_H"), h, strict=True)
        np.testing.assert_array_equal(model.levels("b"), bias, strict=True)
        with pytest.raises(KeyError):
            model.levels("w")
    assert file.names == ("b", "w")
    np.testing.assert_array_equal(file.read("w"), expected)
    assert file.verify() == {"b": None, "w": None}
    notes = {record.name: record.notes for record in file.records()}
    assert "factor G of rank 3" in notes["w_G"]


def test_the_product_of_small_factors_is_bounded() -> None:
    side = 1 << 13
    data = block(
        ["w_G", "w_H"],
        ParameterTypes.DECOMPOSED,
        [np.zeros((side, 1), np.int32), np.zeros((1, side), np.int32)],
        shape=(side, side),
        g_rows=side,
        rank=1,
    )
    with pytest.raises(nnr.BitstreamError, match="raise max_elements") as raised:
        nnr.decode(data)
    assert (raised.value.kind, raised.value.unit) == ("unsupported", 2)
    assert nnr.decode(data, max_elements=1 << 26).tensors["w"].shape == (side, side)
