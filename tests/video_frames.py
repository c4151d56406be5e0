"""Small pictures for the tests of video and evaluation."""

from __future__ import annotations

import numpy as np

from nnr.video import Frame, FrameFormat


def noise_frame(frame_format: FrameFormat, seed: int = 0) -> Frame:
    """Every sample value of the bit depth may occur."""
    random = np.random.default_rng(seed)
    y, u, v = (
        random.integers(0, frame_format.peak + 1, shape).astype(frame_format.dtype)
        for shape in frame_format.plane_shapes
    )
    return Frame(y, u, v, frame_format.bit_depth)


def smooth_frame(frame_format: FrameFormat, seed: int = 0) -> Frame:
    """Something that an encoder can predict: waves with a little noise."""
    random = np.random.default_rng(seed)
    y, u, v = (
        _waves(shape, random, frame_format.peak).astype(frame_format.dtype)
        for shape in frame_format.plane_shapes
    )
    return Frame(y, u, v, frame_format.bit_depth)


def same(first: Frame, second: Frame) -> bool:
    return first.format == second.format and first.tobytes() == second.tobytes()


def _waves(shape: tuple[int, int], random: np.random.Generator, peak: int) -> np.ndarray:
    rows, columns = np.indices(shape)
    angle = random.uniform(0, np.pi)
    wave = np.sin((rows * np.sin(angle) + columns * np.cos(angle)) / 5 + 3 * np.sin(rows / 17))
    return (0.5 + 0.4 * wave + 0.004 * random.standard_normal(shape)).clip(0, 1) * peak
