"""``nnr filter`` as people type it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command
from filter_cases import QP, frames_of, names_in
from video_frames import same

import nnr
from nnr.networks import POSTFILTER
from nnr.video import (
    Frame,
    FrameFormat,
    frame_from_rgb,
    open_sequence,
    rgb_from_frame,
    write_y4m,
    write_yuv,
)

pytest.importorskip("PIL")


def filtered(frame: Frame, model: str | Path = "filter.onnx", qp: int = QP) -> Frame:
    """What the command has to make of a frame."""
    return nnr.PostFilter.load(model).apply_frame(frame, qp=qp)


def as_picture(frame: Frame) -> Frame:
    """A frame after it was a PNG file."""
    return frame_from_rgb(rgb_from_frame(frame))


def assert_same(result: Any, wanted: list[Frame]) -> None:
    assert len(result) == len(wanted)
    assert all(same(one, other) for one, other in zip(result, wanted, strict=True))


INPUTS = ["in.y4m", "clip_37x26_50.yuv", "deep.y4m", "pictures", "pictures/b.png"]


@pytest.mark.usefixtures("filter_folder")
@pytest.mark.parametrize("source", INPUTS)
@pytest.mark.parametrize("target", ["out.y4m", "out.yuv", "out", "out.png"])
def test_every_input_to_every_output(nnr_command: Command, source: str, target: str) -> None:
    options = ["--frames", "1"] if target == "out.png" else []
    done = nnr_command("filter", source, target, "--model", "filter.onnx", "--qp", QP, *options)
    assert (done.code, done.err) == (0, "")
    frames = open_sequence(source)[: 1 if options else None]
    wanted = [filtered(frame) for frame in frames]
    if target.endswith("yuv"):
        depth = frames[0].bit_depth
        assert_same(open_sequence(target, size=(37, 26), bit_depth=depth), wanted)
    elif target.endswith("y4m"):
        assert_same(open_sequence(target), wanted)
    else:
        assert_same(open_sequence(target), [as_picture(frame) for frame in wanted])


@pytest.mark.usefixtures("filter_folder")
def test_the_filter_does_something_and_chroma_stays(nnr_command: Command) -> None:
    assert nnr_command("filter", "in.y4m", "out.y4m", "--model", "filter.onnx").code == 0
    for before, after in zip(open_sequence("in.y4m"), open_sequence("out.y4m"), strict=True):
        assert (before.y != after.y).any()
        np.testing.assert_array_equal(before.u, after.u)
        np.testing.assert_array_equal(before.v, after.v)


@pytest.mark.usefixtures("filter_folder")
def test_the_default_is_the_bundled_network_at_qp_32(nnr_command: Command) -> None:
    assert nnr_command("filter", "in.y4m", "out.y4m", "--frames", "1").code == 0
    assert_same(open_sequence("out.y4m"), [filtered(open_sequence("in.y4m")[0], POSTFILTER, 32)])


@pytest.mark.usefixtures("filter_folder")
@pytest.mark.parametrize("model", ["small.nnr", "small.safetensors", "plain.safetensors"])
def test_compressed_models(nnr_command: Command, model: str) -> None:
    if model.startswith("small"):
        assert nnr_command("compress", "filter.onnx", model).code == 0
    else:
        nnr.load("filter.onnx").save(model)
    assert nnr_command("filter", "in.y4m", "out.y4m", "--model", model, "--qp", QP).code == 0
    assert_same(open_sequence("out.y4m"), [filtered(f, model) for f in open_sequence("in.y4m")])


@pytest.mark.usefixtures("filter_folder")
def test_raw_video_of_any_name(nnr_command: Command) -> None:
    Path("deep.yuv").write_bytes(b"".join(frame.tobytes() for frame in open_sequence("deep.y4m")))
    options = ["--size", "37x26", "--bit-depth", "10", "--rate", "59.94"]
    assert nnr_command("filter", "deep.yuv", "out.y4m", *options).code == 0
    result = open_sequence("out.y4m")
    assert (result.format, result.rate) == (FrameFormat(37, 26, 10), Fraction("59.94"))


@pytest.mark.usefixtures("filter_folder")
@pytest.mark.parametrize(
    ("source", "rate"),
    [("in.y4m", Fraction(30000, 1001)), ("clip_37x26_50.yuv", 50), ("pictures", 25)],
)
def test_frame_rate(nnr_command: Command, source: str, rate: Fraction) -> None:
    assert nnr_command("filter", source, "out.y4m", "--model", "filter.onnx").code == 0
    assert open_sequence("out.y4m").rate == rate


@pytest.mark.usefixtures("filter_folder")
def test_names_of_pictures(nnr_command: Command) -> None:
    sources = ["pictures", "pictures/b.png", "in.y4m"]
    wanted = [["a.c.png", "b.png"], ["b.png"], ["000000.png", "000001.png", "000002.png"]]
    for index, (source, names) in enumerate(zip(sources, wanted, strict=True)):
        assert nnr_command("filter", source, f"out{index}", "--model", "filter.onnx").code == 0
        assert names_in(f"out{index}") == names
    Path("pictures/b.png").rename("pictures/a.c.PNG")
    assert nnr_command("filter", "pictures", "out", "--model", "filter.onnx").code == 0
    assert names_in("out") == ["000000.png", "000001.png"]


@pytest.mark.usefixtures("filter_folder")
def test_an_empty_folder_is_filled_and_keeps_its_permissions(nnr_command: Command) -> None:
    Path("v1.2").mkdir(0o700)
    assert nnr_command("filter", "in.y4m", "v1.2", "--model", "filter.onnx").code == 0
    assert len(names_in("v1.2")) == 3
    assert Path("v1.2").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("filter_folder")
def test_first_frames(nnr_command: Command) -> None:
    for given, taken in ((2, 2), (9, 3)):
        done = nnr_command("filter", "in.y4m", "out.y4m", "--frames", given, "--json", "-")
        assert done.json["frames"] == len(open_sequence("out.y4m")) == taken


@pytest.mark.usefixtures("filter_folder")
def test_json_and_summary(nnr_command: Command) -> None:
    arguments = ["filter", "deep.y4m", "out.y4m", "--model", "filter.onnx", "--qp", QP]
    done = nnr_command(*arguments, "--threads", "1", "--json", "result.json")
    assert done.out.startswith("2 frames of 37x26 in ")
    assert done.out.count("\n") == 1
    values = json.loads(Path("result.json").read_text())
    tensors = nnr.load("filter.onnx").tensors.values()
    assert values["weights"] == sum(t.size for t in tensors if t.dtype == np.float32)
    known = {
        "input": "deep.y4m",
        "output": "out.y4m",
        "model": "filter.onnx",
        "model_bytes": Path("filter.onnx").stat().st_size,
        "integer": False,
        "frames": 2,
        "width": 37,
        "height": 26,
        "bit_depth": 10,
        "qp": QP,
        "threads": 1,
        "cpu_target": nnr.cpu.current_target(),
    }
    assert {key: values[key] for key in known} == known
    assert 0 < values["filter_seconds"] < values["seconds"]
    assert values["frames_per_second"] == 2 / values["seconds"]
    assert values["filter_frames_per_second"] == 2 / values["filter_seconds"]
    printed = nnr_command(*arguments, "--json", "-")
    assert printed.json.keys() == values.keys()


@pytest.mark.usefixtures("filter_folder")
def test_frames_are_held_one_at_a_time(
    nnr_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    apply = nnr.PostFilter.apply_frame

    def noted_apply(self: nnr.PostFilter, frame: Frame, **options: Any) -> Frame:
        events.append("filter")
        return apply(self, frame, **options)

    to_bytes = Frame.tobytes

    def noted_bytes(self: Frame) -> bytes:
        events.append("write")
        return to_bytes(self)

    monkeypatch.setattr(nnr.PostFilter, "apply_frame", noted_apply)
    monkeypatch.setattr(Frame, "tobytes", noted_bytes)
    assert nnr_command("filter", "in.y4m", "out.y4m", "--model", "filter.onnx").code == 0
    assert events == ["filter", "write"] * 3


class IntegerStub:
    """Notes what it is calibrated on, and filters as something that can be told from the float."""

    calls: tuple[list[tuple[Any, int]], int] | None = None

    def __init__(self, samples: list[tuple[Any, int]], bit_depth: int) -> None:
        IntegerStub.calls = samples, bit_depth

    def apply_frame(self, frame: Frame, **options: Any) -> Frame:  # noqa: ARG002
        return replace(frame, y=frame.y // 2)

    def explain(self, width: int, height: int) -> str:
        return f"integers at {width}x{height}"


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def to_integer(self: Any, samples: Any, *, bit_depth: int) -> IntegerStub:  # noqa: ARG001
        return IntegerStub(samples, bit_depth)

    def explain(self: Any, width: int, height: int) -> str:  # noqa: ARG001
        return f"floats at {width}x{height}"

    monkeypatch.setattr(nnr.PostFilter, "to_integer", to_integer, raising=False)
    monkeypatch.setattr(nnr.PostFilter, "explain", explain, raising=False)
    yield
    IntegerStub.calls = None


@pytest.mark.usefixtures("filter_folder", "stubs")
@pytest.mark.parametrize(
    ("count", "options", "indices"),
    [(1, [], [0]), (3, [], [0, 1, 2]), (9, [], [1, 3, 5, 7]), (9, ["--frames", 5], [0, 1, 3, 4])],
)
def test_integer_networks_are_calibrated_on_frames_of_the_input(
    nnr_command: Command, count: int, options: list[Any], indices: list[int]
) -> None:
    frames = frames_of(count, FrameFormat(37, 26, 10))
    write_y4m("long.y4m", frames)
    arguments = ["filter", "long.y4m", "out.y4m", "--integer", "--qp", QP, *options]
    assert nnr_command(*arguments, "--json", "-").json["integer"] is True
    assert IntegerStub.calls is not None
    samples, bit_depth = IntegerStub.calls
    assert (bit_depth, [qp for _, qp in samples]) == (10, [QP] * len(indices))
    assert_same([frame for frame, _ in samples], [frames[index] for index in indices])
    np.testing.assert_array_equal(open_sequence("out.y4m")[0].y, frames[0].y // 2)


@pytest.mark.usefixtures("filter_folder", "stubs")
def test_explain(nnr_command: Command) -> None:
    alone = nnr_command("filter", "in.y4m", "--explain")
    assert (alone.code, alone.out) == (0, "floats at 37x26\n")
    assert nnr_command("filter", "in.y4m", "--explain", "--integer").out == "integers at 37x26\n"
    both = nnr_command("filter", "in.y4m", "out.y4m", "--explain")
    assert both.out.startswith("floats at 37x26\n3 frames of 37x26 in ")
    assert len(open_sequence("out.y4m")) == 3


@pytest.mark.usefixtures("filter_folder", "stubs")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.y4m", "out.y4m"], "does not exist"),
        (["filter.onnx", "out.y4m"], "must end in .y4m"),
        (["in.y4m"], "only --explain does without"),
        (["in.y4m", "out.mp4"], "must end in .y4m, .yuv, .png, or be a folder"),
        (["in.y4m", "out.jpg"], "must end in"),
        (["in.y4m", "gone/out.y4m"], "'gone' does not exist"),
        (["in.y4m", "gone/out"], "'gone' does not exist"),
        (["in.y4m", "in.y4m"], "is the input"),
        (["in.y4m", "./pictures/../in.y4m"], "is the input"),
        (["in.y4m", "link.y4m"], "is the input"),
        (["in.y4m", "hard.y4m"], "is the input"),
        (["pictures", "pictures"], "is the input"),
        (["pictures", "pictures/b.png", "--frames", "1"], "is the input"),
        (["in.y4m", "pictures"], "is not empty"),
        (["in.y4m", "plain"], "is no folder"),
        (["in.y4m", "folder.png", "--frames", "1"], "is a folder"),
        (["in.y4m", "out.png"], "takes one frame, in.y4m has 3"),
        (["in.y4m", "out.y4m", "--qp", "64"], "--qp"),
        (["in.y4m", "out.y4m", "--qp", "-1"], "--qp"),
        (["in.y4m", "out.y4m", "--frames", "0"], "--frames"),
        (["in.y4m", "out.y4m", "--threads", "0"], "--threads"),
        (["in.y4m", "out.y4m", "--model", "gone.onnx"], "--model"),
        (["in.y4m", "out.y4m", "--model", "plain"], "must end in .onnx"),
        (["in.y4m", "out.y4m", "--size", "37x26"], "--size is for .yuv files"),
        (["pictures", "out.y4m", "--rate", "30"], "--rate is for .yuv files"),
        (["clip.yuv", "out.y4m"], "--size is needed"),
        (["clip.yuv", "out.y4m", "--size", "37"], "must be WIDTHxHEIGHT"),
        (["clip.yuv", "out.y4m", "--size", "37x26", "--rate", "fast"], "--rate fast"),
        (["clip.yuv", "out.y4m", "--size", "37x26", "--rate", "0"], "--rate 0"),
        (["clip.yuv", "out.y4m", "--size", "37x26", "--bit-depth", "7"], "--bit-depth"),
        (["sixteen.y4m", "out.y4m", "--integer"], "up to 15 bits"),
        (["in.y4m", "--explain", "--json", "a.json"], "needs OUT"),
        (["in.y4m", "out.y4m", "--explain", "--json", "-"], "give --json a file"),
        (["in.y4m", "out.y4m", "--json", "gone/a.json"], "its folder does not exist"),
        (["in.y4m", "out.y4m", "--json", "out.y4m"], "is another file of this command"),
    ],
)
def test_wrong_usage(nnr_command: Command, arguments: list[str], message: str) -> None:
    Path("plain").touch()
    Path("folder.png").mkdir()
    Path("link.y4m").symlink_to("in.y4m")
    Path("hard.y4m").hardlink_to("in.y4m")
    write_yuv("clip.yuv", frames_of(1))
    write_y4m("sixteen.y4m", frames_of(1, FrameFormat(37, 26, 16)))
    before = names_in(".")
    done = nnr_command("filter", *arguments)
    assert done.code == 2
    assert message in " ".join(done.err.replace("│", " ").split())
    assert names_in(".") == before


@pytest.mark.usefixtures("filter_folder")
def test_frames_of_one_sample(nnr_command: Command) -> None:
    write_y4m("tiny.y4m", frames_of(1, FrameFormat(1, 1)))
    assert nnr_command("filter", "tiny.y4m", "out.y4m", "--model", "filter.onnx").code == 0
    assert open_sequence("out.y4m").format == FrameFormat(1, 1)
