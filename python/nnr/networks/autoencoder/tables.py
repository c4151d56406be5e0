"""The integers beside the prior: steps, stages, and counts of symbols."""

from __future__ import annotations

import os
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ...errors import BitstreamError
from .stages import ALL, Stage

STEP_COUNT = 256
# Steps are stored in sixteenths.
STEP_UNIT = 16
MAX_CHANNELS = 192
_COUNT_SUM = 1 << 15
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError)
_DTYPES = {"steps": np.int32, "stages": np.int32, "frequencies": np.uint16, "shifts": np.uint8}


@dataclass(frozen=True, eq=False)
class PriorTables:
    """What a decoder needs to know beside the networks.

    Parameters
    ----------
    steps : ndarray of int32
        The quantisation step of each step index, in sixteenths; 256 numbers that do not fall.
    stages : tuple of Stage
        In the order in which they are coded; together they have each latent once.
    coder : LatentTables
        The native coder with its counts.
    bits : ndarray of float32
        What each symbol costs, shape (64, 16, symbols).
    """

    steps: NDArray[np.int32]
    stages: tuple[Stage, ...]
    coder: _core.LatentTables = field(repr=False)
    bits: NDArray[np.float32] = field(repr=False)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PriorTables:
        """Read ``prior-tables.npz``.

        Raises
        ------
        BitstreamError
            The file is damaged, or holds other tables.
        """
        try:
            return cls._made(**_arrays(path))
        except (ValueError, EOFError, OSError, KeyError, *_ZIP_ERRORS) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise BitstreamError(
                f"{os.fspath(path)}: {error}", kind="corrupt", byte_offset=0
            ) from error

    @classmethod
    def _made(
        cls,
        steps: NDArray[np.int32],
        stages: NDArray[np.int32],
        frequencies: NDArray[np.uint16],
        shifts: NDArray[np.uint8],
    ) -> PriorTables:
        is_rising = steps.shape == (STEP_COUNT,) and (np.diff(steps) >= 0).all()
        if not is_rising or not 1 <= steps[0] <= steps[-1] < 1 << 15:
            raise ValueError("steps must be 256 numbers from 1 to 32767 that do not fall")
        coder = _core.LatentTables(frequencies, shifts)
        bits = -np.log2(frequencies / np.float32(_COUNT_SUM), dtype=np.float32)
        return cls(steps, _checked_stages(stages), coder, bits)

    @property
    def channels(self) -> int:
        """Channels of the latents."""
        return max(stage.end for stage in self.stages)

    @property
    def fewest_bits(self) -> float:
        """What a latent costs at the very least."""
        return float(self.bits.min())


def _arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
        arrays = {name: np.ascontiguousarray(archive[name]) for name in _DTYPES}
    for name, dtype in _DTYPES.items():
        if arrays[name].dtype != dtype:
            raise ValueError(f"{name} must be {np.dtype(dtype)}, got {arrays[name].dtype}")
    return arrays


def _checked_stages(rows: NDArray[np.int32]) -> tuple[Stage, ...]:
    if rows.ndim != 2 or rows.shape[1] != 3 or not len(rows):
        raise ValueError(f"stages must have shape (stages, 3), got {rows.shape}")
    stages = tuple(Stage(*row) for row in rows.tolist())
    # One position of each parity stands for all of them.
    coded = np.zeros((MAX_CHANNELS, 2), int)
    for stage in stages:
        if not (0 <= stage.first < stage.end <= MAX_CHANNELS and 0 <= stage.parity <= ALL):
            raise ValueError(f"stages must not hold {tuple(stage)}")
        coded[stage.first : stage.end, [0, 1] if stage.parity == ALL else stage.parity] += 1
    channels = max(stage.end for stage in stages)
    if (coded[:channels] != 1).any():
        raise ValueError("stages must hold every latent once")
    return stages
