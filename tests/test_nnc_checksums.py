"""Damage: every cut and every flipped bit is found, or does no harm."""

from __future__ import annotations

import base64
import json
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import normal
from nnc_cases import CASES, EVERY_TYPE, need_corpus

import nnr
from nnr import _core
from nnr.coding.nnc.description import Description, parse_description, write_description
from nnr.models import Model, Topology

SMALL = Model(
    {
        "w": normal(4, 5),
        "half": normal(3, 3).astype(np.float16),
        "one": np.float32(2).reshape(()),
        "i": np.arange(5),
        "raw": normal(2, 2),
    },
    Topology("nnef", b"graph"),
    {"author": "Zoë"},
)
DATA = nnr.encode(SMALL, rules=["raw=raw"])


def same(model: Model, expected: Model) -> bool:
    return (
        list(model.tensors) == list(expected.tensors)
        and model.topology == expected.topology
        and model.metadata == expected.metadata
        and all(
            (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
            for a, b in zip(model.tensors.values(), expected.tensors.values(), strict=True)
        )
    )


def units_of(data: bytes) -> list[bytes]:
    stream = _core.NncStream(np.frombuffer(data, np.uint8))
    return [data[offset : offset + size] for _, offset, size in stream.units]


def test_every_flipped_bit_is_found_or_harmless() -> None:
    expected = nnr.decode(DATA)
    found = 0
    for place in range(len(DATA)):
        for bit in range(8):
            damaged = bytearray(DATA)
            damaged[place] ^= 1 << bit
            try:
                model = nnr.decode(damaged)
            except nnr.BitstreamError as error:
                found += 1
                assert 0 <= error.byte_offset <= len(DATA)  # noqa: PT017 - not every flip raises
                continue
            assert same(model, expected), (place, bit)
    # What does no harm is in the header of the unit that holds the checksums.
    assert found >= 8 * len(DATA) - 20


def test_every_changed_byte_is_found_or_harmless() -> None:
    expected = nnr.decode(DATA)
    generator = np.random.default_rng(0)
    for place in range(len(DATA)):
        damaged = bytearray(DATA)
        damaged[place] ^= int(generator.integers(1, 256))
        with suppress(nnr.BitstreamError):
            assert same(nnr.decode(damaged), expected), place


def test_every_cut_is_found() -> None:
    for length in range(len(DATA)):
        with pytest.raises(nnr.BitstreamError):
            nnr.decode(DATA[:length])


def test_units_cannot_be_dropped_doubled_or_swapped() -> None:
    units = units_of(DATA)
    for index in range(4, len(units)):
        others = [*units[:index], *units[index + 1 :]]
        doubled = [*units[: index + 1], *units[index:]]
        swapped = [*units[: index - 1], units[index], units[index - 1], *units[index + 1 :]]
        for changed in (others, doubled, swapped):
            with pytest.raises(nnr.BitstreamError):
                nnr.decode(b"".join(changed))
    with pytest.raises(nnr.BitstreamError, match="1 units are missing") as raised:
        nnr.decode(b"".join(units[:-1]))
    assert raised.value.kind == "truncated"
    with pytest.raises(nnr.BitstreamError, match="second description"):
        nnr.decode(b"".join([*units, units[2]]))


def test_damage_to_one_tensor_does_not_hinder_others() -> None:
    stream = _core.NncStream(np.frombuffer(DATA, np.uint8))
    unit = next(unit for unit in stream.data_units if unit.names == ["w"])
    damaged = bytearray(DATA)
    damaged[unit.offset + unit.size - 2] ^= 1
    file = nnr.NncFile(damaged)
    with pytest.raises(nnr.BitstreamError, match="'w' does not match its checksum") as raised:
        file.read("w")
    assert (raised.value.unit, raised.value.byte_offset) == (unit.number, unit.offset)
    with pytest.raises(nnr.BitstreamError, match="checksum"):
        file.levels("w")
    assert file.read("half").tobytes() == nnr.decode(DATA).tensors["half"].tobytes()
    results = file.verify()
    assert [name for name, error in results.items() if error] == ["w"]
    assert set(results) == {"unit 0", "unit 1", "nnr.topology", *SMALL.tensors}


def test_other_decoders_can_skip_the_text() -> None:
    units = units_of(DATA)
    text = units[2]
    # A topology unit of the unrecognised format, and in it one string: UTF-8 that ends with NUL.
    assert text[2] >> 2 == 3
    assert text[3:5] == b"\0\0"
    assert text.index(0, 5) == len(text) - 1
    text[5:].decode("ascii")
    without = nnr.decode(b"".join([*units[:2], *units[4:]]))
    assert without.tensors["w"].tobytes() == nnr.decode(DATA).tensors["w"].tobytes()
    # The number alone does not say that it was a float16, or no vector.
    assert without.tensors["half"].dtype == np.float32
    assert without.tensors["one"].shape == (1,)


def rewritten(**changes: Any) -> bytes:
    """The file with another description, whose own checksum is right."""
    units = units_of(DATA)
    description = parse_description(units[2][5:])
    content = json.loads(units[2][5:-1].split(b" ", 2)[2])
    assert description.metadata == SMALL.metadata
    rest = json.dumps({**content, **changes}).encode()
    text = b"nnr/1 %08x %s\0" % (zlib.crc32(rest), rest)
    units[2] = _core.nnc_topology_unit(0, 0, text)
    return b"".join(units)


@pytest.mark.parametrize(
    "changes",
    [
        {"crc32": "!"},
        {"crc32": base64.b64encode(bytes(5)).decode()},
        {"crc32": ""},
        {"crc32": 3},
        {"tensors": []},
        {"tensors": {"w": {}}},
        {"tensors": {"w": {"dtype": "float16", "shape": [4, -5]}}},
        {"tensors": {"w": {"dtype": "float16", "shape": [4, 4]}}},
        {"tensors": {"w": {"dtype": "float16", "shape": [4, 5.0]}}},
        {"tensors": {"w": {"dtype": "float16", "shape": [1] * 65}}},
        {"tensors": {"w": {"dtype": "int8", "shape": [4, 5]}}},
        {"tensors": {"w": {"dtype": "object", "shape": [4, 5]}}},
        {"tensors": {"i": {"dtype": "bool", "shape": [5]}}},
        {"tensors": {"i": {"dtype": "float32", "shape": [5]}}},
        {"tensors": {"gone": {"dtype": "int8", "shape": [5]}}},
        {"metadata": {"a": 1}},
        {"more": 1},
    ],
)
def test_a_description_that_lies_is_refused(changes: dict[str, Any]) -> None:
    assert nnr.decode(rewritten()).metadata == SMALL.metadata
    with pytest.raises(nnr.BitstreamError):
        nnr.decode(rewritten(**changes))


def test_later_versions_are_unsupported() -> None:
    units = units_of(DATA)
    units[2] = _core.nnc_topology_unit(0, 0, units[2][5:].replace(b"nnr/1", b"nnr/2"))
    with pytest.raises(nnr.BitstreamError, match="version nnr/2") as raised:
        nnr.decode(b"".join(units))
    assert raised.value.kind == "unsupported"


def test_description_round_trip() -> None:
    from nnr.coding.nnc.description import Origin

    origins = {"a \ud800": Origin("float16", (2, 3)), "": Origin("bool", ())}
    given = Description(np.array([1, 2**32 - 1], np.uint32), origins, {"ü": "\0\n"})
    text = write_description(given)
    assert text.isascii()
    assert text.count(b"\0") == 1
    parsed = parse_description(text)
    assert parsed.checksums.tolist() == given.checksums.tolist()
    assert parsed[1:] == given[1:]


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith(("48", "5", "40"))])
def test_other_streams_end_well_or_in_an_error(case: str) -> None:
    data = (need_corpus() / f"{case}.nnc").read_bytes()
    generator = np.random.default_rng(1)
    places = range(len(data)) if len(data) < 300 else generator.integers(0, len(data), 300)
    for place in map(int, places):
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(generator.integers(8))
        for bad in (bytes(damaged), data[:place]):
            try:
                nnr.decode(bad)
            except nnr.BitstreamError as error:
                assert 0 <= error.byte_offset <= len(bad)  # noqa: PT017 - some are still valid


def test_no_form_of_our_own_in_the_other_profile(tmp_path: Path) -> None:
    data = nnr.encode({"w": normal(3, 3)}, profile="nncodec")
    assert b"nnr/1" not in data
    (tmp_path / "m.nnc").write_bytes(data)
    assert not nnr.NncFile(tmp_path / "m.nnc").has_checksums
    assert nnr.NncFile(nnr.encode(EVERY_TYPE)).has_checksums


def test_verify_misses_nothing_that_decoding_finds() -> None:
    data = nnr.encode({"t0": normal(5, 5), "t2": normal(5, 5), "nnr.topology": normal(3, 4)})
    for place in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[place] ^= 1 << bit
            assert whether_sound(bytes(damaged)) == whether_decoded(bytes(damaged)), (place, bit)


def whether_sound(data: bytes) -> bool:
    try:
        return not any(nnr.NncFile(data).verify().values())
    except nnr.BitstreamError:
        return False


def whether_decoded(data: bytes) -> bool:
    try:
        nnr.decode(data)
    except nnr.BitstreamError:
        return False
    return True
