"""PSNR and SSIM against independent implementations."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from video_frames import smooth_frame

from nnr.evaluation import psnr, rgb_quality, ssim
from nnr.video import FrameFormat, ffmpeg


def planes(rows: int, columns: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An 8-bit plane and a noisy 10-bit version of it."""
    source = smooth_frame(FrameFormat(columns, rows), seed).y
    random = np.random.default_rng(seed + 1)
    decoded = 4.0 * source + noise * random.standard_normal(source.shape)
    return source, np.rint(decoded).clip(0, 1023).astype(np.uint16)


@pytest.mark.parametrize(("rows", "columns"), [(11, 11), (11, 40), (43, 12), (75, 200), (96, 97)])
@pytest.mark.parametrize("noise", [0.0, 3.0, 200.0])
def test_ssim_is_that_of_scikit_image(rows: int, columns: int, noise: float) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    source, decoded = planes(rows, columns, noise)
    _, values = metrics.structural_similarity(
        4.0 * source,
        1.0 * decoded,
        data_range=1020,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    expected = values[5:-5, 5:-5].mean()
    assert ssim(source, decoded, bit_depth=10) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_psnr_is_that_of_scikit_image(seed: int) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    random = np.random.default_rng(seed)
    source = random.integers(0, 256, (31, 45), np.uint8)
    decoded = random.integers(0, 1024, (31, 45), np.uint16)
    expected = metrics.peak_signal_noise_ratio(4.0 * source, 1.0 * decoded, data_range=1020)
    assert psnr(source, decoded, bit_depth=10) == pytest.approx(expected, rel=1e-12)


def test_psnr_is_that_of_ffmpeg() -> None:
    pytest.importorskip("imageio_ffmpeg")
    source, decoded = (smooth_frame(FrameFormat(64, 48), seed) for seed in (0, 1))
    inputs = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "64x48", "-i", "-"]
    split = "[0:v]trim=end_frame=1[a];[0:v]trim=start_frame=1,setpts=PTS-STARTPTS[b];[a][b]psnr"
    _, messages = ffmpeg.run(
        [*inputs, "-filter_complex", split, "-f", "null", "-"],
        source.tobytes() + decoded.tobytes(),
    )
    expected = float(messages.split("PSNR y:")[1].split()[0])
    assert psnr(source.y, decoded.y) == pytest.approx(expected, abs=1e-5)


def test_psnr_by_hand() -> None:
    source = np.array([[10, 20], [30, 40]], np.uint8)
    decoded = np.array([[40, 82], [120, 156]], np.uint16)  # off by 0, 2, 0 and 4 at 10 bits
    expected = 10 * math.log10(1020**2 / ((0 + 4 + 0 + 16) / 4))
    assert psnr(source, decoded, bit_depth=10) == pytest.approx(expected, rel=1e-12)
    # Nothing wraps round, whichever plane is the larger.
    assert psnr(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)) == 0
    assert psnr(np.full((2, 2), 255, np.uint8), np.zeros((2, 2), np.uint8)) == 0


def test_ten_bits_exactly_scaled_count_as_eight() -> None:
    source, decoded = (smooth_frame(FrameFormat(40, 30), seed).y for seed in (0, 1))
    wide = decoded.astype(np.uint16) * 4
    assert psnr(source, wide, bit_depth=10) == pytest.approx(psnr(source, decoded), rel=1e-12)
    assert ssim(source, wide, bit_depth=10) == pytest.approx(ssim(source, decoded), rel=1e-12)


def test_equal_planes() -> None:
    source, _ = planes(60, 50, 0)
    assert psnr(source, source) == math.inf
    assert ssim(source, source) == 1.0


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_bad_planes(metric: Callable[..., float]) -> None:
    plane = np.zeros((20, 20), np.uint8)
    with pytest.raises(ValueError, match="of one shape"):
        metric(plane, plane[1:])
    with pytest.raises(ValueError, match="of one shape"):
        metric(plane[:0], plane[:0])
    with pytest.raises(ValueError, match="bit depths"):
        metric(plane, plane, source_bit_depth=10, bit_depth=8)
    with pytest.raises(ValueError, match="bit depths"):
        metric(plane, plane, bit_depth=17)


def test_ssim_needs_a_window() -> None:
    with pytest.raises(ValueError, match="11x11"):
        ssim(np.zeros((10, 20), np.uint8), np.zeros((10, 20), np.uint8))


def test_many_pictures_are_measured_as_each() -> None:
    random = np.random.default_rng(2)
    sources = random.integers(0, 256, (37, 16, 20, 3), np.uint8)
    decoded = (sources + random.integers(-9, 10, sources.shape)).clip(0, 255).astype(np.uint8)
    psnrs, ssims = rgb_quality(sources, decoded)
    for index in range(37):
        error = np.mean((sources[index].astype(float) - decoded[index]) ** 2)
        assert psnrs[index] == pytest.approx(10 * math.log10(255**2 / error), rel=1e-12)
        colours = [ssim(sources[index, ..., c], decoded[index, ..., c]) for c in range(3)]
        assert ssims[index] == pytest.approx(np.mean(colours), rel=1e-12)


def test_pictures_without_error_have_a_psnr() -> None:
    source = np.zeros((1, 32, 32, 3), np.uint8)
    psnrs, ssims = rgb_quality(source, source)
    assert psnrs[0] == pytest.approx(20 * math.log10(255) + 10 * math.log10(32 * 32 * 3))
    assert ssims[0] == 1
    with pytest.raises(ValueError, match="of one shape"):
        rgb_quality(source, source[..., :2])
    with pytest.raises(ValueError, match="11x11"):
        rgb_quality(source[:, :10], source[:, :10])


def test_full_hd_takes_no_second() -> None:
    source, decoded = planes(1080, 1920, 3)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        ssim(source, decoded, bit_depth=10)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1
