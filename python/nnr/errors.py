"""The exceptions of this package.

Bad arguments raise the built-in ``TypeError`` and ``ValueError``. What a caller may want to tell
apart from those has a class here; every one of them derives from a built-in class, so that code
written against the standard library keeps working.
"""

from __future__ import annotations

from typing import Literal

BitstreamErrorKind = Literal["truncated", "corrupt", "unsupported"]


class BitstreamError(ValueError):
    """A model file or bitstream that cannot be decoded.

    Parameters
    ----------
    message : str
        What is wrong, in words.
    kind : {"truncated", "corrupt", "unsupported"}
        Whether bytes are missing, wrong, or valid but beyond this version.
    byte_offset : int
        Where in the file it was noticed, in bytes from its beginning.
    unit : int, optional
        In a bitstream of units, the number of the unit, from 0.

    Examples
    --------
    >>> import nnr
    >>> error = nnr.BitstreamError("header is cut short", kind="truncated", byte_offset=8)
    >>> error.kind, error.byte_offset
    ('truncated', 8)
    """

    def __init__(
        self,
        message: str,
        *,
        kind: BitstreamErrorKind,
        byte_offset: int,
        unit: int | None = None,
    ) -> None:
        place = f"at byte {byte_offset}" if unit is None else f"unit {unit}, at byte {byte_offset}"
        super().__init__(f"{message} ({kind}, {place})")
        self.kind: BitstreamErrorKind = kind
        self.byte_offset = byte_offset
        self.unit = unit


class MissingExtraError(ImportError):
    """An optional dependency that is not installed; the message names the extra to install."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; it comes with: pip install 'nnr[{extra}]'")
        self.package = package
        self.extra = extra


class UnsupportedOperatorError(ValueError):
    """A network graph holds a node that the native engine cannot run."""


class ExternalToolError(RuntimeError):
    """A program run by this package (ffmpeg) is missing or failed; the message holds its own."""
