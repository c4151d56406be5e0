"""Compressing a network to a loss: the search, on tiny networks and pictures, and its command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Command
from numpy.typing import NDArray
from video_frames import smooth_frame

import nnr
from nnr import _core
from nnr.compression import LossCompression
from nnr.compression.calibration import calibration_pictures
from nnr.compression.grid import grid_qp
from nnr.evaluation import Cache
from nnr.models import Model
from nnr.video import FrameFormat, FrameSequence, write_y4m

pytest.importorskip("imageio_ffmpeg")
onnx = pytest.importorskip("onnx")

QPS = (32, 37)
MAX_LOSS = 0.02
# A step of the standard at a density of 2, six quarters of a power of two.
GRID_STEP = 1.5 / 64


def post_filter(path: Path, weights: dict[str, NDArray[np.float32]]) -> Path:
    """Two convolutions, whose result is added to the samples that came in."""
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    channels = weights["b.weight"].shape[0]
    inputs = weights["a.weight"].shape[1]
    constants = {"start": 0, "end": channels, "axis": 1}
    nodes = [
        helper.make_node("Conv", ["x", "a.weight", "a.bias"], ["a"], pads=[1] * 4),
        helper.make_node("Relu", ["a"], ["rectified"]),
        helper.make_node("Conv", ["rectified", "b.weight", "b.bias"], ["b"], pads=[1] * 4),
        helper.make_node("Slice", ["x", "start", "end", "axis"], ["samples"]),
        helper.make_node("Add", ["samples", "b"], ["y"]),
    ]
    tensors: dict[str, NDArray[Any]] = {
        **weights,
        **{name: np.array([value], np.int64) for name, value in constants.items()},
    }
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", float32, [None, inputs, None, None])],
        [helper.make_tensor_value_info("y", float32, [None, channels, None, None])],
        [onnx.numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def random_weights(inputs: int, outputs: int) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(3)

    def normal(scale: float, *shape: int) -> NDArray[np.float32]:
        return random.normal(0, scale, shape).astype(np.float32)

    hidden = 32
    return {
        "a.weight": normal(0.3, hidden, inputs, 3, 3),
        "a.bias": normal(0.1, hidden),
        "b.weight": normal(0.004, outputs, hidden, 3, 3),
        "b.bias": normal(0.001, outputs),
    }


def trained_weights(
    cache: Cache, **features: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Features, random or given, and the second convolution that makes most of them on the clip."""
    weights = random_weights(2, 1) | features
    rows, targets = [], []
    for picture in calibration_pictures([clip()], qps=QPS, cache=cache):
        peak = picture.decoded.format.peak
        luma = picture.decoded.y / peak
        x = np.stack([luma, np.full_like(luma, picture.qp / 63)])
        sums = np.tensordot(weights["a.weight"], neighbours(x), ([1, 2, 3], [0, 1, 2]))
        features = np.maximum(sums + weights["a.bias"][:, None, None], 0)
        rows.append(neighbours(features).reshape(-1, luma.size).T)
        targets.append((picture.source.y.astype(np.float64) * 256 / peak - luma).reshape(-1))
    # A little less than the best fit, so that no weight is far from the others.
    matrix, target = np.concatenate(rows), np.concatenate(targets)
    damped = matrix.T @ matrix + 30 * np.eye(matrix.shape[1])
    solved = np.linalg.solve(damped, matrix.T @ (target - weights["b.bias"]))
    weights["b.weight"] = solved.reshape(weights["b.weight"].shape).astype(np.float32)
    return weights


def neighbours(x: NDArray[Any]) -> NDArray[Any]:
    """What a convolution of 3x3 sees of every sample: (channels, 3, 3, height, width)."""
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    return np.moveaxis(windows, (1, 2), (3, 4))


@pytest.fixture(scope="module")
def luma_network(tmp_path_factory: pytest.TempPathFactory, cache: Cache) -> Path:
    return post_filter(tmp_path_factory.mktemp("network") / "luma.onnx", trained_weights(cache))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


def clip(width: int = 64, height: int = 48, count: int = 2) -> FrameSequence:
    size = FrameFormat(width, height)
    return FrameSequence("clip", size, count, lambda index: smooth_frame(size, index))


def compressed(network: Path, cache: Cache, **changes: Any) -> LossCompression:
    options = {"max_loss": MAX_LOSS, "qps": QPS, "cache": cache, "threads": 1} | changes
    return nnr.compress_to_loss(nnr.load(network), [clip()], **options)


@pytest.fixture(scope="module")
def found(luma_network: Path, cache: Cache) -> LossCompression:
    return compressed(luma_network, cache)


def test_the_loss_is_kept_and_close(found: LossCompression) -> None:
    assert found.loss.psnr <= MAX_LOSS
    # What is allowed is used, if not to the last of it: few weights make large steps.
    assert MAX_LOSS / 10 < found.loss.counted <= MAX_LOSS
    rebuilt = nnr.PostFilter.load(nnr.decode(found.coded))
    assert found.meter.measure(rebuilt) == found.loss


def test_it_is_smaller_than_8_bits(found: LossCompression, luma_network: Path) -> None:
    eight_bits = nnr.encode(nnr.load(luma_network), bits=8)
    assert found.sizes().total < len(eight_bits)


def test_what_is_told_is_what_the_file_has(found: LossCompression) -> None:
    assert isinstance(found.coded, bytes)
    records = {record.name: record for record in found.decompress().file.records()}
    assert [tensor.name for tensor in found.tensors] == list(records)
    for tensor in found.tensors:
        record = records[tensor.name]
        assert tensor.stored_bytes == record.stored_bytes
        if tensor.settings:
            assert (tensor.settings["step"], tensor.settings["dq"]) == (record.step, record.dq)
            assert tensor.sensitivity > 0
        else:
            assert record.payload == "int"


def test_the_extension_must_fit(found: LossCompression, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.nnr"):
        found.save(tmp_path / "small.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_coarser_network_where_more_is_allowed(
    found: LossCompression, luma_network: Path, cache: Cache
) -> None:
    coarser = compressed(luma_network, cache, max_loss=10 * MAX_LOSS)
    assert coarser.sizes().total < found.sizes().total
    assert coarser.loss.psnr <= 10 * MAX_LOSS


def test_same_arguments_same_file(
    found: LossCompression, luma_network: Path, cache: Cache, tmp_path: Path
) -> None:
    again = compressed(luma_network, cache, threads=2)
    assert again.coded == found.coded
    assert again.tensors == found.tensors
    assert compressed(luma_network, Cache(tmp_path)).coded == found.coded


def test_a_network_that_was_trained_on_a_grid(tmp_path: Path, cache: Cache) -> None:
    levels = np.random.default_rng(5).integers(-4, 5, (32, 2, 3, 3))
    on_grid = (levels * GRID_STEP).astype(np.float32)
    weights = trained_weights(cache, **{"a.weight": on_grid})
    found = compressed(post_filter(tmp_path / "grid.onnx", weights), cache, max_loss=1e-3)
    settings = {tensor.name: tensor.settings for tensor in found.tensors}
    assert settings["a.weight"] == {
        "qp": settings["a.weight"]["qp"], "step": GRID_STEP, "dq": False, "rdo": 0.0, "grid": True,
    }  # fmt: skip
    assert not settings["b.weight"]["grid"]
    rebuilt = found.decompress()
    np.testing.assert_array_equal(rebuilt.levels("a.weight"), levels)
    np.testing.assert_array_equal(rebuilt.tensors["a.weight"], on_grid)


def test_a_network_of_frames(tmp_path: Path, cache: Cache) -> None:
    network = post_filter(tmp_path / "frames.onnx", random_weights(7, 6))
    found = compressed(network, cache)
    assert found.meter.metric == "PSNR of Y, Cb and Cr, 6:1:1"
    assert found.loss.counted <= MAX_LOSS
    assert found.sizes().total < len(nnr.encode(nnr.load(network), bits=8))


def test_fixed_length(luma_network: Path, cache: Cache, tmp_path: Path) -> None:
    found = compressed(luma_network, cache, fixed_length=True)
    path = tmp_path / "small.safetensors"
    found.save(path)
    assert found.meter.measure(nnr.PostFilter.load(path)) == found.loss
    assert found.loss.psnr <= MAX_LOSS
    assert path.stat().st_size == found.sizes().total
    bits = {tensor.name: tensor.settings.get("bits") for tensor in found.tensors}
    assert bits["a.bias"] is None
    assert all((bits[name] is None) == (name not in ("a.weight", "b.weight")) for name in bits)
    same_for_all = (nnr.compress(nnr.load(luma_network), width) for width in range(2, 17))
    smallest = next(
        compressed
        for compressed in same_for_all
        if found.meter.measure(nnr.PostFilter.load(compressed.decompress())).counted <= MAX_LOSS
    )
    assert found.sizes().total <= smallest.sizes().total


def test_tensors_can_be_kept(luma_network: Path, cache: Cache) -> None:
    found = compressed(luma_network, cache, keep=["b.*"])
    original = nnr.load(luma_network).tensors
    rebuilt = found.decompress().tensors
    for name in ("b.weight", "b.bias"):
        np.testing.assert_array_equal(rebuilt[name], original[name])
    assert not np.array_equal(rebuilt["a.weight"], original["a.weight"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_loss": 0.0}, "max_loss must be above 0"),
        ({"max_loss": float("nan")}, "max_loss must be above 0"),
        ({"qps": []}, "qps must hold at least one"),
        ({"qps": [64]}, "qp must be 0 to 63"),
        ({"keep": ["c.*"]}, "no tensor is named 'c.\\*'"),
        ({"per_channel": True}, "fixed-length"),
        ({"max_loss": 1e-9, "fixed_length": True, "all_tensors": True}, "not within reach"),
    ],
)
def test_wrong_arguments(
    luma_network: Path, cache: Cache, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compressed(luma_network, cache, **changes)


def test_no_frames(luma_network: Path) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        nnr.compress_to_loss(nnr.load(luma_network), [], max_loss=MAX_LOSS)


def test_no_post_filter() -> None:
    with pytest.raises(ValueError, match="topology"):
        nnr.compress_to_loss(Model({"w": np.ones((2, 2), np.float32)}), [clip()], max_loss=0.1)


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    path = tmp_path / "clip.y4m"
    write_y4m(path, list(clip()))
    return path


@pytest.fixture
def private_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("private_cache")
def test_command(
    nnr_command: Command, tmp_path: Path, luma_network: Path, frames: Path, found: LossCompression
) -> None:
    target = tmp_path / "small.nnr"
    search = ["--calibrate", frames, "--max-loss", f"{MAX_LOSS}dB", "--qp", "32", "37"]
    told = nnr_command("compress", luma_network, target, *search, "--json")
    assert told.code == 0, told.err
    report = told.json
    # A clip in a file or in memory, it is the same one.
    assert target.read_bytes() == found.coded
    assert report["compressed"]["bytes"] == target.stat().st_size
    assert report["original"]["bytes"] == luma_network.stat().st_size
    loss = report["loss"]
    assert (loss["allowed"], loss["psnr"]) == (MAX_LOSS, found.loss.psnr)
    assert (loss["metric"], loss["qps"], loss["pictures"]) == ("luma PSNR", [32, 37], 4)
    first = report["tensors"][0]
    assert {"name", "shape", "sensitivity", "qp", "step", "dq", "stored_bytes"} <= first.keys()
    text = nnr_command("compress", luma_network, target, *search, "--dry-run").out
    assert "a.weight" in text
    assert f"loses {loss['psnr']:.4f} dB" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--calibrate", "clip.y4m"], "go together"),
        (["--max-loss", "0.1dB"], "go together"),
        (["--calibrate", "clip.y4m", "--max-loss", "0.1"], "0.005dB"),
        (["--calibrate", "clip.y4m", "--max-loss", "0dB"], "0.005dB"),
        (["--calibrate", "clip.y4m", "--max-loss", "1%"], "0.005dB"),
        (["--calibrate", "gone", "--max-loss", "0.1dB"], "does not exist"),
        (["--calibrate", "clip.y4m", "--max-loss", "0.1dB", "--bits", "8"], "leave out --bits"),
        (["--calibrate", "clip.y4m", "--max-loss", "0.1dB", "--rule", "a=qp:1"], "out --rule"),
        (["--calibrate", "clip.y4m", "--max-loss", "0.1dB", "--qp", "64"], "0 to 63"),
        (["--calibrate", "clip.y4m", "--max-loss", "0.1dB", "--all"], "have no --all"),
        (["--qp", "-20", "-10"], "--qp takes one value"),
    ],
)
@pytest.mark.usefixtures("frames")
def test_wrong_usage(
    nnr_command: Command,
    tmp_path: Path,
    luma_network: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    result = nnr_command("compress", luma_network, "out.nnr", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert not (tmp_path / "out.nnr").exists()


def test_failures_of_the_command(
    nnr_command: Command, tmp_path: Path, luma_network: Path, frames: Path
) -> None:
    (tmp_path / "empty").mkdir()
    search = ["--max-loss", "0.1dB", "--calibrate"]
    empty = nnr_command("compress", luma_network, tmp_path / "o.nnr", *search, tmp_path / "empty")
    assert (empty.code, "no photographs" in empty.err) == (1, True)
    weights = tmp_path / "weights.npz"
    Model({"w": np.ones((2, 2), np.float32)}).save(weights)
    other = nnr_command("compress", weights, tmp_path / "o.nnr", *search, frames)
    assert (other.code, "topology" in other.err) == (1, True)
    assert not (tmp_path / "o.nnr").exists()


@pytest.mark.parametrize("density", [0, 2, 4])
def test_grids_of_any_step(density: int) -> None:
    levels = np.arange(-3, 9).reshape(3, 4)
    for qp in range(-20 << density, 3 << density):
        step = np.float32(_core.nnc_step_size(qp, density))
        assert grid_qp((levels * step).astype(np.float32), density) == qp
    assert grid_qp(np.zeros(3, np.float32), density) is None
    assert grid_qp(np.float32([np.pi, 1, 2]), density) is None
    assert grid_qp(np.float32([0, -0.75]), 2) == grid_qp(np.float32([0.75, 1.5]), 2)


def test_patches_are_cut_of_large_frames(cache: Cache) -> None:
    large = calibration_pictures([clip(400, 300, 20)], qps=[37], cache=cache)
    assert [picture.source.y.shape for picture in large] == [(160, 160)] * 8
    assert len({picture.source.y.tobytes() for picture in large}) == 8
    for picture in large:
        difference = picture.decoded.y / 256 - picture.source.y
        assert np.abs(difference).mean() < 4
    small = calibration_pictures([clip(33, 41, 1), clip(48, 32, 3)], qps=[37, 42], cache=cache)
    assert sorted(picture.source.y.shape for picture in small) == [(32, 48)] * 6 + [(41, 33)] * 2
