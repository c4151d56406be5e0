"""Frames in and out: raw YUV, Y4M, photographs, and VVC through ffmpeg."""

from __future__ import annotations

from .frame import Frame, FrameFormat
from .images import frame_from_rgb, rgb_from_frame
from .png import write_png, write_png_folder
from .sequence import FrameSequence
from .sources import find_sequences, open_sequence
from .vvc import VvcSettings, VvcStream
from .y4m import write_y4m
from .yuv import write_yuv

__all__ = [
    "Frame",
    "FrameFormat",
    "FrameSequence",
    "VvcSettings",
    "VvcStream",
    "find_sequences",
    "frame_from_rgb",
    "open_sequence",
    "rgb_from_frame",
    "write_png",
    "write_png_folder",
    "write_y4m",
    "write_yuv",
]
