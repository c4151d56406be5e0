"""The photographs that every installation has: they ship inside the scikit-image wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ..errors import MissingExtraError
from ..video.images import open_image
from ..video.sequence import FrameSequence

_FILES = (
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "motorcycle_left.png",
    "rocket.jpg",
    "camera.png",
)


def photographs() -> list[FrameSequence]:
    """Open six photographs, 451x300 to 741x500 samples, each a sequence of one frame.

    They are found without importing scikit-image, and nothing is downloaded.

    Raises
    ------
    MissingExtraError
        scikit-image or Pillow is not installed.

    Examples
    --------
    >>> from nnr.evaluation import photographs
    >>> [sequence.name for sequence in photographs()][:2]
    ['astronaut', 'coffee']
    """
    return [open_image(path) for path in photograph_paths()]


def photograph_paths() -> list[Path]:
    """Find the files of the photographs.

    Raises
    ------
    MissingExtraError
        scikit-image is not installed.
    """
    package = find_spec("skimage")
    if package is None or not package.submodule_search_locations:
        raise MissingExtraError("scikit-image", "evaluate")
    folder = Path(package.submodule_search_locations[0]) / "data"
    return [folder / file for file in _FILES]
