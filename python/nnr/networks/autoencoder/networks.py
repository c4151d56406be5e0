"""The files of an auto-encoder: three networks and the tables, each read when it is needed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ..integer import IntegerNetwork
from ..network import Network
from .latents import Prior
from .tables import PriorTables

BUNDLED = Path(__file__).parents[1] / "weights" / "autoencoder"
# What decodes; other bytes here make other pictures.
_DECODING_FILES = ("prior-tables.npz", "prior.safetensors", "decoder.safetensors")
_SUFFIXES = (".npz", ".onnx", ".safetensors")
_RGB = 3


class Networks:
    """What a folder holds.

    Parameters
    ----------
    folder : Path
        With ``encoder.onnx``, ``decoder.onnx``, ``decoder.safetensors``, ``prior.safetensors`` and
        ``prior-tables.npz``.

    Raises
    ------
    BitstreamError
        One of the files that decode is damaged.
    ValueError
        They do not fit each other.
    OSError
        A file is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.tables = PriorTables.load(folder / "prior-tables.npz")
        prior = IntegerNetwork.load(folder / "prior.safetensors")
        self.decoder = IntegerNetwork.load(folder / "decoder.safetensors")
        channels = self.tables.channels
        self._check("prior.safetensors", prior, channels + 2, 2 * channels)
        self._check("decoder.safetensors", self.decoder, channels + 1, _RGB)
        self.prior = Prior(prior, self.tables)

    @cached_property
    def encoder(self) -> Network:
        """The network of the encoder, of floats."""
        network = Network.load(self._folder / "encoder.onnx")
        self._check("encoder.onnx", network, _RGB, self.tables.channels)
        return network

    @cached_property
    def float_decoder(self) -> Network:
        """The original of the decoder, of floats."""
        network = Network.load(self._folder / "decoder.onnx")
        self._check("decoder.onnx", network, self.tables.channels + 1, _RGB)
        return network

    @cached_property
    def checksum(self) -> int:
        """CRC-32 of the files that decode."""
        return self._checksum_of(_DECODING_FILES)

    @cached_property
    def full_checksum(self) -> int:
        """CRC-32 of all files."""
        return self._checksum_of(self.file_sizes)

    @property
    def file_sizes(self) -> dict[str, int]:
        """Bytes of each of the files."""
        paths = sorted(path for path in self._folder.iterdir() if path.suffix in _SUFFIXES)
        return {path.name: path.stat().st_size for path in paths}

    def _checksum_of(self, names: Iterable[str]) -> int:
        result = 0
        for name in names:
            result = zlib.crc32((self._folder / name).read_bytes(), result)
        return result

    def _check(
        self, name: str, network: Network | IntegerNetwork, in_channels: int, out_channels: int
    ) -> None:
        found = network.in_channels, network.out_channels
        if found != (in_channels, out_channels):
            raise ValueError(
                f"{self._folder / name} must take {in_channels} channels and give {out_channels}, "
                f"got {found[0]} and {found[1]}"
            )
