"""Where the bytes of a bitstream come from."""

from __future__ import annotations

import os
from typing import NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import BitstreamError
from ...files import map_file

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[np.uint8]


def bytes_of(source: Source) -> tuple[NDArray[np.uint8], str]:
    """Return the bytes of a file or of an object, and what messages call it.

    A file is mapped. An object whose bytes may change is copied, since models decode from it later.
    """
    if isinstance(source, str | os.PathLike):
        return map_file(source), os.fspath(source)
    try:
        view = memoryview(cast("bytes", source))
    except TypeError:
        raise TypeError(
            f"data must be a path or a bytes-like object, got {type(source).__name__}"
        ) from None
    if not view.nbytes:
        return np.empty(0, np.uint8), ""
    array = np.frombuffer(view if view.c_contiguous else view.tobytes(), np.uint8)
    return (array if view.readonly else array.copy()), ""


def raise_with_label(error: BitstreamError, label: str) -> NoReturn:
    """Raise *error* again with the name of the file before its message."""
    if not label:
        raise error
    message = str(error).rpartition(f" ({error.kind}, ")[0]
    raise BitstreamError(
        f"{label}: {message}",
        kind=error.kind,
        byte_offset=error.byte_offset,
        unit=error.unit,
    ) from None
