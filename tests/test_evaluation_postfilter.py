"""The evaluation of the post filter on tiny pictures and a tiny network."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from video_frames import smooth_frame

import nnr
from nnr.coding.uniform import compress
from nnr.evaluation import Cache, PostFilterReport, PostFilterTask, photographs
from nnr.evaluation import postfilter as postfilter_module
from nnr.models import load
from nnr.networks import PostFilter
from nnr.video import Frame, FrameFormat, FrameSequence, VvcSettings, vvc

pytest.importorskip("imageio_ffmpeg")
onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 3x3 convolution that is nearly the identity on the luma plane."""
    weight = np.random.default_rng(0).normal(0, 0.01, (1, 2, 3, 3)).astype(np.float32)
    weight[0, 0, 1, 1] += 1 - weight[0, 0].sum()
    helper = onnx.helper
    shapes = [("luma_qp", [None, 2, None, None]), ("luma", [None, 1, None, None])]
    source, result = (
        helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in shapes
    )
    graph = helper.make_graph(
        [helper.make_node("Conv", ["luma_qp", "weight", "bias"], ["luma"], pads=[1, 1, 1, 1])],
        "tiny",
        [source],
        [result],
        [
            onnx.numpy_helper.from_array(weight, "weight"),
            onnx.numpy_helper.from_array(np.zeros(1, np.float32), "bias"),
        ],
    )
    path = tmp_path_factory.mktemp("network") / "tiny.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


def clip(name: str, width: int, height: int, frame_count: int) -> FrameSequence:
    frame_format = FrameFormat(width, height)
    return FrameSequence(
        name, frame_format, frame_count, lambda index: smooth_frame(frame_format, index)
    )


def task(network: Path, **changes: Any) -> PostFilterTask:
    sequences = [clip("one", 48, 32, 3), clip("two", 48, 32, 1), clip("odd", 33, 41, 2)]
    arguments = {"sequences": sequences, "network": network, "qps": [32, 37]} | changes
    return PostFilterTask(**arguments)


@pytest.fixture(scope="module")
def report(network: Path, cache: Cache) -> PostFilterReport:
    return task(network, sweep_bits=range(2, 9)).run(cache=cache, threads=1)


def test_values_are_those_of_the_parts(network: Path, report: PostFilterReport) -> None:
    """One cell of each kind, computed without the evaluation."""
    source = smooth_frame(FrameFormat(48, 32), 1)
    (result,) = (r for r in report.results if (r.name, r.qp) == ("one", 37))
    model = load(network)
    filters = {
        "float32": PostFilter.load(network),
        "8 bit": PostFilter.load(compress(model, bits=8).decompress()),
    }
    pictures = {}
    for key in ("none", "deblock+sao", "all"):
        stream = vvc.encode([source], VvcSettings(37, key))
        pictures[key] = vvc.decode(stream)[0].y
    for label, network_filter in filters.items():
        pictures[label] = network_filter.apply(pictures["none"], qp=37, bit_depth=10)
    for column, picture in pictures.items():
        error = np.mean((picture.astype(float) / 4 - source.y) ** 2)
        expected = 10 * math.log10(255**2 / error)
        assert result.quality[column].psnr[1] == pytest.approx(expected, rel=1e-9), column


def test_sizes(network: Path, report: PostFilterReport, tmp_path: Path) -> None:
    original, reconstructed = report.candidates[:2]
    assert original.sizes.total == network.stat().st_size
    assert original.sizes.payload == 4 * 19
    compress(load(network), bits=8).save(tmp_path / "tiny.safetensors")
    assert reconstructed.sizes.total == (tmp_path / "tiny.safetensors").stat().st_size
    assert reconstructed.sizes.payload == 18 + 4


def test_bytes_are_those_of_the_streams(report: PostFilterReport) -> None:
    frames = [smooth_frame(FrameFormat(33, 41), index) for index in range(2)]
    (result,) = (r for r in report.results if (r.name, r.qp) == ("odd", 32))
    stream = vvc.encode(frames, VvcSettings(32, "none"))
    anchor = result.anchors["none"]
    assert anchor.stream_bytes == len(stream.data)
    assert [command.replace("-threads 1", "-threads 2") for command in anchor.commands] == [
        stream.command
    ]


def test_tables(report: PostFilterReport) -> None:
    sizes, psnr, ssim, chroma, rate, forms = report.tables()
    # Those between are the auto-encoder's.
    assert [table.title.split(".")[0] for table in report.tables()] == [
        f"Table {number}" for number in (1, 2, 3, 7, 8, 9)
    ]
    assert [row[0] for row in sizes.rows] == ["float32", "8 bit", "8 bit NNC"]
    assert [row[:3] for row in psnr.rows] == [
        ["32", "48x32", "4"],
        ["32", "33x41", "2"],
        ["32", "overall", "6"],
        ["37", "48x32", "4"],
        ["37", "33x41", "2"],
        ["37", "overall", "6"],
        ["32, 37", "overall", "6"],
    ]
    assert [len(row) for row in ssim.rows] == [len(psnr.heads)] * 7
    assert [row[:2] for row in chroma.rows] == [
        [qp, planes] for qp in ("32", "37", "32, 37") for planes in ("U", "V", "6:1:1")
    ]
    assert len(rate.rows) == 7
    assert [row[:2] for row in forms.rows] == [
        [form, str(bits)] for form in ("fixed", "NNC") for bits in range(2, 9)
    ]
    # The eight-bit line is the overall loss of Tables 2 and 3.
    overall = {(t.title[6], row[0]): row[-1] for t in (psnr, ssim) for row in t.rows[2:6:3]}
    assert list(forms.rows[6][4:]) == [overall[key] for key in sorted(overall)]
    # Fewer bits lose more.
    assert float(forms.rows[0][4]) > float(forms.rows[6][4])


def test_printed_definitions(report: PostFilterReport) -> None:
    text = report.markdown()
    for words in (
        "255 * 2^(bit depth - 8)",
        "10-bit",
        "luma",
        "11x11, sigma 1.5",
        "mean over",
        "QP 32 and 37",
        vvc.encoder_version(),
        "preset faster",
    ):
        assert words in text


def test_json_holds_every_value(report: PostFilterReport) -> None:
    whole = json.loads(json.dumps(report.json_object(), allow_nan=False))
    results = {(result["name"], result["qp"]): result for result in whole["results"]}
    assert len(results) == 6
    odd = results["odd", 37]
    assert set(odd["quality"]) == {"none", "deblock+sao", "all", "float32"} | {
        f"{bits} bit{form}" for bits in range(2, 9) for form in ("", " NNC")
    }
    assert all(len(quality["ssim"]) == 2 for quality in odd["quality"].values())
    assert "-vvenc-params" in odd["anchors"]["all"]["commands"][0]
    assert whole["encoder"] == vvc.encoder_version()
    assert len(whole["networks"]) == 15
    assert whole["bd_rates"] == []


def test_lossless_pictures_are_null_in_json(network: Path, tmp_path: Path) -> None:
    flat = FrameSequence(
        "flat", FrameFormat(32, 32), 1, lambda _: smooth_frame(FrameFormat(32, 32))
    )
    report = task(network, sequences=[flat], qps=[37]).run(cache=Cache(tmp_path), threads=1)
    report.results[0].quality["none"].psnr[0] = math.inf
    whole = json.loads(json.dumps(report.json_object(), allow_nan=False))
    assert whole["results"][0]["quality"]["none"]["psnr"] == [None]
    assert " inf " in report.markdown()


def test_chroma_is_measured_by_the_same_definition(report: PostFilterReport) -> None:
    source = smooth_frame(FrameFormat(33, 41), 1)
    (result,) = (r for r in report.results if (r.name, r.qp) == ("odd", 37))
    decoded = vvc.decode(vvc.encode([source], VvcSettings(37, "all")))[0]
    quality = result.quality["all"]
    for values, plane, before in (
        (quality.psnr_u, decoded.u, source.u),
        (quality.psnr_v, decoded.v, source.v),
    ):
        error = np.mean((plane.astype(float) / 4 - before) ** 2)
        assert values[1] == pytest.approx(10 * math.log10(255**2 / error), rel=1e-9)
    # A network of luma alone leaves chroma as it is.
    assert result.quality["float32"].psnr_u == result.quality["none"].psnr_u
    y, u, v = quality.psnr[1], quality.psnr_u[1], quality.psnr_v[1]
    assert quality.psnr_yuv[1] == pytest.approx((6 * y + u + v) / 8, rel=1e-12)


def test_grey_pictures_have_no_chroma(network: Path, cache: Cache) -> None:
    def grey_frame(_: int) -> Frame:
        frame = smooth_frame(FrameFormat(32, 32))
        return replace(frame, u=np.full_like(frame.u, 128), v=np.full_like(frame.v, 128))

    grey = FrameSequence("grey", FrameFormat(32, 32), 1, grey_frame)
    report = task(network, sequences=[grey], qps=[37]).run(cache=cache, threads=1)
    assert report.tables()[3].rows[0] == ["37", "U", *["-"] * 6]
    assert report.json_object()["results"][0]["quality"]["all"]["psnr_u"] == [None]


def test_nnc_and_given_files_are_evaluated(network: Path, cache: Cache, tmp_path: Path) -> None:
    model = load(network)
    data = nnr.encode(model, bits=8)
    (tmp_path / "same.nnr").write_bytes(data)
    (tmp_path / "no graph.nnr").write_bytes(nnr.encode(dict(model.tensors), bits=8))
    names = ["same.nnr", "no graph.nnr"]
    compressed = [tmp_path / name for name in names]
    report = task(network, qps=[37], compressed=compressed).run(cache=cache, threads=1)
    by_label = {candidate.label: candidate for candidate in report.candidates}
    assert list(by_label) == ["float32", "8 bit", "8 bit NNC", *names]
    assert by_label["8 bit NNC"].sizes.total == len(data)
    assert [row[0] for row in report.tables()[0].rows] == list(by_label)
    assert [row[0] for row in report.tables()[-1].rows] == ["fixed", "NNC", *names]
    for result in report.results:
        decoded = [result.quality[label] for label in ("8 bit NNC", *names)]
        assert decoded[0] == decoded[1] == decoded[2] != result.quality["8 bit"]


def test_a_file_of_another_network_is_refused(network: Path, tmp_path: Path) -> None:
    (tmp_path / "other.nnr").write_bytes(nnr.encode({"other": np.ones((2, 2), np.float32)}, bits=8))
    with pytest.raises(ValueError, match=r"other\.nnr holds other tensors"):
        task(network, compressed=[tmp_path / "other.nnr"]).run()


def test_examples_are_the_frames_that_were_measured(
    network: Path, cache: Cache, report: PostFilterReport
) -> None:
    first, second = task(network).examples(report, count=2, cache=cache, threads=1)
    assert (first.name, first.qp, second.name) == ("one", 37, "two")
    assert first.source.tobytes() == smooth_frame(FrameFormat(48, 32), 0).tobytes()
    (result,) = (r for r in report.results if (r.name, r.qp) == ("one", 37))
    assert set(first.frames) == {"none", "deblock+sao", "all", "float32", "8 bit"}
    for column, quality in first.quality.items():
        assert quality.psnr == result.quality[column].psnr[:1]


def test_second_run_computes_nothing(
    network: Path, cache: Cache, report: PostFilterReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("encode", "decode"):
        monkeypatch.setattr(vvc, name, pytest.fail)
    monkeypatch.setattr(PostFilter, "apply_frame", pytest.fail)
    again = task(network, sweep_bits=range(2, 9)).run(cache=cache, threads=1)
    assert again.json_object() == report.json_object()


def test_stopped_run_goes_on(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_after = 7
    steps: list[str] = []

    def stop(description: str) -> None:
        steps.append(description)
        if len(steps) == stopped_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task(network).run(cache=Cache(tmp_path), threads=1, on_step=stop)
    kept = len(list(tmp_path.rglob("measurements/*/*.json")))
    assert kept == stopped_after
    measured: list[str] = []
    measurement = Cache.measurement

    def counted(self: Cache, key: str, measure: Any) -> Any:
        return measurement(self, key, lambda: measured.append(key) or measure())

    monkeypatch.setattr(Cache, "measurement", counted)
    whole = task(network)
    whole.run(cache=Cache(tmp_path), threads=1)
    assert len(measured) == whole.step_count - stopped_after


def test_chunks_change_nothing(
    network: Path, report: PostFilterReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postfilter_module, "_CHUNK_SAMPLES", 2 * 48 * 32)
    whole = task(network, sweep_bits=range(2, 9))
    steps: list[str] = []
    chunked = whole.run(cache=Cache(tmp_path), threads=1, on_step=steps.append)
    assert chunked.tables() == report.tables()
    assert len(chunked.results[0].anchors["all"].commands) == 2
    assert len(steps) == whole.step_count


def test_frames_limits_every_sequence(network: Path, cache: Cache) -> None:
    report = task(network, frames=2, qps=[37, 37]).run(cache=cache, threads=1)
    assert [(r.frame_count, len(r.quality["all"].psnr)) for r in report.results] == [
        (2, 2),
        (1, 1),
        (2, 2),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"qps": [64]}, "qp must be 0 to 63"),
        ({"qps": []}, "at least one"),
        ({"sequences": []}, "at least one"),
        ({"bits": 0}, "bits must be 1 to 16"),
        ({"sweep_bits": [17]}, "bits must be 1 to 16"),
        ({"frames": 0}, "frames must be at least 1"),
        ({"preset": "best"}, "preset must be one of"),
        ({"sequences": [clip("tiny", 10, 40, 1)]}, "tiny: pictures must be at least 11x11"),
    ],
)
def test_bad_arguments(network: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        task(network, **changes)


def test_photographs() -> None:
    pytest.importorskip("skimage")
    sequences = photographs()
    assert [sequence.name for sequence in sequences] == [
        "astronaut",
        "coffee",
        "chelsea",
        "motorcycle_left",
        "rocket",
        "camera",
    ]
    for sequence in sequences:
        assert sequence[0].format == sequence.format
