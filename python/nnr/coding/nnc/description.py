"""What this package says about its bitstreams, where other readers skip it.

The format has no checksums, and two element types. A topology unit of the unrecognised format
carries a text that readers of the standard pass over::

    nnr/1 <CRC-32 of the rest, in hex> {"crc32":"...","tensors":{...},"metadata":{...}}

``crc32`` is the base64 of the CRC-32, four bytes little-endian, of every other unit in its order,
so that a file cut off between two units is noticed too. ``tensors`` holds, by name, the type and the
shape of those tensors for which they are not what the bitstream says; a tensor with a codebook,
which decodes to float64, was float32 if nothing is said. ``metadata`` is the model's.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...models.safetensors import MAXIMUM_RANK

_MAGIC = b"nnr/"
_VERSION = b"nnr/1"
_END = b"\0"
_CRC_DIGITS = 8
_KEYS = frozenset({"crc32", "tensors", "metadata"})
# What may stand between the beginning of a unit and the text: size, type, and the two formats.
_LONGEST_HEADER = 8


class Origin(NamedTuple):
    """The type and shape that a tensor had before it was coded."""

    dtype: str
    shape: tuple[int, ...]


def codebook_origin(shape: tuple[int, ...]) -> Origin:
    """What a tensor with a codebook was, unless something else is said."""
    return Origin("float32", shape)


class Description(NamedTuple):
    """What the text says."""

    checksums: NDArray[np.uint32]
    origins: dict[str, Origin]
    metadata: dict[str, str]


class UnknownVersionError(ValueError):
    """A text of a later version of this package."""


def write_description(description: Description) -> bytes:
    r"""Return the text with its closing NUL.

    Examples
    --------
    >>> write_description(Description(np.array([1], np.uint32), {}, {}))
    b'nnr/1 7cce349c {"crc32":"AQAAAA=="}\x00'
    """
    checksums = description.checksums.astype("<u4").tobytes()
    content: dict[str, Any] = {"crc32": base64.b64encode(checksums).decode()}
    if description.origins:
        content["tensors"] = {
            name: {"dtype": dtype, "shape": shape}
            for name, (dtype, shape) in description.origins.items()
        }
    if description.metadata:
        content["metadata"] = description.metadata
    rest = json.dumps(content, separators=(",", ":")).encode()
    return b"%s %08x %s%s" % (_VERSION, zlib.crc32(rest), rest, _END)


def is_description(data: bytes) -> bool:
    """Whether the payload of a topology unit is such a text, be it damaged.

    Damage to the first word must not make it a text of someone else, so the checksum alone is
    enough too.
    """
    if data.startswith(_MAGIC):
        return True
    _, digits, rest = _split(data)
    return bool(rest) and digits == b"%08x" % zlib.crc32(rest)


def holds_description(unit: bytes) -> bool:
    """Whether a whole unit of another type is one of these whose header was damaged."""
    return _VERSION in unit[: _LONGEST_HEADER + len(_VERSION)]


def parse_description(data: bytes) -> Description:
    """Invert `write_description`; anything else is a ``ValueError``."""
    version, digits, rest = _split(data)
    if digits != b"%08x" % zlib.crc32(rest) or not data.endswith(_END):
        raise ValueError("the description does not match its checksum")
    if version != _VERSION:
        if version.startswith(_MAGIC):
            raise UnknownVersionError(
                f"a description of version {version.decode(errors='replace')}"
            )
        raise ValueError("the description does not begin as one")
    content = json.loads(rest)
    if not isinstance(content, dict) or content.keys() - _KEYS:
        raise ValueError("the description holds what is not known")
    raw = base64.b64decode(_text(content.get("crc32")), validate=True)
    if len(raw) % 4:
        raise ValueError("the checksums are cut short")
    return Description(
        np.frombuffer(raw, "<u4"),
        {name: _origin(value) for name, value in _mapping(content.get("tensors", {})).items()},
        {key: _text(value) for key, value in _mapping(content.get("metadata", {})).items()},
    )


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Version, digits of the checksum, and what it covers."""
    version, _, others = data.removesuffix(_END).partition(b" ")
    return version, others[:_CRC_DIGITS], others[_CRC_DIGITS + 1 :]


def _origin(value: Any) -> Origin:
    match value:
        case {"dtype": str(dtype), "shape": [*shape]} if len(value) == 2 and all(
            type(extent) is int and extent >= 0 for extent in shape
        ):
            pass
        case _:
            raise ValueError("a malformed description of a tensor")
    # Also the extents beside a zero: NumPy multiplies them all.
    if len(shape) > MAXIMUM_RANK or math.prod(extent or 1 for extent in shape) >= 2**59:
        raise ValueError("an impossible shape")
    return Origin(dtype, tuple(shape))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no object where one belongs")  # noqa: TRY004 - the content, no argument
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text where one belongs")  # noqa: TRY004 - the content, no argument
    return value
