"""Frames and RGB pictures as PNG files: one, or a folder of frames."""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..files import atomic_write
from .frame import Frame
from .images import pillow_image, rgb_from_frame


def write_png(path: str | Path, frame: Frame) -> None:
    """Write a frame as an RGB picture of 8 bits a channel, complete or not at all.

    Raises
    ------
    OSError
        The file cannot be written.
    MissingExtraError
        Pillow is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from nnr.video import frame_from_rgb, open_sequence, write_png
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "white.png"
    ...     write_png(path, frame_from_rgb(np.full((4, 6, 3), 255, np.uint8)))
    ...     int(open_sequence(path)[0].y[0, 0])
    235
    """
    write_rgb(path, rgb_from_frame(frame))


def write_rgb(path: str | Path, rgb: NDArray[np.uint8]) -> None:
    """Write an RGB picture, (height, width, 3), as PNG, complete or not at all.

    Raises
    ------
    OSError
        The file cannot be written.
    MissingExtraError
        Pillow is not installed.
    """
    picture = pillow_image().fromarray(rgb)
    with atomic_write(path) as file:
        picture.save(file, format="PNG")


def write_png_folder(
    path: str | Path, frames: Iterable[Frame], *, names: Sequence[str] | None = None
) -> None:
    """Write frames as PNG files of a new folder, complete or not at all.

    Parameters
    ----------
    path : str or Path
        The folder; there must be none yet, or an empty one.
    frames : iterable of Frame
        At least one.
    names : sequence of str, optional
        Names of the files, one a frame; by default ``000000.png`` and so on.

    Raises
    ------
    ValueError
        There are no frames, or not as many as names.
    OSError
        The folder cannot be written.
    MissingExtraError
        Pillow is not installed.
    """
    with _new_folder(Path(path)) as folder:
        written = 0
        for frame in frames:
            if names is not None and written == len(names):
                raise ValueError(f"there are more frames than the {written} names")
            name = f"{written:06d}.png" if names is None else names[written]
            write_png(folder / name, frame)
            written += 1
        if written == 0 or (names is not None and written < len(names)):
            wanted = "at least one frame" if names is None else f"{len(names)} frames, one a name"
            raise ValueError(f"frames must hold {wanted}, got {written}")


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Make a temporary folder beside *path* and rename it to *path* at the end."""
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    remove = partial(shutil.rmtree, temporary, ignore_errors=True)
    # A signal may also come before the `try` below or while its `finally` is at work.
    atexit.register(remove)
    try:
        temporary.mkdir()
        if target.is_dir():
            shutil.copymode(target, temporary)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(str(temporary)):
            error.filename, error.filename2 = os.fspath(path), None
        raise
    finally:
        remove()
        atexit.unregister(remove)
