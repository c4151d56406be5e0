"""Integer networks in files, whole and damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from integer_models import assert_same_graphs, every_layer

from nnr import BitstreamError
from nnr.models.safetensors import SafetensorsFile, write_entries
from nnr.networks.integer import IntegerNetwork
from nnr.networks.integer import file as integer_file
from nnr.networks.integer.file import load_graph, save_graph


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "network.safetensors"
    save_graph(every_layer(), path)
    return path


def test_what_is_saved_is_loaded(path: Path) -> None:
    assert_same_graphs(load_graph(path), every_layer())


def test_a_loaded_network_gives_the_same_integers(path: Path, tmp_path: Path) -> None:
    network = IntegerNetwork(every_layer())
    network.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    q = np.random.default_rng(0).integers(-999, 999, (2, 1, 8, 6)).astype(np.int16)
    np.testing.assert_array_equal(
        IntegerNetwork.load(path).run_integers(q), network.run_integers(q)
    )


def test_it_is_an_ordinary_safetensors_file(path: Path) -> None:
    from safetensors.numpy import load_file

    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["layer.2.weights"], every_layer().layers[2].weights)  # type: ignore[attr-defined]


def test_every_truncation_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    for length in [*range(0, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(BitstreamError) as raised:
            load_graph(path)
        assert (raised.value.kind, raised.value.byte_offset) == ("truncated", length)


def test_flipped_bits_are_noticed_or_harmless(path: Path) -> None:
    whole = path.read_bytes()
    data = bytearray(whole)
    header = 8 + int.from_bytes(data[:8], "little")
    rng = np.random.default_rng(0)
    places = [*range(0, header, 5), *rng.integers(header, len(data), 50).tolist()]
    offsets = []
    for place in places:
        data[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            assert_same_graphs(load_graph(path), every_layer())
        except BitstreamError as error:
            offsets.append(error.byte_offset)
        data[place] = whole[place]
    # Harmless is what turns one kind of white space into another.
    assert len(offsets) > 0.9 * len(places)
    assert 0 <= min(offsets) <= max(offsets) <= len(whole)


def forge(path: Path, change: Any, *, checksum: bool = True) -> None:
    """Rewrite the description or the tensors, by default with a checksum that fits."""
    file = SafetensorsFile(path)
    description = json.loads(file.metadata[integer_file.KEY])
    entries = {name: file.array(name).copy() for name in file.entries}
    change(description, entries)
    text = json.dumps(description)
    digest = integer_file._checksum(text, entries) if checksum else "0" * 16
    write_entries(entries, {integer_file.KEY: text, integer_file.CHECKSUM_KEY: digest}, path)


def set_layer(index: int, **fields: Any) -> Any:
    return lambda description, _: description["layers"][index].update(fields)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d, _: d.update(version=2), "version 2 is later than 1"),
        (lambda d, _: d.update(version="1"), "it has no version"),
        (lambda d, _: d.pop("output"), "are missing"),
        (lambda d, _: d.update(output=99), "output must be"),
        (lambda d, _: d.update(layers=5), "are missing"),
        (lambda d, _: d["values"].append("uint8"), "tensor 'value.13.scales' is missing"),
        (lambda d, _: d["values"].__setitem__(0, "int8"), "unknown type 'int8'"),
        (lambda d, _: d["values"].__setitem__(0, "uint8"), "zeros must be 1 numbers of uint8"),
        (lambda d, _: d["layers"].pop(), "has 12 values|has 13 values"),
        (lambda d, _: d["layers"].__setitem__(0, [1]), "layer 0: malformed"),
        (set_layer(0, type="gelu"), "layer 0: malformed"),
        (set_layer(0, extra=1), "layer 0: malformed"),
        (set_layer(0, block="2"), "layer 0: block is malformed"),
        (set_layer(0, block=2.0), "layer 0: block is malformed"),
        (set_layer(0, block=10**30), "block must be"),
        (set_layer(1, pads=[1, 1, 1]), "layer 1: pads is malformed"),
        (set_layer(1, pads=[1, 1, 1, None]), "layer 1: pads is malformed"),
        (set_layer(1, stride=[1, 10**30]), "strides must be"),
        (set_layer(1, hi=10**30), "lo <= hi"),
        (set_layer(1, inputs=["0"]), "malformed inputs"),
        (set_layer(1, inputs=[10**30]), "inputs must be values before it"),
        (lambda _, e: e.pop("layer.1.weights"), "'layer.1.weights' is missing"),
        (lambda _, e: e.update(more=np.zeros(1)), "'more' is of no layer"),
        (lambda _, e: e.update({"layer.1.bias": np.zeros(16)}), "bias must be"),
        (lambda _, e: e["layer.1.weights"].fill(32767), "beyond 32 bits"),
        (lambda _, e: e["layer.2.shifts"].fill(0), "shifts must be"),
    ],
)
def test_forged_files_are_refused(path: Path, change: Any, why: str) -> None:
    forge(path, change)
    with pytest.raises(BitstreamError, match=why) as raised:
        load_graph(path)
    assert raised.value.kind == ("unsupported" if "later" in why else "corrupt")
    assert 8 <= raised.value.byte_offset < path.stat().st_size


def test_a_wrong_checksum_is_noticed(path: Path) -> None:
    forge(path, lambda *_: None, checksum=False)
    with pytest.raises(BitstreamError, match="checksum does not fit"):
        load_graph(path)


def test_other_files_are_refused(path: Path) -> None:
    write_entries({"w": np.zeros(3)}, {}, path)
    with pytest.raises(BitstreamError, match="holds none"):
        load_graph(path)
    write_entries({}, {integer_file.KEY: "[" * 100_000}, path)
    with pytest.raises(BitstreamError, match="no JSON"):
        load_graph(path)
    write_entries({}, {integer_file.KEY: "[]"}, path)
    with pytest.raises(BitstreamError, match="no JSON object"):
        load_graph(path)
