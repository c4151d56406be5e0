"""VVC All Intra at a fixed QP: libvvenc encodes, ffmpeg's native decoder decodes.

Every parameter that would move a slice's QP away from the one asked for is switched off, and
frame parallelism with it, since it makes the stream depend on timing. `slice_qps` reads back from
a stream which QP its slices really used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast, get_args

import numpy as np

from .._arguments import check_integer
from ..errors import ExternalToolError
from ..files import temporary_folder
from . import ffmpeg
from .frame import Frame, FrameFormat, Plane

LoopFilters = Literal["all", "deblock+sao", "none"]
Preset = Literal["faster", "fast", "medium", "slow", "slower"]

# Period one, and nothing that shifts the QP: no intra offset, temporal filter, block importance
# mapping, perceptual QP or look-ahead. Frame parallelism off: streams become byte-identical.
_FIXED_QP_ALL_INTRA = (
    "IntraPeriod=1:IntraQPOffset=0:MCTF=0:BIM=0:GOPQPA=0:LookAhead=0:MaxParallelFrames=0"
)
# SAO is asked for by name: preset faster uses it for screen content alone, yet writes the sequence
# header's flag for it. Deblocking is on unless switched off.
_LOOP_FILTER_PARAMETERS: dict[LoopFilters, str] = {
    "all": ":SAO=1:ALF=1:CCALF=1",
    "deblock+sao": ":SAO=1:ALF=0:CCALF=0",
    "none": ":EDO=0:LoopFilterDisable=1:SAO=0:ALF=0:CCALF=0",
}
# 4:2:0 needs even pictures, the encoder takes none below 16x16, and for those below 32x32 the bytes
# that ffmpeg reserves for them hardly hold the headers; such pictures are padded and cropped.
_MIN_SIDE = 32
# What ffmpeg says when a coded picture has more bytes than it has luma samples.
_TOO_MANY_BYTES = "Error submitting video frame to the encoder"
SOURCE_BIT_DEPTHS = (8, 10)
INTERNAL_BIT_DEPTH = 10


@dataclass(frozen=True)
class VvcSettings:
    """How a sequence is encoded.

    Parameters
    ----------
    qp : int
        Quantisation parameter of every slice, 0 to 63.
    loop_filters : {"all", "deblock+sao", "none"}
        ``all`` is deblocking, SAO, ALF and CCALF (VVenC has no LMCS), ``deblock+sao`` is what
        VTM 1.0 had. Within these the encoder decides for every block, or slice, what it applies.
    preset : {"faster", "fast", "medium", "slow", "slower"}
        VVenC's effort.
    """

    qp: int
    loop_filters: LoopFilters = "all"
    preset: Preset = "faster"

    def __post_init__(self) -> None:
        check_integer(self.qp, "qp")
        if not 0 <= self.qp <= 63:
            raise ValueError(f"qp must be 0 to 63, got {self.qp}")
        if self.loop_filters not in _LOOP_FILTER_PARAMETERS:
            wanted = ", ".join(_LOOP_FILTER_PARAMETERS)
            raise ValueError(f"loop_filters must be one of {wanted}, got {self.loop_filters!r}")
        if self.preset not in get_args(Preset):
            wanted = ", ".join(get_args(Preset))
            raise ValueError(f"preset must be one of {wanted}, got {self.preset!r}")

    @property
    def vvenc_params(self) -> str:
        """VVenC's own parameters, as ffmpeg's ``-vvenc-params`` takes them."""
        return _FIXED_QP_ALL_INTRA + _LOOP_FILTER_PARAMETERS[self.loop_filters]


@dataclass(frozen=True)
class VvcStream:
    """An encoded sequence and how it came about."""

    data: bytes
    settings: VvcSettings
    source_format: FrameFormat
    frame_count: int
    command: str
    encoder: str


@cache
def encoder_version() -> str:
    """Name the encoder and the program that carries it: ``libvvenc 1.15.0 in ffmpeg 9.0.2``."""
    # libvvenc names its version only at this log level, so one tiny picture is encoded for it.
    side = _MIN_SIDE
    luma, chroma = (np.full((n, n), 128, np.uint8) for n in (side, side // 2))
    grey = Frame(luma, chroma, chroma)
    arguments = encode_arguments(grey.format, VvcSettings(37), threads=1)
    arguments[arguments.index("-loglevel") + 1] = "debug"
    _, messages = ffmpeg.run([*arguments, "-"], grey.tobytes())
    match = re.search(r"libvvenc version: (\S+)", messages)
    return f"libvvenc {match.group(1) if match else 'unknown'} in ffmpeg {ffmpeg.version()}"


def encode(frames: Iterable[Frame], settings: VvcSettings, *, threads: int = 2) -> VvcStream:
    """Encode frames of one size, each an intra picture.

    Parameters
    ----------
    frames : iterable of Frame
        At least one; 8 or 10 bit, any size (odd and tiny pictures are padded by edge replication
        and cropped again by `decode`; their bits are counted as they are).
    settings : VvcSettings
    threads : int
        Encoder threads; the stream does not depend on it.

    Raises
    ------
    ExternalToolError
        ffmpeg is missing or failed, or the stream does not hold one slice a frame at the QP
        asked for. Noise and QPs near 0 fail: ffmpeg reserves one byte a luma sample.
    """
    sources = list(frames)
    source_format = _common_format(sources)
    coded_format = _coded_format(source_format)
    arguments = encode_arguments(source_format, settings, threads=threads)
    raw = b"".join(_padded(frame, coded_format).tobytes() for frame in sources)
    data = _run_encoder(arguments, raw)
    used = slice_qps(data)
    if used != [settings.qp] * len(sources):
        raise ExternalToolError(
            f"asked for {len(sources)} slices at QP {settings.qp}, the stream has QPs {used}"
        )
    command = ffmpeg.shown_command([*arguments, "out.266"])
    return VvcStream(data, settings, source_format, len(sources), command, encoder_version())


def encode_arguments(
    source_format: FrameFormat, settings: VvcSettings, *, threads: int
) -> list[str]:
    """Return what `encode` passes to ffmpeg, without the output file."""
    coded_format = _coded_format(source_format)
    pixel_format = "yuv420p" if coded_format.bit_depth == 8 else "yuv420p10le"
    size = f"{coded_format.width}x{coded_format.height}"
    return [
        *("-loglevel", "warning", "-y"),
        *("-f", "rawvideo", "-pix_fmt", pixel_format, "-s", size, "-r", "25", "-i", "-"),
        *("-c:v", "libvvenc", "-preset", settings.preset, "-qp", str(settings.qp), "-qpa", "0"),
        *("-threads", str(threads), "-vvenc-params", settings.vvenc_params, "-f", "vvc"),
    ]


def decode(stream: VvcStream) -> list[Frame]:
    """Decode to 10-bit frames of the source's size (8-bit sources come back scaled by 4).

    Raises
    ------
    ExternalToolError
        ffmpeg is missing or failed, or returned another number of frames than went in.
    """
    coded = _coded_format(stream.source_format)
    decoded = FrameFormat(coded.width, coded.height, INTERNAL_BIT_DEPTH)
    output = ["-fps_mode", "passthrough", "-pix_fmt", "yuv420p10le", "-f", "rawvideo", "-"]
    raw, messages = ffmpeg.run(["-loglevel", "error", "-f", "vvc", "-i", "-", *output], stream.data)
    if len(raw) != stream.frame_count * decoded.frame_bytes:
        raise ExternalToolError(
            f"{stream.frame_count} frames were encoded, "
            f"{len(raw) / decoded.frame_bytes:g} came back:\n{messages.strip()}"
        )
    view = memoryview(raw)
    size = decoded.frame_bytes
    return [
        _cropped(Frame.frombytes(view[start : start + size], decoded), stream.source_format)
        for start in range(0, len(raw), size)
    ]


def header_values(data: bytes) -> list[tuple[str, int]]:
    """Read the syntax elements of a stream's headers, in order, under the standard's names."""
    output = ["-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-"]
    _, trace = ffmpeg.run(["-loglevel", "info", "-f", "vvc", "-i", "-", *output], data)
    elements = re.findall(r"\s(\w+)(?:\[\d+\])*\s+[01]+ = (-?\d+)\s", trace)
    return [(name, int(value)) for name, value in elements]


def slice_qps(data: bytes) -> list[int]:
    """Read the QP of every slice of a stream from its own headers."""
    init_qp = 26
    qps = []
    for name, value in header_values(data):
        if name == "pps_init_qp_minus26":
            init_qp = 26 + value
        elif name in ("ph_qp_delta", "sh_qp_delta"):
            qps.append(init_qp + value)
    return qps


def _common_format(frames: list[Frame]) -> FrameFormat:
    if not frames:
        raise ValueError("frames must hold at least one frame")
    first = frames[0].format
    if first.bit_depth not in SOURCE_BIT_DEPTHS:
        raise ValueError(f"VVC input must be 8 or 10 bit, got {first.bit_depth}")
    for index, frame in enumerate(frames):
        if frame.format != first:
            raise ValueError(
                f"frame {index} is {frame.format}, the first is {first}: "
                "all frames must have one format"
            )
    return first


def _run_encoder(arguments: list[str], raw: bytes) -> bytes:
    # Into a file, since libvvenc itself prints warnings to standard output.
    with temporary_folder() as folder:
        path = folder / "stream.266"
        try:
            _, messages = ffmpeg.run([*arguments, str(path)], raw)
        except ExternalToolError as error:
            if _TOO_MANY_BYTES not in str(error):
                raise
            raise ExternalToolError(
                f"{error}\n(ffmpeg reserves one byte a luma sample for a coded picture; "
                "noise and QPs near 0 take more)"
            ) from error
        data = path.read_bytes() if path.exists() else b""
    if not data:  # seen to happen with exit status 0
        raise ExternalToolError(f"libvvenc wrote an empty stream:\n{messages.strip()}")
    return data


def _coded_format(source: FrameFormat) -> FrameFormat:
    width, height = (max(side + side % 2, _MIN_SIDE) for side in (source.width, source.height))
    return FrameFormat(width, height, source.bit_depth)


def _padded(frame: Frame, coded_format: FrameFormat) -> Frame:
    if frame.format == coded_format:
        return frame

    def pad(plane: Plane, shape: tuple[int, int]) -> Plane:
        margins = [(0, wanted - got) for wanted, got in zip(shape, plane.shape, strict=True)]
        return cast(Plane, np.pad(plane, margins, mode="edge"))

    chroma = coded_format.chroma_shape
    y, u, v = pad(frame.y, coded_format.luma_shape), pad(frame.u, chroma), pad(frame.v, chroma)
    return Frame(y, u, v, frame.bit_depth)


def _cropped(frame: Frame, source: FrameFormat) -> Frame:
    luma, chroma = (tuple(slice(n) for n in shape) for shape in source.plane_shapes[:2])
    return Frame(frame.y[luma], frame.u[chroma], frame.v[chroma], frame.bit_depth)
