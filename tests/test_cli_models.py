"""The commands compress, decompress, info and verify, as a shell sees them."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import Command, Result
from model_files import normal, run_onnx, small_network

from nnr.coding.uniform import compress
from nnr.models import Model, load


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "network.onnx"
    onnx.save(small_network(), path)
    return path


@pytest.fixture
def compressed(tmp_path: Path, network: Path) -> Path:
    path = tmp_path / "network.safetensors"
    compress(load(network)).save(path)
    return path


def test_compress_and_decompress(nnr_command: Command, tmp_path: Path, network: Path) -> None:
    small, rebuilt = tmp_path / "small.safetensors", tmp_path / "rebuilt.onnx"
    assert nnr_command("compress", network, small, "--bits", "6").code == 0
    assert nnr_command("decompress", small, rebuilt) == Result(0, "", "")
    expected = compress(load(network), 6).decompress()
    expected.save(tmp_path / "expected.onnx")
    np.testing.assert_array_equal(run_onnx(rebuilt), run_onnx(tmp_path / "expected.onnx"))
    for extension in ("safetensors", "npz"):
        target = tmp_path / f"weights.{extension}"
        assert nnr_command("decompress", small, target).code == 0
        assert load(target).tensors.keys() == expected.tensors.keys()


def test_compress_reports_what_it_did(nnr_command: Command, network: Path) -> None:
    target = network.with_suffix(".safetensors")
    result = nnr_command("compress", network, target, "--bits=4", "--keep", "conv2.*", "--json")
    report = result.json
    assert result.code == 0
    by_name = {tensor["name"]: tensor for tensor in report["tensors"]}
    assert by_name["conv1.weight"]["bits"] == 4
    assert by_name["conv1.weight"]["max_error"] > by_name["conv1.weight"]["mean_error"] > 0
    assert by_name["conv2.weight"]["kept"] == "named by conv2.*"
    assert by_name["conv1.bias"]["kept"] == "rank below 2"
    assert report["original"]["bytes"] == network.stat().st_size
    assert report["compressed"]["bytes"] == target.stat().st_size
    assert report["ratio"] == network.stat().st_size / target.stat().st_size
    for sizes in (report["original"], report["compressed"]):
        assert sizes["bytes"] == sizes["weights"] + sizes["structure"]
    text = nnr_command("compress", network, target, "--all", "--per-channel").out
    assert "conv1.weight" in text
    assert "6x1x3x3" in text
    assert f"{network.stat().st_size:,}" in text


def test_dry_run_writes_nothing_and_tells_the_same(nnr_command: Command, network: Path) -> None:
    target = network.with_suffix(".safetensors")
    dry = nnr_command("compress", network, target, "--dry-run", "--json")
    assert dry.code == 0
    assert list(network.parent.iterdir()) == [network]
    assert nnr_command("compress", network, target, "--json") == dry
    assert target.exists()


def test_a_file_can_be_compressed_in_place(nnr_command: Command, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    Model({"w": normal(64, 64)}).save(path)
    before = path.stat().st_size
    report = nnr_command("compress", path, path, "--json").json
    assert report["original"]["bytes"] == before
    assert report["compressed"]["bytes"] == path.stat().st_size < before / 3


def test_info_of_compressed_and_plain_files(
    nnr_command: Command, network: Path, compressed: Path
) -> None:
    plain, small = (nnr_command("info", path, "--json").json for path in (network, compressed))
    assert [t["name"] for t in plain["tensors"]] == [t["name"] for t in small["tensors"]]
    assert plain["topology"] == small["topology"] == "onnx"
    assert plain["metadata"] == small["metadata"] == {"author": "Zoë"}
    assert plain["ratio"] == 1
    assert small["ratio"] > 2
    assert small["original_weights"] == plain["weights"] == load(network).nbytes
    first = small["tensors"][0]
    assert (first["bits"], first["shape"], first["dtype"]) == (8, [6, 1, 3, 3], "float32")
    assert first["lo"] == plain["tensors"][0]["lo"] == float(normal(6, 1, 3, 3).min())
    assert "max_error" in first
    text = nnr_command("info", compressed).out
    assert "conv1.weight" in text
    assert f"{compressed.stat().st_size:,} bytes" in text


def test_info_of_unusual_tensors(nnr_command: Command, tmp_path: Path) -> None:
    import ml_dtypes

    path = tmp_path / "odd.safetensors"
    tensors = {
        "nan [bold]": np.float32([np.nan, 1]),
        "empty": np.zeros((0, 2), np.float32),
        "float8": normal(2).astype(ml_dtypes.float8_e5m2),
        "brain": normal(2).astype(ml_dtypes.bfloat16),
        "mask": np.array(True),
    }
    Model(tensors).save(path)
    fields = {
        tensor["name"]: tensor for tensor in nnr_command("info", path, "--json").json["tensors"]
    }
    assert fields["nan [bold]"]["lo"] is None
    assert fields["empty"]["hi"] is None
    assert fields["brain"]["hi"] == float(tensors["brain"].max())
    assert "nan [bold]" in nnr_command("info", path).out


def test_verify_names_every_damaged_tensor(nnr_command: Command, compressed: Path) -> None:
    good = nnr_command("verify", compressed)
    assert (good.code, good.out) == (0, f"{compressed}: all 7 checksums match\n")
    data = bytearray(compressed.read_bytes())
    data[-1] ^= 1
    data[data.index(normal(6, seed=2).tobytes())] ^= 1
    compressed.write_bytes(data)
    bad = nnr_command("verify", compressed)
    assert bad.code == 1
    assert bad.out.count("does not match its checksum (corrupt, at byte ") == 2
    report = nnr_command("verify", compressed, "--json")
    assert report.code == 1
    assert "conv1.bias" in report.json["damaged"]
    assert nnr_command("decompress", compressed, compressed.with_suffix(".npz")).code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compress", "network.onnx", "out.safetensors", "--bits", "0"], "--bits"),
        (["compress", "network.onnx", "out.safetensors", "--bits", "17"], "--bits"),
        (["compress", "network.onnx", "out.nnrx"], "must end in .safetensors"),
        (["compress", "network.onnx", "folder.safetensors"], "is a directory"),
        (["compress", "folder.safetensors", "out.safetensors"], "is a directory"),
        (["compress", "gone.onnx", "out.safetensors"], "does not exist"),
        (["compress", "notes.txt/a.onnx", "out.safetensors"], "does not exist"),
        (["compress", "network.onnx", "gone/out.safetensors"], "'gone' does not exist"),
        (["compress", "network.onnx", "gone/a.safetensors", "--dry-run"], "'gone' does not exist"),
        (["compress", "network.safetensors", "out.safetensors"], "decompress it first"),
        (["compress", "notes.txt", "out.safetensors"], "must end in .onnx"),
        (["compress", "network.onnx"], "OUT"),
        (["decompress", "network.onnx", "out.npz"], "must end in .safetensors"),
        (["decompress", "network.safetensors", "out.txt"], "must end in .onnx"),
        (["decompress", "network.safetensors", "gone/out.npz"], "'gone' does not exist"),
        (["decompress", "network.safetensors", "folder.safetensors"], "is a directory"),
        (["info", "notes.txt"], "must end in .onnx"),
        (["info", "folder.safetensors"], "is a directory"),
        (["verify", "network.onnx"], "must end in .safetensors"),
        (["compact"], "compact"),
    ],
)
@pytest.mark.usefixtures("compressed")
def test_wrong_usage_ends_with_2(
    nnr_command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("notes.txt").write_text("no model")
    Path("folder.safetensors").mkdir()
    before = sorted(tmp_path.iterdir())
    result = nnr_command(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert sorted(tmp_path.iterdir()) == before


def _write_bad_files(folder: Path) -> None:
    weights = normal(4, 4)
    Model({"w": weights}).save(folder / "plain.safetensors")
    compress(Model({"w": weights})).save(folder / "good.safetensors")
    data = (folder / "good.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(data[:-3])
    (folder / "flipped.safetensors").write_bytes(data[:-1] + bytes([data[-1] ^ 4]))
    header = b'{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    huge = len(header).to_bytes(8, "little") + header
    (folder / "huge.safetensors").write_bytes(huge + bytes(64))
    (folder / "text.onnx").write_bytes(b"not a model at all")
    weights[2, 3] = np.nan
    Model({"w": weights}).save(folder / "nan.npz")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["compress", "nan.npz", "out.safetensors"],
            r"tensor 'w': array holds nan at index (2, 3)",
        ),
        (["compress", "cut.safetensors", "out.safetensors"], "truncated"),
        (["compress", "text.onnx", "out.safetensors"], "text.onnx is no ONNX model"),
        (["compress", "plain.safetensors", "out.safetensors", "--keep", "v"], "no tensor is named"),
        (["decompress", "cut.safetensors", "out.npz"], "truncated"),
        (["decompress", "flipped.safetensors", "out.npz"], "tensor 'w' does not match"),
        (["decompress", "huge.safetensors", "out.npz"], "truncated"),
        (["decompress", "plain.safetensors", "out.npz"], "was not written by nnr compress"),
        (["decompress", "good.safetensors", "out.onnx"], "needs a topology"),
        (["info", "flipped.safetensors"], "tensor 'w' does not match"),
        (["info", "huge.safetensors"], "truncated"),
        (["verify", "cut.safetensors"], "truncated"),
        (["verify", "plain.safetensors"], "was not written by nnr compress"),
    ],
)
def test_failures_end_with_1_and_one_line(
    nnr_command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _write_bad_files(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = nnr_command(*arguments)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert result.err.startswith("nnr: ")
    assert result.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_full_disk_ends_with_1_and_keeps_the_old_file(nnr_command: Command, tmp_path: Path) -> None:
    source, target = tmp_path / "model.npz", tmp_path / "model.safetensors"
    Model({"w": normal(300, 100)}).save(source)
    target.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        result = nnr_command("compress", source, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (result.code, result.err) == (1, f"nnr: {target}: File too large\n")
    assert target.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == [source, target]


def test_unreadable_file_ends_with_1(
    nnr_command: Command, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    # Not by the file's mode, which does not stop a test that root runs.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = nnr_command("info", network)
    assert (result.code, result.err) == (1, f"nnr: {network}: Permission denied\n")


def test_file_in_a_closed_folder_ends_with_1(
    nnr_command: Command, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.stat

    def refuse(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        if str(path) == str(network):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", refuse)
    result = nnr_command("info", network)
    assert (result.code, result.err) == (1, f"nnr: {network}: Permission denied\n")


@pytest.mark.parametrize("columns", [40, 80, 100, 120, 160])
def test_no_number_is_broken_on_a_narrow_terminal(
    nnr_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    path = tmp_path / "m.npz"
    Model({"luma.start.conv.weight": normal(64, 32, 3, 3), "luma.start.conv.bias": normal(9)}).save(
        path
    )
    fields = nnr_command("info", path, "--json").json["tensors"]
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    info = nnr_command("info", path).out
    compress = nnr_command("compress", path, tmp_path / "c.safetensors").out
    for field in fields:
        shape = "x".join(map(str, field["shape"]))
        numbers = [shape, field["dtype"], f"{field['original_bytes']:,}", f"{field['ratio']:.2f}"]
        numbers += [f"{field['lo']:.5g}", f"{field['hi']:.5g}"]
        assert any(set(numbers) <= set(line.split()) for line in info.splitlines())
        assert any(set(numbers[:3]) <= set(line.split()) for line in compress.splitlines())
    if columns <= 80:
        assert "luma.start.conv.weight  64x32x3x3" in compress
        assert "rank below 2" in compress


def test_names_cannot_steer_the_terminal(nnr_command: Command, tmp_path: Path) -> None:
    path, small = tmp_path / "m.safetensors", tmp_path / "c.safetensors"
    name = "evil\x1b[31m\rname\n"
    Model({name: normal(30, 30)}).save(path)
    outputs = [nnr_command("info", path).out, nnr_command("compress", path, small).out]
    assert all(r"evil\x1b[31m\rname\n " in text for text in outputs)
    assert not any(char in text for char in "\x1b\r" for text in outputs)
    assert nnr_command("info", path, "--json").json["tensors"][0]["name"] == name
    assert ": 1 tensor, topology" in outputs[0]
    assert nnr_command("verify", small).out == f"{small}: the checksum matches\n"


def test_help_needs_no_heavy_module() -> None:
    code = (
        "import sys, nnr.cli.app; from typer.main import get_command; get_command(nnr.cli.app.app);"
        "heavy = 'onnx onnxruntime torch skimage matplotlib imageio_ffmpeg'.split();"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_bar_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nnr.cli import output

    monkeypatch.setattr(output, "_QUIET_SECONDS", -1.0)
    with output.progress("working", 2) as advance:
        advance("one")
    assert capsys.readouterr().err == ""


def test_bar_on_a_terminal_only_after_a_while(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nnr.cli import output

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with output.progress("working", 2) as advance:
        advance("one")
    assert "working" not in capsys.readouterr().err
    monkeypatch.setattr(output, "_QUIET_SECONDS", -1.0)
    with output.progress("working", 2) as advance:
        advance("one")
    assert "working" in capsys.readouterr().err


def test_json_has_no_numpy_and_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    from nnr.cli.output import print_json

    print_json({"a": np.float32(0.5), "b": (np.nan, np.int64(3)), "c": np.ones(2), "d": None})
    expected = {"a": 0.5, "b": [None, 3], "c": [1.0, 1.0], "d": None}
    assert json.loads(capsys.readouterr().out) == expected
