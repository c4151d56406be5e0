"""Bitstreams of other encoders, to the exact arrays and levels; random access; what is refused."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import assert_same_tensors, normal
from nnc_cases import CASES, CORPUS, arrays, need_corpus

import nnr
from nnr.coding.nnc import DecodedModel

START, PARAMETERS = bytes.fromhex("00040201"), bytes.fromhex("0008068100400080")
UNNAMED_TOPOLOGY = bytes.fromhex("00060e000000")
HEAD = START + PARAMETERS + UNNAMED_TOPOLOGY
# The example of the syntax: 2x2 values 1, -0.5, 0, 0.25.
EXAMPLE = bytes.fromhex("001516097700d041c120a082a080f7dfa0012bcec0")


def base_of(case: str) -> nnr.Model | None:
    """The step before, for a step of a series after its first."""
    name, _, step = case.partition("_step")
    if step in ("", "0"):
        return None
    before = f"{name}_step{int(step) - 1}"
    return nnr.decode(need_corpus() / f"{before}.nnc", base=base_of(before))


@pytest.mark.parametrize("case", CASES)
def test_streams_decode_to_the_exact_arrays_and_levels(case: str) -> None:
    path = need_corpus() / f"{case}.nnc"
    expected, base = arrays(case, ""), base_of(case)
    for threads in (1, 3):
        model = nnr.decode(path, base=base, threads=threads)
        assert_same_tensors(model.tensors, expected)
    if not (CORPUS / f"{case}.levels.npz").exists():
        return
    for name, levels in arrays(case, ".levels").items():
        if "raw_float" in case:
            with pytest.raises(ValueError, match="raw floats"):
                model.levels(name)
        else:
            np.testing.assert_array_equal(model.levels(name), levels, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_every_tensor_is_found_alone(case: str) -> None:
    file = nnr.NncFile(need_corpus() / f"{case}.nnc", base=base_of(case))
    expected = arrays(case, "")
    assert file.names == tuple(expected)
    for name in reversed(file.names):
        assert_same_tensors({name: file.read(name)}, {name: expected[name]})
    assert file.verify() == dict.fromkeys(expected)
    assert not file.has_checksums
    assert [record.name for record in file.records()] == list(expected)
    assert 0 < file.payload_bytes < file.nbytes
    called: list[str] = []
    file.decompress(on_tensor=called.append)
    assert called == list(expected)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.startswith(("0", "1", "4", "corpus"))]
)
def test_records_read_the_parameters_of_the_quantiser(case: str) -> None:
    from nnc_cases import settings_of

    described = settings_of(case)["tensors"]
    for record in nnr.NncFile(CORPUS / f"{case}.nnc").records():
        if record.payload == "float":
            assert record.qp == described[record.name]["qp"]
            assert record.dq == bool(described[record.name]["dq_flag"])


def test_the_worked_example() -> None:
    data = HEAD + EXAMPLE
    for given in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8)):
        model = nnr.decode(given)
        assert isinstance(model, DecodedModel)
        assert model.tensors["w"].tolist() == [[1.0, -0.5], [0.0, 0.25]]
        assert model.levels("w").tolist() == [[4, -2], [0, 1]]


def test_a_buffer_that_changes_later_does_no_harm() -> None:
    data = bytearray(HEAD + EXAMPLE)
    model = nnr.decode(data)
    data[:] = bytes(len(data))
    assert model.levels("w").tolist() == [[4, -2], [0, 1]]


@pytest.mark.parametrize("suffix", [".nnr", ".nnc", ".NNR"])
def test_load_reads_both_suffixes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(HEAD + EXAMPLE)
    assert nnr.load(path).levels("w").tolist() == [[4, -2], [0, 1]]


def test_models_can_be_copied_and_pickled() -> None:
    model = nnr.decode(HEAD + EXAMPLE)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_same_tensors(twin.tensors, model.tensors)
        assert twin.levels("w").tolist() == [[4, -2], [0, 1]]


def test_levels_of_other_models_and_names() -> None:
    with pytest.raises(ValueError, match="did not come from a bitstream"):
        nnr.Model({"w": normal(2)}).levels("w")
    with pytest.raises(KeyError, match="v"):
        nnr.decode(HEAD + EXAMPLE).levels("v")


def test_unknown_units_are_skipped_with_a_note() -> None:
    stray = bytes.fromhex("0005fe0102")
    file = nnr.NncFile(HEAD + stray + EXAMPLE)
    assert file.decompress().tensors["w"].shape == (2, 2)
    assert len(file.notes) == 1
    assert "unit 3 at byte 18" in file.notes[0]


@pytest.mark.parametrize(
    ("data", "kind", "unit", "message"),
    [
        (b"", "truncated", None, "no units"),
        (START, "truncated", None, "before its first tensor"),
        (START + PARAMETERS, "truncated", None, "before its first tensor"),
        (EXAMPLE, "corrupt", None, "no start unit"),
        (START + EXAMPLE, "corrupt", 1, "before a model parameter set"),
        (HEAD + EXAMPLE[:-1], "truncated", None, "beyond the end"),
        (HEAD + EXAMPLE[:-1] + b"\xc1", "corrupt", 3, "arithmetic code"),
        (HEAD + EXAMPLE + bytes.fromhex("000312"), "unsupported", 4, "quantization unit"),
        (HEAD + EXAMPLE + bytes.fromhex("00031a"), "unsupported", 4, "aggregate unit"),
        (HEAD + bytes.fromhex("00041700"), "unsupported", None, "partial data counter"),
        (HEAD + EXAMPLE + EXAMPLE, "corrupt", 4, "a second tensor of the name 'w'"),
    ],
)
def test_what_is_refused(data: bytes, kind: str, unit: int | None, message: str) -> None:
    with pytest.raises(nnr.BitstreamError, match=message) as raised:
        nnr.decode(data)
    assert raised.value.kind == kind
    assert raised.value.unit in (unit, raised.value.unit if unit is None else unit)
    assert 0 <= raised.value.byte_offset <= len(data)


def test_messages_name_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "cut.nnr"
    path.write_bytes(HEAD + EXAMPLE[:-3])
    with pytest.raises(nnr.BitstreamError) as raised:
        nnr.load(path)
    assert str(raised.value).count(str(path)) == 1


def test_elements_are_bounded() -> None:
    with pytest.raises(nnr.BitstreamError, match="raise max_elements") as raised:
        nnr.decode(HEAD + EXAMPLE, max_elements=3)
    assert raised.value.kind == "unsupported"
    assert nnr.decode(HEAD + EXAMPLE, max_elements=4).tensors["w"].size == 4
    # Whole rows of zeros cost next to nothing, so that a few bytes can stand for gigabytes.
    huge = nnr.encode({"w": np.zeros((1 << 13, 1 << 12), np.float32)})
    assert len(huge) < 4000
    with pytest.raises(nnr.BitstreamError, match="raise max_elements"):
        nnr.decode(huge)
    assert nnr.decode(huge, max_elements=1 << 25).tensors["w"].shape == (1 << 13, 1 << 12)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_elements": -1}, ValueError),
        ({"max_elements": 1.5}, TypeError),
        ({"threads": 0}, ValueError),
        ({"base": nnr.Model({})}, ValueError),
        ({"base": {}}, TypeError),
    ],
)
def test_wrong_arguments(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        nnr.decode(HEAD + EXAMPLE, **options)
    with pytest.raises(TypeError, match="bytes-like"):
        nnr.decode(3)  # type: ignore[arg-type]


def test_a_step_without_its_base_is_refused() -> None:
    steps = [need_corpus() / f"60_tca_step{step}.nnc" for step in range(3)]
    first = nnr.decode(steps[0])
    with pytest.raises(nnr.BitstreamError, match="give their model as base"):
        nnr.decode(steps[1])
    with pytest.raises(nnr.BitstreamError, match="base holds step 1"):
        nnr.decode(steps[2], base=first)
