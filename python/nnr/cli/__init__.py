"""The ``nnr`` command; one file a subcommand.

Exit codes: 0 done, 1 failed (a damaged file, a full disk, a missing program), 2 wrong usage.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

_FAILED = 1
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Run the command line; every expected failure ends in one clear line and an exit code."""
    _open_closed_streams()
    for number in _ENDING_SIGNALS:
        signal.signal(number, _end)
    from ..errors import ExternalToolError, MissingExtraError
    from .app import app

    try:
        app()
    except (ValueError, OSError, MemoryError, MissingExtraError, ExternalToolError) as error:
        print(f"nnr: {_describe(error)}", file=sys.stderr)
        sys.exit(_FAILED)


def _open_closed_streams() -> None:
    """Give a command started without standard output or error somewhere to print to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - open to the end


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """End as an exception does, so that temporary files go and running programs are ended."""
    for ending in _ENDING_SIGNALS:  # a second one would interrupt the cleaning up
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(128 + number)


def _describe(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
