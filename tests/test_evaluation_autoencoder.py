"""The auto-encoder's evaluation: other codecs, the search for a rate, tables, JSON, the command."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from autoencoder_files import write_autoencoder
from conftest import Command

import nnr
from nnr.evaluation import (
    AutoEncoderReport,
    AutoEncoderTask,
    Cache,
    SmallPictures,
    bd_psnr,
    bd_rate,
    embedded_pictures,
    rgb_quality,
)
from nnr.evaluation.picture_codecs import (
    AutoEncoderCodec,
    JpegCodec,
    find_setting,
    other_codecs,
    scan_size,
)

pytest.importorskip("skimage")
image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_autoencoder(tmp_path_factory.mktemp("models"), waves=5)


@pytest.fixture(scope="module")
def pictures() -> SmallPictures:
    return SmallPictures(embedded_pictures(24).samples[4:10], "pictures: six")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def task(models: Path, pictures: SmallPictures) -> AutoEncoderTask:
    return AutoEncoderTask(pictures, nnr.AutoEncoder.load(models), bpp=4.3)


@pytest.fixture(scope="module")
def report(task: AutoEncoderTask, cache: Cache) -> AutoEncoderReport:
    return task.run(cache=cache)


def test_all_rows_have_the_rate(report: AutoEncoderReport) -> None:
    assert [row.name for row in report.rows] == [
        "JPEG 4:4:4, whole files",
        "JPEG 4:2:0, whole files",
        "JPEG 4:4:4, scan data",
        "JPEG 4:2:0, scan data",
        "CNN-AE",
        "reconstructed CNN-AE",
    ]
    for row in report.rows[-2:]:
        assert row.bpp == pytest.approx(4.3, rel=0.005)
    for row in report.rows:  # of so few pictures JPEG's rate moves in steps
        assert row.bpp == pytest.approx(4.3, rel=0.02)
    whole, _, scan, *_ = report.rows
    assert scan.psnr > whole.psnr + 3
    original, reconstructed = report.rows[-2:]
    assert original.psnr == pytest.approx(reconstructed.psnr, abs=0.1)


def test_rows_are_of_real_files(
    task: AutoEncoderTask, report: AutoEncoderReport, pictures: SmallPictures
) -> None:
    row = report.rows[-1]
    quality, rate_weight = AutoEncoderCodec.quality_of(row.setting)
    transformed = task.autoencoder.transform(pictures.samples)
    files, _ = task.autoencoder.code(transformed, quality=quality, rate_weight=rate_weight)
    assert row.bpp == pytest.approx(8 * sum(map(len, files)) / (6 * 32 * 32))
    decoded = np.stack([task.autoencoder.decode(data) for data in files])
    psnr, ssim = rgb_quality(pictures.samples, decoded)
    assert (row.psnr, row.ssim) == pytest.approx((psnr.mean(), ssim.mean()))


def test_curves_rise_and_deltas_follow(report: AutoEncoderReport) -> None:
    assert next(iter(report.curves)) == "CNN-AE"
    assert {"WebP", "JPEG 4:4:4, scan data"} <= set(report.curves)
    for name, points in report.curves.items():
        rates = [point.bpp for point in points]
        assert rates == sorted(rates), name
        assert points[-1].psnr > points[0].psnr
    deltas = report.deltas()
    assert set(deltas) == set(report.curves) - {"CNN-AE"}
    own = report.curves["CNN-AE"]
    for name, delta in deltas.items():
        points = [*report.curves[name], *own]
        split = len(report.curves[name])
        rates, values = [point.bpp for point in points], [point.psnr for point in points]
        curves = rates[:split], values[:split], rates[split:], values[split:]
        expected = {"bd_rate": bd_rate(*curves), "bd_psnr": bd_psnr(*curves)}
        assert delta == pytest.approx(expected, nan_ok=True)
    assert deltas["JPEG 4:4:4, whole files"]["bd_rate"] < 0


def test_tables_and_json(report: AutoEncoderReport) -> None:
    text = report.markdown()
    assert "Table 4. 6 pictures of 32x32 at 4.3 bits a pixel" in text
    assert "Table 5." in text
    assert "Table 6. CNN-AE against the others" in text
    assert "- pictures: six" in text
    values = json.loads(json.dumps(report.json_object(), allow_nan=False))
    assert values["rows"][0]["name"] == "JPEG 4:4:4, whole files"
    assert values["curves"]["CNN-AE"][0].keys() == {"bpp", "psnr", "ssim"}
    assert len(values["examples"]) == 6


def test_examples_are_what_the_rows_say(report: AutoEncoderReport, pictures: SmallPictures) -> None:
    assert [example.index for example in report.examples] == list(range(6))
    for example in report.examples:
        np.testing.assert_array_equal(example.source, pictures.samples[example.index])
        psnr, _ = rgb_quality(example.source[None], example.decoded[None])
        assert example.decoded_psnr == pytest.approx(psnr[0])
        psnr, _ = rgb_quality(example.source[None], example.jpeg[None])
        assert example.jpeg_psnr == pytest.approx(psnr[0])
    mean = np.mean([example.decoded_psnr for example in report.examples])
    assert mean == pytest.approx(report.rows[-1].psnr)


def test_second_run_is_from_the_cache(
    task: AutoEncoderTask,
    cache: Cache,
    report: AutoEncoderReport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(Cache, "measurement", _known(cache.measurement))
    again = task.run(cache=cache, on_step=steps.append)
    assert again.json_object() == report.json_object()
    assert len(steps) == task.step_count


def _known(measurement):
    def of_cache(_: Cache, key: str, measure) -> dict:  # noqa: ARG001
        return measurement(key, lambda: pytest.fail("not in the cache"))

    return of_cache


def test_rate_out_of_reach(task: AutoEncoderTask, cache: Cache) -> None:
    with pytest.raises(ValueError, match="out of reach"):
        AutoEncoderTask(task.pictures, task.autoencoder, bpp=0.3).run(cache=cache)
    with pytest.raises(ValueError, match="bpp must be"):
        AutoEncoderTask(task.pictures, task.autoencoder, bpp=0)


def test_jpeg_is_that_of_libjpeg() -> None:
    """At a setting of 0 the tables are those of quality 50, but for the offsets of rounding."""
    samples = embedded_pictures(3).samples
    coded = JpegCodec("4:4:4", "file").code(samples, 0)
    for size, picture, sample in zip(coded.sizes, coded.pictures, samples, strict=True):
        file = io.BytesIO()
        image.fromarray(sample).save(file, "JPEG", quality=50, optimize=True, subsampling="4:4:4")
        assert size == len(file.getvalue())
        np.testing.assert_array_equal(picture, np.asarray(image.open(file)))


def test_scan_of_a_jpeg_is_what_no_header_holds() -> None:
    sample = embedded_pictures(1).samples[0]
    file = io.BytesIO()
    image.fromarray(sample).save(file, "JPEG", quality=90, optimize=True)
    data = file.getvalue()
    start = data.index(b"\xff\xda")
    header = int.from_bytes(data[start + 2 : start + 4], "big")
    assert scan_size(data) == len(data) - start - 2 - header - 2


@pytest.mark.parametrize("codec", other_codecs(), ids=lambda codec: codec.name)
def test_other_codecs_trade_bits_for_quality(codec) -> None:
    samples = embedded_pictures(5).samples
    low, high = (codec.code(samples, codec.settings[i]) for i in (1, -1))
    assert low.bpp < high.bpp
    qualities = [rgb_quality(samples, coded.pictures)[0].mean() for coded in (low, high)]
    assert qualities[0] < qualities[1]
    assert codec.version


def test_search_finds_any_rate_it_can() -> None:
    tried: list[float] = []

    def rate_of(setting: float) -> float:
        tried.append(setting)
        return 0.1 + 0.02 * setting + math.exp(setting / 20)

    for target in (1.2, 4.3, 20.0):
        tried.clear()
        setting = find_setting(rate_of, target, 0, 100)
        assert rate_of(setting) == pytest.approx(target, rel=1e-3)
        assert len(tried) < 14
    with pytest.raises(ValueError, match="out of reach"):
        find_setting(rate_of, 1e9, 0, 100)
    # Where rates jump, the nearest.
    steps = find_setting(lambda setting: 1.0 + round(setting), 4.2, 0, 10)
    assert round(steps) == 3


def test_command(nnr_command: Command, models: Path, tmp_path: Path) -> None:
    options = ["--models", models, "--cache", tmp_path, "--images", "3"]
    done = nnr_command("evaluate", "autoencoder", *options, "--json", tmp_path / "x.json")
    assert done.code == 0, done.err
    assert "not CIFAR-10" in done.out.splitlines()[0]
    assert "Table 4. 3 pictures" in done.out
    values = json.loads((tmp_path / "x.json").read_text())
    done = nnr_command("evaluate", "autoencoder", *options, "--json", "-")
    assert done.json == values


def test_command_with_wrong_usage(nnr_command: Command, tmp_path: Path) -> None:
    done = nnr_command("evaluate", "autoencoder", "--cifar10", tmp_path / "none")
    assert done.code == 2
    done = nnr_command("evaluate", "autoencoder", "--json", tmp_path / "none" / "x.json")
    assert done.code == 2
    (tmp_path / "x.tar.gz").write_bytes(b"none")
    done = nnr_command("evaluate", "autoencoder", "--cifar10", tmp_path / "x.tar.gz")
    assert done.code == 1
    assert "x.tar.gz" in done.err
