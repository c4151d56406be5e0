"""Y4M files, whole and damaged."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_frames import noise_frame, same

import nnr
from nnr.video import FrameFormat, ffmpeg, open_sequence, write_y4m


@pytest.mark.parametrize("bit_depth", [8, 10, 16])
def test_round_trip(tmp_path: Path, bit_depth: int) -> None:
    frames = [noise_frame(FrameFormat(19, 7, bit_depth), seed) for seed in range(3)]
    path = tmp_path / "clip.y4m"
    write_y4m(path, frames, rate=Fraction(30000, 1001))
    sequence = open_sequence(path)
    assert sequence.format == FrameFormat(19, 7, bit_depth)
    assert sequence.rate == Fraction(30000, 1001)
    assert all(same(got, wanted) for got, wanted in zip(sequence, frames, strict=True))


@pytest.mark.parametrize(("bit_depth", "pixels"), [(8, "yuv420p"), (10, "yuv420p10le")])
def test_ffmpeg_reads_what_we_write_and_we_what_it_writes(
    tmp_path: Path, bit_depth: int, pixels: str
) -> None:
    pytest.importorskip("imageio_ffmpeg")
    frames = [noise_frame(FrameFormat(34, 18, bit_depth), seed) for seed in range(2)]
    write_y4m(tmp_path / "ours.y4m", frames)
    ours = ["-loglevel", "error", "-i", str(tmp_path / "ours.y4m"), "-strict", "-1"]
    raw, _ = ffmpeg.run([*ours, "-f", "rawvideo", "-pix_fmt", pixels, "-"])
    assert raw == b"".join(frame.tobytes() for frame in frames)
    ffmpeg.run([*ours, str(tmp_path / "theirs.y4m")])
    theirs = open_sequence(tmp_path / "theirs.y4m")
    assert all(same(got, wanted) for got, wanted in zip(theirs, frames, strict=True))


def test_frame_lines_may_have_parameters(tmp_path: Path) -> None:
    frame = noise_frame(FrameFormat(4, 4))
    path = tmp_path / "clip.y4m"
    parts = [
        b"YUV4MPEG2 W4 H4 F25:1\n",
        b"FRAME Ip\n",
        frame.tobytes(),
        b"FRAME\n",
        frame.tobytes(),
    ]
    path.write_bytes(b"".join(parts))
    assert [same(got, frame) for got in open_sequence(path)] == [True, True]


@pytest.mark.parametrize(
    ("header", "kind", "message"),
    [
        (b"RIFF W4 H4\n", "corrupt", "not a Y4M file"),
        (b"YUV4MPEG2 H4\n", "corrupt", "no usable size"),
        (b"YUV4MPEG2 W0 H4\n", "corrupt", "no usable size"),
        (b"YUV4MPEG2 W-4 H4\n", "corrupt", "no usable size"),
        (b"YUV4MPEG2 W99999 H4\n", "corrupt", "no usable size"),
        (b"YUV4MPEG2 W65536 H65536\nFRAME\n", "truncated", "cut short"),
        (b"YUV4MPEG2 W4 H4 It\n", "unsupported", "interlaced"),
        (b"YUV4MPEG2 W4 H4 C422\n", "unsupported", "not C422"),
        (b"YUV4MPEG2 W4 H4 C420p99\n", "unsupported", "not C420p99"),
        (b"YUV4MPEG2 W4 H4\n", "truncated", "no frames"),
        (b"YUV4MPEG2 W4 H4\nFRAMES\n" + bytes(24), "corrupt", "no FRAME line"),
        (b"YUV4MPEG2 W4 H4 X" + b"x" * 300 + b"\n", "corrupt", "no end"),
        (b"", "truncated", "empty"),
    ],
)
def test_bad_headers(tmp_path: Path, header: bytes, kind: str, message: str) -> None:
    path = tmp_path / "clip.y4m"
    path.write_bytes(header)
    with pytest.raises(nnr.BitstreamError, match=message) as caught:
        open_sequence(path)
    assert caught.value.kind == kind


def test_truncation_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "clip.y4m"
    write_y4m(path, [noise_frame(FrameFormat(4, 4), seed) for seed in range(2)])
    whole = path.read_bytes()
    one_frame = len(whole) - len(b"FRAME\n") - 24
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if length == one_frame:
            assert len(open_sequence(path)) == 1
            continue
        with pytest.raises(nnr.BitstreamError):
            open_sequence(path)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_error_or_frames(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    path = tmp_path_factory.mktemp("y4m") / "clip.y4m"
    path.write_bytes(b"YUV4MPEG2 W2 H2" + tail)
    try:
        sequence = open_sequence(path)
    except nnr.BitstreamError:
        return
    assert all(len(frame.tobytes()) == sequence.format.frame_bytes for frame in sequence)
