"""Frozen bitstreams decode to the frozen arrays, everywhere and for good."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from golden.expected import Expected, base_of
from golden.make_nnc import streams
from model_files import assert_same_tensors

import nnr
from nnr.reference import nnc

FOLDER = Path(__file__).parent / "golden" / "nnc"
NAMES = sorted(path.stem for path in FOLDER.glob("*.nnr"))
NNCODEC = [name for name in NAMES if name.startswith("nncodec")]
# What was skipped.
NOTES = {"unknown": ["type 7", "type 34", "type 63"]}


@cache
def expected_of(name: str) -> Expected:
    return Expected(FOLDER / f"{name}.npz")


def decode(name: str, threads: int | None = None) -> nnr.Model:
    before = base_of(name)
    base = None if before is None else decode(before, threads)
    return nnr.decode(FOLDER / f"{name}.nnr", base=base, threads=threads)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_decodes_to_the_frozen_arrays(target: str, name: str, threads: int) -> None:  # noqa: ARG001
    expected, model = expected_of(name), decode(name, threads)
    assert_same_tensors(model.tensors, expected.tensors)
    assert model.metadata == expected.metadata
    assert model.topology == expected.topology
    for coded, levels in expected.levels.items():
        np.testing.assert_array_equal(model.levels(coded).ravel(), levels.ravel(), strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_is_read_alone(name: str) -> None:
    before, expected = base_of(name), expected_of(name)
    base = None if before is None else decode(before)
    file = nnr.NncFile(FOLDER / f"{name}.nnr", base=base)  # type: ignore[arg-type]
    for tensor in reversed(file.names):
        wanted = {tensor: expected.tensors[tensor]}
        assert_same_tensors({tensor: file.read(tensor)}, wanted)
    assert set(file.verify().values()) == {None}
    assert len(file.notes) == len(NOTES.get(name, []))
    for note, words in zip(file.notes, NOTES.get(name, []), strict=True):
        assert words in note


def twin_of(name: str) -> nnc.DecodedStream:
    before = base_of(name)
    base = None if before is None else twin_of(before)
    return nnc.decode_stream((FOLDER / f"{name}.nnr").read_bytes(), base)


@pytest.mark.parametrize("name", NAMES)
def test_the_twin_decodes_to_the_frozen_arrays(name: str) -> None:
    expected, decoded = expected_of(name), twin_of(name)
    assert_same_tensors(decoded.tensors, expected.coded)
    assert_same_tensors(decoded.levels, expected.levels)


@pytest.mark.parametrize("name", NNCODEC)
def test_the_profile_of_nncodec_writes_the_frozen_bytes(target: str, name: str) -> None:  # noqa: ARG001
    expected = expected_of(name)
    data = nnr.encode(expected.inputs, profile="nncodec", **expected.options)
    assert data == (FOLDER / f"{name}.nnr").read_bytes()


def test_the_script_makes_these_bitstreams() -> None:
    assert sorted(streams()) == NAMES


def test_the_readme_lists_them() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = text.replace("` to `2`", "`, `series_step1`, `series_step2`")
    assert [name for name in NAMES if f"`{name}`" not in listed] == []
    assert {path.stem for path in FOLDER.glob("*.npz")} == set(NAMES)
