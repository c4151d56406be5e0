"""Makes the golden files of `autoencoder/`: pictures coded with tiny networks, and what they give.

    PYTHONPATH=tests python tests/golden/make_autoencoder.py FOLDER [--bundled]

The networks lie beside them, so that what is frozen is the format and its arithmetic, whatever the
bundled networks become. With --bundled it makes only those of the bundled networks, which have to be
made again whenever these change.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from autoencoder_files import write_autoencoder
from numpy.typing import NDArray

import nnr

NETWORKS = ("prior-tables.npz", "prior.safetensors", "decoder.safetensors")
BUNDLED = "bundled"


def pictures() -> dict[str, tuple[NDArray[np.uint8], int]]:
    """Pictures and their qualities by name."""
    random = np.random.default_rng(1)
    rows, columns = np.arange(30)[:, None, None], np.arange(21)[:, None]
    slope = 60 + 3 * rows + 2 * columns + np.array([0, 20, 40])
    return {
        "slope": (slope.astype(np.uint8), 160),
        "noise": (random.integers(0, 256, (13, 21, 3), np.uint8), 255),
        # Latents far from any prediction: escapes.
        "tiles": (random.choice(np.uint8([0, 255]), (2, 3, 3)).repeat(8, 0).repeat(8, 1), 255),
        "dot": (np.full((1, 1, 3), 77, np.uint8), 0),
        BUNDLED: ((slope + random.integers(-9, 10, slope.shape)).astype(np.uint8), 144),
    }


def main(folder: Path, *, bundled: bool) -> None:
    folder.mkdir(exist_ok=True)
    if not bundled:
        write_autoencoder(folder)
    autoencoder = nnr.AutoEncoder.load(None if bundled else folder)
    for name, (picture, quality) in pictures().items():
        if (name == BUNDLED) == bundled:
            data = autoencoder.encode(picture, quality=quality)
            (folder / f"{name}.nna").write_bytes(data)
            np.savez_compressed(folder / f"{name}.npz", picture=autoencoder.decode(data))
    for path in folder.glob("*.onnx"):  # decoding does without
        path.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bundled", action="store_true")
    arguments = parser.parse_args()
    main(arguments.folder, bundled=arguments.bundled)
