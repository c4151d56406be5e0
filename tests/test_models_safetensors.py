"""safetensors files, against the safetensors package, and with headers that lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from model_files import MIXED, assert_same_tensors, normal
from numpy.typing import NDArray

from nnr import BitstreamError
from nnr.models import Model, load
from nnr.models.dtypes import DTYPES
from nnr.models.safetensors import SafetensorsFile


@given(
    tensors=st.dictionaries(
        st.text(max_size=8).filter(lambda name: not name.startswith(("nnr.", "__metadata__"))),
        hnp.arrays(
            st.sampled_from([np.dtype("f4"), np.dtype("f2"), np.dtype("i8"), np.dtype("?")]),
            hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
        ),
        max_size=5,
    )
)
@settings(deadline=None, max_examples=50)
def test_round_trip_of_anything(
    tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, NDArray[Any]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "model.safetensors"
    Model(tensors).save(path)
    assert_same_tensors(load(path).tensors, tensors)


def test_the_package_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    plain = {name: array for name, array in MIXED.items() if array.dtype.isbuiltin == 1}
    Model(plain, metadata={"by": "nnr"}).save(path)
    theirs = safetensors.numpy.load_file(path)
    assert_same_tensors({name: theirs[name] for name in plain}, plain)
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata() == {"by": "nnr"}


def test_we_read_what_the_package_writes(tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    safetensors.numpy.save_file(MIXED, path, {"by": "safetensors"})
    model = load(path)
    assert model.tensors.keys() == MIXED.keys()
    assert_same_tensors({name: model.tensors[name] for name in MIXED}, MIXED)
    assert model.metadata == {"by": "safetensors"}


def test_torch_reads_bfloat16_that_we_write(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the other reader is PyTorch's")
    import safetensors.torch

    path = tmp_path / "ours.safetensors"
    Model({"odd": np.array(True), "brain": MIXED["brain"], "e4m3": MIXED["e4m3"]}).save(path)
    state = safetensors.torch.load_file(path)
    assert state["brain"].dtype == torch.bfloat16
    assert state["brain"].float().numpy().tobytes() == MIXED["brain"].astype("f4").tobytes()
    assert state["e4m3"].float().numpy().tobytes() == MIXED["e4m3"].astype("f4").tobytes()


def test_tensors_are_mapped_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Model({"weight": normal(64, 64)}).save(path)
    weight = load(path).tensors["weight"]
    assert not weight.flags.writeable
    assert not weight.flags.owndata


def _safetensors_bytes(header: object, data: bytes = bytes(16)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _entry(shape: object, start: object, stop: object, dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "truncated"),
        (b"\x02\x00\x00", "truncated"),
        (b"\xff" * 16, "corrupt"),
        ((10**6).to_bytes(8, "little") + b"{}", "truncated"),
        (_safetensors_bytes(b""), "corrupt"),
        (_safetensors_bytes(b"[]"), "corrupt"),
        (_safetensors_bytes(b"[" * 50_000), "corrupt"),
        (_safetensors_bytes(b'{"a": 1' + b"9" * 5000 + b"}"), "corrupt"),
        (_safetensors_bytes(b'{"\xff": 1}'), "corrupt"),
        (_safetensors_bytes({"w": None}), "corrupt"),
        (_safetensors_bytes({"w": {**_entry([4], 0, 16), "extra": 1}}), "corrupt"),
        (_safetensors_bytes({"w": _entry([4.0], 0, 16)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([True, 4], 0, 16)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([-1, -4], 0, 16)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([1] * 65 + [4], 0, 16)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([2**40, 2**40], 0, 16)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([0, 2**63], 0, 0)}, b""), "corrupt"),
        (_safetensors_bytes({"w": _entry([2**62], 0, 2**64)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([2**40], 0, 2**42)}), "truncated"),
        (_safetensors_bytes({"w": _entry([4], 16, 0)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([3], 4, 16)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([3], 0, 12)}), "corrupt"),
        (_safetensors_bytes({"v": _entry([4], 0, 16), "w": _entry([2], 8, 16)}), "corrupt"),
        (_safetensors_bytes({"w": _entry([4], 0, 16, "F31")}), "unsupported"),
        (_safetensors_bytes({"__metadata__": {"a": 1}}, b""), "corrupt"),
        (_safetensors_bytes({"__metadata__": []}, b""), "corrupt"),
        (_safetensors_bytes(b'{"__metadata__": {"a": "b", "a": "c"}}', b""), "corrupt"),
    ],
)
def test_header_is_not_trusted(tmp_path: Path, data: bytes, kind: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    with pytest.raises(BitstreamError) as raised:
        load(path)
    assert raised.value.kind == kind
    assert 0 <= raised.value.byte_offset <= len(data)


def test_errors_point_into_the_header(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    data = _safetensors_bytes({"fine": _entry([2], 0, 8), "bad": _entry([3], 8, 16)})
    path.write_bytes(data)
    with pytest.raises(BitstreamError, match="'bad'") as raised:
        load(path)
    assert data[raised.value.byte_offset :].startswith(b'"bad"')


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Model({"w": normal(5, 3), "b": normal(3)}, metadata={"a": "b"}).save(path)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(BitstreamError) as raised:
            load(path)
        assert (raised.value.kind, raised.value.byte_offset) == ("truncated", length)


def test_unaligned_tensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    header = {"byte": _entry([1], 0, 1, "U8"), "w": _entry([2], 1, 9)}
    path.write_bytes(_safetensors_bytes(header, b"\x01" + np.float32([1.5, -2]).tobytes()))
    weight = load(path).tensors["w"]
    assert weight.flags.aligned
    assert weight.tolist() == [1.5, -2]


def test_our_files_align_every_tensor(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Model({"byte": np.uint8([1]), "half": np.float16([1]), "wide": np.float64([1])}).save(path)
    for entry in SafetensorsFile(path).entries.values():
        assert entry.start % DTYPES[entry.dtype].itemsize == 0
