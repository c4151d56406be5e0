"""The commands on bitstreams, as a shell sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import Command
from model_files import normal, run_onnx, small_network
from nnc_cases import need_corpus

import nnr
from nnr.models import Model, load


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.onnx"
    onnx.save(small_network(), path)
    return path


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.npz"
    Model({"conv.weight": normal(32, 16, 3, 3), "conv.bias": normal(32), "n": np.arange(4)}).save(
        path
    )
    return path


def test_compress_and_decompress(nnr_command: Command, network: Path, tmp_path: Path) -> None:
    small, rebuilt = tmp_path / "small.nnr", tmp_path / "rebuilt.onnx"
    assert nnr_command("compress", network, small, "--bits", "6").code == 0
    assert small.read_bytes() == nnr.encode(load(network), bits=6)
    assert nnr_command("decompress", small, rebuilt) == (0, "", "")
    nnr.decode(small).save(tmp_path / "expected.onnx")
    np.testing.assert_array_equal(run_onnx(rebuilt), run_onnx(tmp_path / "expected.onnx"))
    for extension in ("safetensors", "npz"):
        assert nnr_command("decompress", small, tmp_path / f"w.{extension}").code == 0


def test_compress_reports_what_it_did(nnr_command: Command, weights: Path) -> None:
    target = weights.with_suffix(".nnr")
    result = nnr_command("compress", weights, target, "--step", "0.05", "--no-dq", "--json")
    report = result.json
    tensors = {tensor["name"]: tensor for tensor in report["tensors"]}
    decoded, original = nnr.load(target), load(weights)
    difference = abs(decoded.tensors["conv.weight"] - original.tensors["conv.weight"])
    weight = tensors["conv.weight"]
    assert weight["max_error"] == float(difference.max())
    assert weight["rmse"] == pytest.approx(float(np.sqrt(np.mean(difference.astype("f8") ** 2))))
    assert weight["mean_error"] == pytest.approx(float(difference.astype("f8").mean()))
    assert (weight["payload"], weight["dq"]) == ("float", False)
    assert 0.048 < weight["step"] <= 0.05
    assert (tensors["n"]["payload"], tensors["n"]["max_error"]) == ("int", 0)
    assert report["compressed"]["bytes"] == target.stat().st_size
    assert report["original"]["bytes"] == weights.stat().st_size
    for sizes in (report["original"], report["compressed"]):
        assert sizes["bytes"] == sizes["weights"] + sizes["structure"]
    text = nnr_command("compress", weights, target, "--qp", "-20").out
    row = next(line for line in text.splitlines() if line.startswith("conv.weight"))
    assert row.split()[1:7] == ["32x16x3x3", "float32", "float,", "dq", "-20", "0.03125"]
    assert "rmse" in text


def test_dry_run_writes_nothing_and_tells_the_same(nnr_command: Command, weights: Path) -> None:
    target = weights.with_suffix(".nnc")
    dry = nnr_command("compress", weights, target, "--dry-run", "--json")
    assert dry.code == 0
    assert list(weights.parent.iterdir()) == [weights]
    assert nnr_command("compress", weights, target, "--json") == dry


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], {}),
        (["--bits", "5"], {"bits": 5}),
        (["--qp", "-24", "--qp-density", "3", "--dq"], {"qp": -24, "qp_density": 3, "dq": True}),
        (["--max-error", "0.01"], {"max_error": 0.01}),
        (["--rmse", "0.01"], {"rmse": 0.01}),
        (["--target-size", "3KB"], {"target_size": 3000}),
        (["--target-size", "3KiB"], {"target_size": 3072}),
        (["--target-size", "0.003 MB"], {"target_size": 3000}),
        (["--target-size", "4000"], {"target_size": 4000}),
        (
            ["--profile", "nnr", "--codebook", "--scan-order", "1"],
            {"codebook": True, "scan_order": 1},
        ),
        (
            ["--rule", "*.bias=raw", "--rule", "conv.w*=qp:-16,no-dq"],
            {"rules": ["*.bias=raw", "conv.w*=qp:-16,no-dq"]},
        ),
        (["--keep", "*.bias", "--threads", "2"], {"rules": ["*.bias=raw"]}),
    ],
)
def test_options_are_those_of_the_function(
    nnr_command: Command, weights: Path, arguments: list[str], options: dict[str, Any]
) -> None:
    target = weights.with_suffix(".nnr")
    assert nnr_command("compress", weights, target, *arguments).code == 0
    assert target.read_bytes() == nnr.encode(load(weights), **options)


def test_the_profile_of_nncodec(nnr_command: Command, tmp_path: Path) -> None:
    source, target = tmp_path / "m.npz", tmp_path / "m.nnc"
    model = Model({"w": normal(20, 20), "b": normal(20)})
    model.save(source)
    assert nnr_command("compress", source, target, "--profile", "nncodec").code == 0
    assert target.read_bytes() == nnr.encode(model, profile="nncodec")


def test_series(nnr_command: Command, tmp_path: Path) -> None:
    base: list[str | Path] = []
    model = None
    for step in range(3):
        source, target = tmp_path / f"{step}.npz", tmp_path / f"{step}.nnr"
        weights = {"w": normal(30, 30) + np.float32(0.01 * step)}
        Model(weights).save(source)
        assert nnr_command("compress", source, target, *base).code == 0
        model = nnr.decode(target, base=model)
        rebuilt = tmp_path / f"rebuilt{step}.npz"
        assert nnr_command("decompress", target, rebuilt, *base).code == 0
        np.testing.assert_array_equal(load(rebuilt).tensors["w"], model.tensors["w"])
        base += ["--base", target]
    alone = nnr_command("decompress", tmp_path / "1.nnr", tmp_path / "x.npz")
    assert alone.code == 1
    assert "give their model as base" in alone.err
    assert f"step {step}" in nnr_command("info", tmp_path / "2.nnr").out
    assert nnr_command("verify", tmp_path / "2.nnr").code == 0


def test_info(nnr_command: Command, network: Path) -> None:
    small = network.with_suffix(".nnr")
    data = nnr.encode(load(network), qp=-20, rules=["conv2.weight=raw"])
    small.write_bytes(data)
    report = nnr_command("info", small, "--json").json
    plain = nnr_command("info", network, "--json").json
    assert [t["name"] for t in report["tensors"]] == [t["name"] for t in plain["tensors"]]
    assert [t["dtype"] for t in report["tensors"]] == [t["dtype"] for t in plain["tensors"]]
    assert (report["topology"], report["metadata"]) == ("onnx", {"author": "Zoë"})
    assert report["original_weights"] == load(network).nbytes
    assert report["bytes"] == len(data) == report["weights"] + report["structure"]
    tensors = {tensor["name"]: tensor for tensor in report["tensors"]}
    assert (tensors["conv1.weight"]["qp"], tensors["conv1.weight"]["step"]) == (-20, 2**-5)
    assert tensors["conv2.weight"]["payload"] == "raw_float"
    text = nnr_command("info", small).out
    assert "conv1.weight" in text
    assert "raw float" in text
    assert "topology: onnx" in text


def test_info_of_other_encoders(nnr_command: Command) -> None:
    folder = need_corpus()
    assert "codebook of 6" in nnr_command("info", folder / "29_codebook1.nnc").out
    assert "blocks of 8x8" in nnr_command("info", folder / "25_scan8.nnc").out
    block = nnr_command("info", folder / "45_block_bnf.nnc").out
    assert "bias of conv.weight" in block
    assert "local_scaling of conv.weight" in block


def test_info_tells_what_was_skipped(nnr_command: Command, tmp_path: Path) -> None:
    path = tmp_path / "m.nnr"
    path.write_bytes(nnr.encode({"w": normal(3, 3)}, profile="nncodec") + bytes.fromhex("0003fe"))
    assert "note: unit 4" in nnr_command("info", path).out
    assert len(nnr_command("info", path, "--json").json["notes"]) == 1


def test_verify(nnr_command: Command, network: Path) -> None:
    small = network.with_suffix(".nnr")
    small.write_bytes(nnr.encode(load(network)))
    assert nnr_command("verify", small) == (0, f"{small}: all 9 checksums match\n", "")
    damaged = bytearray(small.read_bytes())
    unit = nnr.NncFile(small)._data_units[2]
    damaged[unit.offset + unit.size - 1] ^= 1
    small.write_bytes(damaged)
    result = nnr_command("verify", small)
    assert result.code == 1
    assert result.out.count("does not match its checksum (corrupt, unit ") == 1
    report = nnr_command("verify", small, "--json")
    assert list(report.json["damaged"]) == unit.names
    assert nnr_command("decompress", small, small.with_suffix(".npz")).code == 1


def test_verify_without_checksums(nnr_command: Command, tmp_path: Path) -> None:
    path = tmp_path / "m.nnc"
    data = nnr.encode({"w": normal(9, 9), "v": normal(9)}, profile="nncodec")
    path.write_bytes(data)
    assert nnr_command("verify", path).out == f"{path}: no checksums; all 2 decode\n"
    assert nnr_command("verify", path, "--json").json["checksums"] is False
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert nnr_command("verify", path).code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compress", "weights.npz", "o.nnr", "--qp", "-20", "--bits", "8"], "one of qp, bits"),
        (["compress", "weights.npz", "o.nnr", "--qp", "-200"], "qp must be -128 to 127"),
        (["compress", "weights.npz", "o.nnr", "--bits", "17"], "--bits"),
        (["compress", "weights.npz", "o.nnr", "--target-size", "many"], "number of bytes"),
        (["compress", "weights.npz", "o.nnr", "--rule", "*"], "must be PATTERN"),
        (["compress", "weights.npz", "o.nnr", "--rule", "*=fast"], "'fast' is none of"),
        (["compress", "weights.npz", "o.nnr", "--profile", "best"], "profile must be"),
        (["compress", "weights.npz", "o.nnr", "--max-error", "1", "--dq"], "uniform"),
        (["compress", "weights.npz", "o.nnr", "--per-channel"], "have no --per-channel"),
        (["compress", "weights.npz", "o.nnr", "--all"], "have no --all"),
        (["compress", "weights.npz", "o.nnr", "--base", "gone.nnr"], "does not exist"),
        (["compress", "weights.npz", "o.nnr", "--base", "weights.npz"], "must end in .nnr"),
        (["compress", "weights.npz", "o.safetensors", "--qp", "-20"], "have no --qp"),
        (["compress", "weights.npz", "o.safetensors", "--rule", "*=raw"], "have no --rule"),
        (["compress", "weights.npz", "o.safetensors", "--base", "m.nnr"], "have no --base"),
        (["compress", "weights.npz", "o.safetensors", "--no-dq"], "have no --dq"),
        (["compress", "m.nnr", "o.nnr"], "decompress it first"),
        (["decompress", "m.nnr", "o.nnr"], "must end in .onnx"),
        (["decompress", "small.safetensors", "o.npz", "--base", "m.nnr"], "have no --base"),
        (["decompress", "weights.npz", "o.npz"], "must end in .safetensors or .nnr or .nnc"),
        (["verify", "weights.npz"], "must end in .safetensors or .nnr or .nnc"),
    ],
)
def test_wrong_usage_ends_with_2(
    nnr_command: Command,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "m.nnr").write_bytes(nnr.encode(load(weights)))
    nnr.compress(load(weights)).save(tmp_path / "small.safetensors")
    before = sorted(tmp_path.iterdir())
    result = nnr_command(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compress", "nan.npz", "o.nnr"], "tensor 'w': array holds nan at index (2, 3)"),
        (["compress", "weights.npz", "o.nnr", "--rule", "v=raw"], "no tensor is named 'v'"),
        (["compress", "weights.npz", "o.nnr", "--target-size", "100"], "not within reach"),
        (["compress", "weights.npz", "o.nnr", "--profile", "nncodec"], "NNCodec takes float32"),
        (["compress", "weights.npz", "o.nnr", "--base", "cut.nnr"], "cut.nnr: "),
        (["decompress", "cut.nnr", "o.npz"], "truncated"),
        (["decompress", "m.nnr", "o.onnx"], "needs a topology"),
        (["decompress", "m.nnr", "o.npz", "--max-elements", "7"], "raise max_elements"),
        (["decompress", "text.nnr", "o.npz"], "text.nnr: "),
        (["info", "cut.nnr"], "truncated"),
        (["verify", "cut.nnr"], "truncated"),
    ],
)
def test_failures_end_with_1_and_one_line(
    nnr_command: Command,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    data = nnr.encode(load(weights))
    (tmp_path / "m.nnr").write_bytes(data)
    (tmp_path / "cut.nnr").write_bytes(data[:-3])
    (tmp_path / "text.nnr").write_bytes(b"not a bitstream at all")
    bad = normal(4, 4)
    bad[2, 3] = np.nan
    Model({"w": bad}).save(tmp_path / "nan.npz")
    before = sorted(tmp_path.iterdir())
    result = nnr_command(*arguments)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert result.err.startswith("nnr: ")
    assert result.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
