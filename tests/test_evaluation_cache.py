"""What the cache keeps, and what it does not believe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from video_frames import smooth_frame

from nnr.evaluation.cache import Cache, content_key, default_folder
from nnr.video import FrameFormat, VvcSettings, VvcStream, vvc

pytest.importorskip("imageio_ffmpeg")

FRAMES = [smooth_frame(FrameFormat(32, 32), seed) for seed in range(2)]
SETTINGS = VvcSettings(37)

Counted = Callable[[], int]


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """How often the encoder was called."""
    calls = []
    encode = vvc.encode

    def counted(*arguments: object, **options: object) -> VvcStream:
        calls.append(arguments)
        return encode(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(vvc, "encode", counted)
    return lambda: len(calls)


def files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def test_stream_is_kept_whole(tmp_path: Path, encodings: Counted) -> None:
    first = Cache(tmp_path).stream(FRAMES, SETTINGS, threads=2)
    again = Cache(tmp_path).stream(FRAMES, SETTINGS, threads=1)
    assert again == first
    assert encodings() == 1
    # The stream is a file that any VVC decoder plays.
    (kept,) = files(tmp_path, "*.266")
    assert kept.read_bytes() == first.data


def test_everything_the_stream_depends_on_is_in_its_key(
    tmp_path: Path, encodings: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(tmp_path)
    cache.stream(FRAMES, SETTINGS, threads=1)
    cache.stream(FRAMES[:1], SETTINGS, threads=1)
    cache.stream(FRAMES[::-1], SETTINGS, threads=1)
    cache.stream(FRAMES, VvcSettings(38), threads=1)
    cache.stream(FRAMES, VvcSettings(37, "none"), threads=1)
    cache.stream(FRAMES, VvcSettings(37, preset="fast"), threads=1)
    monkeypatch.setattr(vvc, "encoder_version", lambda: "libvvenc 2.0")
    cache.stream(FRAMES, SETTINGS, threads=1)
    assert encodings() == 7


@pytest.mark.parametrize("pattern", ["*.266", "*.json"])
@pytest.mark.parametrize("damage", ["remove", "truncate", "flip", "empty"])
def test_damaged_stream_is_encoded_again(
    tmp_path: Path, encodings: Counted, pattern: str, damage: str
) -> None:
    cache = Cache(tmp_path)
    first = cache.stream(FRAMES, SETTINGS, threads=1)
    (path,) = files(tmp_path, pattern)
    spoil(path, damage)
    assert cache.stream(FRAMES, SETTINGS, threads=1) == first
    assert encodings() == 2
    assert cache.stream(FRAMES, SETTINGS, threads=1) == first
    assert encodings() == 2


@pytest.mark.parametrize("damage", ["remove", "truncate", "flip", "empty", "other"])
def test_damaged_measurement_is_measured_again(tmp_path: Path, damage: str) -> None:
    cache = Cache(tmp_path)
    measured = {"psnr": [30.123456789012345, float("inf")], "ssim": [0.1]}
    assert cache.measurement(content_key("a"), lambda: measured) == measured
    assert cache.measurement(content_key("a"), pytest.fail) == measured
    (path,) = files(tmp_path, "*.json")
    spoil(path, damage)
    assert cache.measurement(content_key("a"), lambda: {"psnr": []}) == {"psnr": []}


def test_stopped_while_encoding_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> VvcStream:
        raise KeyboardInterrupt

    monkeypatch.setattr(vvc, "encode", stopped)
    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path).stream(FRAMES, SETTINGS, threads=1)
    assert files(tmp_path, "*") == []


def test_keys_do_not_run_together() -> None:
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key(1) != content_key("1")


def test_folder_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Cache().folder == tmp_path / "nnr"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert default_folder().is_absolute()


def spoil(path: Path, damage: str) -> None:
    data = path.read_bytes()
    if damage == "remove":
        path.unlink()
    elif damage == "flip":
        path.write_bytes(data[:-10] + bytes([data[-10] ^ 1]) + data[-9:])
    else:
        path.write_bytes({"truncate": data[:-1], "empty": b"", "other": b'["x"]'}[damage])
