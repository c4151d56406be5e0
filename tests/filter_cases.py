"""What the tests of ``nnr filter`` share: frames, and a folder with a model and inputs of every kind."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from network_models import residual_filter
from video_frames import smooth_frame

from nnr.video import Frame, FrameFormat, write_png, write_y4m, write_yuv

SIZE = FrameFormat(37, 26)
QP = 27


def frames_of(count: int, frame_format: FrameFormat = SIZE) -> list[Frame]:
    return [smooth_frame(frame_format, seed) for seed in range(count)]


def fill_working_folder() -> None:
    """Write a model, and inputs of every kind."""
    Path("filter.onnx").write_bytes(residual_filter().SerializeToString())
    write_y4m("in.y4m", frames_of(3), rate=Fraction(30000, 1001))
    write_yuv("clip_37x26_50.yuv", frames_of(3))
    write_y4m("deep.y4m", frames_of(2, FrameFormat(37, 26, 10)))
    Path("pictures").mkdir()
    for name, frame in zip(["b.png", "a.c.png"], frames_of(2), strict=True):
        write_png(Path("pictures", name), frame)


def names_in(folder: str | Path) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())
