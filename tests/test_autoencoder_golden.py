"""Frozen .nna files decode to the frozen pictures, everywhere and for good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from golden.make_autoencoder import BUNDLED, pictures

import nnr

FOLDER = Path(__file__).parent / "golden" / "autoencoder"
NAMES = sorted(path.stem for path in FOLDER.glob("*.nna"))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("name", NAMES)
def test_decodes_to_the_frozen_picture(name: str) -> None:
    autoencoder = nnr.AutoEncoder.load(None if name == BUNDLED else FOLDER)
    decoded = autoencoder.decode((FOLDER / f"{name}.nna").read_bytes())
    expected = np.load(FOLDER / f"{name}.npz")["picture"]
    np.testing.assert_array_equal(decoded, expected)
    assert decoded.shape == pictures()[name][0].shape
