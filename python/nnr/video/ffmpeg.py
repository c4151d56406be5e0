"""Finding and running the ffmpeg that the ``imageio-ffmpeg`` package carries.

It is a GPL program and is only ever run as a separate process.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from ..errors import ExternalToolError, MissingExtraError

# What is shown of a failed run: the cause stands in the last lines.
_MESSAGE_LINES = 12


@cache
def executable() -> str:
    """Return the path of ffmpeg.

    Raises
    ------
    MissingExtraError
        ``imageio-ffmpeg`` is not installed.
    ExternalToolError
        It is installed without a binary for this machine.
    """
    try:
        import imageio_ffmpeg  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError("imageio-ffmpeg", "evaluate") from error
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise ExternalToolError(f"no ffmpeg for this machine: {error}") from error


def run(arguments: list[str], input_data: bytes | None = None) -> tuple[bytes, str]:
    """Run ffmpeg to its end and return its standard output and standard error.

    Raises
    ------
    ExternalToolError
        It could not be started or ended with a failure; the message is its own.
    """
    command = [executable(), "-hide_banner", "-nostdin", *arguments]
    try:
        done = subprocess.run(command, input=input_data, capture_output=True, check=False)
    except OSError as error:
        raise ExternalToolError(f"ffmpeg could not be started: {error}") from error
    messages = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        tail = "\n".join(messages.strip().splitlines()[-_MESSAGE_LINES:]) or "(it said nothing)"
        raise ExternalToolError(f"ffmpeg failed with status {done.returncode}:\n{tail}")
    return done.stdout, messages


def shown_command(arguments: list[str]) -> str:
    """Return the command as typed by a person, without the path of this machine's binary."""
    return " ".join([Path(executable()).name, "-hide_banner", "-nostdin", *arguments])


@cache
def version() -> str:
    """Return the version of ffmpeg, such as ``9.0.2``."""
    output, _ = run(["-version"])
    match = re.match(rb"ffmpeg version (\S+)", output)
    if match is None:
        raise ExternalToolError(f"{executable()} is no ffmpeg: it does not state its version")
    return match.group(1).decode(errors="replace")
