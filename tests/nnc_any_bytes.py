"""What must hold of any bytes that are given to the decoder: a model, or an error that says where."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nnr
from nnr import _core

# As no bitstream of less than 2 GiB begins: the rest is what our description says of the tensors.
DESCRIBED = b"\xfd"
MAX_ELEMENTS = 1 << 16


def normal(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


UPDATED = {"weight": normal(12, 4, 3), "bias": normal(12, seed=1), "codes": np.arange(24)}

_TOPOLOGY_UNIT = 3


def check_bytes(data: bytes, base: nnr.Model | None = None) -> None:
    """Decode *data* in every way; anything but a model or a BitstreamError is an exception."""
    if data.startswith(DESCRIBED):
        data = with_description(data.removeprefix(DESCRIBED))
    try:
        model = nnr.decode(data, base=base, max_elements=MAX_ELEMENTS)
    except nnr.BitstreamError as error:
        _check_error(error, data)
        _check_parts(data, base)
        return
    assert type(model.metadata) is dict
    file = nnr.NncFile(data, base=base, max_elements=MAX_ELEMENTS)
    assert list(file.names) == list(model.tensors)
    # One a factor where a weight is stored as two.
    assert len(file.records()) >= len(file.names)
    assert not any(file.verify().values())
    for name in file.names:
        alone, array = file.read(name), model.tensors[name]
        assert (alone.dtype, alone.shape) == (array.dtype, array.shape)
        assert alone.tobytes() == array.tobytes()
    _check_next_step(data, model)


def with_description(text: bytes) -> bytes:
    """A bitstream of ours with *text* as what it says of its tensors, and checksums that agree."""
    data = nnr.encode({"a": normal(3, 4), "b": np.arange(12), "c": np.arange(2)}, qp=-20)
    stream = _core.NncStream(np.frombuffer(data, np.uint8))
    for kind, offset, size in stream.units:
        unit = data[offset : offset + size]
        if kind == _TOPOLOGY_UNIT and b"nnr/1 " in unit:
            content = json.loads(unit[unit.index(b"{") : -1])
            rest = b'{"crc32":"%s","tensors":%s}' % (content["crc32"].encode(), text)
            described = _core.nnc_topology_unit(0, 0, b"nnr/1 %08x %s\0" % (zlib.crc32(rest), rest))
            return data[:offset] + described + data[offset + size :]
    raise AssertionError("no description in a bitstream of ours")


def first_step() -> nnr.Model:
    """What series among the seeds go on from."""
    return nnr.decode(nnr.encode(UPDATED, qp=-12))


def write_seeds(folder: Path) -> None:
    """Write what `nnr.encode` makes, as seeds."""
    graph = nnr.Topology("onnx", b"\x08\x07\x12\x04test")
    described = {"a": normal(3, 4).astype(np.float16), "b": np.array([2**40]), "c": np.array(True)}
    model = nnr.Model(UPDATED, graph, {"made by": "tests"})
    next_step = {name: values + 1 for name, values in UPDATED.items()}
    seeds = {
        "model": nnr.encode(model, qp=-12),
        "types": nnr.encode(described, qp=-20),
        "uniform": nnr.encode(UPDATED, qp=-12, dq=False),
        "step0": nnr.encode(UPDATED, qp=-12),
        "step1": nnr.encode(next_step, qp=-12, base=first_step()),
        "description": DESCRIBED + b'{"a":{"dtype":"float16","shape":[12]}}',
        "descriptions": DESCRIBED + b'{"b":{"dtype":"uint8","shape":[3,4]},'
        b'"c":{"dtype":"int64","shape":[]}}',
    }
    for name, data in seeds.items():
        (folder / f"python-{name}").write_bytes(data)


def _check_error(error: nnr.BitstreamError, data: bytes) -> None:
    assert error.kind in ("truncated", "corrupt", "unsupported")
    assert 0 <= error.byte_offset <= len(data)
    assert error.unit is None or error.unit >= 0


def _check_parts(data: bytes, base: nnr.Model | None) -> None:
    """What can be had of a bitstream of which not everything can."""
    try:
        file = nnr.NncFile(data, base=base, max_elements=MAX_ELEMENTS)
        assert file.verify() is not None
        assert file.records() is not None
        names = file.names
    except nnr.BitstreamError as error:
        _check_error(error, data)
        return
    for name in names:
        try:
            file.read(name)
        except nnr.BitstreamError as error:
            _check_error(error, data)


def _check_next_step(data: bytes, model: nnr.Model) -> None:
    try:
        nnr.decode(data, base=model, max_elements=MAX_ELEMENTS)
    except nnr.BitstreamError as error:
        _check_error(error, data)
