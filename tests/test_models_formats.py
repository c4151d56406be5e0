"""What all formats share: types, names, order, topology, and files that cannot be written."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import MIXED, assert_same_tensors, normal
from numpy.typing import NDArray

from nnr import BitstreamError, MissingExtraError
from nnr.files import atomic_write
from nnr.models import WRITABLE, Model, Topology, load
from nnr.models.dtypes import DTYPES

ALL_TYPES: dict[str, NDArray[Any]] = {
    name: np.arange(6).reshape(2, 3).astype(dtype) for name, dtype in DTYPES.items()
}


@pytest.mark.parametrize("extension", ["safetensors", "npz", "pt", "pth"])
def test_round_trip_keeps_names_order_types_and_bits(tmp_path: Path, extension: str) -> None:
    if extension.startswith("pt"):
        pytest.importorskip("torch", reason="PyTorch files need torch")
    path = tmp_path / f"model.{extension}"
    Model(MIXED).save(path)
    assert_same_tensors(load(path).tensors, MIXED)


@pytest.mark.parametrize("extension", ["safetensors", "npz"])
def test_every_type_topology_and_metadata_are_kept(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"model.{extension}"
    topology = Topology("onnx", b"graph")
    Model(ALL_TYPES, topology, {"author": "Zoë", "format": "np"}).save(path)
    model = load(path)
    assert_same_tensors(model.tensors, ALL_TYPES)
    assert model.topology == topology
    assert model.metadata == {"author": "Zoë", "format": "np"}


@pytest.mark.parametrize("extension", ["safetensors", "npz"])
def test_strided_and_big_endian_arrays_are_stored_plainly(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"model.{extension}"
    base = normal(6, 8)
    tensors = {"strided": base[::2, ::-3], "turned": base.T, "big": base.astype(">f4")}
    Model(tensors).save(path)
    for name, array in load(path).tensors.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, tensors[name])


@pytest.mark.parametrize("extension", ["safetensors", "npz"])
@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"words": np.array(["a", "b"])}, "'words'"),
        ({"things": np.array([None])}, "'things'"),
        ({"nnr.topology": np.zeros(1, np.uint8)}, "'nnr.topology' is reserved"),
        ({"__metadata__": np.zeros(1)}, "'__metadata__' is reserved"),
    ],
)
def test_what_a_format_cannot_hold_is_named(
    tmp_path: Path, extension: str, tensors: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Model(tensors).save(tmp_path / f"model.{extension}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["model", "model.txt", "model.nnrx", "safetensors"])
def test_unknown_extension_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"must be one of \.onnx, \.safetensors, \.npz"):
        load(tmp_path / name)
    with pytest.raises(ValueError, match="cannot write"):
        Model({}).save(tmp_path / name)


@pytest.mark.parametrize("extension", [".safetensors", ".npz", ".onnx"])
def test_missing_file_and_directory_are_os_errors(tmp_path: Path, extension: str) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / f"gone{extension}")
    (tmp_path / f"folder{extension}").mkdir()
    with pytest.raises((IsADirectoryError, BitstreamError)):
        load(tmp_path / f"folder{extension}")


@pytest.mark.parametrize(("extension", "extra"), [(".onnx", "onnx"), (".pt", "torch")])
def test_missing_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extension: str, extra: str
) -> None:
    (tmp_path / f"m{extension}").write_bytes(b"")
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'nnr\[{extra}\]'"):
        load(tmp_path / f"m{extension}")


@pytest.mark.parametrize("extension", [name for name in WRITABLE if name != ".onnx"])
def test_full_disk_leaves_the_old_file(tmp_path: Path, extension: str) -> None:
    if extension.startswith(".pt"):
        pytest.importorskip("torch", reason="PyTorch files need torch")
    path = tmp_path / f"model{extension}"
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal that comes with it, so the write fails as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            Model({"w": normal(300, 100)}).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_errors_name_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "m.safetensors"

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        Model({"w": normal(2)}).save(target)
    assert raised.value.filename == str(target)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError, match=r"gone/m\.safetensors"):
        Model({"w": normal(2)}).save(tmp_path / "gone" / "m.safetensors")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        Model({"w": normal(2)}).save(tmp_path / "folder.npz")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [({"a": [1, 2]}, "tensor 'a' must be a NumPy array, got list"), ({1: np.ones(2)}, "got int")],
)
def test_a_model_is_of_named_arrays(tensors: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Model(tensors)


def test_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def write_half() -> None:
        with atomic_write(tmp_path / "file") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_writing_goes_through_links_and_keeps_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomic_write(tmp_path / "link") as file:
        file.write(b"data")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"data"
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_mapped_file_can_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Model({"w": normal(50, 50)}).save(path)
    model = load(path)
    model.save(path)
    np.testing.assert_array_equal(load(path).tensors["w"], model.tensors["w"])


def test_import_stays_light() -> None:
    heavy = "typer rich torch onnx onnxruntime matplotlib skimage"
    code = f"import sys, nnr.models, nnr.coding.uniform; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
