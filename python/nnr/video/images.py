"""Photographs as frames: BT.709, limited range, 4:2:0 with left-sited chroma."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BitstreamError, MissingExtraError
from .frame import Frame, FrameFormat
from .sequence import FrameSequence

EXTENSIONS = (".png", ".jpg", ".jpeg")
DEFINITION = "RGB to BT.709 YCbCr 4:2:0 of 8 bits, limited range, left-sited chroma; grey counts as R = G = B"

# BT.709 luma weights of red and blue; green's follows, since the three sum to one.
_KR, _KB = 0.2126, 0.0722


def frame_from_rgb(rgb: NDArray[np.uint8]) -> Frame:
    """Convert an 8-bit RGB or grey picture to an 8-bit 4:2:0 frame.

    Computed in float64: BT.709 matrix, limited range (luma 16 to 235, chroma 16 to 240); chroma is
    filtered (1 2 1)/4 horizontally, which sites it at the left column, and averaged over two rows.

    Parameters
    ----------
    rgb : uint8 array of shape (height, width, 3) or (height, width)
        A grey picture counts as R = G = B.

    Examples
    --------
    >>> import numpy as np
    >>> white = frame_from_rgb(np.full((4, 6, 3), 255, np.uint8))
    >>> int(white.y[0, 0]), int(white.u[0, 0]), white.u.shape
    (235, 128, (2, 3))
    """
    if rgb.dtype != np.uint8 or rgb.ndim not in (2, 3) or (rgb.ndim == 3 and rgb.shape[2] != 3):
        raise TypeError(
            f"rgb must be uint8 of shape (height, width, 3) or (height, width), "
            f"got {rgb.dtype} {rgb.shape}"
        )
    red, green, blue = np.moveaxis(as_rgb(rgb) / 255.0, 2, 0)
    luma = _KR * red + (1 - _KR - _KB) * green + _KB * blue
    cb = (blue - luma) / (2 * (1 - _KB))
    cr = (red - luma) / (2 * (1 - _KR))
    return Frame(
        _round_to_u8(16 + 219 * luma),
        _round_to_u8(_halve(128 + 224 * cb)),
        _round_to_u8(_halve(128 + 224 * cr)),
    )


def rgb_from_frame(frame: Frame) -> NDArray[np.uint8]:
    """Convert a frame of any bit depth to an 8-bit RGB picture; the way back of `frame_from_rgb`.

    Computed in float64: chroma is interpolated linearly between its sites, which lie at every
    second column and midway between two rows; then the BT.709 matrix, limited range. What RGB
    cannot hold is clipped.

    Returns
    -------
    uint8 array of shape (height, width, 3)

    Examples
    --------
    >>> import numpy as np
    >>> planes = [np.full(shape, 512, np.uint16) for shape in FrameFormat(6, 4, 10).plane_shapes]
    >>> rgb_from_frame(Frame(*planes, bit_depth=10))[0, 0].tolist()
    [130, 130, 130]
    """
    scale = 1 << (frame.bit_depth - 8)
    luma = (frame.y / scale - 16) / 219
    cb, cr = ((_double(plane / scale, luma.shape) - 128) / 224 for plane in (frame.u, frame.v))
    red = luma + 2 * (1 - _KR) * cr
    blue = luma + 2 * (1 - _KB) * cb
    green = (luma - _KR * red - _KB * blue) / (1 - _KR - _KB)
    return _round_to_u8(255 * np.stack([red, green, blue], axis=2))


def read_rgb(path: str | Path) -> NDArray[np.uint8]:
    """Read a PNG or JPEG of 8 bits a channel as (height, width, 3), or (height, width) if grey.

    Transparency is dropped, palettes are resolved, an orientation note is not followed.

    Raises
    ------
    BitstreamError
        Not a picture that Pillow can read, damaged, more than 8 bits a channel, or larger than
        Pillow's guard against decompression bombs allows.
    MissingExtraError
        Pillow is not installed.
    """
    path = Path(path)
    with _opened(path) as picture:
        if picture.mode.startswith(("I", "F")):
            raise BitstreamError(
                f"{path}: only 8 bits a channel are read, not mode {picture.mode}",
                kind="unsupported",
                byte_offset=0,
            )
        grey = picture.mode in ("1", "L", "LA")
        return np.asarray(picture.convert("L" if grey else "RGB"))


def as_rgb(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What `read_rgb` gives as (height, width, 3), grey as R = G = B."""
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def open_image(path: str | Path) -> FrameSequence:
    """Open a photograph as a sequence of one frame."""
    path = Path(path)
    return FrameSequence(path.stem, _format_of(path), 1, lambda _: frame_from_rgb(read_rgb(path)))


def open_folder(path: str | Path) -> FrameSequence:
    """Open the photographs of a folder in the order of their names; all must have one size."""
    folder = Path(path)
    paths = paths_in(folder)
    if not paths:
        raise ValueError(f"{folder}: holds no file ending in {', '.join(EXTENSIONS)}")
    first = _format_of(paths[0])
    for other in paths[1:]:
        if (found := _format_of(other)) != first:
            raise ValueError(
                f"{folder}: {other.name} is {found.width}x{found.height}, {paths[0].name} "
                f"{first.width}x{first.height}; the pictures of a sequence must have one size"
            )
    return FrameSequence(
        folder.name, first, len(paths), lambda index: frame_from_rgb(read_rgb(paths[index]))
    )


def paths_in(folder: Path) -> list[Path]:
    """List the PNG and JPEG files of a folder, sorted by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS)


def _format_of(path: Path) -> FrameFormat:
    with _opened(path) as picture:  # reads the header only
        width, height = picture.size
        return FrameFormat(width, height)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    pillow = pillow_image()
    # Pillow warns of sizes that it refuses only when doubled; here the first limit holds.
    with warnings.catch_warnings():
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        try:
            with pillow.open(path, formats=("PNG", "JPEG")) as picture:
                yield picture
        except (pillow.DecompressionBombWarning, pillow.DecompressionBombError) as error:
            raise BitstreamError(f"{path}: {error}", kind="unsupported", byte_offset=0) from error
        except (pillow.UnidentifiedImageError, SyntaxError) as error:
            message = f"{path}: not a PNG or JPEG picture"
            raise BitstreamError(message, kind="corrupt", byte_offset=0) from error
        except OSError as error:
            if error.errno is not None:  # the file system's; Pillow's own carry no number
                raise
            raise BitstreamError(
                f"{path}: {error}", kind="truncated", byte_offset=path.stat().st_size
            ) from error


def pillow_image() -> ModuleType:
    """Pillow's module for pictures, or an error that names the extra it comes with."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("pillow", "evaluate") from error
    return Image


def _halve(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = plane.shape
    even = np.pad(plane, ((0, rows % 2), (0, columns % 2)), mode="edge")
    padded = np.pad(even, ((0, 0), (1, 1)), mode="edge")
    filtered = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    left_sited = filtered[:, ::2]
    return (left_sited[::2] + left_sited[1::2]) / 2


def _double(plane: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Interpolate between the sites of `_halve`; beyond the edges they repeat."""
    rows, columns = plane.shape
    above, here, below = (
        np.pad(plane, ((1, 1), (0, 1)), mode="edge")[first : first + rows] for first in range(3)
    )
    # A site lies a quarter of its own distance below an even row and above an odd one.
    tall = np.empty((2 * rows, columns + 1))
    tall[::2] = (3 * here + above) / 4
    tall[1::2] = (3 * here + below) / 4
    wide = np.empty((2 * rows, 2 * columns))
    wide[:, ::2] = tall[:, :-1]
    wide[:, 1::2] = (tall[:, :-1] + tall[:, 1:]) / 2
    return wide[: shape[0], : shape[1]]


def _round_to_u8(plane: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(plane).clip(0, 255).astype(np.uint8)
