"""Auto-encoders: pictures of any size come back, the same on every machine; damage is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from autoencoder_files import write_autoencoder
from numpy.typing import NDArray

import nnr
from nnr.evaluation import psnr
from nnr.networks.autoencoder.file import Header, write_file
from nnr.networks.autoencoder.tables import PriorTables
from nnr.reference import autoencoder as reference
from nnr.reference import latent_coder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_autoencoder(tmp_path_factory.mktemp("autoencoder"))


@pytest.fixture(scope="module")
def autoencoder(folder: Path) -> nnr.AutoEncoder:
    return nnr.AutoEncoder.load(folder)


def smooth_picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[:, None]
    phases, waves = random.uniform(0, 6, (2, 3)), random.uniform(0.01, 0.06, (2, 3))
    values = np.sin(rows * waves[0] + phases[0]) + np.sin(columns * waves[1] + phases[1])
    return np.rint(127 + 60 * values).astype(np.uint8)


def dims(picture: NDArray[np.uint8], decoded: NDArray[np.uint8]) -> float:
    return float(np.mean([psnr(picture[..., c], decoded[..., c]) for c in range(3)]))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (8, 8), (7, 17), (33, 20), (64, 40)])
def test_any_size_comes_back(autoencoder: nnr.AutoEncoder, size: tuple[int, int]) -> None:
    picture = smooth_picture(*size)
    decoded = autoencoder.decode(autoencoder.encode(picture, quality=255))
    assert (decoded.shape, decoded.dtype) == ((*size, 3), np.uint8)
    assert dims(picture, decoded) > 30


def test_quality_trades_bytes_for_precision(autoencoder: nnr.AutoEncoder) -> None:
    picture = smooth_picture(64, 64)
    files = [autoencoder.encode(picture, quality=quality) for quality in (0, 80, 160, 255)]
    sizes = [len(data) for data in files]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 3
    values = [dims(picture, autoencoder.decode(data)) for data in files]
    assert values == sorted(values)
    assert values[-1] > values[0] + 5


def test_many_are_coded_as_each(autoencoder: nnr.AutoEncoder) -> None:
    pictures = np.stack([smooth_picture(20, 27, seed) for seed in range(5)])
    files = autoencoder.encode_many(pictures, quality=150)
    assert files == [autoencoder.encode(picture, quality=150) for picture in pictures]
    files[1] = autoencoder.encode(pictures[1], quality=90)
    decoded = autoencoder.decode_many(files)
    for data, picture in zip(files, decoded, strict=True):
        np.testing.assert_array_equal(autoencoder.decode(data), picture)


def test_files_and_pictures_are_the_same_at_every_level(autoencoder: nnr.AutoEncoder) -> None:
    picture = smooth_picture(37, 50, seed=3)
    results = {}
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            results[target] = autoencoder.encode(picture, quality=200)
    data = results["scalar"]
    decoded = autoencoder.decode(data)
    for target in nnr.cpu.targets():
        with nnr.cpu.use_target(target):
            np.testing.assert_array_equal(autoencoder.decode(data), decoded, target)
            # The encoder's transform is of floats, but its prior is of integers: what one level
            # codes, all decode.
            assert autoencoder.decode(results[target]).shape == picture.shape


def test_float_decoder_is_close(autoencoder: nnr.AutoEncoder) -> None:
    pictures = smooth_picture(48, 48)[None]
    files = autoencoder.encode_many(pictures, quality=220)
    exact = autoencoder.decode_many(files)
    original = autoencoder.decode_many(files, arithmetic="float")
    assert np.abs(exact.astype(int) - original).max() <= 2


def test_stepwise_coding_gives_the_files_and_pictures(autoencoder: nnr.AutoEncoder) -> None:
    pictures = np.stack([smooth_picture(19, 32, seed) for seed in range(3)])
    transformed = autoencoder.transform(pictures)
    files, latents = autoencoder.code(transformed, quality=170)
    assert files == autoencoder.encode_many(pictures, quality=170)
    np.testing.assert_array_equal(autoencoder.reconstruct(latents), autoencoder.decode_many(files))
    lean, _ = autoencoder.code(transformed, quality=170, rate_weight=1.0)
    assert sum(map(len, lean)) <= sum(map(len, files))


def test_encoder_makes_up_for_what_the_decoder_does(tmp_path: Path) -> None:
    picture = smooth_picture(48, 48, seed=2)
    autoencoder = nnr.AutoEncoder.load(write_autoencoder(tmp_path, waves=4, gain=0.9))
    decoded = autoencoder.decode(autoencoder.encode(picture, quality=255))
    error = np.abs(decoded - picture.astype(float)).mean() / np.abs(picture - 127.5).mean()
    assert error < 0.03


def test_every_prefix_and_every_flipped_bit_is_refused(autoencoder: nnr.AutoEncoder) -> None:
    data = autoencoder.encode(smooth_picture(16, 24), quality=170)
    assert len(data) < 120
    damaged = [data[:length] for length in range(len(data))] + [data + b"\0"]
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(flipped))
    for other in damaged:
        with pytest.raises(nnr.BitstreamError):
            autoencoder.decode(other)


def hostile(autoencoder: nnr.AutoEncoder, header: Header, code: bytes) -> bytes:
    """A file whose checksum fits."""
    return write_file(header, code, autoencoder._networks.checksum)


def test_hostile_files_end_in_errors_before_memory_is_taken(autoencoder: nnr.AutoEncoder) -> None:
    huge = hostile(autoencoder, Header(9, 1 << 24, 1 << 24), b"")
    with pytest.raises(nnr.BitstreamError, match="max_pixels") as raised:
        autoencoder.decode(huge)
    assert raised.value.kind == "unsupported"
    empty = hostile(autoencoder, Header(9, 1 << 24, 1 << 24), bytes(1000))
    with pytest.raises(nnr.BitstreamError, match="cannot hold"):
        autoencoder.decode(empty, max_pixels=1 << 48)
    random = np.random.default_rng(4)
    for _ in range(50):
        code = random.bytes(random.integers(0, 60))
        with pytest.raises(nnr.BitstreamError) as raised:
            autoencoder.decode(hostile(autoencoder, Header(99, 24, 16), code))
        assert raised.value.byte_offset <= 9 + len(code)


@pytest.mark.parametrize(
    ("data", "kind", "offset"),
    [
        (b"", "truncated", 0),
        (b"\x89PNG\r\n", "corrupt", 0),
        (b"\xae\x02\x00\x01\x01", "unsupported", 1),
        (b"\xae\x01\x00\x00\x01", "corrupt", 3),
        (b"\xae\x01\x00\x81\x00\x01", "corrupt", 3),
        (b"\xae\x01\x00\x01\xff\xff\xff\xff\xff\xff", "corrupt", 4),
        (b"\xae\x01\x00\x81\x80\x80\x80\x00\x01", "corrupt", 3),
        (b"\xae\x01\x00\x81\x80\x80\x08\x01", "corrupt", 3),
        (b"\xae\x01\x00\x01\x01abc", "truncated", 8),
    ],
)
def test_headers_that_are_none(
    autoencoder: nnr.AutoEncoder, data: bytes, kind: str, offset: int
) -> None:
    with pytest.raises(nnr.BitstreamError) as raised:
        autoencoder.decode(data)
    assert (raised.value.kind, raised.value.byte_offset) == (kind, offset)


def test_files_of_other_networks_are_refused(autoencoder: nnr.AutoEncoder, tmp_path: Path) -> None:
    other = nnr.AutoEncoder.load(write_autoencoder(tmp_path, seed=2))
    data = other.encode(smooth_picture(16, 16), quality=200)
    with pytest.raises(nnr.BitstreamError, match="other networks"):
        autoencoder.decode(data)


def test_wrong_arguments(autoencoder: nnr.AutoEncoder) -> None:
    picture = smooth_picture(16, 16)
    with pytest.raises(ValueError, match="quality must be 0 to 255, got 256"):
        autoencoder.encode(picture, quality=256)
    with pytest.raises(TypeError, match="quality must be an integer"):
        autoencoder.encode(picture, quality=1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="picture must be an array of uint8, got float64"):
        autoencoder.encode(picture / 255, quality=1)
    with pytest.raises(ValueError, match=r"picture must have shape \(height, width, 3\)"):
        autoencoder.encode(picture[..., 0], quality=1)
    with pytest.raises(ValueError, match=r"pictures must have shape"):
        autoencoder.encode_many(picture[None, :0], quality=1)
    files = [autoencoder.encode(picture[:rows], quality=9) for rows in (9, 10)]
    with pytest.raises(ValueError, match="of one size, got 16x9 and 16x10"):
        autoencoder.decode_many(files)
    with pytest.raises(ValueError, match="at least one"):
        autoencoder.decode_many([])
    with pytest.raises(TypeError, match="a file must be bytes, got str"):
        autoencoder.decode("x.nna")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="arithmetic"):
        autoencoder.decode_many(files[:1], arithmetic="double")  # type: ignore[arg-type]


def test_folders_that_hold_no_autoencoder(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nnr.AutoEncoder.load(tmp_path)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "prior.safetensors", tmp_path / "decoder.safetensors")
    with pytest.raises(ValueError, match=r"decoder.safetensors must take 13 channels and give 3"):
        nnr.AutoEncoder.load(tmp_path)
    tables = tmp_path / "prior-tables.npz"
    whole = tables.read_bytes()
    for damaged in (whole[:100], b"", whole[:-30], b"not a zip"):
        tables.write_bytes(damaged)
        with pytest.raises(nnr.BitstreamError, match="prior-tables"):
            nnr.AutoEncoder.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("steps", lambda steps: steps[:-1], "256 numbers"),
        ("steps", lambda steps: steps[::-1], "256 numbers"),
        ("stages", lambda stages: stages[:2], "channels"),
        ("stages", lambda stages: np.concatenate([stages, stages[:1]]), "every latent once"),
        ("stages", lambda stages: stages + np.int32([0, 200, 0]), "must not hold"),
        ("shifts", lambda shifts: shifts.astype(np.int64), "must be uint8"),
        ("frequencies", lambda counts: counts[..., :-1], "even in length"),
    ],
)
def test_tables_that_are_none(folder: Path, tmp_path: Path, name: str, change, message) -> None:
    path = tmp_path / "prior-tables.npz"
    arrays = dict(np.load(folder / path.name))
    np.savez(path, **{**arrays, name: change(arrays[name])})
    if message == "channels":  # tables by themselves are fine
        assert PriorTables.load(path).channels == 3
        return
    with pytest.raises(nnr.BitstreamError, match=message):
        PriorTables.load(path)


def test_decoder_in_plain_python_gives_the_same_picture(
    autoencoder: nnr.AutoEncoder, folder: Path
) -> None:
    arrays = np.load(folder / "prior-tables.npz")
    tables = latent_coder.LatentTables(arrays["frequencies"], arrays["shifts"])
    stages = [tuple(stage) for stage in arrays["stages"].tolist()]
    graphs = [
        nnr.IntegerNetwork.load(folder / f"{name}.safetensors").graph
        for name in ("prior", "decoder")
    ]
    noise = np.random.default_rng(5).integers(0, 256, (13, 21, 3), np.uint8)
    for picture, quality in [(smooth_picture(130, 9), 100), (noise, 255)]:
        data = autoencoder.encode(picture, quality=quality)
        plain = reference.decode(data, arrays["steps"].tolist(), stages, tables, *graphs)
        np.testing.assert_array_equal(plain, autoencoder.decode(data))
