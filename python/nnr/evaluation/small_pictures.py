"""Pictures of 32x32: CIFAR-10 where it is at hand, otherwise cut from photographs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..video.images import as_rgb, paths_in, pillow_image, read_rgb
from .cifar10 import SIDE, read_archive
from .embedded import photograph_paths

EMBEDDED_DEFINITION = (
    "pictures: not CIFAR-10, but 32x32 samples cut from the photographs in the scikit-image "
    "package, each averaged over blocks of 2x2, 3x3 and 4x4 samples before; the windows lie 16 "
    "samples apart, and of all of them every so manieth is taken"
)
# Blocks over which photographs are averaged, so that a window shows things and not their surfaces.
_REDUCTIONS = (2, 3, 4)
_WINDOW_DISTANCE = SIDE // 2


@dataclass(frozen=True, eq=False)
class SmallPictures:
    """Pictures of 32x32, and where they come from.

    Parameters
    ----------
    samples : ndarray of uint8
        Shape (pictures, 32, 32, 3).
    origin : str
        In words, for the report.
    """

    samples: NDArray[np.uint8] = field(repr=False)
    origin: str


def embedded_pictures(count: int) -> SmallPictures:
    """Cut pictures from the photographs that every installation has.

    Raises
    ------
    ValueError
        There are not so many.
    MissingExtraError
        scikit-image or Pillow is not installed.

    Examples
    --------
    >>> embedded_pictures(1000).samples.shape
    (1000, 32, 32, 3)
    """
    windows = [window for path in photograph_paths() for window in _windows(read_rgb(path))]
    if count > len(windows):
        raise ValueError(f"there are only {len(windows)} pictures of 32x32, not {count}")
    chosen = [windows[index * len(windows) // count] for index in range(count)]
    return SmallPictures(np.stack(chosen), EMBEDDED_DEFINITION)


def open_pictures(path: Path, count: int) -> SmallPictures:
    """Read the first test pictures of CIFAR-10.

    Parameters
    ----------
    path : Path
        ``cifar-10-python.tar.gz`` or ``cifar-10-binary.tar.gz``, a picture, or a folder of
        pictures; those larger than 32x32 are mosaics, read row by row.
    count : int
        At most so many are read.

    Raises
    ------
    BitstreamError
        A file is damaged, or of another kind.
    ValueError
        A picture is no mosaic of 32x32, or there is none.
    """
    if path.is_dir():
        samples = _from_files(paths_in(path), count)
    elif path.suffix.lower() in (".gz", ".tar", ".tgz"):
        samples = read_archive(path)[:count]
    else:
        samples = _from_files([path], count)
    if not len(samples):
        raise ValueError(f"{path}: holds no pictures")
    return SmallPictures(samples, f"pictures: the first {len(samples)} of {path.name}")


def _from_files(paths: list[Path], count: int) -> NDArray[np.uint8]:
    read: list[NDArray[np.uint8]] = []
    for path in paths:
        if sum(map(len, read)) >= count:
            break
        read.append(_tiles(path))
    return np.concatenate([np.empty((0, SIDE, SIDE, 3), np.uint8), *read])[:count]


def _tiles(path: Path) -> NDArray[np.uint8]:
    mosaic = as_rgb(read_rgb(path))
    height, width = mosaic.shape[:2]
    if height % SIDE or width % SIDE:
        raise ValueError(f"{path}: {width}x{height} is no mosaic of 32x32")
    grid = mosaic.reshape(height // SIDE, SIDE, width // SIDE, SIDE, 3)
    return grid.swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)


def _windows(photograph: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Windows of a photograph in colour, of every reduction."""
    if photograph.ndim == 2:
        return []
    windows = []
    for factor in _REDUCTIONS:
        reduced = np.asarray(pillow_image().fromarray(photograph).reduce(factor))
        rows = range(0, reduced.shape[0] - SIDE + 1, _WINDOW_DISTANCE)
        columns = range(0, reduced.shape[1] - SIDE + 1, _WINDOW_DISTANCE)
        windows += [reduced[y : y + SIDE, x : x + SIDE] for y in rows for x in columns]
    return windows
