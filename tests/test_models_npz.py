"""NumPy .npz files."""

from __future__ import annotations

import errno
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from model_files import normal

from nnr import BitstreamError
from nnr.models import Model, load


def test_npz_of_numpy_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", a=normal(2, 3), b=np.asfortranarray(normal(3, 2)))
    np.savez_compressed(tmp_path / "small.npz", zeros=np.zeros((300, 300), ">f8"))
    plain = load(tmp_path / "plain.npz").tensors
    np.testing.assert_array_equal(plain["a"], normal(2, 3))
    np.testing.assert_array_equal(plain["b"], normal(3, 2))
    assert load(tmp_path / "small.npz").tensors["zeros"].dtype == np.dtype("=f8")


def test_numpy_reads_our_npz(tmp_path: Path) -> None:
    Model({"file": normal(2), "layer/0": normal(3)}).save(tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz") as arrays:
        assert arrays.files == ["file", "layer/0"]
        np.testing.assert_array_equal(arrays["layer/0"], normal(3))


def test_npz_with_objects_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", things=np.array([{}, None]))
    with pytest.raises(ValueError, match=r"'things.npy': only numbers"):
        load(tmp_path / "bad.npz")


def test_damaged_npz_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    Model({"w": normal(40)}).save(path)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(BitstreamError):
            load(path)
    position = data.index(normal(40).tobytes()) + 70
    path.write_bytes(data[:position] + b"\x00\x01" + data[position + 2 :])
    with pytest.raises(BitstreamError, match="CRC"):
        load(path)


def test_archive_that_points_nowhere_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    Model({"w": normal(40)}).save(path)
    data = path.read_bytes()
    # Where the central directory is said to start, to which the places of all members relate.
    end = data.rindex(b"PK\x05\x06")
    path.write_bytes(data[: end + 16] + b"\xff\xff\xff\x7f" + data[end + 20 :])
    with pytest.raises(BitstreamError, match=r"model\.npz") as raised:
        load(path)
    assert raised.value.kind == "corrupt"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_to_packed_bytes_is_noticed(tmp_path: Path, method: int) -> None:
    path = tmp_path / "model.npz"
    with zipfile.ZipFile(path, "w", method) as archive, archive.open("w.npy", "w") as member:
        np.lib.format.write_array(member, normal(40))
    data = path.read_bytes()
    path.write_bytes(data[:50] + bytes(40) + data[90:])
    with pytest.raises(BitstreamError, match=r"model\.npz"):
        load(path)


def test_real_failures_to_read_stay_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    Model({"w": normal(40)}).save(tmp_path / "model.npz")
    monkeypatch.setattr(zipfile.ZipFile, "infolist", fail)
    with pytest.raises(OSError, match="Input/output error"):
        load(tmp_path / "model.npz")


def test_description_that_fits_no_entry_is_refused(tmp_path: Path) -> None:
    text = b'{"dtypes": {"w": "F32"}, "metadata": {}}'
    np.savez(tmp_path / "bad.npz", **{"nnr.description": np.frombuffer(text, np.uint8)})
    with pytest.raises(BitstreamError, match=r"'nnr\.description' does not fit 'w'"):
        load(tmp_path / "bad.npz")


def test_npz_size_is_not_believed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("w.npy", bytes(16))
        archive.infolist()[0].file_size = archive.infolist()[0].compress_size = 2**31
    with pytest.raises(BitstreamError, match="claims"):
        load(tmp_path / "bad.npz")


@pytest.mark.parametrize("shape", ["(4611686018427387904,)", "(1099511627776, 4)", "(5,)"])
def test_npz_shape_is_not_believed(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
        archive.writestr("w.npy", start + header.encode() + bytes(16))
    with pytest.raises(BitstreamError, match="does not fit"):
        load(tmp_path / "bad.npz")
