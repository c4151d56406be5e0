"""``nnr encode-image`` and ``nnr decode-image`` as people type them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from autoencoder_files import write_autoencoder
from conftest import Command
from numpy.typing import NDArray

import nnr
from nnr.video.images import read_rgb
from nnr.video.png import write_rgb

pytest.importorskip("PIL")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_autoencoder(tmp_path_factory.mktemp("models"))


@pytest.fixture
def folder(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with networks and two pictures."""
    shutil.copytree(models, tmp_path / "models")
    (tmp_path / "in").mkdir()
    for name, shape in [("a", (20, 30)), ("b", (17, 9))]:
        write_rgb(tmp_path / "in" / f"{name}.png", picture(*shape))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def picture(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[:, None]
    return (90 + 3 * rows + 2 * columns + np.array([0, 20, 40])).astype(np.uint8)


NETWORKS = ["--models", "models"]


@pytest.mark.usefixtures("folder")
def test_one_picture_there_and_back(nnr_command: Command) -> None:
    done = nnr_command("encode-image", "in/a.png", "a.nna", "--quality", "200", *NETWORKS)
    assert done.code == 0, done.err
    assert "30x20" in done.out
    done = nnr_command("decode-image", "a.nna", "a.png", *NETWORKS)
    assert done.code == 0, done.err
    autoencoder = nnr.AutoEncoder.load("models")
    data = autoencoder.encode(picture(20, 30), quality=200)
    assert Path("a.nna").read_bytes() == data
    np.testing.assert_array_equal(read_rgb("a.png"), autoencoder.decode(data))


@pytest.mark.usefixtures("folder")
def test_folders_and_json(nnr_command: Command) -> None:
    done = nnr_command("encode-image", "in", "coded", "--json", "-", *NETWORKS)
    assert done.code == 0, done.err
    records = done.json["files"]
    assert [record["output"] for record in records] == ["coded/a.nna", "coded/b.nna"]
    for record in records:
        assert record["bytes"] == Path(record["output"]).stat().st_size
        pixels = record["width"] * record["height"]
        assert record["bpp"] == pytest.approx(8 * record["bytes"] / pixels)
        assert record["quality"] == 144
    done = nnr_command(
        "decode-image", "coded/a.nna", "coded/b.nna", "back", "--json", "b.json", *NETWORKS
    )
    assert done.code == 0, done.err
    assert [read_rgb(f"back/{name}.png").shape for name in "ab"] == [(20, 30, 3), (17, 9, 3)]
    assert len(json.loads(Path("b.json").read_text())["files"]) == 2


@pytest.mark.usefixtures("folder")
def test_rate_is_kept(nnr_command: Command) -> None:
    done = nnr_command(
        "encode-image", "in/a.png", "a.nna", "--bpp", "1.2", "--json", "-", *NETWORKS
    )
    assert done.code == 0, done.err
    (record,) = done.json["files"]
    assert record["bpp"] <= 1.2
    finer = nnr.AutoEncoder.load("models").encode(picture(20, 30), quality=record["quality"] + 1)
    assert 8 * len(finer) / 600 > 1.2
    done = nnr_command("encode-image", "in/a.png", "small.nna", "--bpp", "0.1", *NETWORKS)
    assert done.code == 1
    assert "in/a.png: no quality takes 0.1 bits a pixel" in done.err
    assert not Path("small.nna").exists()


@pytest.mark.usefixtures("folder")
def test_grey_pictures_are_coded_as_colour(nnr_command: Command) -> None:
    image = pytest.importorskip("PIL.Image")
    image.fromarray(picture(16, 16)[..., 0]).save("grey.png")
    assert nnr_command("encode-image", "grey.png", "grey.nna", *NETWORKS).code == 0
    decoded = nnr.AutoEncoder.load("models").decode(Path("grey.nna").read_bytes())
    assert decoded.shape == (16, 16, 3)


@pytest.mark.usefixtures("folder")
def test_damaged_files_leave_nothing_behind(nnr_command: Command) -> None:
    assert nnr_command("encode-image", "in/a.png", "a.nna", *NETWORKS).code == 0
    Path("a.nna").write_bytes(Path("a.nna").read_bytes()[:-1])
    done = nnr_command("decode-image", "a.nna", "a.png", *NETWORKS)
    assert done.code == 1
    assert done.err.startswith("nnr: a.nna: ")
    assert not Path("a.png").exists()
    assert nnr_command("encode-image", "in", "coded", *NETWORKS).code == 0
    done = nnr_command("decode-image", "coded/a.nna", "a.png", "--max-pixels", "99", *NETWORKS)
    assert done.code == 1
    assert "30x20 is more than 99 pixels" in done.err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in/none.png", "a.nna"], "does not exist"),
        (["in/a.png", "none/a.nna/x"], "does not exist"),
        (["in/a.png", "a.jpg"], "must end in .nna"),
        (["in", "a.nna"], "takes one file"),
        (["in/a.png", "in", "coded"], "same name"),
        (["models", "coded"], "holds no"),
        (["in/a.png", "a.nna", "--quality", "1", "--bpp", "1"], "exclude each other"),
        (["in/a.png", "a.nna", "--quality", "256"], "255"),
        (["in/a.png", "a.nna", "--json", "none/x.json"], "--json"),
    ],
)
def test_wrong_usage(nnr_command: Command, arguments: list[str], message: str) -> None:
    done = nnr_command("encode-image", *arguments, *NETWORKS)
    assert done.code == 2
    assert message in " ".join(done.err.replace("│", " ").split())
