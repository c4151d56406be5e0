"""Codecs for pictures, ours and others, as an evaluation sees them: a setting, bytes, pictures."""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from .. import cpu
from ..files import temporary_folder
from ..networks import AutoEncoder
from ..networks.autoencoder.coding import RATE_WEIGHT
from ..video import ffmpeg
from ..video.images import pillow_image

RgbPictures = NDArray[np.uint8]
Subsampling = Literal["4:4:4", "4:2:0"]
Counted = Literal["file", "scan"]


@dataclass(frozen=True, eq=False)
class CodedPictures:
    """What a codec made of pictures of one size.

    Parameters
    ----------
    sizes : sequence of int
        Bytes of each.
    pictures : ndarray of uint8
        Shape (pictures, height, width, 3), decoded.
    """

    sizes: Sequence[int]
    pictures: RgbPictures = field(repr=False)

    @property
    def bpp(self) -> float:
        """Mean bits a pixel."""
        return 8 * sum(self.sizes) / self.pictures[..., 0].size


class PictureCodec(Protocol):
    """A codec with one setting, larger for better pictures."""

    @property
    def name(self) -> str:
        """As in tables."""

    @property
    def version(self) -> str:
        """Of what codes: results of another one may differ."""

    @property
    def settings(self) -> Sequence[float]:
        """From about 0.5 to about 6 bits a pixel."""

    def code(self, pictures: RgbPictures, setting: float) -> CodedPictures:
        """Code and decode pictures of one size."""


@dataclass(frozen=True)
class AutoEncoderCodec:
    """`nnr.AutoEncoder`, whole files.

    Between two qualities the setting moves the weight of the rate, with which a few bits more or
    less are spent at one quantisation step.
    """

    autoencoder: AutoEncoder = field(repr=False)
    name: str = "CNN-AE"
    settings: Sequence[float] = tuple(range(0, 193, 16))

    @property
    def version(self) -> str:
        """The checksum of the networks, and the level: sums of floats may differ between levels."""
        return f"networks {self.autoencoder.full_checksum:08x} at {cpu.current_target()}"

    def files(self, pictures: RgbPictures, setting: float) -> list[bytes]:
        """Code pictures of one size."""
        quality, rate_weight = self.quality_of(setting)
        transformed = self.autoencoder.transform(pictures)
        return self.autoencoder.code(transformed, quality=quality, rate_weight=rate_weight)[0]

    def code(self, pictures: RgbPictures, setting: float) -> CodedPictures:
        """Code and decode pictures of one size."""
        files = self.files(pictures, setting)
        return CodedPictures([len(data) for data in files], self.autoencoder.decode_many(files))

    @staticmethod
    def quality_of(setting: float) -> tuple[int, float]:
        """The quality and the weight of the rate of a setting."""
        quality = round(setting)
        # One quality more takes about the bits that a weight lower by a third of an octave does.
        return quality, RATE_WEIGHT * 2 ** ((quality - setting) / 3)


@dataclass(frozen=True)
class JpegCodec:
    """JPEG of libjpeg-turbo with the standard's quantisation tables, scaled, and optimised codes.

    The setting is the binary logarithm of what the tables are divided by. Counted are whole files
    or only what is entropy coded, from the end of the scan's header on.

    Many entries of the tables are equal. So that rates do not jump where all of them round to the
    next integer, each is rounded with an offset of its own, up to a tenth.
    """

    subsampling: Subsampling
    counted: Counted
    settings: Sequence[float] = tuple(step / 2 for step in range(-8, 12))

    @property
    def name(self) -> str:
        """As in tables."""
        return (
            f"JPEG {self.subsampling}, {'whole files' if self.counted == 'file' else 'scan data'}"
        )

    @property
    def version(self) -> str:
        """Pillow's and the library's."""
        return _pillow_version("jpg")

    def code(self, pictures: RgbPictures, setting: float) -> CodedPictures:
        """Code and decode pictures of one size."""
        tables = [
            [
                min(max(round(entry / 2**setting + offset), 1), 255)
                for entry, offset in zip(table, _ROUNDING_OFFSETS, strict=True)
            ]
            for table in _standard_tables()
        ]
        size_of = len if self.counted == "file" else scan_size
        options = {"qtables": tables, "subsampling": self.subsampling, "optimize": True}
        return _code_with_pillow(pictures, "JPEG", options, size_of)


@dataclass(frozen=True)
class PillowCodec:
    """WebP or AVIF as Pillow writes them, whole files; the setting is their quality."""

    name: str
    options: dict[str, Any]
    settings: Sequence[float]

    @property
    def version(self) -> str:
        """Pillow's and the library's."""
        return _pillow_version(self.name.lower())

    @property
    def is_available(self) -> bool:
        """Whether Pillow has it here."""
        from PIL import features

        return bool(features.check(self.name.lower()))

    def code(self, pictures: RgbPictures, setting: float) -> CodedPictures:
        """Code and decode pictures of one size."""
        options = {**self.options, "quality": round(setting)}
        return _code_with_pillow(pictures, self.name, options, len)


@dataclass(frozen=True)
class JpegXlCodec:
    """JPEG XL of libjxl, whole files; the setting is minus the binary logarithm of its distance."""

    name: str = "JPEG XL"
    settings: Sequence[float] = (-3.9, -3.0, -2.0, -1.3, -0.7, 0.0, 0.7, 1.4, 2.2)

    @property
    def version(self) -> str:
        """That of ffmpeg, which holds the library."""
        return f"ffmpeg {ffmpeg.version()}"

    @property
    def is_available(self) -> bool:
        """Whether ffmpeg has it here."""
        output, _ = ffmpeg.run(["-encoders"])
        return re.search(rb"\blibjxl\b", output) is not None

    def code(self, pictures: RgbPictures, setting: float) -> CodedPictures:
        """Code and decode pictures of one size, all of them in one process."""
        count, height, width = pictures.shape[:3]
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
        # Starting threads takes longer than coding so small a picture.
        one = ["-threads", "1"]
        distance = f"{2**-setting:.4f}"
        with temporary_folder() as folder:
            names = str(folder / "%06d.jxl")
            source = [*raw, "-s", f"{width}x{height}", "-r", "1", "-i", "-"]
            coded = ["-c:v", "libjxl", *one, "-distance", distance, "-f", "image2", names]
            ffmpeg.run([*source, *coded], pictures.tobytes())
            sizes = [path.stat().st_size for path in sorted(folder.iterdir())]
            output, _ = ffmpeg.run([*one, "-f", "image2", "-i", names, *raw, "-"])
        decoded = np.frombuffer(output, np.uint8).reshape(count, height, width, 3)
        return CodedPictures(sizes, decoded)


def other_codecs() -> list[PictureCodec]:
    """Return the codecs beside JPEG that this installation has."""
    codecs: list[PillowCodec | JpegXlCodec] = [
        PillowCodec("WebP", {"method": 6}, (0, 5, 15, 30, 50, 70, 80, 88, 94, 98, 100)),
        PillowCodec(
            "AVIF",
            {"speed": 6, "subsampling": "4:4:4", "max_threads": 1},
            (10, 30, 45, 60, 70, 78, 85, 90, 95),
        ),
        JpegXlCodec(),
    ]
    return [codec for codec in codecs if codec.is_available]


def find_setting(
    rate_of: Callable[[float], float],
    target: float,
    low: float,
    high: float,
    *,
    tolerance: float = 1e-3,
) -> float:
    """Find the setting with a rate, where rates rise with settings.

    Parameters
    ----------
    rate_of : callable
        The rate of a setting, above 0.
    target : float
        The rate that is wanted.
    low, high : float
        Settings between which it lies.
    tolerance : float
        Relative error of the rate with which the search ends.

    Raises
    ------
    ValueError
        No setting between has that rate.
    """
    errors = [math.log(rate_of(setting) / target) for setting in (low, high)]
    if errors[0] > tolerance or errors[1] < -tolerance:
        raise ValueError(
            f"{target:g} bits a pixel are out of reach: there are {target * math.exp(errors[0]):.3f} "
            f"to {target * math.exp(errors[1]):.3f}"
        )
    best = min(zip(map(abs, errors), (low, high), strict=True))
    for step in range(_MAX_SEARCH_STEPS):
        if best[0] <= tolerance:
            break
        # Along the chord, and every third time to the middle, should that converge from one side.
        share = 0.5 if step % 3 == 2 else errors[0] / (errors[0] - errors[1])
        setting = low + (high - low) * min(max(share, 0.02), 0.98)
        error = math.log(rate_of(setting) / target)
        best = min(best, (abs(error), setting))
        if error < 0:
            low, errors[0] = setting, error
        else:
            high, errors[1] = setting, error
    return best[1]


_MAX_SEARCH_STEPS = 20


def scan_size(data: bytes) -> int:
    """Bytes of a baseline JPEG file from the end of its scan's header to the marker of its end.

    Examples
    --------
    >>> scan_size(bytes.fromhex("ffd8 ffdb0003 00 ffda0004 0102 123456 ffd9"))
    3
    """
    position = 2
    while True:
        marker, length = data[position + 1], int.from_bytes(data[position + 2 : position + 4])
        position += 2 + length
        if marker == _START_OF_SCAN:
            return len(data) - 2 - position


_START_OF_SCAN = 0xDA


# Neighbours get different ones, and all are spread evenly.
_ROUNDING_OFFSETS = [(position * 29 % 64 / 63 - 0.5) / 5 for position in range(64)]


@cache
def _standard_tables() -> list[list[int]]:
    """The tables of the standard's Annex K, as a file of quality 50 has them."""
    image = pillow_image()
    file = io.BytesIO()
    image.new("RGB", (8, 8)).save(file, "JPEG", quality=50)
    quantization = image.open(io.BytesIO(file.getvalue())).quantization
    return [list(quantization[index]) for index in (0, 1)]


def _code_with_pillow(
    pictures: RgbPictures,
    file_format: str,
    options: dict[str, Any],
    size_of: Callable[[bytes], int],
) -> CodedPictures:
    image = pillow_image()

    def code(picture: RgbPictures) -> tuple[int, RgbPictures]:
        file = io.BytesIO()
        image.fromarray(picture).save(file, file_format, **options)
        decoded = np.asarray(image.open(file).convert("RGB"))
        return size_of(file.getvalue()), decoded

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        coded = list(pool.map(code, pictures))
    return CodedPictures([size for size, _ in coded], np.stack([picture for _, picture in coded]))


def _pillow_version(feature: str) -> str:
    import PIL
    from PIL import features

    # The type of this function names only some of what it takes.
    version = features.version_codec(feature) if feature == "jpg" else features.version(feature)
    return f"Pillow {PIL.__version__}, {cast(str, version)}"
