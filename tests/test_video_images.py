"""Photographs as frames."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import nnr
from nnr.video import (
    Frame,
    FrameFormat,
    find_sequences,
    frame_from_rgb,
    open_sequence,
    rgb_from_frame,
    write_png,
    write_png_folder,
)

Image = pytest.importorskip("PIL.Image")

# 8-bit BT.709 limited-range codes of the primaries at full intensity.
PRIMARIES = {
    (0, 0, 0): (16, 128, 128),
    (255, 255, 255): (235, 128, 128),
    (255, 0, 0): (63, 102, 240),
    (0, 255, 0): (173, 42, 26),
    (0, 0, 255): (32, 240, 118),
}


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(("rgb", "codes"), PRIMARIES.items())
def test_bt709_codes(rgb: tuple[int, ...], codes: tuple[int, ...]) -> None:
    frame = frame_from_rgb(np.full((4, 6, 3), rgb, np.uint8))
    assert tuple(int(plane[1, 1]) for plane in frame.planes) == codes


def test_chroma_is_sited_left() -> None:
    rgb = np.zeros((2, 6, 3), np.uint8)
    rgb[:, 2] = (0, 0, 255)
    # Blue in column 2 alone: half of it falls to the chroma sample there, none to its neighbours'.
    assert frame_from_rgb(rgb).u[0].tolist() == [128, 184, 128]


def test_odd_sizes_and_grey() -> None:
    frame = frame_from_rgb(np.full((5, 7), 200, np.uint8))
    assert (frame.y.shape, frame.u.shape) == ((5, 7), (3, 4))
    assert set(frame.u.ravel().tolist()) == {128}


@pytest.mark.parametrize("rgb", PRIMARIES)
@pytest.mark.parametrize("bit_depth", [8, 10, 16])
def test_flat_colours_come_back(rgb: tuple[int, ...], bit_depth: int) -> None:
    frame = frame_from_rgb(np.full((5, 7, 3), rgb, np.uint8))
    if bit_depth > 8:
        deep = (plane.astype(np.uint16) << (bit_depth - 8) for plane in frame.planes)
        frame = Frame(*deep, bit_depth=bit_depth)
    back = rgb_from_frame(frame)
    assert back.shape == (5, 7, 3)
    # Half a code of chroma is up to 2 * 0.93 * 255 / 224 / 2 codes of blue, half one of luma 0.6.
    assert np.abs(back.astype(int) - rgb).max() <= 2


def test_the_way_back_has_the_same_siting() -> None:
    # Colour ramps of 6 codes a sample: a shift of half a sample would show as an error of 3.
    rows, columns = np.indices((20, 30))
    rgb = np.stack([6 * columns, np.full_like(rows, 90), 6 * rows + 60], axis=2).astype(np.uint8)
    error = rgb_from_frame(frame_from_rgb(rgb)).astype(int) - rgb
    inside = error[2:-2, 2:-2].reshape(-1, 3)
    assert np.abs(inside).max() <= 2
    assert np.abs(inside.mean(axis=0)).max() < 0.3


def test_chroma_between_its_sites_is_interpolated() -> None:
    planes = [np.full(shape, 128, np.uint8) for shape in FrameFormat(6, 4).plane_shapes]
    planes[2] = np.uint8([[128, 144, 128], [128, 128, 128]])
    red = rgb_from_frame(Frame(*planes))[..., 0].astype(float)
    full = 2 * (1 - 0.2126) * 16 / 224 * 255
    parts = (red - red[3, 0]) / full
    wanted = np.outer([1, 0.75, 0.25, 0], [0, 0.5, 1, 0.5, 0, 0])
    assert np.abs(parts - wanted).max() <= 1 / full  # both numbers are rounded


def test_colours_beyond_rgb_are_clipped() -> None:
    planes = [np.full(shape, 255, np.uint8) for shape in FrameFormat(4, 4).plane_shapes]
    assert rgb_from_frame(Frame(*planes))[0, 0].tolist() == [255, 184, 255]


def test_written_pictures(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    frame = frame_from_rgb(pixels)
    write_png(tmp_path / "a.png", frame)
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(picture), rgb_from_frame(frame))
    write_png_folder(tmp_path / "numbered", [frame] * 2)
    write_png_folder(tmp_path / "named", [frame] * 2, names=["y.png", "x.png"])
    assert {path.name for path in (tmp_path / "numbered").iterdir()} == {"000000.png", "000001.png"}
    assert {path.name for path in (tmp_path / "named").iterdir()} == {"x.png", "y.png"}


@pytest.mark.parametrize(
    ("count", "names", "message"),
    [
        (0, None, "at least one frame, got 0"),
        (1, ["a.png", "b.png"], "2 frames, one a name, got 1"),
        (2, ["a.png"], "more frames than the 1 names"),
    ],
)
def test_no_folder_without_its_pictures(
    tmp_path: Path, count: int, names: list[str] | None, message: str
) -> None:
    frame = frame_from_rgb(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match=message):
        write_png_folder(tmp_path / "out", [frame] * count, names=names)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").touch()
    frame = frame_from_rgb(np.zeros((4, 4), np.uint8))
    with pytest.raises(OSError, match="not empty") as caught:
        write_png_folder(tmp_path / "out", [frame])
    assert caught.value.filename == str(tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "a"]
    with pytest.raises(FileNotFoundError) as missing:
        write_png_folder(tmp_path / "gone" / "out", [frame])
    assert missing.value.filename == str(tmp_path / "gone" / "out")


def test_photograph_is_a_sequence_of_one(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    sequence = open_sequence(save(tmp_path / "a.png", pixels))
    assert (sequence.name, len(sequence)) == ("a", 1)
    np.testing.assert_array_equal(sequence[0].y, frame_from_rgb(pixels).y)


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1"])
def test_picture_modes(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(np.full((6, 8, 3), 255, np.uint8)).convert(mode)
    picture.save(tmp_path / "a.png")
    assert int(open_sequence(tmp_path / "a.png")[0].y[0, 0]) == 235


def test_folder(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for index, name in enumerate(["b.png", "a.PNG", "c.jpg"]):
        save(folder / name, np.full((6, 8, 3), 40 * index, np.uint8))
    (folder / "notes.txt").write_text("not a picture")
    sequence = open_sequence(folder)
    assert (sequence.name, len(sequence)) == ("clip", 3)
    luma = [int(frame.y[0, 0]) for frame in sequence]
    assert luma[0] > luma[1] == 16 < luma[2]


def test_folder_of_mixed_sizes(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.zeros((6, 8, 3), np.uint8))
    save(tmp_path / "b.png", np.zeros((8, 6, 3), np.uint8))
    with pytest.raises(ValueError, match=r"b.png is 6x8, a.png 8x6"):
        open_sequence(tmp_path)


def test_find_sequences(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "empty").mkdir()
    save(tmp_path / "clip" / "0.png", np.zeros((6, 8, 3), np.uint8))
    save(tmp_path / "photo.jpg", np.zeros((8, 6, 3), np.uint8))
    (tmp_path / "raw_4x4_50.yuv").write_bytes(bytes(24))
    assert [s.name for s in find_sequences(tmp_path)] == ["clip", "photo", "raw_4x4_50"]
    with pytest.raises(ValueError, match=r"no \.yuv or \.y4m"):
        find_sequences(tmp_path / "empty")


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_not_a_picture(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(nnr.BitstreamError, match=r"a\.png"):
        open_sequence(tmp_path / "a.png")


def test_truncated_picture(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for name in ("a.png", "a.jpg"):
        path = save(tmp_path / name, pixels)
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(nnr.BitstreamError, match=name) as caught:
            open_sequence(path)[0]
        assert caught.value.kind in ("truncated", "corrupt")


def test_sixteen_bits_a_channel(tmp_path: Path) -> None:
    save(tmp_path / "a.png", np.zeros((6, 8), np.uint16))
    with pytest.raises(nnr.BitstreamError, match="only 8 bits") as caught:
        open_sequence(tmp_path / "a.png")[0]
    assert caught.value.kind == "unsupported"


def test_decompression_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", np.zeros((64, 64, 3), np.uint8))
    for limit in (64 * 64 - 1, 64 * 64 // 3):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(nnr.BitstreamError, match="pixels") as caught:
            open_sequence(path)
        assert caught.value.kind == "unsupported"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_sequence(tmp_path / "a.png")


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", np.zeros((6, 8, 3), np.uint8))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(nnr.MissingExtraError, match=r"pip install 'nnr\[evaluate\]'"):
        open_sequence(path)
