"""The fixed-length form: what comes back, what is kept, and what is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
import safetensors
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from model_files import assert_same_tensors, normal, run_onnx, small_network
from numpy.typing import NDArray
from onnx import numpy_helper

from nnr import BitstreamError, QuantizedArray, reference
from nnr.coding.sizes import file_sizes
from nnr.coding.uniform import CompressedFile, CompressedModel, compress
from nnr.coding.uniform.description import (
    Description,
)
from nnr.models import Model, Topology, load
from nnr.models.dtypes import DTYPES, FLOATS, QUANTIZABLE

MODEL = Model(
    {
        "conv.weight": normal(4, 2, 3, 3),
        "conv.bias": normal(4),
        "half.weight": normal(5, 3).astype(np.float16),
        "brain.weight": normal(3, 4).astype(ml_dtypes.bfloat16),
        "wide.weight": normal(2, 9).astype(np.float64),
        "float8": normal(2, 2).astype(ml_dtypes.float8_e4m3fn),
        "count": np.array(3, np.int64),
        "table": np.arange(6, dtype=np.int32).reshape(2, 3),
        "mask": np.array([[True, False]]),
        "none": np.zeros((0, 3), np.float32),
    },
    Topology("onnx", b"the graph without its weights"),
    {"author": "Zoë"},
)
QUANTIZED = ("conv.weight", "half.weight", "brain.weight", "wide.weight")


def kept_reasons(compressed: CompressedModel) -> dict[str, str]:
    return {record.name: record.kept for record in compressed.records if record.kept is not None}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("bits", range(1, 17))
@pytest.mark.parametrize("per_channel", [False, True])
def test_file_gives_what_the_reference_reconstructs(
    path: Path, bits: int, per_channel: bool
) -> None:
    weights = {"a": normal(3, 50), "b": normal(2, 4, 25, seed=1).astype(ml_dtypes.bfloat16)}
    compress(Model(weights), bits, per_channel=per_channel).save(path)
    axis = 0 if per_channel else None
    for name, array in load(path).tensors.items():
        if bits == 16 and name == "b":
            expected = weights[name]
        else:
            expected = reference.quantize(weights[name], bits, axis=axis).dequantize()
        assert array.dtype == weights[name].dtype
        assert array.tobytes() == expected.tobytes()


def test_onnx_runs_bit_for_bit_as_the_reference_reconstruction(tmp_path: Path, path: Path) -> None:
    original, expected, rebuilt = (tmp_path / f"{name}.onnx" for name in ("a", "b", "c"))
    proto = small_network()
    onnx.save(proto, original)
    compress(load(original), 5).save(path)
    load(path).save(rebuilt)
    tensors = [
        *proto.graph.initializer,
        *(node.attribute[0].t for node in proto.graph.node if node.op_type == "Constant"),
    ]
    for tensor in tensors:
        array = numpy_helper.to_array(tensor)
        if array.ndim > 1 and array.dtype == np.float32:
            values = reference.quantize(array, 5).dequantize()
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(proto, expected)
    output = run_onnx(rebuilt)
    np.testing.assert_array_equal(output, run_onnx(expected))
    assert not np.array_equal(output, run_onnx(original))
    onnx.checker.check_model(onnx.load(rebuilt), full_check=True)


def test_what_is_kept_and_why(path: Path) -> None:
    compressed = compress(MODEL, 8)
    assert kept_reasons(compressed) == {
        "conv.bias": "rank below 2",
        "float8": "float8_e4m3fn is not quantised",
        "count": "int64 is not quantised",
        "table": "int32 is not quantised",
        "mask": "bool is not quantised",
        "none": "empty",
    }
    compressed.save(path)
    model = load(path)
    assert list(model.tensors) == list(MODEL.tensors)
    kept = {name: MODEL.tensors[name] for name in kept_reasons(compressed)}
    assert_same_tensors({name: model.tensors[name] for name in kept}, kept)
    assert model.topology == MODEL.topology
    assert model.metadata == MODEL.metadata
    assert_same_tensors(model.tensors, compressed.decompress().tensors)


def test_keep_patterns_all_and_tensors_that_would_grow() -> None:
    tensors = {
        "body.0.weight": normal(4, 4),
        "body.0.bias": normal(64),
        "head.weight": normal(4, 4),
    }
    model = Model({**tensors, "scale": np.float32(2).reshape(()), "tiny": normal(1, 2)})
    assert kept_reasons(compress(model, keep=["*.weight", "scale"])) == {
        "body.0.weight": "named by *.weight",
        "body.0.bias": "rank below 2",
        "head.weight": "named by *.weight",
        "scale": "named by scale",
        "tiny": "would not shrink",
    }
    assert kept_reasons(compress(model, keep="head.*", all_tensors=True)) == {
        "head.weight": "named by head.*",
        "scale": "would not shrink",
        "tiny": "would not shrink",
    }
    with pytest.raises(ValueError, match=r"keep: no tensor is named 'haed\.\*'"):
        compress(model, keep=["haed.*"])


def test_per_channel_has_a_range_for_each_output() -> None:
    weights = normal(3, 40) * np.float32([[1], [100], [0.01]])
    compressed = compress(
        Model({"w": weights, "b": normal(64)}), per_channel=True, all_tensors=True
    )
    quantized = compressed.tensors["w"]
    assert isinstance(quantized, QuantizedArray)
    np.testing.assert_array_equal(quantized.lo, weights.min(axis=1))
    np.testing.assert_array_equal(quantized.hi, weights.max(axis=1))
    bias = compressed.tensors["b"]
    assert isinstance(bias, QuantizedArray)
    assert bias.axis is None
    error = np.abs(quantized.dequantize() - weights).max(axis=1)
    assert (error <= np.asarray(quantized.step) * 0.5001).all()


def test_records_tell_sizes_ranges_and_errors(path: Path) -> None:
    compressed = compress(MODEL, 4)
    record = compressed.records[0]
    rebuilt = compressed.decompress().tensors["conv.weight"]
    difference = np.abs(MODEL.tensors["conv.weight"].astype(float) - rebuilt)
    assert (record.name, record.shape, record.dtype) == ("conv.weight", (4, 2, 3, 3), "float32")
    assert (record.bits, record.axis, record.kept) == (4, None, None)
    assert (record.original_bytes, record.stored_bytes) == (288, 36 + 8)
    assert record.ratio == 288 / 44
    assert record.lo == MODEL.tensors["conv.weight"].min()
    assert record.hi == MODEL.tensors["conv.weight"].max()
    assert record.max_error == difference.max()
    assert record.mean_error == pytest.approx(difference.mean())
    compressed.save(path)
    reread = CompressedFile(path).records()
    assert [r.name for r in reread] == [r.name for r in compressed.records]
    for old, new in zip(compressed.records, reread, strict=True):
        assert (new.bits, new.lo, new.hi) == (old.bits, old.lo, old.hi)
        assert (new.original_bytes, new.stored_bytes) == (old.original_bytes, old.stored_bytes)
    assert reread[0].max_error is None


def test_sizes_are_those_of_the_file(tmp_path: Path, path: Path) -> None:
    for per_channel in (True, False):
        compressed = compress(MODEL, 6, per_channel=per_channel)
        sizes = compressed.sizes()
        compressed.save(path)
        assert sizes == file_sizes(path)
        assert sizes.total == path.stat().st_size
    codes = sum((MODEL.tensors[name].size * 6 + 7) // 8 for name in QUANTIZED)
    kept = sum(array.nbytes for name, array in MODEL.tensors.items() if name not in QUANTIZED)
    assert sizes.payload == codes + kept
    original = tmp_path / "original.onnx"
    onnx.save(small_network(), original)
    sizes = file_sizes(original)
    assert sizes.total == original.stat().st_size
    assert sizes.payload == load(original).nbytes
    assert sizes.structure == sizes.total - sizes.payload
    beside = tmp_path / "beside.onnx"
    onnx.save(
        small_network(), beside, save_as_external_data=True, location="w.bin", size_threshold=0
    )
    expected = beside.stat().st_size + (tmp_path / "w.bin").stat().st_size
    assert file_sizes(beside).total == expected


def test_any_safetensors_reader_opens_the_file(path: Path) -> None:
    model = Model({"w": normal(4, 8), "v": normal(16, 4)}, MODEL.topology)
    compressed = compress(model, 8, per_channel=True)
    compressed.save(path)
    entries = safetensors.numpy.load_file(path)
    quantized = compressed.tensors["v"]
    assert isinstance(quantized, QuantizedArray)
    np.testing.assert_array_equal(entries["v"], quantized.packed)
    np.testing.assert_array_equal(entries["nnr.range/v"], [quantized.lo, quantized.hi])
    assert entries["nnr.topology"].tobytes() == model.topology.data  # type: ignore[union-attr]
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata()["nnr.format"] == "uniform/1"


def test_file_survives_being_written_anew_by_another_program(tmp_path: Path, path: Path) -> None:
    weights = {"w": normal(4, 8), "ü": normal(16, 4), "b": normal(3)}
    compress(Model(weights, MODEL.topology, {"author": "Zoë"}), per_channel=True).save(path)
    with safetensors.safe_open(path, "np") as file:
        entries, metadata = {n: file.get_tensor(n) for n in file.keys()}, file.metadata()  # noqa: SIM118
    again = tmp_path / "again.safetensors"
    safetensors.numpy.save_file(entries, again, metadata)
    expected, actual = load(path), load(again)
    assert_same_tensors({n: actual.tensors[n] for n in expected.tensors}, expected.tensors)
    assert actual.metadata == {"author": "Zoë"}


def test_one_tensor_is_read_without_the_rest(path: Path) -> None:
    model = Model({"a": normal(30, 10), "b": normal(20, 10), "c": normal(500)}, MODEL.topology)
    compressed = compress(model)
    compressed.save(path)
    data = path.read_bytes()
    place = data.index(compressed.tensors["b"].packed.tobytes())  # type: ignore[union-attr]
    path.write_bytes(data[:place] + bytes(200) + data[place + 200 :])
    file = CompressedFile(path)
    assert file.names == ("a", "b", "c")
    expected = compressed.decompress().tensors
    np.testing.assert_array_equal(file.read("a"), expected["a"])
    np.testing.assert_array_equal(file.read("c"), expected["c"])
    assert file.topology == MODEL.topology
    with pytest.raises(BitstreamError, match="tensor 'b' does not match") as raised:
        file.read("b")
    assert (raised.value.kind, raised.value.byte_offset) == ("corrupt", place)
    assert [name for name, error in file.verify().items() if error] == ["b"]
    with pytest.raises(BitstreamError):
        load(path)
    with pytest.raises(KeyError):
        file.read("d")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_name_tensor_and_index(value: float) -> None:
    weights = normal(3, 4)
    weights[1, 2] = value
    with pytest.raises(ValueError, match=r"tensor 'layer': .* index \(1, 2\)"):
        compress(Model({"fine": normal(3, 4), "layer": weights}))
    kept = compress(Model({"layer": weights}), keep=["layer"])
    assert kept.decompress().tensors["layer"] is weights


@pytest.mark.parametrize("dtype", sorted(FLOATS))
def test_nan_in_a_kept_tensor_names_tensor_and_index(dtype: str) -> None:
    bias = np.ones(1_500_000, DTYPES[dtype])
    assert kept_reasons(compress(Model({"b": bias}))) == {
        "b": "rank below 2" if dtype in QUANTIZABLE else f"{bias.dtype.name} is not quantised"
    }
    bias[1_234_567] = np.nan
    with pytest.raises(ValueError, match=r"tensor 'b': array holds nan at index \(1234567,\)"):
        compress(Model({"b": bias}))


def test_kept_numbers_may_lie_beyond_float32() -> None:
    bias = np.float64([1e300])
    assert compress(Model({"b": bias})).tensors["b"] is bias


@pytest.mark.parametrize("bits", [0, 17, -1])
def test_bits_outside_1_to_16_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="bits must be 1 to 16"):
        compress(Model({}), bits)


def test_save_refuses_other_extensions_and_reserved_names(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a \.safetensors file"):
        compress(MODEL).save(tmp_path / "model.nnr")
    with pytest.raises(ValueError, match="reserved"):
        compress(Model({"nnr.tensor/w": normal(2)})).save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_ordinary_file_is_not_taken_for_compressed(path: Path) -> None:
    MODEL.save(path)
    with pytest.raises(ValueError, match="was not written by nnr compress"):
        CompressedFile(path)


@pytest.mark.parametrize("model", [Model({}), Model({}, MODEL.topology), Model({"": normal(4, 4)})])
def test_models_of_almost_nothing(path: Path, model: Model) -> None:
    compress(model).save(path)
    rebuilt = load(path)
    assert list(rebuilt.tensors) == list(model.tensors)
    assert rebuilt.topology == model.topology


FINITE = st.floats(-6e4, 6e4, width=16, allow_subnormal=True)


@given(
    tensors=st.dictionaries(
        st.text(max_size=6).filter(lambda name: not name.startswith(("nnr.", "__metadata__"))),
        st.sampled_from(["f2", "f4", "f8", "i4", "?"]).flatmap(
            lambda dtype: hnp.arrays(
                dtype,
                hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
                elements=FINITE if dtype.startswith("f") else None,
            )
        ),
        max_size=4,
    ),
    bits=st.integers(1, 16),
    per_channel=st.booleans(),
    all_tensors=st.booleans(),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_value_comes_back_within_half_a_step(
    tmp_path_factory: pytest.TempPathFactory,
    tensors: dict[str, NDArray[Any]],
    bits: int,
    per_channel: bool,
    all_tensors: bool,
) -> None:
    path = tmp_path_factory.mktemp("any") / "model.safetensors"
    compressed = compress(Model(tensors), bits, per_channel=per_channel, all_tensors=all_tensors)
    compressed.save(path)
    rebuilt = load(path).tensors
    assert list(rebuilt) == list(tensors)
    for name, array in tensors.items():
        stored = compressed.tensors[name]
        assert rebuilt[name].dtype == array.dtype
        if not isinstance(stored, QuantizedArray):
            assert rebuilt[name].tobytes() == array.tobytes()
            continue
        steps = np.asarray(stored.step, float).reshape((-1,) + (1,) * (array.ndim - 1))
        # One rounding of the result to its own type, and a few to float32 on the way.
        rounding = np.abs(array).max() * (np.finfo(array.dtype).eps + 4 * np.finfo("f4").eps)
        assert (np.abs(rebuilt[name].astype(float) - array) <= steps / 2 + rounding).all()


def test_description_text_is_exact() -> None:
    for lo, hi in ((-0.1, 0.3), (np.float32(-1e-45), np.float32(3.4e38)), (-0.0, 0.0)):
        description = Description(7, "F32", (2, 3), None, float(lo), float(hi))
        parsed = Description.parse(description.text())
        assert parsed == description
        assert json.dumps([parsed.lo, parsed.hi]) == json.dumps([float(lo), float(hi)])
    assert Description.parse("bits=3 dtype=F16 shape=5,1 axis=1").axis == 1
    assert Description.parse("bits=3 dtype=F64 shape= lo=0.0 hi=1.0").shape == ()
