"""Reading and writing files so that neither a crash nor a full disk leaves half of one."""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file beside *path* for writing and rename it to *path* at the end.

    On any failure the temporary file is removed and whatever was at *path* stays as it was. A new
    file in place of an old one has its permissions. What is no regular file (a device, a pipe)
    cannot be replaced and is written to as it is.

    Raises
    ------
    OSError
        The file cannot be written; the error always carries a file name.
    """
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if mode is not None and not stat.S_ISREG(mode):
        with Path(path).open("wb") as file:
            yield file
        return
    # Through a symbolic link, since renaming would replace the link by a file.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                if mode is not None:
                    temporary.chmod(stat.S_IMODE(mode))
                yield file
                file.flush()
                # Some file systems report a full disk only here.
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.filename is None or error.filename == str(temporary):
            error.filename, error.filename2 = os.fspath(path), None
        raise


def _mode(path: str | os.PathLike[str]) -> int | None:
    """The type and permissions of what is at *path*; None where nothing is."""
    try:
        return Path(path).stat().st_mode
    except FileNotFoundError:
        return None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is gone at the end, also where a signal ends the program at any point.

    `tempfile.TemporaryDirectory` leaves its folder behind where the signal's exception comes
    between making the folder and noting that it has to go, or while it is being removed.
    """
    folder = Path(tempfile.gettempdir()) / f"nnr-{os.urandom(8).hex()}"
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(remove)
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        remove()
        atexit.unregister(remove)


def map_file(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Return the bytes of a file as a read-only memory-mapped array."""
    # An empty file cannot be mapped.
    if Path(path).stat().st_size == 0:
        return np.empty(0, np.uint8)
    return np.memmap(path, np.uint8, mode="r").view(np.ndarray)
