"""ONNX files, with weights inside or in files beside them.

The weights of a graph are its initialisers and the tensors of its ``Constant`` nodes, also inside
subgraphs and functions. A tensor is named by the initialiser, or by the output of the node. What
has no counterpart in the other formats stays in the topology: strings, complex128, types of less
than a byte, sparse tensors, and single numbers that a ``Constant`` node holds as attributes.
"""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import BitstreamError, MissingExtraError
from ..files import atomic_write, map_file
from .dtypes import from_bytes, name_of, stored_bytes
from .model import Model, Topology

if TYPE_CHECKING:
    import onnx

# A protobuf message cannot be larger.
_MESSAGE_LIMIT = 2**31 - 1
# Beside a model above that limit, smaller tensors stay in the graph, where shape inference may
# need their values; the alignment lets a reader map the file.
_EXTERNAL_MINIMUM = 1024
_EXTERNAL_ALIGNMENT = 4096

_VALUE_FIELDS = (
    "raw_data",
    "float_data",
    "int32_data",
    "string_data",
    "int64_data",
    "double_data",
    "uint64_data",
    "external_data",
    "data_location",
)


class _Slot(NamedTuple):
    """A place in a graph that holds a weight tensor."""

    name: str
    tensor: onnx.TensorProto
    is_initializer: bool


def graph_of(model: Model) -> onnx.ModelProto:
    """Return the graph of *model*; its weight tensors have names, dimensions and types, but no values.

    The values are in ``model.tensors``, under the name of the initialiser, or of the output of the
    ``Constant`` node.

    Raises
    ------
    ValueError
        The model has no topology.
    BitstreamError
        The topology is damaged.
    MissingExtraError
        ``onnx`` is not installed.
    """
    if model.topology is None:
        raise ValueError("the model has no topology; load it from an ONNX file")
    if model.topology.format != "onnx":
        raise ValueError(f"the topology is {model.topology.format.upper()}, not ONNX")
    return _parse(model.topology.data, "the topology")


def read(path: str | os.PathLike[str]) -> Model:
    """Read an ONNX file; tensors in files beside it are memory-mapped.

    Raises
    ------
    BitstreamError
        The file, or one beside it, is damaged.
    MissingExtraError
        ``onnx`` is not installed.
    """
    path = Path(path)
    if path.stat().st_size > _MESSAGE_LIMIT:
        raise ValueError(f"{path} is larger than 2 GB; its weights must be in a file beside it")
    proto = _parse(path.read_bytes(), str(path))
    reader = _TensorReader(path)
    tensors: dict[str, NDArray[Any]] = {}
    for slot in _slots(proto, str(path)):
        tensors[slot.name] = reader.array(slot.tensor)
        _clear_values(slot.tensor)
    for tensor in _all_tensors(proto):
        reader.load_into(tensor)
    metadata = _pairs(proto.metadata_props, str(path))
    del proto.metadata_props[:]
    return Model(tensors, Topology("onnx", proto.SerializeToString(deterministic=True)), metadata)


def write(
    model: Model, path: str | os.PathLike[str], *, message_limit: int = _MESSAGE_LIMIT
) -> None:
    """Write an ONNX file; weights go to ``<path>.data`` where one file could not hold them.

    Parameters
    ----------
    message_limit : int
        The largest file, in bytes, that may hold its weights.

    Raises
    ------
    ValueError
        The model has no topology, or its tensors are not those of the topology.
    """
    if model.topology is None:
        raise ValueError(
            f"{os.fspath(path)}: an ONNX file needs a topology, and this model has none; "
            "write .safetensors, .npz or .pt"
        )
    proto = graph_of(model)
    slots = [
        slot
        for slot in _slots(proto, "the topology")
        if slot.name in model.tensors or not _has_values(slot.tensor)
    ]
    _check_tensors(model, slots)
    for slot in slots:
        _clear_values(slot.tensor)
    for key, value in model.metadata.items():
        proto.metadata_props.add(key=key, value=value)
    # A tensor takes a few bytes more than its payload for the length of that.
    message_bytes = proto.ByteSize() + model.nbytes + 16 * len(slots)
    if message_bytes <= message_limit:
        for slot in slots:
            slot.tensor.raw_data = stored_bytes(model.tensors[slot.name]).tobytes()
        with atomic_write(path) as file:
            file.write(proto.SerializeToString())
        return
    data_path = Path(os.path.realpath(path) + ".data")
    # The weights are renamed first: a graph never stands beside weights that are not complete.
    with atomic_write(path) as file, atomic_write(data_path) as data_file:
        _write_external(model, slots, data_file, data_path.name)
        file.write(proto.SerializeToString())
        file.flush()


def data_files(path: str | os.PathLike[str]) -> list[Path]:
    """List the files beside an ONNX file that hold its weights."""
    proto = _parse(Path(path).read_bytes(), str(path))
    reader = _TensorReader(Path(path))
    located = (reader.locate(tensor) for tensor in _all_tensors(proto) if _is_external(tensor))
    return sorted({file for file, _, _ in located})


def _parse(data: bytes, origin: str) -> onnx.ModelProto:
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx") from error
    try:
        proto: onnx.ModelProto = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise BitstreamError(f"{origin} is no ONNX model", kind="corrupt", byte_offset=0) from error
    if not proto.HasField("graph"):
        raise BitstreamError(f"{origin} holds no ONNX graph", kind="corrupt", byte_offset=0)
    return proto


def _slots(proto: onnx.ModelProto, origin: str) -> Iterator[_Slot]:
    """Yield the weight tensors of a model in a fixed order, each under a name of its own."""
    seen: set[str] = set()
    bodies = [proto.graph, *proto.functions]
    for slot in (slot for body in bodies for slot in _slots_of(body)):
        if _dtype_of(slot.tensor) is None:
            continue
        # Two branches of an If may use the same name; the order makes this reproducible.
        name, count = _text(slot.name, origin), 1
        while name in seen:
            count += 1
            name = f"{slot.name}#{count}"
        seen.add(name)
        yield slot._replace(name=name)


def _slots_of(body: onnx.GraphProto | onnx.FunctionProto) -> Iterator[_Slot]:
    for tensor in getattr(body, "initializer", ()):
        yield _Slot(tensor.name, tensor, True)
    for node in body.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value" and node.output:
                yield _Slot(node.output[0], attribute.t, False)
            for graph in (attribute.g, *attribute.graphs):
                yield from _slots_of(graph)


def _all_tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    for body in (proto.graph, *proto.functions):
        yield from _tensors_of(body)


def _tensors_of(body: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.TensorProto]:
    yield from getattr(body, "initializer", ())
    for node in body.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for graph in (attribute.g, *attribute.graphs):
                yield from _tensors_of(graph)


def _dtype_of(tensor: onnx.TensorProto) -> np.dtype[Any] | None:
    """Return the element type, or None where the tensor has to stay in the topology."""
    from onnx import helper

    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except KeyError:
        return None
    return dtype if name_of(dtype) else None


def _pairs(entries: Iterable[onnx.StringStringEntryProto], origin: str) -> dict[str, str]:
    return {_text(entry.key, origin): _text(entry.value, origin) for entry in entries}


def _text(field: str | bytes, origin: str) -> str:
    # Protobuf gives the bytes of a text field that is no UTF-8.
    if isinstance(field, bytes):
        raise BitstreamError(f"{origin}: {field!r} is no text", kind="corrupt", byte_offset=0)
    return field


def _clear_values(tensor: onnx.TensorProto) -> None:
    for field in _VALUE_FIELDS:
        tensor.ClearField(field)


def _has_values(tensor: onnx.TensorProto) -> bool:
    """Whether a topology of someone else holds values, which tensors of the model replace."""
    fields = {field.name for field, _ in tensor.ListFields()}
    return not fields.isdisjoint(_VALUE_FIELDS)


def _is_external(tensor: onnx.TensorProto) -> bool:
    return tensor.data_location == tensor.EXTERNAL


def _check_tensors(model: Model, slots: list[_Slot]) -> None:
    for slot in slots:
        array = model.tensors.get(slot.name)
        if array is None:
            raise ValueError(f"the topology needs a tensor {slot.name!r} that the model lacks")
        shape, dtype = tuple(slot.tensor.dims), _dtype_of(slot.tensor)
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"tensor {slot.name!r}: the topology has {dtype} {shape}, "
                f"got {array.dtype} {array.shape}"
            )
    if extra := model.tensors.keys() - {slot.name for slot in slots}:
        raise ValueError(f"the topology has no place for tensor {min(extra)!r}")


def _write_external(model: Model, slots: list[_Slot], file: BinaryIO, location: str) -> None:
    for slot in slots:
        raw = stored_bytes(model.tensors[slot.name])
        # Run times do not read the value of a Constant node from another file.
        if not slot.is_initializer or raw.nbytes < _EXTERNAL_MINIMUM:
            slot.tensor.raw_data = raw.tobytes()
            continue
        file.write(bytes(-file.tell() % _EXTERNAL_ALIGNMENT))
        slot.tensor.data_location = slot.tensor.EXTERNAL
        place = {"location": location, "offset": file.tell(), "length": raw.nbytes}
        for key, value in place.items():
            slot.tensor.external_data.add(key=key, value=str(value))
        file.write(raw.data)


class _TensorReader:
    """The values of an ONNX file's tensors; files beside it are mapped once each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = path.parent.resolve()
        self._mapped: dict[Path, NDArray[np.uint8]] = {}

    def array(self, tensor: onnx.TensorProto) -> NDArray[Any]:
        """Return the values of *tensor*, which has a type that `_dtype_of` knows."""
        from onnx import numpy_helper

        dtype, shape = _dtype_of(tensor), tuple(tensor.dims)
        assert dtype is not None
        try:
            if min(shape, default=0) < 0:
                raise ValueError(f"a shape of {shape}")
            if not _is_external(tensor):
                return numpy_helper.to_array(tensor)
            raw = self._bytes(tensor)
            if raw.nbytes != math.prod(shape) * dtype.itemsize:
                raise ValueError(f"{raw.nbytes} bytes cannot be {dtype} {shape}")
            return from_bytes(raw, dtype, shape)
        except BitstreamError:
            raise
        except ValueError as error:
            self._fail(f"tensor {tensor.name!r}: {error}")

    def load_into(self, tensor: onnx.TensorProto) -> None:
        """Move the values of *tensor* into it, if they are in another file."""
        if _is_external(tensor):
            raw = self._bytes(tensor).tobytes()
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
            tensor.raw_data = raw

    def locate(self, tensor: onnx.TensorProto) -> tuple[Path, int, int | None]:
        """Find where the values are: file, offset, and length where it is given."""
        place = _pairs(tensor.external_data, str(self._path))
        location = place.get("location", "")
        if any(unicodedata.category(char) == "Cc" for char in location):
            self._fail(f"tensor {tensor.name!r}: no file name: {location!r}")
        relative = PurePosixPath(location.replace("\\", "/"))
        file = (self._folder / relative).resolve()
        # A model file must not be able to name any file of this machine.
        if not location or relative.is_absolute() or not file.is_relative_to(self._folder):
            self._fail(f"tensor {tensor.name!r}: data outside the model's folder: {location!r}")
        try:
            offset = int(place.get("offset", "0"))
            length = int(place["length"]) if "length" in place else None
        except ValueError:
            offset, length = -1, None
        if offset < 0 or (length is not None and length < 0):
            self._fail(f"tensor {tensor.name!r}: no valid place in {location!r}")
        return file, offset, length

    def _bytes(self, tensor: onnx.TensorProto) -> NDArray[np.uint8]:
        file, offset, length = self.locate(tensor)
        if file not in self._mapped:
            self._mapped[file] = map_file(file)
        size = self._mapped[file].nbytes
        stop = size if length is None else offset + length
        if offset > size or stop > size:
            raise BitstreamError(
                f"{file} ends before tensor {tensor.name!r}", kind="truncated", byte_offset=size
            )
        return self._mapped[file][offset:stop]

    def _fail(self, message: str) -> NoReturn:
        raise BitstreamError(f"{self._path}: {message}", kind="corrupt", byte_offset=0)
