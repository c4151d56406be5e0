"""A decoder of ``.nna`` files in plain Python: docs/autoencoder.md as a program.

It knows nothing of batches, damage or bounds; `nnr.AutoEncoder` does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..networks.integer import IntegerGraph
from . import integer_network
from .latent_coder import LatentDecoder, LatentTables

_BLOCK = 8
_CHECKSUM_BYTES = 4
_INT16 = np.iinfo(np.int16)


def decode(
    data: bytes,
    steps: Sequence[int],
    stages: Sequence[tuple[int, int, int]],
    tables: LatentTables,
    prior: IntegerGraph,
    decoder: IntegerGraph,
) -> NDArray[np.uint8]:
    """Decode a file.

    Parameters
    ----------
    data : bytes
        A whole file.
    steps : sequence of int
        The step of each step index, in sixteenths.
    stages : sequence of (int, int, int)
        First channel, end channel, parity.
    tables : LatentTables
    prior, decoder : IntegerGraph
        The two networks.

    Returns
    -------
    ndarray of uint8
        RGB, shape (height, width, 3).
    """
    step_index, position = data[2], 3
    width, position = _varint(data, position)
    height, position = _varint(data, position)
    code = LatentDecoder(tables, data[position + _CHECKSUM_BYTES :])
    rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
    channels = max(end for _, end, _ in stages)
    latents = np.zeros((channels, rows, columns), np.int16)
    plane = np.full((1, rows, columns), step_index, np.int16)
    for number, (first, end, parity) in enumerate(stages):
        seen = [latents.clip(-255, 255), plane, np.full_like(plane, number)]
        predicted = integer_network.run(prior, np.concatenate(seen))
        places = np.add.outer(np.arange(rows), np.arange(columns))
        mask = np.full(places.shape, True) if parity == 2 else places % 2 == parity
        means, scales = (
            predicted[first:end, mask],
            predicted[channels + first : channels + end, mask],
        )
        values = code.decode(means.ravel(), scales.ravel())
        latents[first:end, mask] = values.reshape(end - first, -1)
    code.finish()
    scaled = (latents.astype(np.int32) * steps[step_index]).clip(_INT16.min, _INT16.max)
    samples = integer_network.run(decoder, np.concatenate([scaled.astype(np.int16), plane]))
    return samples.clip(0, 255).astype(np.uint8)[:, :height, :width].transpose(1, 2, 0)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number, place = 0, 0
    while True:
        byte = data[position]
        number |= (byte & 0x7F) << place
        position, place = position + 1, place + 7
        if byte < 0x80:
            return number, position
