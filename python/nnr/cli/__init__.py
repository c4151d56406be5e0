"""The ``nnr`` command; one file a subcommand.

Exit codes: 0 done, 1 failed (a damaged file, a full disk, a missing program), 2 wrong usage.
"""

from __future__ import annotations

import sys

_FAILED = 1


def main() -> None:
    """Run the command line; every expected failure ends in one clear line and an exit code."""
    from ..errors import ExternalToolError, MissingExtraError
    from .app import app

    try:
        app()
    except (ValueError, OSError, MemoryError, MissingExtraError, ExternalToolError) as error:
        print(f"nnr: {_describe(error)}", file=sys.stderr)
        sys.exit(_FAILED)


def _describe(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
