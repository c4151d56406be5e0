"""The front door to video files and photographs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from . import images, y4m, yuv
from .sequence import FrameSequence


def open_sequence(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    bit_depth: int | None = None,
    rate: Fraction | int | None = None,
) -> FrameSequence:
    """Open raw video, Y4M, one photograph, or a folder of photographs.

    Parameters
    ----------
    path : str or Path
        A ``.yuv`` file (planar 4:2:0), a ``.y4m`` file, a PNG or JPEG file (a sequence of one
        frame), or a folder of PNG or JPEG files of one size, taken in the order of their names.
    size : (int, int), optional
        Width and height in luma samples, for ``.yuv`` only; by default taken from the file's name.
    bit_depth : int, optional
        Bits a sample, for ``.yuv`` only; by default taken from the name, and 8 if that has none.
    rate : Fraction or int, optional
        Frames a second, for ``.yuv`` only; by default taken from the name.

    Raises
    ------
    ValueError
        Not a kind of file that is read here, or its name or header does not say what is needed.
    BitstreamError
        The file is damaged, or its length is no whole number of frames.
    OSError
        It cannot be read.
    MissingExtraError
        A photograph, and Pillow is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from nnr.video import open_sequence
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "Grey_32x16_50.yuv"
    ...     _ = path.write_bytes(bytes(3 * 32 * 16 * 3 // 2))
    ...     sequence = open_sequence(path)
    ...     sequence.format, sequence.rate, len(sequence)
    (FrameFormat(width=32, height=16, bit_depth=8), Fraction(50, 1), 3)
    """
    path = Path(path)
    extension = path.suffix.lower()
    if extension == ".yuv":
        return yuv.open_yuv(path, size=size, bit_depth=bit_depth, rate=rate)
    if size is not None or bit_depth is not None or rate is not None:
        raise ValueError(f"{path}: size, bit_depth and rate can only be given for .yuv files")
    if path.is_dir():
        return images.open_folder(path)
    if extension == ".y4m":
        return y4m.open_y4m(path)
    if extension in images.EXTENSIONS:
        return images.open_image(path)
    known = ", ".join([".yuv", ".y4m", *images.EXTENSIONS])
    raise ValueError(f"{path}: not a sequence; read are folders and files ending in {known}")


def find_sequences(folder: str | Path) -> list[FrameSequence]:
    """Open every sequence in a folder, in the order of their names.

    These are its ``.yuv`` and ``.y4m`` files, its photographs (each a sequence of one frame), and
    its sub-folders that hold photographs.

    Raises
    ------
    ValueError
        The folder holds none, or one that cannot be opened (the message names it).
    OSError
        The folder cannot be read.
    """
    folder = Path(folder)
    extensions = {".yuv", ".y4m", *images.EXTENSIONS}
    paths = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in extensions or (path.is_dir() and images.paths_in(path))
    ]
    if not paths:
        raise ValueError(f"{folder}: holds no .yuv or .y4m file and no photographs")
    return [open_sequence(path) for path in paths]
