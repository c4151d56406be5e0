"""Codes pictures with networks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ..._arguments import check_integer
from ...errors import BitstreamError
from ..layers import Float32Array
from . import coding
from .file import MAX_QUALITY, MAX_SIDE, Header, read_file, write_file
from .latents import BLOCK, Latents, Transformed, block_size
from .networks import BUNDLED, Networks
from .tables import STEP_UNIT

Arithmetic = Literal["integer", "float"]
RgbArray = NDArray[np.uint8]

DEFAULT_MAX_PIXELS = 1 << 25
"""A little more than a picture of 7680x4320 has."""
_PEAK = 255
_STEP_INDEX_UNIT = 256
# How often an encoder chooses again, having seen what the decoder makes of its choice. At 4.3 bits a
# pixel the first gives 0.14 dB, the second 0.03, the third 0.01.
_REFINEMENTS = 2
# Pictures are coded together up to this size: more at a time are no quicker, and take more memory.
_PIXELS_AT_ONCE = 1 << 21


class AutoEncoder:
    """A codec for RGB pictures of any size, made of small networks.

    The networks that decode are of integers, so that a file gives the same picture on every
    machine. docs/autoencoder.md defines the files and how they are decoded.

    Parameters
    ----------
    networks : Networks
        `load` reads them from a folder.

    Examples
    --------
    >>> autoencoder = nnr.AutoEncoder.load()
    >>> picture = np.full((20, 30, 3), 128, np.uint8)
    >>> data = autoencoder.encode(picture, quality=160)
    >>> autoencoder.decode(data).shape, len(data) < picture.nbytes / 5
    ((20, 30, 3), True)
    """

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    @classmethod
    def load(cls, folder: str | os.PathLike[str] | None = None) -> AutoEncoder:
        """Read the networks of a folder, by default the bundled ones.

        Parameters
        ----------
        folder : path, optional
            With ``prior-tables.npz``, ``prior.safetensors`` and ``decoder.safetensors``; to encode,
            also ``encoder.onnx``.

        Raises
        ------
        BitstreamError
            A file is damaged.
        ValueError
            The networks do not fit each other.
        OSError
            A file is missing.
        """
        return cls(Networks(BUNDLED if folder is None else Path(folder)))

    @property
    def checksum(self) -> int:
        """CRC-32 of the files that decode, which goes into that of every ``.nna`` file."""
        return self._networks.checksum

    @property
    def full_checksum(self) -> int:
        """CRC-32 of all files in the folder, also of those that encode and of the originals."""
        return self._networks.full_checksum

    @property
    def file_sizes(self) -> dict[str, int]:
        """Bytes of each of the files in the folder."""
        return self._networks.file_sizes

    def encode(self, picture: RgbArray, *, quality: SupportsIndex) -> bytes:
        """Code one picture.

        Parameters
        ----------
        picture : ndarray of uint8
            RGB, shape (height, width, 3).
        quality : int
            0 to 255, larger for better pictures and larger files; the quantisation step halves
            with every 32. 255 is a step of 1 of 255, about as fine as the samples.

        Returns
        -------
        bytes
            A whole ``.nna`` file.

        Raises
        ------
        TypeError, ValueError
            An argument is not what it has to be.
        MissingExtraError
            ``onnx`` is not installed, which reads the encoder's network.
        """
        _check_pictures(picture, "picture", 3)
        return self.encode_many(picture[None], quality=quality)[0]

    def encode_many(self, pictures: RgbArray, *, quality: SupportsIndex) -> list[bytes]:
        """Code several pictures of one size, much quicker than one by one.

        Parameters
        ----------
        pictures : ndarray of uint8
            RGB, shape (pictures, height, width, 3).
        quality : int
            As for `encode`.

        Returns
        -------
        list of bytes
            The same files as `encode` gives.
        """
        _check_pictures(pictures, "pictures", 4)
        files: list[bytes] = []
        for part in _parts(len(pictures), *pictures.shape[1:3]):
            files += self.code(self.transform(pictures[part]), quality=quality)[0]
        return files

    def decode(self, data: bytes, *, max_pixels: SupportsIndex = DEFAULT_MAX_PIXELS) -> RgbArray:
        """Decode one file.

        Parameters
        ----------
        data : bytes
            A whole ``.nna`` file.
        max_pixels : int
            The most pixels that a picture may have; a hostile file can claim any size.

        Returns
        -------
        ndarray of uint8
            RGB, shape (height, width, 3); the same on every machine.

        Raises
        ------
        BitstreamError
            The file is damaged, coded with other networks, or its picture is too large.
        """
        picture: RgbArray = self.decode_many([data], max_pixels=max_pixels)[0]
        return picture

    def decode_many(
        self,
        files: Sequence[bytes],
        *,
        max_pixels: SupportsIndex = DEFAULT_MAX_PIXELS,
        arithmetic: Arithmetic = "integer",
    ) -> RgbArray:
        """Decode several pictures of one size, much quicker than one by one.

        Parameters
        ----------
        files : sequence of bytes
            At least one; the qualities may differ.
        max_pixels : int
            As for `decode`, for each picture.
        arithmetic : {"integer", "float"}
            ``float`` runs the original of the decoder's network, for comparison: what it gives may
            differ from machine to machine. It needs the extra ``onnx``.

        Returns
        -------
        ndarray of uint8
            RGB, shape (pictures, height, width, 3).

        Raises
        ------
        ValueError
            The pictures are not of one size.
        BitstreamError
            As for `decode`.
        """
        limit = check_integer(max_pixels, "max_pixels")
        if not files:
            raise ValueError("files must hold at least one")
        read = [self._read(data, limit) for data in files]
        width, height = read[0][0].width, read[0][0].height
        for header, _ in read:
            if (header.width, header.height) != (width, height):
                raise ValueError(
                    f"files must be of pictures of one size, got {width}x{height} and "
                    f"{header.width}x{header.height}"
                )
        pictures = np.empty((len(files), height, width, 3), np.uint8)
        for part in _parts(len(files), height, width):
            latents = self._decoded(files[part], read[part])
            pictures[part] = self.reconstruct(latents, arithmetic=arithmetic)
        return pictures

    def transform(self, pictures: RgbArray) -> Transformed:
        """Run the encoder's network, to code what it gives at several qualities.

        Parameters
        ----------
        pictures : ndarray of uint8
            RGB, shape (pictures, height, width, 3).

        Returns
        -------
        Transformed
            For `code`.
        """
        _check_pictures(pictures, "pictures", 4)
        margins = [(0, -side % BLOCK) for side in pictures.shape[1:3]]
        continued = np.pad(pictures, [(0, 0), *margins, (0, 0)], mode="edge")
        planes = np.ascontiguousarray(continued.transpose(0, 3, 1, 2), np.float32)
        planes /= np.float32(_PEAK)
        height, width = pictures.shape[1:3]
        return Transformed(self._networks.encoder.run(planes), width, height)

    def code(
        self,
        transformed: Transformed,
        *,
        quality: SupportsIndex,
        rate_weight: float = coding.RATE_WEIGHT,
    ) -> tuple[list[bytes], Latents]:
        """Quantise and code what `transform` gave, at any quality.

        Parameters
        ----------
        transformed : Transformed
        quality : int
            As for `encode`.
        rate_weight : float
            What a bit is worth in squared steps. More makes files smaller and pictures worse, a
            little at a time.

        Returns
        -------
        files : list of bytes
            One a picture.
        latents : Latents
            What a decoder will read from them, for `reconstruct`.
        """
        step_index = MAX_QUALITY - _checked_quality(quality)
        networks = self._networks
        quantizer = coding.Quantizer(networks.prior, networks.tables, step_index, rate_weight)
        step_indices = np.full(len(transformed.values), step_index, np.uint8)
        size = transformed.width, transformed.height
        latents = Latents(quantizer.run(transformed.values), step_indices, *size)
        for _ in range(_REFINEMENTS):
            # What the decoder makes of the latents, transformed again, is not quite what they stand
            # for; asking for the difference on top makes up for most of it.
            decoded = self._planes(latents, "integer").astype(np.float32) / np.float32(_PEAK)
            missing = transformed.values - networks.encoder.run(decoded)
            wanted = latents.values * quantizer.step + missing
            latents = Latents(quantizer.run(wanted), step_indices, *size)
        header = Header(step_index, *size)
        files = [write_file(header, code, networks.checksum) for code in quantizer.codes()]
        return files, latents

    def reconstruct(self, latents: Latents, *, arithmetic: Arithmetic = "integer") -> RgbArray:
        """Run the decoder's network over latents.

        Parameters
        ----------
        latents : Latents
        arithmetic : {"integer", "float"}
            As for `decode_many`.

        Returns
        -------
        ndarray of uint8
            RGB, shape (pictures, height, width, 3).
        """
        if arithmetic not in ("integer", "float"):
            raise ValueError(f"arithmetic must be 'integer' or 'float', got {arithmetic!r}")
        planes = self._planes(latents, arithmetic)[..., : latents.height, : latents.width]
        return np.ascontiguousarray(planes.transpose(0, 2, 3, 1), np.uint8)

    def _planes(self, latents: Latents, arithmetic: Arithmetic) -> NDArray[Any]:
        """Samples of 0 to 255, (pictures, 3, rows, columns), continued to whole blocks."""
        steps = self._networks.tables.steps[latents.step_indices]
        scaled = latents.values * steps[:, None, None, None]
        run = self._integer_planes if arithmetic == "integer" else self._float_planes
        return run(scaled, latents.step_indices[:, None, None, None])

    def _integer_planes(
        self, scaled: NDArray[np.int32], step_indices: NDArray[np.uint8]
    ) -> NDArray[np.int16]:
        info = np.iinfo(np.int16)
        given = _with_plane(scaled.clip(info.min, info.max), step_indices, np.dtype(np.int16))
        return self._networks.decoder.run_integers(given).clip(0, _PEAK)

    def _float_planes(
        self, scaled: NDArray[np.int32], step_indices: NDArray[np.uint8]
    ) -> Float32Array:
        given = _with_plane(
            scaled / np.float32(STEP_UNIT), step_indices / _STEP_INDEX_UNIT, np.dtype(np.float32)
        )
        planes: Float32Array = self._networks.float_decoder.run(given) * np.float32(_PEAK)
        return np.rint(planes, out=planes).clip(0, _PEAK, out=planes)

    def _read(self, data: bytes, max_pixels: int) -> tuple[Header, int]:
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"a file must be bytes, got {type(data).__name__}")
        header, start = read_file(bytes(data), self._networks.checksum, max_pixels=max_pixels)
        rows, columns = block_size(header.width, header.height)
        latents = rows * columns * self._networks.tables.channels
        # The coder's end takes a byte less at best.
        if latents * self._networks.tables.fewest_bits > 8 * (len(data) - start + 1):
            raise BitstreamError(
                f"{len(data)} bytes cannot hold a picture of {header.width}x{header.height}",
                kind="truncated",
                byte_offset=len(data),
            )
        return header, start

    def _decoded(self, files: Sequence[bytes], read: Sequence[tuple[Header, int]]) -> Latents:
        first = read[0][0]
        step_indices = np.array([header.step_index for header, _ in read], np.uint8)
        codes = [(bytes(data), start) for data, (_, start) in zip(files, read, strict=True)]
        rows, columns = block_size(first.width, first.height)
        values = coding.decode(
            self._networks.prior, self._networks.tables, codes, step_indices, rows, columns
        )
        return Latents(values, step_indices, first.width, first.height)

    def __repr__(self) -> str:
        return f"AutoEncoder({self._networks.tables.channels} channels)"


def _parts(count: int, height: int, width: int) -> list[slice]:
    step = max(1, _PIXELS_AT_ONCE // (height * width))
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]


def _with_plane(latents: NDArray[Any], plane: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    count, channels, rows, columns = latents.shape
    given = np.empty((count, channels + 1, rows, columns), dtype)
    given[:, :channels] = latents
    given[:, channels:] = plane
    return given


def _check_pictures(pictures: object, name: str, ndim: int) -> None:
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8:
        got = pictures.dtype if isinstance(pictures, np.ndarray) else type(pictures).__name__
        raise TypeError(f"{name} must be an array of uint8, got {got}")
    shape = "(height, width, 3)" if ndim == 3 else "(pictures, height, width, 3)"
    if pictures.ndim != ndim or pictures.shape[-1] != 3 or 0 in pictures.shape:
        raise ValueError(f"{name} must have shape {shape} and not be empty, got {pictures.shape}")
    if max(pictures.shape[-3:-1]) > MAX_SIDE:
        raise ValueError(f"{name} must have sides of at most {MAX_SIDE}, got {pictures.shape}")


def _checked_quality(quality: SupportsIndex) -> int:
    value = check_integer(quality, "quality")
    if not 0 <= value <= MAX_QUALITY:
        raise ValueError(f"quality must be 0 to {MAX_QUALITY}, got {value}")
    return value
