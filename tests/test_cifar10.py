"""CIFAR-10's archives and mosaics: read as they are, and nothing in them runs."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nnr
from nnr.evaluation import embedded_pictures, open_pictures
from nnr.evaluation.cifar10 import read_archive
from nnr.video.png import write_rgb

PICTURES = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), np.uint8)
ROWS = PICTURES.transpose(0, 3, 1, 2).reshape(6, -1)


def archive(path: Path, name: str, data: bytes) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for member, content in [("folder/readme.html", b"words"), (f"folder/{name}", data)]:
            info = tarfile.TarInfo(member)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


# The archive has protocol 2; NumPy's own form of protocol 5 is of no use here.
@pytest.mark.parametrize("protocol", range(5))
def test_python_archive(tmp_path: Path, protocol: int) -> None:
    batch = {b"data": ROWS, b"labels": list(range(6)), b"batch_label": b"testing batch 1 of 1"}
    path = archive(tmp_path / "x.tar.gz", "test_batch", pickle.dumps(batch, protocol))
    np.testing.assert_array_equal(open_pictures(path, 4).samples, PICTURES[:4])


def test_binary_archive(tmp_path: Path) -> None:
    rows = np.concatenate([np.full((6, 1), 7, np.uint8), ROWS], axis=1)
    path = archive(tmp_path / "x.tar.gz", "test_batch.bin", rows.tobytes())
    np.testing.assert_array_equal(open_pictures(path, 100).samples, PICTURES)


class _Runs:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_hostile_pickle_runs_nothing(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "ran"
    for hostile in (
        _Runs(os.system, f"touch {marker}"),
        _Runs(eval, f"open({str(marker)!r}, 'w')"),
        _Runs(np.load, str(marker)),
        {b"data": _Runs(bytearray, 1 << 40)},
    ):
        data = pickle.dumps(hostile, protocol)
        path = archive(tmp_path / "x.tar.gz", "test_batch", data)
        with pytest.raises(nnr.BitstreamError, match="refused"):
            read_archive(path)
    assert not marker.exists()


def _pickled(value: Any) -> bytes:
    return pickle.dumps(value, 2)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("test_batch", b""),
        ("test_batch", _pickled({b"data": ROWS})[:500]),
        ("test_batch", _pickled({b"data": ROWS.astype(np.uint16)})),
        ("test_batch", _pickled({b"data": np.asfortranarray(ROWS)})),
        ("test_batch", _pickled({b"data": ROWS[:, :-1].copy()})),
        ("test_batch", _pickled([ROWS])),
        ("test_batch", _pickled({b"data": 5})),
        ("test_batch.bin", b""),
        ("test_batch.bin", bytes(3074)),
        ("data_batch_1", _pickled({b"data": ROWS})),
    ],
)
def test_archives_that_hold_no_pictures(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(nnr.BitstreamError, match=r"x.tar.gz"):
        read_archive(archive(tmp_path / "x.tar.gz", name, data))


def test_damaged_archives(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.tar.gz", "test_batch", _pickled({b"data": ROWS}))
    whole = path.read_bytes()
    for data in (whole[:100], whole[: len(whole) // 2], b"", b"no archive", gzip.compress(b"no")):
        path.write_bytes(data)
        with pytest.raises(nnr.BitstreamError, match=r"x.tar.gz"):
            read_archive(path)
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "none.tar.gz")


def test_mosaics_are_read_row_by_row(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    mosaic = PICTURES.reshape(2, 3, 32, 32, 3).swapaxes(1, 2).reshape(64, 96, 3)
    write_rgb(tmp_path / "0.png", mosaic)
    write_rgb(tmp_path / "1.png", PICTURES[0])
    expected = np.concatenate([PICTURES, PICTURES[:1]])
    np.testing.assert_array_equal(open_pictures(tmp_path, 100).samples, expected)
    np.testing.assert_array_equal(open_pictures(tmp_path, 3).samples, PICTURES[:3])
    np.testing.assert_array_equal(open_pictures(tmp_path / "0.png", 100).samples, PICTURES)
    write_rgb(tmp_path / "0.png", mosaic[:-1])
    with pytest.raises(ValueError, match="96x63 is no mosaic"):
        open_pictures(tmp_path, 3)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no pictures"):
        open_pictures(tmp_path / "empty", 3)


def test_cifar10_of_the_shared_data(shared_data: Path) -> None:
    pictures = open_pictures(shared_data / "cifar10" / "test_00.png", 1000)
    assert pictures.samples.shape == (1000, 32, 32, 3)


def test_embedded_pictures_differ_and_say_that_they_are_not_cifar10() -> None:
    pytest.importorskip("skimage")
    pictures: NDArray[np.uint8] = embedded_pictures(300).samples
    assert len(np.unique(pictures.reshape(300, -1), axis=0)) == 300
    assert "not CIFAR-10" in embedded_pictures(1).origin
    with pytest.raises(ValueError, match="there are only"):
        embedded_pictures(100_000)
