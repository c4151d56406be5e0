"""The graph inside a bitstream."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from model_files import normal, run_onnx, small_network
from nnc_cases import EVERY_TYPE
from onnx import numpy_helper
from test_nnc_decode import EXAMPLE, PARAMETERS, START

import nnr
from nnr import _core
from nnr.models import Model, Topology, load

GRAPH = b"version 1.0;\ngraph g(x) -> (y) {}\n"


def stream_with(storage_format: int, compression_format: int, data: bytes) -> bytes:
    unit = _core.nnc_topology_unit(storage_format, compression_format, data)
    return START + PARAMETERS + unit + EXAMPLE


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.onnx"
    onnx.save(small_network(), path)
    return path


def test_an_onnx_model_comes_back_as_one_that_runs(network: Path) -> None:
    model = load(network)
    small, rebuilt = network.with_suffix(".nnr"), network.with_name("rebuilt.onnx")
    small.write_bytes(nnr.encode(model, max_error=1e-6))
    decoded = load(small)
    assert decoded.topology == model.topology
    assert decoded.metadata == model.metadata
    decoded.save(rebuilt)
    np.testing.assert_allclose(run_onnx(rebuilt), run_onnx(network), atol=1e-3)
    without = nnr.decode(nnr.encode(model, topology=False))
    assert without.topology is None
    assert without.tensors.keys() == model.tensors.keys()


def test_a_foreign_topology_with_values_is_filled(tmp_path: Path) -> None:
    proto = small_network()
    model = load_of(proto, tmp_path)
    weights = {name: model.tensors[name] for name in ("conv1.weight", "conv1.bias", "conv2.weight")}
    # What others write: values in the graph, some of them replaced by tensors of the bitstream.
    for initializer in proto.graph.initializer:
        if initializer.name == "conv1.weight":
            initializer.CopyFrom(
                numpy_helper.from_array(np.zeros((6, 1, 3, 3), "f4"), "conv1.weight")
            )
    data = nnr.encode(weights, rules=["*=raw"])
    head = _core.nnc_parameter_units(2, False, False, False)
    units = [data[offset : offset + size] for kind, offset, size in stream_units(data) if kind == 5]
    graph = _core.nnc_topology_unit(2, 0, proto.SerializeToString())
    decoded = nnr.decode(head + graph + b"".join(units))
    decoded.save(tmp_path / "filled.onnx")
    expected = run_onnx(save(model, tmp_path / "expected.onnx"))
    np.testing.assert_array_equal(run_onnx(tmp_path / "filled.onnx"), expected)


def load_of(proto: onnx.ModelProto, folder: Path) -> Model:
    onnx.save(proto, folder / "original.onnx")
    return load(folder / "original.onnx")


def save(model: Model, path: Path) -> Path:
    model.save(path)
    return path


def stream_units(data: bytes) -> list[tuple[int, int, int]]:
    return _core.NncStream(np.frombuffer(data, np.uint8)).units


@pytest.mark.parametrize("end", [b"", b"\0"])
@pytest.mark.parametrize("form", ["raw", "zlib", "deflate"])
def test_forms_of_topologies(form: str, end: bytes) -> None:
    graph = small_network().SerializeToString()
    for storage_format, text in ((1, GRAPH), (2, graph), (2, graph + b"\x42\x01\0")):
        data = {
            "raw": text,
            "zlib": zlib.compress(text),
            "deflate": raw_deflate(text),
        }[form]
        model = nnr.decode(stream_with(storage_format, form != "raw", data + end))
        assert model.topology == Topology("nnef" if storage_format == 1 else "onnx", text)


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize("storage_format", [0, 3, 4, 200])
def test_formats_without_a_graph(storage_format: int) -> None:
    model = nnr.decode(stream_with(storage_format, 0, b"anything at all\0"))
    assert model.topology is None
    assert model.tensors["w"].shape == (2, 2)


@pytest.mark.parametrize(
    ("compression_format", "data", "kind"),
    [
        (1, b"no deflate", "corrupt"),
        (1, zlib.compress(GRAPH)[:-3], "corrupt"),
        (1, zlib.compress(GRAPH) + b"more", "corrupt"),
        (2, GRAPH, "unsupported"),
    ],
)
def test_damaged_topologies(compression_format: int, data: bytes, kind: str) -> None:
    with pytest.raises(nnr.BitstreamError) as raised:
        nnr.decode(stream_with(1, compression_format, data))
    assert (raised.value.kind, raised.value.unit) == (kind, 2)


def test_nnef_goes_through_bitstreams_alone(tmp_path: Path) -> None:
    model = Model({"w": normal(3, 3)}, Topology("nnef", GRAPH))
    assert nnr.decode(nnr.encode(model)).topology == model.topology
    for extension in ("safetensors", "npz"):
        model.save(tmp_path / f"m.{extension}")
        assert load(tmp_path / f"m.{extension}").topology is None
    with pytest.raises(ValueError, match="NNEF, not ONNX"):
        model.save(tmp_path / "m.onnx")
    nnr.compress(model).save(tmp_path / "c.safetensors")
    assert load(tmp_path / "c.safetensors").topology is None


def test_all_types_with_a_topology(tmp_path: Path) -> None:
    tensors: dict[str, Any] = {name: array for name, array in EVERY_TYPE.items() if array.size}
    model = Model(tensors, Topology("onnx", b"\x08\x08"), {"k": "v"})
    model.save(tmp_path / "m.nnr")
    decoded = load(tmp_path / "m.nnr")
    assert decoded.topology == model.topology
    assert decoded.tensors["ends"].tolist() == tensors["ends"].tolist()


def test_a_graph_that_inflates_without_end_is_refused_at_once() -> None:
    """Neither memory nor time goes with what deflate makes of zeros."""
    bomb = zlib.compress(bytes(1 << 27), 9)
    head = _core.nnc_parameter_units(2, False, False, False)
    data = head + _core.nnc_topology_unit(2, 1, bomb) + unit_of_ones()
    with pytest.raises(nnr.BitstreamError, match="topology takes more than"):
        nnr.decode(data)
    # Within bounds, and no protobuf at all.
    data = head + _core.nnc_topology_unit(2, 0, bytes(1 << 22)) + unit_of_ones()
    assert nnr.decode(data).topology is not None


def unit_of_ones() -> bytes:
    file = nnr.NncFile(nnr.encode({"w": np.ones((2, 2), np.float32)}, qp=0))
    unit = file._data_units[0]
    return file._bytes[unit.offset : unit.offset + unit.size].tobytes()
