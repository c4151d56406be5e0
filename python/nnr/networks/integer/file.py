"""Integer networks as ordinary safetensors files.

Arrays are tensors, such as ``layer.3.weights``; everything else is JSON under one key of the
metadata. A checksum covers both, since a wrong bit would go unnoticed until two decoders differ.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

import xxhash
from numpy.typing import NDArray

from ..._json import plain_json
from ...errors import BitstreamError, BitstreamErrorKind
from ...models.dtypes import stored_bytes
from ...models.safetensors import SafetensorsFile, write_entries
from ..layers import Concat, Crop, DepthToSpace, Layer, Slice, SpaceToDepth
from .layers import (
    INT16,
    UINT8,
    Epilogue,
    IntegerAdd,
    IntegerConv,
    IntegerDepthwiseConv,
    IntegerGraph,
    IntegerMul,
    IntegerPad,
    IntegerRescale,
    IntegerValue,
    IntegerWinograd,
)
from .validate import validate

KEY = "nnr.integer_network"
CHECKSUM_KEY = "nnr.integer_network.xxh3_64"
VERSION = 1

_CLAMP = {"lo": 0, "hi": 0}
_EPILOGUE_ARRAYS = ("bias", "multipliers", "negative_multipliers", "addend_multipliers")
_NOT_ALWAYS = "addend_multipliers"


class _Form(NamedTuple):
    """How a class of layers is stored: its arrays, and an example of each other field."""

    layer: type[Layer]
    arrays: tuple[str, ...]
    fields: Mapping[str, Any]
    has_epilogue: bool = False


_PADS, _PAIR = (0, 0, 0, 0), (0, 0)
_FORMS: dict[str, _Form] = {
    "conv": _Form(IntegerConv, ("weights",), {"pads": _PADS, "stride": _PAIR}, True),
    "depthwise": _Form(IntegerDepthwiseConv, ("weights",), {"pads": _PADS, "stride": _PAIR}, True),
    "winograd": _Form(
        IntegerWinograd, ("weights", "shifts"), {"pads": _PADS, "phase": _PAIR}, True
    ),
    "rescale": _Form(IntegerRescale, ("multipliers", "negative_multipliers", "offsets"), _CLAMP),
    "add": _Form(IntegerAdd, ("first_multipliers", "second_multipliers"), _CLAMP),
    "mul": _Form(IntegerMul, ("multipliers",), _CLAMP),
    "concat": _Form(Concat, (), {}),
    "slice": _Form(Slice, (), {"first": 0, "last": 0}),
    "crop": _Form(Crop, (), {"margins": _PADS}),
    "depth_to_space": _Form(DepthToSpace, (), {"block": 0, "mode": ""}),
    "space_to_depth": _Form(SpaceToDepth, (), {"block": 0}),
    "pad": _Form(IntegerPad, ("fills",), {"pads": _PADS, "mode": ""}),
}
_NAMES = {form.layer: name for name, form in _FORMS.items()}
_DTYPES = {"uint8": UINT8, "int16": INT16}


def save_graph(graph: IntegerGraph, path: str | os.PathLike[str]) -> None:
    """Write an integer network."""
    entries: dict[str, NDArray[Any]] = {}
    for index, value in enumerate(graph.values):
        entries[f"value.{index}.scales"] = value.scales
        entries[f"value.{index}.zeros"] = value.zeros
    layers = []
    for index, layer in enumerate(graph.layers):
        form = _FORMS[_NAMES[type(layer)]]
        fields = {"type": _NAMES[type(layer)], "name": layer.name, "inputs": layer.inputs}
        fields |= {name: getattr(layer, name) for name in form.fields}
        arrays = {name: getattr(layer, name) for name in form.arrays}
        if form.has_epilogue:
            epilogue = cast(IntegerConv, layer).epilogue
            fields |= {name: getattr(epilogue, name) for name in _CLAMP}
            arrays |= {name: getattr(epilogue, name) for name in _EPILOGUE_ARRAYS}
        entries |= {f"layer.{index}.{n}": a for n, a in arrays.items() if a is not None}
        layers.append(fields)
    dtypes = [value.dtype.name for value in graph.values]
    description = {"version": VERSION, "output": graph.output, "values": dtypes, "layers": layers}
    text = json.dumps(plain_json(description), separators=(",", ":"))
    write_entries(entries, {KEY: text, CHECKSUM_KEY: _checksum(text, entries)}, path)


def is_integer_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a safetensors file with an integer network."""
    return Path(path).suffix.lower() == ".safetensors" and KEY in SafetensorsFile(path).metadata


def load_graph(path: str | os.PathLike[str]) -> IntegerGraph:
    """Read an integer network.

    Raises
    ------
    BitstreamError
        The file is damaged, holds no integer network, or one of a later version.
    """
    return _Reader(SafetensorsFile(path)).graph()


def _checksum(text: str, entries: Mapping[str, NDArray[Any]]) -> str:
    state = xxhash.xxh3_64()
    state.update(text.encode(errors="surrogatepass"))
    for name in sorted(entries):
        state.update(name.encode(errors="surrogatepass"))
        state.update(stored_bytes(entries[name]).data)
    return state.hexdigest()


class _Reader:
    def __init__(self, file: SafetensorsFile) -> None:
        self._file = file
        self._unread = set(file.entries)
        self._text = file.metadata.get(KEY)

    def graph(self) -> IntegerGraph:
        description = self._description()
        version = description.get("version")
        if type(version) is not int or version < 1:
            self._fail("it has no version")
        if version > VERSION:
            self._fail(f"version {version} is later than {VERSION}", "unsupported")
        match description:
            case {"output": int(output), "values": [*dtypes], "layers": [*layers]}:
                pass
            case _:
                self._fail("values, layers or output are missing")
        graph = IntegerGraph(
            tuple(self._value(index, dtype) for index, dtype in enumerate(dtypes)),
            tuple(self._layer(index, fields) for index, fields in enumerate(layers)),
            output,
        )
        if self._unread:
            name = min(self._unread)
            self._fail(f"tensor {name!r} is of no layer", where=name)
        self._check_sum()
        try:
            validate(graph)
        except ValueError as error:
            self._fail(str(error))
        return graph

    def _fail(
        self, message: str, kind: BitstreamErrorKind = "corrupt", where: str = KEY
    ) -> NoReturn:
        raise BitstreamError(
            f"{self._file.path}: integer network: {message}",
            kind=kind,
            byte_offset=self._file.where(where),
        )

    def _description(self) -> dict[str, Any]:
        if self._text is None:
            self._fail("the file holds none")
        try:
            description = json.loads(self._text)
        except (ValueError, RecursionError) as error:
            self._fail(f"its description is no JSON: {error}")
        if not isinstance(description, dict):
            self._fail("its description is no JSON object")
        return description

    def _check_sum(self) -> None:
        arrays = {name: self._file.array(name) for name in self._file.entries}
        if self._file.metadata.get(CHECKSUM_KEY) != _checksum(self._text or "", arrays):
            self._fail("the checksum does not fit", where=CHECKSUM_KEY)

    def _array(self, name: str) -> NDArray[Any]:
        if name not in self._unread:
            self._fail(f"tensor {name!r} is missing")
        self._unread.remove(name)
        return self._file.array(name)

    def _value(self, index: int, dtype: Any) -> IntegerValue:
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            self._fail(f"value {index}: unknown type {dtype!r}")
        scales, zeros = (self._array(f"value.{index}.{name}") for name in ("scales", "zeros"))
        return IntegerValue(zeros.size, _DTYPES[dtype], scales, zeros)

    def _layer(self, index: int, fields: Any) -> Layer:
        match fields:
            case {"type": str(kind), "name": str(name), "inputs": [*inputs]} if kind in _FORMS:
                form = _FORMS[kind]
            case _:
                self._fail(f"layer {index}: malformed description")
        if not all(type(i) is int for i in inputs):
            self._fail(f"layer {index}: malformed inputs")
        wanted = {**form.fields, **(_CLAMP if form.has_epilogue else {})}
        if set(fields) != {"type", "name", "inputs", *wanted}:
            self._fail(f"layer {index}: malformed description")
        given = {
            key: self._field(f"layer {index}: {key}", fields[key], example)
            for key, example in wanted.items()
        }
        arrays: dict[str, Any] = {n: self._array(f"layer.{index}.{n}") for n in form.arrays}
        if form.has_epilogue:
            given["epilogue"] = self._epilogue(index, given.pop("lo"), given.pop("hi"))
        return form.layer(name, tuple(inputs), **arrays, **given)

    def _epilogue(self, index: int, lo: int, hi: int) -> Epilogue:
        names = {name: f"layer.{index}.{name}" for name in _EPILOGUE_ARRAYS}
        arrays = {
            name: None
            if name == _NOT_ALWAYS and stored not in self._unread
            else self._array(stored)
            for name, stored in names.items()
        }
        return Epilogue(**cast(dict[str, Any], arrays), lo=lo, hi=hi)

    def _field(self, name: str, given: Any, example: Any) -> Any:
        """A field of the type, and for a list of the length, that the example has."""
        if not isinstance(example, tuple):
            fits = type(given) is type(example)
        else:
            fits = (
                isinstance(given, list)
                and len(given) == len(example)
                and all(type(item) is int for item in given)
            )
        if not fits:
            self._fail(f"{name} is malformed")
        return tuple(given) if isinstance(given, list) else given
