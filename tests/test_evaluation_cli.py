"""``nnr evaluate`` as people type it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from autoencoder_reports import small_report
from typer.testing import CliRunner
from video_frames import smooth_frame

import nnr.cli
import nnr.evaluation
from nnr.cli.app import app
from nnr.evaluation import AutoEncoderReport, Cache, PostFilterTask
from nnr.video import FrameFormat, vvc, write_yuv

pytest.importorskip("imageio_ffmpeg")
pytest.importorskip("onnx")


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name, size in (("a_48x32_50.yuv", (48, 32)), ("b_64x48_50.yuv", (64, 48))):
        write_yuv(folder / name, [smooth_frame(FrameFormat(*size), seed) for seed in range(2)])
    return folder


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[PostFilterTask]:
    """The tasks that the command makes; it stops before they run."""
    made: list[PostFilterTask] = []

    def run(self: PostFilterTask, **_: Any) -> None:
        made.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(PostFilterTask, "run", run)
    return made


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of the whole program."""
    monkeypatch.setattr(sys, "argv", ["nnr", "evaluate", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        nnr.cli.main()
    return int(caught.value.code or 0)


def test_without_options_it_is_the_default(
    tasks: list[PostFilterTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("skimage")
    monkeypatch.setattr("nnr.cli.evaluate.default_task", AutoEncoderStub)
    invoke()
    invoke("postfilter")
    invoke("--threads", "1")
    for task in tasks:
        assert [sequence.name for sequence in task.sequences][:2] == ["astronaut", "coffee"]
        assert (tuple(task.qps), task.bits, task.preset) == ((32, 37), 8, "faster")
        assert Path(task.network).name == "postfilter.onnx"
        assert (task.frames, list(task.sweep_bits)) == (None, [])
    assert len(tasks) == 3


class AutoEncoderStub:
    """The auto-encoder's task without its work."""

    step_count = 1

    def run(self, *, cache: Cache, on_step: Callable[[str], None]) -> AutoEncoderReport:
        assert isinstance(cache, Cache)
        on_step("codec")
        return small_report()


def test_without_a_command_it_is_every_use_case(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnr.cli.evaluate.default_task", AutoEncoderStub)
    arguments = ["--sequences", clips, "--qp", "37", "--cache", tmp_path, "--frames", "1"]
    done = invoke(*arguments, "--json", tmp_path / "all.json", "--compressai-json", tmp_path / "c")
    assert done.exit_code == 0, done.output
    assert re.findall(r"Table \d", done.stdout) == [f"Table {number}" for number in range(1, 10)]
    assert re.findall(r"Definitions.*", done.stdout) == [
        "Definitions: post filter",
        "Definitions: auto-encoder",
    ]
    whole = json.loads((tmp_path / "all.json").read_text())
    assert set(whole) == {"postfilter", "autoencoder"}
    alone = invoke("postfilter", *arguments, "--json", "-")
    assert whole["postfilter"] == json.loads(alone.stdout)
    names = {path.name for path in (tmp_path / "c").iterdir()}
    assert names >= {"no-filter.json", "cnn-ae.json", "jpeg-4-4-4-whole-files.json"}


@pytest.mark.parametrize(
    ("arguments", "qps"),
    [
        (["--qp", "22", "37"], [22, 37]),
        (["--qp", "22", "--qp", "37"], [22, 37]),
        (["--qp", "22", "27", "32", "37", "--bits", "6"], [22, 27, 32, 37]),
        (["--bits", "6", "--qp", "22"], [22]),
        (["--qp=22", "--qp=27"], [22, 27]),
    ],
)
def test_qps(
    clips: Path, tasks: list[PostFilterTask], arguments: list[str], qps: list[int]
) -> None:
    invoke("postfilter", "--sequences", clips, *arguments)
    assert list(tasks[0].qps) == qps
    assert tasks[0].bits == (6 if "--bits" in arguments else 8)


def test_sweep(clips: Path, tasks: list[PostFilterTask]) -> None:
    invoke("postfilter", "--sequences", clips, "--sweep-bits", "2-16", "--frames", "1")
    assert list(tasks[0].sweep_bits) == list(range(2, 17))
    assert tasks[0].frames == 1


def test_it_runs(clips: Path, tmp_path: Path) -> None:
    json_file = tmp_path / "result.json"
    arguments = ["postfilter", "--sequences", clips, "--cache", tmp_path / "cache", "--qp", "37"]
    tables = invoke(*arguments, "--json", json_file)
    assert tables.exit_code == 0, tables.output
    assert re.findall(r"Table \d", tables.stdout) == [
        f"Table {number}" for number in (1, 2, 3, 7, 8, 9)
    ]
    assert tables.stderr == ""
    whole = json.loads(json_file.read_text())
    assert [result["name"] for result in whole["results"]] == ["a_48x32_50", "b_64x48_50"]
    printed = invoke(*arguments, "--json", "-")
    assert json.loads(printed.stdout) == whole


@pytest.mark.parametrize(
    "arguments",
    [
        ["--qp", "64"],
        ["--qp", "32", "-1"],
        ["--qp", "x"],
        ["--qp"],
        ["--bits", "0"],
        ["--bits", "17"],
        ["--frames", "0"],
        ["--threads", "0"],
        ["--preset", "best"],
        ["--sweep-bits", "16-2"],
        ["--sweep-bits", "2-17"],
        ["--sweep-bits", "some"],
        ["--sequences", "no/such/folder"],
        ["--network", "no-such.onnx"],
        ["--json", "no/such/folder/result.json"],
        ["--report", "no/such/folder/report.html"],
        ["--report", "report.pdf"],
        ["--compressai-json", "no/such/folder/curves"],
        ["--compressed", "no-such.nnr"],
        ["surplus"],
    ],
)
def test_wrong_usage(clips: Path, tasks: list[PostFilterTask], arguments: list[str]) -> None:
    given = [] if "--sequences" in arguments else ["--sequences", str(clips)]
    result = invoke("postfilter", *given, *arguments)
    assert result.exit_code == 2
    assert arguments[0].lstrip("-") in result.stderr
    assert tasks == []


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("c_16x16_50.yuv", bytes(385), "no whole number of frames"),
        ("c_16x16_50.y4m", b"RIFF", "c_16x16_50.y4m"),
        ("c.yuv", bytes(384), "tells no size"),
        ("c.png", b"not a picture", "c.png"),
    ],
)
def test_damaged_input(
    clips: Path,
    name: str,
    data: bytes,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (clips / name).write_bytes(data)
    assert main(monkeypatch, "postfilter", "--sequences", clips) == 1
    assert message in capsys.readouterr().err


def test_folder_without_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, "postfilter", "--sequences", tmp_path) == 1
    assert "no .yuv or .y4m" in capsys.readouterr().err


def test_failing_encoder_leaves_no_json(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(vvc._LOOP_FILTER_PARAMETERS, "all", ":NoSuchParameter=1")
    json_file = tmp_path / "result.json"
    options = ["--sequences", clips, "--json", json_file, "--cache", tmp_path / "cache"]
    assert main(monkeypatch, "postfilter", *options) == 1
    assert "NoSuchParameter" in capsys.readouterr().err
    assert not json_file.exists()


def test_missing_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("nnr.evaluation.embedded.find_spec", lambda _: None)
    assert main(monkeypatch, "postfilter") == 1
    assert "pip install 'nnr[evaluate]'" in capsys.readouterr().err


def test_a_compressed_network_is_no_original(
    clips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    compressed = tmp_path / "filter.safetensors"
    nnr.compress(nnr.load(nnr.networks.POSTFILTER)).save(compressed)
    assert main(monkeypatch, "postfilter", "--sequences", clips, "--network", compressed) == 1
    assert "is compressed already; give the original network" in capsys.readouterr().err


def test_the_extra_that_is_named_is_enough(
    clips: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise nnr.MissingExtraError("onnx", "onnx")

    monkeypatch.setattr(PostFilterTask, "run", run)
    assert main(monkeypatch, "postfilter", "--sequences", clips) == 1
    assert "pip install 'nnr[evaluate]'" in capsys.readouterr().err


def test_a_network_of_unknown_kind_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    done = invoke("postfilter", "--network", tmp_path / "notes.txt")
    assert done.exit_code == 2
    assert "notes.txt must end in" in re.sub(r"[\s│]+", " ", done.output)
