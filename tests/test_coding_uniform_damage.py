"""Damaged and forged files in the fixed-length form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import assert_same_tensors, normal
from numpy.typing import NDArray

from nnr import BitstreamError
from nnr.coding.uniform import compress
from nnr.coding.uniform.description import (
    CHECKSUM_KEY,
    Description,
    entry_checksum,
    metadata_checksum,
    with_checksum,
)
from nnr.models import Model, Topology, load
from nnr.models.safetensors import write_entries

# Per channel: "w" has ranges of its own, "b" one range in its description, "n" is kept.
SMALL = Model(
    {"w": normal(3, 8), "b": normal(12), "n": np.arange(3)}, Topology("onnx", b"G"), {"a": "b"}
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.fixture
def small_file(path: Path) -> Path:
    compress(SMALL, 3, per_channel=True, all_tensors=True).save(path)
    return path


def test_every_truncation_is_noticed(small_file: Path) -> None:
    data = small_file.read_bytes()
    for length in range(len(data)):
        small_file.write_bytes(data[:length])
        with pytest.raises(BitstreamError) as raised:
            load(small_file)
        assert (raised.value.kind, raised.value.byte_offset) == ("truncated", length)
    small_file.write_bytes(data + b"\0")
    with pytest.raises(BitstreamError, match="1 bytes too many"):
        load(small_file)


def test_every_flipped_bit_is_noticed_or_harmless(small_file: Path) -> None:
    data = bytearray(small_file.read_bytes())
    whole = load(small_file)
    harmless = 0
    for position in range(len(data)):
        for bit in range(8):
            data[position] ^= 1 << bit
            small_file.write_bytes(data)
            data[position] ^= 1 << bit
            try:
                model = load(small_file)
            except BitstreamError:
                continue
            harmless += 1
            assert_same_tensors(model.tensors, whole.tensors)
            assert (model.topology, model.metadata) == (whole.topology, whole.metadata), position
    # A bit may change how JSON spells the same text, such as the case of a hexadecimal digit.
    assert harmless < 8


def test_several_flipped_bits_at_random_places_are_noticed(small_file: Path) -> None:
    data = np.fromfile(small_file, np.uint8)
    random = np.random.default_rng(3)
    for _ in range(500):
        damaged = data.copy()
        places = random.choice(data.size, random.integers(2, 9), replace=False)
        damaged[places] ^= np.uint8(1) << random.integers(0, 8, places.size).astype(np.uint8)
        damaged.tofile(small_file)
        with pytest.raises(BitstreamError):
            load(small_file)


def _packed(description: Description, codes: int, checksum: str | None = None) -> dict[str, str]:
    raw = np.zeros(codes, np.uint8)
    checksum = checksum or entry_checksum("w", description.text(), "U8", (codes,), raw)
    return {"nnr.tensor/w": with_checksum(description.text(), checksum)}


def _write(path: Path, metadata: dict[str, str], entries: dict[str, NDArray[Any]]) -> None:
    metadata = {"nnr.format": "uniform/1", **metadata}
    write_entries(entries, {CHECKSUM_KEY: metadata_checksum(metadata), **metadata}, path)


CODES = {"w": np.zeros(8, np.uint8)}


@pytest.mark.parametrize(
    ("metadata", "entries", "kind"),
    [
        (_packed(Description(8, "F32", (2**40, 2**20)), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (2**62, 4)), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (-2, -4)), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8, *[1] * 64)), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (0, 2**70)), 0), {"w": np.zeros(0, np.uint8)}, "corrupt"),
        (_packed(Description(0, "F32", (8,)), 8), CODES, "corrupt"),
        (_packed(Description(17, "F32", (3,)), 7), {"w": np.zeros(7, np.uint8)}, "corrupt"),
        (_packed(Description(8, "I32", (8,)), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8,), 1), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8,), 0), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8,), None, 2.0, 1.0), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8,), None, 0.0, float("nan")), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8,), None, 0.0, 1e300), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8,), None, -3e38, 3e38), 8), CODES, "corrupt"),
        (_packed(Description(8, "F32", (8,)), 8) | {"nnr.tensor/v": "xxh3="}, CODES, "corrupt"),
        ({"nnr.tensor/w": "bits=8 xxh3=0"}, CODES, "corrupt"),
        ({"nnr.tensor/w": "bits=8 bits=9 xxh3=0"}, CODES, "corrupt"),
        ({"nnr.tensor/w": "junk xxh3=0"}, CODES, "corrupt"),
        ({"nnr.tensor/w": "xxh3="}, CODES, "corrupt"),
        ({}, CODES, "corrupt"),
        ({"nnr.tensor/nnr.topology": "xxh3=0"}, {"nnr.topology": CODES["w"]}, "corrupt"),
        ({"nnr.topology": "format=nnef xxh3=0"}, {"nnr.topology": CODES["w"]}, "unsupported"),
        ({"nnr.format": "uniform/2"}, {}, "unsupported"),
    ],
)
def test_what_a_forged_file_claims_is_not_believed(
    path: Path, metadata: dict[str, str], entries: dict[str, NDArray[Any]], kind: str
) -> None:
    _write(path, metadata, entries)
    with pytest.raises(BitstreamError) as raised:
        load(path)
    assert raised.value.kind == kind
    assert 0 <= raised.value.byte_offset <= path.stat().st_size


def test_errors_point_to_the_description_in_the_file(path: Path) -> None:
    _write(path, {"nnr.tensor/w": "bits=99 xxh3=0"}, CODES)
    with pytest.raises(BitstreamError, match="malformed description 'bits=99'") as raised:
        load(path)
    offset = raised.value.byte_offset
    assert path.read_bytes()[offset:].startswith(b'"nnr.tensor/w"')
