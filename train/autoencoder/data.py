"""Pictures for training: CIFAR-10 mosaics, and small patches of photographs scaled down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from .latents import BLOCK, CHANNELS
from .network import Components

# A mosaic is 25 rows of 40 pictures of 32x32.
ROWS, COLUMNS, SIDE = 25, 40, 32
PATCH_SIDE = 64
# Photographs as they are, and down to the look of small pictures.
LARGEST_SCALE = 6.0
PATCHES_PER_PHOTOGRAPH = 24
# The share of batches that hold patches of photographs, a quarter as many of them.
PHOTOGRAPH_SHARE = 0.2


def read_mosaic(path: Path) -> NDArray[np.uint8]:
    """The pictures of a mosaic: (1000, 32, 32, 3)."""
    mosaic = np.asarray(Image.open(path).convert("RGB"))
    tiles = mosaic.reshape(ROWS, SIDE, COLUMNS, SIDE, 3).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(-1, SIDE, SIDE, 3)


def read_cifar(folder: Path) -> NDArray[np.uint8]:
    return np.concatenate([read_mosaic(path) for path in sorted(folder.glob("train_*.png"))])


def read_patches(folder: Path, seed: int) -> NDArray[np.uint8]:
    """Random patches of photographs that were scaled down: (count, 64, 64, 3)."""
    random = np.random.default_rng(seed)
    patches = []
    for path in sorted(folder.rglob("*.png")):
        photograph = Image.open(path).convert("RGB")
        for _ in range(PATCHES_PER_PHOTOGRAPH):
            scale = min(LARGEST_SCALE ** random.random(), min(photograph.size) / PATCH_SIDE)
            width, height = (round(side / scale) for side in photograph.size)
            small = photograph.resize((width, height), Image.Resampling.LANCZOS)
            left = random.integers(width - PATCH_SIDE + 1)
            top = random.integers(height - PATCH_SIDE + 1)
            box = (left, top, left + PATCH_SIDE, top + PATCH_SIDE)
            patches.append(np.asarray(small.crop(box)))
    return np.stack(patches)


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, 3) of bytes to (N, 3, H, W) of 0 to 1."""
    return torch.from_numpy(pictures.astype(np.float32) / 255).permute(0, 3, 1, 2).contiguous()


class PictureSampler:
    """Batches of pictures, mirrored at random."""

    def __init__(
        self, cifar: NDArray[np.uint8], patches: NDArray[np.uint8], batch: int, seed: int
    ) -> None:
        self._cifar = cifar
        self._patches = patches
        self._batch = batch
        self._random = np.random.default_rng(seed)

    def __call__(self) -> Tensor:
        is_photograph = self._random.random() < PHOTOGRAPH_SHARE
        pool = self._patches if is_photograph else self._cifar
        count = self._batch // 4 if is_photograph else self._batch
        chosen = pool[self._random.integers(len(pool), size=count)]
        mirrored = self._random.random(count) < 0.5
        chosen[mirrored] = chosen[mirrored, :, ::-1]
        return to_tensor(chosen)


def principal_components(pictures: Tensor) -> Components:
    """Of the blocks of pictures (N, 3, H, W), the widest first."""
    blocks = F.unfold(pictures, BLOCK, stride=BLOCK).transpose(1, 2).reshape(-1, CHANNELS).double()
    mean = blocks.mean(0)
    # A decoder adds the mean by convolution: one number a channel of a sample's phase.
    variances, basis = torch.linalg.eigh((blocks - mean).T.cov())
    basis, variances = basis.T.flip(0), variances.flip(0)
    # The first component is positive where pictures are bright.
    basis = basis * torch.where(basis.sum(1, keepdim=True) < 0, -1.0, 1.0)
    shape = (3, BLOCK, BLOCK)
    return Components(
        mean.view(shape).mean((1, 2), keepdim=True).expand(shape).float(),
        basis.view(-1, *shape).float(),
        variances.clamp_min(0).sqrt().float() * 255,
    )
