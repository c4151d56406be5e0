from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from model_files import (
    assert_same_tensors,
    constant,
    graph_model,
    normal,
    run_onnx,
    small_network,
)
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from nnr import BitstreamError
from nnr.models import Model, Topology, load
from nnr.models.onnx import data_files, graph_of, write


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.onnx"
    onnx.save(small_network(), path)
    return path


def test_initializers_and_constants_become_named_tensors(network: Path) -> None:
    model = load(network)
    assert list(model.tensors) == [
        "conv1.weight", "conv1.bias", "ends", "axes", "conv2.weight", "starts",
    ]  # fmt: skip
    np.testing.assert_array_equal(model.tensors["conv2.weight"], normal(1, 6, 3, 3, seed=1))
    assert model.tensors["starts"].dtype == np.int64
    assert model.metadata == {"author": "Zoë"}
    assert repr(model) == f"Model(6 tensors, {model.nbytes:,} bytes, onnx topology)"


def test_topology_holds_no_weights_but_their_descriptions(network: Path) -> None:
    model = load(network)
    assert model.topology is not None
    assert normal(6, 1, 3, 3).tobytes() not in model.topology.data
    assert normal(1, 6, 3, 3, seed=1).tobytes() not in model.topology.data
    weight = graph_of(model).graph.initializer[0]
    assert (weight.name, list(weight.dims)) == ("conv1.weight", [6, 1, 3, 3])
    assert weight.data_type == TensorProto.FLOAT


def test_saved_model_runs_as_the_original(network: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    load(network).save(copy)
    onnx.checker.check_model(onnx.load(copy), full_check=True)
    np.testing.assert_array_equal(run_onnx(copy), run_onnx(network))
    assert_same_tensors(load(copy).tensors, load(network).tensors)
    assert load(copy).metadata == {"author": "Zoë"}


@pytest.mark.parametrize("extension", ["safetensors", "npz"])
def test_topology_goes_through_other_formats(network: Path, tmp_path: Path, extension: str) -> None:
    between, copy = tmp_path / f"between.{extension}", tmp_path / "copy.onnx"
    load(network).save(between)
    load(between).save(copy)
    np.testing.assert_array_equal(run_onnx(copy), run_onnx(network))
    assert load(between).metadata == {"author": "Zoë"}


def test_every_field_that_can_hold_values_is_read(tmp_path: Path) -> None:
    values = {
        "float": np.float32([[1.5, -2]]),
        "double": np.float64([1e300]),
        "int32": np.int32([[-7], [8]]),
        "int64": np.int64(5),
        "uint64": np.uint64([2**63]),
        "half": np.float16([0.1, 65504]),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float32),
    }
    tensors = [
        helper.make_tensor(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.reshape(-1)
        )
        for name, array in values.items()
    ]
    assert not any(tensor.HasField("raw_data") for tensor in tensors)
    proto = graph_model([helper.make_node("Relu", ["x"], ["y"])], {})
    proto.graph.initializer.extend(tensors)
    onnx.save(proto, tmp_path / "fields.onnx")
    model = load(tmp_path / "fields.onnx")
    assert_same_tensors(model.tensors, {name: np.asarray(value) for name, value in values.items()})
    model.save(tmp_path / "copy.onnx")
    assert_same_tensors(load(tmp_path / "copy.onnx").tensors, model.tensors)


def test_same_name_in_two_branches_stays_apart(tmp_path: Path) -> None:
    branches = {
        f"{branch}_branch": helper.make_graph(
            [helper.make_node("Mul", ["x", "scale"], [f"{branch}_out"])],
            branch,
            [],
            [helper.make_tensor_value_info(f"{branch}_out", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.float32([[factor]]), "scale")],
        )
        for branch, factor in (("then", 2), ("else", 3))
    }
    proto = graph_model(
        [constant("yes", np.array(True)), helper.make_node("If", ["yes"], ["y"], **branches)], {}
    )
    path, copy = tmp_path / "if.onnx", tmp_path / "copy.onnx"
    onnx.save(proto, path)
    model = load(path)
    # The order of attributes in a node is not that of the call.
    scales = {name: float(array[0, 0]) for name, array in model.tensors.items() if array.ndim == 2}
    assert sorted(scales) == ["scale", "scale#2"]
    assert sorted(scales.values()) == [2, 3]
    model.save(copy)
    np.testing.assert_array_equal(run_onnx(copy), run_onnx(path))


def test_types_without_counterpart_stay_in_the_topology(tmp_path: Path) -> None:
    int4 = helper.make_tensor("int4", TensorProto.INT4, (3,), [1, -2, 3])
    text = helper.make_tensor("text", TensorProto.STRING, (1,), [b"relu"])
    proto = graph_model([helper.make_node("Relu", ["x"], ["y"])], {"w": normal(2, 2)})
    proto.graph.initializer.extend([int4, text])
    onnx.save(proto, tmp_path / "types.onnx")
    model = load(tmp_path / "types.onnx")
    assert list(model.tensors) == ["w"]
    model.save(tmp_path / "types.safetensors")
    load(tmp_path / "types.safetensors").save(tmp_path / "copy.onnx")
    assert list(onnx.load(tmp_path / "copy.onnx").graph.initializer)[1:] == [int4, text]


def test_external_data_is_read_and_mapped(network: Path, tmp_path: Path) -> None:
    beside = tmp_path / "external.onnx"
    onnx.save(
        onnx.load(network),
        beside,
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
        convert_attribute=True,
    )
    model = load(beside)
    assert_same_tensors(model.tensors, load(network).tensors)
    assert not model.tensors["conv1.weight"].flags.writeable
    assert data_files(beside) == [tmp_path / "weights.bin"]
    model.save(tmp_path / "inside.onnx")
    np.testing.assert_array_equal(run_onnx(tmp_path / "inside.onnx"), run_onnx(network))


def test_weights_beyond_one_message_go_beside_the_file(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[2] * 4),
        constant("c", normal(1, 20, 9, 11)),
        helper.make_node("Mul", ["a", "c"], ["b"]),
        helper.make_node("Add", ["b", "small"], ["y"]),
    ]
    initializers = {"w": normal(20, 1, 5, 5), "small": normal(1, 20, 1, 1)}
    onnx.save(graph_model(nodes, initializers), tmp_path / "one.onnx")
    model = load(tmp_path / "one.onnx")
    path = tmp_path / "two.onnx"
    write(model, path, message_limit=2000)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "one.onnx", "two.onnx", "two.onnx.data",
    ]  # fmt: skip
    tensors = list(onnx.load(path, load_external_data=False).graph.initializer)
    assert [external_data_helper.uses_external_data(tensor) for tensor in tensors] == [True, False]
    np.testing.assert_array_equal(run_onnx(path), run_onnx(tmp_path / "one.onnx"))
    assert_same_tensors(load(path).tensors, model.tensors)


def test_onnx_needs_the_topology_and_its_tensors(network: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    with pytest.raises(ValueError, match="needs a topology"):
        Model({"w": normal(2, 2)}).save(target)
    model = load(network)
    for change, message in (
        ({"conv1.bias": None}, "needs a tensor 'conv1.bias'"),
        ({"more": normal(1)}, "no place for tensor 'more'"),
        ({"conv1.bias": normal(5)}, r"'conv1.bias': the topology has float32 \(6,\), got"),
        ({"conv1.bias": normal(6).astype(np.float64)}, "got float64"),
    ):
        tensors = {n: a for n, a in {**model.tensors, **change}.items() if a is not None}
        with pytest.raises(ValueError, match=message):
            Model(tensors, model.topology).save(target)
    assert not target.exists()


def test_names_that_are_no_text_are_refused(network: Path, tmp_path: Path) -> None:
    data = network.read_bytes()
    for name in (b"conv1.bias", b"starts", b"author", b"Zo\xc3\xab"):
        (tmp_path / "bad.onnx").write_bytes(data.replace(name, b"\xff" * len(name)))
        with pytest.raises(BitstreamError, match="is no text"):
            load(tmp_path / "bad.onnx")


@pytest.mark.parametrize("data", [b"", b"\x00\x01not a model", b"\x08\x08"])
def test_other_bytes_are_no_model(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.onnx").write_bytes(data)
    with pytest.raises(BitstreamError) as raised:
        load(tmp_path / "bad.onnx")
    assert raised.value.kind == "corrupt"
    with pytest.raises(BitstreamError):
        graph_of(Model({}, Topology("onnx", data)))


def test_every_truncation_is_noticed(network: Path, tmp_path: Path) -> None:
    data = network.read_bytes()
    cut = tmp_path / "cut.onnx"
    whole = load(network)
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        # Protobuf has no length of its own: a file cut between two fields behind the graph is a
        # valid one.
        try:
            model = load(cut)
        except BitstreamError:
            continue
        assert_same_tensors(model.tensors, whole.tensors)


def _external(**place: object) -> onnx.ModelProto:
    proto = graph_model([helper.make_node("Relu", ["x"], ["y"])], {})
    tensor = proto.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in place.items():
        tensor.external_data.add(key=key, value=str(value))
    return proto


@pytest.mark.parametrize(
    ("place", "kind", "message"),
    [
        ({"location": "../secret"}, "corrupt", "outside the model's folder"),
        ({"location": "/etc/passwd"}, "corrupt", "outside the model's folder"),
        ({"location": "link"}, "corrupt", "outside the model's folder"),
        ({}, "corrupt", "outside the model's folder"),
        ({"location": "w\x1b[31m.bin"}, "corrupt", r"no file name: 'w\\x1b\[31m\.bin'"),
        ({"location": "w.bin", "offset": 20}, "truncated", "ends before tensor 'w'"),
        ({"location": "w.bin", "offset": 8, "length": 16}, "truncated", "ends before tensor 'w'"),
        ({"location": "w.bin", "length": 12}, "corrupt", "12 bytes cannot be"),
        ({"location": "w.bin", "offset": -4}, "corrupt", "no valid place"),
        ({"location": "w.bin", "offset": "four"}, "corrupt", "no valid place"),
    ],
)
def test_external_data_is_not_trusted(
    tmp_path: Path, place: dict[str, object], kind: str, message: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(16))
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "w.bin").write_bytes(bytes(16))
    onnx.save(_external(**place), folder / "m.onnx")
    with pytest.raises(BitstreamError, match=message) as raised:
        load(folder / "m.onnx")
    assert raised.value.kind == kind
    assert str(raised.value).startswith(str(folder))


def test_missing_external_file_names_it(tmp_path: Path) -> None:
    onnx.save(_external(location="gone.bin"), tmp_path / "m.onnx")
    with pytest.raises(FileNotFoundError) as raised:
        load(tmp_path / "m.onnx")
    assert str(raised.value.filename).endswith("gone.bin")


def test_claimed_shape_is_not_believed(tmp_path: Path) -> None:
    for dims in ([2**40, 2**20], [-4], [2**62, 4]):
        proto = graph_model([helper.make_node("Relu", ["x"], ["y"])], {})
        proto.graph.initializer.add(
            name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(16)
        )
        (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
        with pytest.raises(BitstreamError, match=r"m\.onnx: tensor 'w'"):
            load(tmp_path / "m.onnx")
