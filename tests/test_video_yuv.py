"""Raw planar YUV files, and what their names tell."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video_frames import noise_frame, same

import nnr
from nnr.video import FrameFormat, find_sequences, open_sequence, write_yuv
from nnr.video.yuv import NameFields, parse_name


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("BasketballDrill_832x480_50.yuv", NameFields((832, 480), None, Fraction(50))),
        ("BQSquare_416x240_60.YUV", NameFields((416, 240), None, Fraction(60))),
        ("MarketPlace_1920x1080_60fps_10bit_420.yuv", NameFields((1920, 1080), 10, Fraction(60))),
        ("ArenaOfValor_1920x1080_60_8bit_420.yuv", NameFields((1920, 1080), 8, Fraction(60))),
        ("DaylightRoad2_3840x2160_60fps_10bit_420.yuv", NameFields((3840, 2160), 10, Fraction(60))),
        ("park_1280x720_59.94_yuv420p10le.yuv", NameFields((1280, 720), 10, Fraction("59.94"))),
        ("bus_352x288_420_f20_b8.yuv", NameFields((352, 288), 8, None)),
        ("CiscoVT2people_320x192_12fps.yuv", NameFields((320, 192), None, Fraction(12))),
        ("clic_416x240_12f.yuv", NameFields((416, 240), None, None)),
        ("clip-2_30fps_64x48.yuv", NameFields((64, 48), None, Fraction(30))),
        ("foreman.yuv", NameFields()),
    ],
)
def test_name(name: str, fields: NameFields) -> None:
    assert parse_name(name) == fields


@pytest.mark.parametrize(
    "name", ["a_64x64_30_422.yuv", "a_64x64_yuv444p10le.yuv", "a_64x64_400.yuv"]
)
def test_other_chroma_formats_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="only 4:2:0"):
        parse_name(name)


@pytest.mark.parametrize("size", ["32x16", "33x17", "1x1"])
@pytest.mark.parametrize("bit_depth", [8, 10])
def test_round_trip(tmp_path: Path, size: str, bit_depth: int) -> None:
    width, height = map(int, size.split("x"))
    frames = [noise_frame(FrameFormat(width, height, bit_depth), seed) for seed in range(3)]
    path = tmp_path / f"clip_{size}_50_{bit_depth}bit.yuv"
    write_yuv(path, frames)
    sequence = open_sequence(path)
    assert (sequence.name, sequence.rate, len(sequence)) == (path.stem, 50, 3)
    assert all(same(got, wanted) for got, wanted in zip(sequence, frames, strict=True))
    assert same(sequence[-1], frames[2])
    assert [same(frame, frames[i]) for i, frame in enumerate(sequence[:2])] == [True, True]


def test_arguments_go_before_the_name(tmp_path: Path) -> None:
    frame = noise_frame(FrameFormat(8, 8, 10))
    path = tmp_path / "clip_64x64_50.yuv"
    path.write_bytes(frame.tobytes())
    sequence = open_sequence(path, size=(8, 8), bit_depth=10, rate=30)
    assert (sequence.format, sequence.rate) == (FrameFormat(8, 8, 10), 30)
    assert same(sequence[0], frame)


@pytest.mark.parametrize("change", [-1, 1])
def test_partial_frame_is_an_error_with_the_numbers(tmp_path: Path, change: int) -> None:
    path = tmp_path / "clip_16x16_50.yuv"
    path.write_bytes(bytes(2 * 384 + change))
    with pytest.raises(nnr.BitstreamError, match=r"clip_16x16_50.*384 bytes a frame") as caught:
        open_sequence(path)
    assert caught.value.kind == "truncated"
    assert str(2 * 384 + change) in str(caught.value)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "clip_16x16_50.yuv"
    path.touch()
    with pytest.raises(nnr.BitstreamError, match="empty"):
        open_sequence(path)


def test_samples_beyond_the_bit_depth(tmp_path: Path) -> None:
    path = tmp_path / "clip_16x16_10bit.yuv"
    samples = np.zeros(2 * 384, "<u2")
    samples[400] = 1024
    path.write_bytes(samples.tobytes())
    sequence = open_sequence(path)
    sequence[0]
    with pytest.raises(nnr.BitstreamError, match=r"frame 1 has a sample of 1024.*10 bits"):
        sequence[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("foreman.yuv", "tells no size"),
        ("clip_0x16.yuv", "at least 1x1"),
        ("clip_16x16_7bit.yuv", "8 to 16"),
        ("clip.mp4", "not a sequence"),
    ],
)
def test_unusable_names(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(bytes(384))
    with pytest.raises(ValueError, match=message):
        open_sequence(tmp_path / name)


def test_index_out_of_range(tmp_path: Path) -> None:
    path = tmp_path / "clip_16x16_50.yuv"
    path.write_bytes(bytes(384))
    with pytest.raises(IndexError, match="has 1 frames"):
        open_sequence(path)[1]


def test_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "clip_16x16_50.yuv"
    path.write_bytes(b"before")
    frames = [noise_frame(FrameFormat(16, 16)), noise_frame(FrameFormat(16, 18))]
    with pytest.raises(ValueError, match="frame 1 is"):
        write_yuv(path, frames)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_real_clips(shared_data: Path) -> None:
    sequences = find_sequences(shared_data / "test" / "yuv")
    assert [(s.name, s.format.width, len(s)) for s in sequences] == [
        ("bus_352x288_10f", 352, 10),
        ("clic_1920x1080_5f", 1920, 5),
        ("clic_416x240_12f", 416, 12),
        ("clic_832x480_8f", 832, 8),
        ("people_320x192_9f", 320, 9),
        ("vtest_416x240_8f", 416, 8),
    ]
    # A picture, not rows out of step: neighbouring rows look alike.
    luma = sequences[0][9].y.astype(float)
    assert np.abs(np.diff(luma, axis=0)).mean() < 20
