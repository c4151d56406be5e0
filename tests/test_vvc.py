"""VVC through ffmpeg: the QP is the one asked for, and the decoder's pictures are the encoder's."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from video_frames import noise_frame, smooth_frame

import nnr
from nnr.evaluation import photographs, psnr
from nnr.video import Frame, FrameFormat, VvcSettings, ffmpeg, vvc
from nnr.video.vvc import LoopFilters

pytest.importorskip("imageio_ffmpeg")

SUFFIX_SEI, PICTURE_HASH, MD5 = 24, 132, 0


@pytest.fixture(scope="module")
def crop() -> Frame:
    """128x96 samples of a photograph; big enough that every filter has work to do."""
    pytest.importorskip("skimage")
    face = photographs()[0][0]
    chroma = np.s_[64:112, 80:144]
    return Frame(face.y[128:224, 160:288], face.u[chroma], face.v[chroma])


@pytest.mark.parametrize("qp", [0, 22, 37, 63])
def test_every_slice_has_the_qp(qp: int) -> None:
    frames = [smooth_frame(FrameFormat(64, 48), seed) for seed in range(3)]
    stream = vvc.encode(frames, VvcSettings(qp))
    assert vvc.slice_qps(stream.data) == [qp] * 3


@pytest.mark.parametrize(
    ("loop_filters", "expected"),
    [
        ("all", {"sh_sao_luma_used_flag": 1, "sh_alf_enabled_flag": 1}),
        ("deblock+sao", {"sh_sao_luma_used_flag": 1, "sps_alf_enabled_flag": 0}),
        (
            "none",
            {
                "sps_sao_enabled_flag": 0,
                "sps_alf_enabled_flag": 0,
                "pps_deblocking_filter_disabled_flag": 1,
            },
        ),
    ],
)
def test_headers_state_the_filters(
    crop: Frame, loop_filters: LoopFilters, expected: dict[str, int]
) -> None:
    headers = dict(vvc.header_values(vvc.encode([crop], VvcSettings(37, loop_filters)).data))
    assert {name: headers[name] for name in expected} == expected
    assert headers["sps_lmcs_enabled_flag"] == 0
    # Absent means that deblocking is on.
    assert headers.get("pps_deblocking_filter_disabled_flag", 0) == (loop_filters == "none")


def test_more_filters_give_better_pictures(crop: Frame) -> None:
    values = []
    for loop_filters in ("none", "deblock+sao", "all"):
        decoded = vvc.decode(vvc.encode([crop], VvcSettings(37, loop_filters)))
        values.append(psnr(crop.y, decoded[0].y, bit_depth=10))
    assert values == sorted(values)
    assert values[2] > values[0] + 0.1


@pytest.mark.parametrize("loop_filters", ["all", "deblock+sao", "none"])
def test_decoder_agrees_with_the_encoder(
    crop: Frame, loop_filters: LoopFilters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The encoder writes the MD5 of every plane that it reconstructed into the stream."""
    parameters = vvc._LOOP_FILTER_PARAMETERS
    with_hash = parameters[loop_filters] + ":SEIDecodedPictureHash=1"
    monkeypatch.setitem(parameters, loop_filters, with_hash)
    stream = vvc.encode([crop, crop], VvcSettings(32, loop_filters))
    decoded = vvc.decode(stream)
    assert picture_hashes(stream.data) == [plane_hashes(frame) for frame in decoded]


@pytest.mark.parametrize("size", ["1x1", "15x9", "16x16", "17x33", "130x66"])
def test_any_size_comes_back(size: str) -> None:
    width, height = map(int, size.split("x"))
    source = smooth_frame(FrameFormat(width, height))
    stream = vvc.encode([source], VvcSettings(10, "none"))
    (decoded,) = vvc.decode(stream)
    assert decoded.format == FrameFormat(width, height, 10)
    assert psnr(source.y, decoded.y, bit_depth=10) > 40


def test_ten_bit_source() -> None:
    source = smooth_frame(FrameFormat(64, 64, 10))
    (decoded,) = vvc.decode(vvc.encode([source], VvcSettings(10)))
    assert psnr(source.y, decoded.y, source_bit_depth=10) > 40


def test_stream_depends_neither_on_threads_nor_on_chunks() -> None:
    frames = [smooth_frame(FrameFormat(96, 64), seed) for seed in range(4)]
    whole = vvc.encode(frames, VvcSettings(32), threads=1)
    assert vvc.encode(frames, VvcSettings(32), threads=3).data == whole.data
    chunks = [vvc.encode(part, VvcSettings(32)) for part in (frames[:1], frames[1:])]
    assert sum(len(chunk.data) for chunk in chunks) == len(whole.data)
    decoded = [frame.tobytes() for chunk in chunks for frame in vvc.decode(chunk)]
    assert decoded == [frame.tobytes() for frame in vvc.decode(whole)]


def test_record_is_enough_to_repeat_it(tmp_path: Path) -> None:
    frame = smooth_frame(FrameFormat(64, 48))
    stream = vvc.encode([frame], VvcSettings(37, "none"))
    assert re.fullmatch(r"libvvenc \d\S+ in ffmpeg \S+", stream.encoder)
    assert "/" not in stream.command
    words = [ffmpeg.executable(), *stream.command.split(" ")[1:]]
    subprocess.run(words, input=frame.tobytes(), cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "out.266").read_bytes() == stream.data


def test_lost_pictures_are_noticed() -> None:
    frames = [smooth_frame(FrameFormat(64, 48), seed) for seed in range(2)]
    stream = vvc.encode(frames, VvcSettings(37))
    cut = vvc.VvcStream(
        stream.data[: len(stream.data) // 4],
        stream.settings,
        stream.source_format,
        2,
        stream.command,
        stream.encoder,
    )
    with pytest.raises(nnr.ExternalToolError):
        vvc.decode(cut)


@pytest.mark.parametrize(
    "arguments",
    [{"qp": -1}, {"qp": 64}, {"qp": 32, "loop_filters": "some"}, {"qp": 32, "preset": "best"}],
)
def test_bad_settings(arguments: dict[str, int | str]) -> None:
    with pytest.raises(ValueError, match=next(reversed(arguments))):
        VvcSettings(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "at least one frame"),
        ([noise_frame(FrameFormat(16, 16, 12))], "8 or 10 bit, got 12"),
        ([noise_frame(FrameFormat(16, 16)), noise_frame(FrameFormat(18, 16))], "frame 1 is"),
    ],
)
def test_bad_frames(frames: Sequence[Frame], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vvc.encode(frames, VvcSettings(32))


def test_failure_shows_the_words_of_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vvc._LOOP_FILTER_PARAMETERS, "none", ":NoSuchParameter=1")
    with pytest.raises(nnr.ExternalToolError, match=r"(?s)status.*NoSuchParameter"):
        vvc.encode([smooth_frame(FrameFormat(16, 16))], VvcSettings(32, "none"))


def test_noise_takes_more_than_ffmpeg_reserves() -> None:
    with pytest.raises(nnr.ExternalToolError, match="one byte a luma sample"):
        vvc.encode([noise_frame(FrameFormat(64, 64))], VvcSettings(0))


def test_without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "executable", lambda: "/nowhere/ffmpeg")
    with pytest.raises(nnr.ExternalToolError, match="could not be started"):
        vvc.slice_qps(b"")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    ffmpeg.executable.cache_clear()
    with pytest.raises(nnr.MissingExtraError, match=r"pip install 'nnr\[evaluate\]'"):
        ffmpeg.executable()


def plane_hashes(frame: Frame) -> bytes:
    planes = (np.ascontiguousarray(plane).tobytes() for plane in frame.planes)
    return b"".join(hashlib.md5(plane).digest() for plane in planes)


def picture_hashes(data: bytes) -> list[bytes]:
    """The MD5 of Y, U and V of each picture, from its SEI message (H.274, 8.17)."""
    hashes = []
    for nal in re.split(rb"\x00\x00\x01", data)[1:]:
        if nal[1] >> 3 == SUFFIX_SEI:
            payload = nal[2:].replace(b"\x00\x00\x03", b"\x00\x00")
            # Type, size, kind of hash, and a byte whose first bit says that there is but one plane.
            assert (payload[0], payload[1], payload[2], payload[3]) == (PICTURE_HASH, 50, MD5, 0)
            hashes.append(payload[4:52])
    return hashes
