"""PyTorch state dicts."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from model_files import assert_same_tensors, normal

from nnr.models import Model, load


def test_checkpoints_and_state_dicts_of_torch_are_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch files need torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4))
    state = module.state_dict()
    expected = {name: tensor.numpy() for name, tensor in state.items()}
    torch.save(state, tmp_path / "plain.pt")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "checkpoint.pth")
    torch.save({"model": state, "optimizer": {}}, tmp_path / "training.pt")
    strided = {"w": torch.arange(6.0).reshape(2, 3).T.requires_grad_()}
    torch.save(strided, tmp_path / "strided.pt")
    assert_same_tensors(load(tmp_path / "plain.pt").tensors, expected)
    assert_same_tensors(load(tmp_path / "checkpoint.pth").tensors, expected)
    assert_same_tensors(load(tmp_path / "training.pt").tensors, expected)
    assert load(tmp_path / "strided.pt").tensors["w"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_torch_loads_what_we_write(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch files need torch")
    module = torch.nn.Linear(3, 2)
    weights = {"weight": normal(2, 3), "bias": normal(2)}
    Model(weights).save(tmp_path / "ours.pt")
    module.load_state_dict(torch.load(tmp_path / "ours.pt", weights_only=True))
    assert module.weight.detach().numpy().tobytes() == weights["weight"].tobytes()


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_pickles_that_run_code_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch files need torch")
    torch.save({"w": _Touch(tmp_path / "ran")}, tmp_path / "bad.pt")
    with pytest.raises(ValueError, match="no plain state dict"):
        load(tmp_path / "bad.pt")
    assert not (tmp_path / "ran").exists()


def test_whole_modules_are_refused_in_one_line(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch files need torch")
    torch.save(torch.nn.Linear(3, 2), tmp_path / "module.pt")
    with pytest.raises(
        ValueError, match=r"module\.pt is no .* 'torch.nn.modules.*Linear'"
    ) as raised:
        load(tmp_path / "module.pt")
    assert "for safety" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"no model", pickle.dumps({"w": 1}), b"PK\x03\x04"])
def test_what_torch_cannot_read_is_one_line_of_ours(tmp_path: Path, data: bytes) -> None:
    pytest.importorskip("torch", reason="PyTorch files need torch")
    (tmp_path / "bad.pt").write_bytes(data)
    with pytest.raises(ValueError, match=r"bad\.pt is damaged or no state dict") as raised:
        load(tmp_path / "bad.pt")
    assert "\n" not in str(raised.value)
    assert "weights_only" not in str(raised.value)


def test_other_things_in_torch_files_are_named(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch files need torch")
    torch.save({"w": torch.zeros(2), "epoch": 3}, tmp_path / "mixed.pt")
    torch.save([torch.zeros(2)], tmp_path / "list.pt")
    torch.save({"w": torch.zeros(2, 2).to_sparse()}, tmp_path / "sparse.pt")
    torch.save({"w": torch.zeros(1).expand(2, 2**60)}, tmp_path / "vast.pt")
    for name, message in (
        ("mixed", "'epoch' is no tensor"),
        ("list", "no state dict but list"),
        ("sparse", r"sparse\.pt: tensor 'w': only dense tensors"),
        ("vast", r"vast\.pt: tensor 'w': only .* that fit into memory"),
    ):
        with pytest.raises(ValueError, match=message):
            load(tmp_path / f"{name}.pt")


def test_damaged_torch_file_is_noticed(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch files need torch")
    torch.save({"w": torch.zeros(9)}, tmp_path / "model.pt")
    data = (tmp_path / "model.pt").read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "cut.pt").write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"cut\.pt"):
            load(tmp_path / "cut.pt")
