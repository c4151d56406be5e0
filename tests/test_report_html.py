"""The page of ``--report`` in a browser: what is shown, what moves, and that nothing is fetched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from autoencoder_reports import CODECS, small_report
from typer.testing import CliRunner
from video_frames import smooth_frame

import nnr
from nnr.cli.app import app
from nnr.evaluation.html import autoencoder_part, report_page
from nnr.video import FrameFormat, write_yuv

pytest.importorskip("imageio_ffmpeg")
pytest.importorskip("onnx")
webdriver = pytest.importorskip("selenium.webdriver")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

QPS = (22, 27, 32, 37)
CURVES = ["no filter", "deblock+SAO", "all VVC filters", "original CNN", "reconstructed CNN"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command wrote for two small clips."""
    folder = tmp_path_factory.mktemp("evaluation")
    (folder / "clips").mkdir()
    for name, size in (("a_64x48_50.yuv", (64, 48)), ("b_81x64_50.yuv", (81, 64))):
        frames = [smooth_frame(FrameFormat(*size), seed) for seed in range(2)]
        write_yuv(folder / "clips" / name, frames)
    arguments = ["evaluate", "postfilter", "--sequences", folder / "clips", "--sweep-bits", "4-6"]
    arguments += ["--qp", *QPS, "--cache", folder / "cache", "--report", folder / "report.html"]
    arguments += ["--compressai-json", folder / "curves"]
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window and without a network."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if None in programs.values():
        pytest.skip("Chromium and its driver are not installed (Debian: chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = programs["chromium"]
    for argument in ("headless=new", "no-sandbox", "host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(programs["chromedriver"]))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, folder: Path) -> Any:
    browser.set_window_size(1200, 1000)
    browser.get((folder / "report.html").as_uri())
    return browser


def select(page: Any, selector: str) -> list[WebElement]:
    found: list[WebElement] = page.find_elements("css selector", selector)
    assert found, selector
    return found


def test_it_loads_without_a_complaint_and_fetches_nothing(page: Any) -> None:
    assert page.get_log("browser") == []
    fetched = page.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
    )
    assert [name for name in fetched if not name.startswith("data:")] == []


def test_every_picture_is_there(page: Any) -> None:
    pictures = page.execute_script(
        "return [...document.images].map(i => [i.naturalWidth, i.naturalHeight, i.alt])"
    )
    # A source, five versions of it and three differences, of two frames.
    assert [(width, height) for width, height, _ in pictures] == [(64, 48)] * 9 + [(81, 64)] * 9
    assert all(text for *_, text in pictures)
    assert len({text for *_, text in pictures}) == 18


def test_every_chart_has_its_curves(page: Any) -> None:
    charts = page.execute_script(
        "return [...document.querySelectorAll('svg.chart')].map(chart =>"
        " [...chart.querySelectorAll('path.curve')].map(curve => curve.getTotalLength()))"
    )
    assert len(charts) > 2 + 2 + len(QPS)
    assert all(lengths and min(lengths) > 10 for lengths in charts)


def test_rate_curves_are_those_of_the_columns(page: Any) -> None:
    # Overall and two picture sizes, each with its rates and its gains.
    charts = select(page, "#rate svg.chart")
    assert len(charts) == 3 * 2
    for chart in charts:
        assert chart.get_attribute("aria-label")
        curves = chart.find_elements("css selector", "g[data-series]")
        assert [curve.get_attribute("data-series") for curve in curves] == CURVES
        for curve in curves:
            assert len(curve.find_elements("css selector", ".marker title")) == len(QPS)


def test_sizes_and_losses_of_both_forms(page: Any) -> None:
    charts = select(page, "#loss svg.chart")
    assert len(charts) == len(QPS)
    for chart in charts:
        curves = chart.find_elements("css selector", "g[data-series]")
        counts = [len(curve.find_elements("css selector", ".marker")) for curve in curves]
        assert counts == [4, 4]  # 4 to 6 bits, and 8


def test_every_tensor_has_a_histogram(page: Any) -> None:
    tensors = nnr.load(nnr.networks.POSTFILTER).tensors
    shown = [caption.text.split()[0] for caption in select(page, "#weights figcaption")]
    assert shown == [
        name for name, tensor in tensors.items() if tensor.dtype == "float32" and tensor.size > 1
    ]


def test_the_pointer_moves_the_line(page: Any) -> None:
    stage = select(page, ".stage")[0]
    before, shown = clip_of_left(page, stage), stage.screenshot_as_png
    width = stage.size["width"]
    drag = ActionChains(page).move_to_element(stage).click_and_hold()
    drag.move_by_offset(width // 4, 0).release().perform()
    assert slider_of(stage) == pytest.approx(75, abs=2)
    assert clip_of_left(page, stage) != before
    assert stage.screenshot_as_png != shown


def test_keys_move_the_line(page: Any) -> None:
    stage = select(page, ".stage")[0]
    slider = stage.find_element("css selector", "input")
    assert slider.get_attribute("aria-label")
    pictures = set()
    for key, position in ((Keys.HOME, 0), (Keys.END, 100), (Keys.ARROW_LEFT, 99.5)):
        slider.send_keys(key)
        assert slider_of(stage) == position
        pictures.add(stage.screenshot_as_png)
    assert len(pictures) == 3


def test_menus_choose_what_is_seen(page: Any) -> None:
    figure = select(page, ".comparison")[0]
    left, _, right = map(Select, figure.find_elements("css selector", "select"))
    names = [option.text for option in left.options]
    assert names[: 1 + len(CURVES)] == ["source", *CURVES]
    stage = figure.find_element("css selector", ".stage")
    pictures = set()
    for name in names:
        left.select_by_visible_text(name)
        values = figure.find_element("css selector", ".values .left").text
        assert values.startswith(name)
        assert ("dB" in values) == (name in CURVES)
        pictures.add(stage.screenshot_as_png)
    assert len(pictures) == len(names)
    # One picture on both sides is seen whole.
    right.select_by_visible_text(names[-1])
    counts = [
        len(stage.find_elements("css selector", f".layer.{layer} img"))
        for layer in ("left", "right", "rest")
    ]
    assert counts == [0, 1, len(names) - 1]


def test_zoom_keeps_what_is_under_the_pointer(page: Any) -> None:
    stage = select(page, ".stage")[0]
    zoom = Select(page.find_element("css selector", ".menus .zoom select"))
    # The pointer is moved about the middle of what is in the window of an element.
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
    before = stage.screenshot_as_png
    zoom.select_by_visible_text("4x")
    assert stage.screenshot_as_png != before
    ActionChains(page).move_to_element_with_offset(stage, -stage.size["width"] // 4, 0).perform()
    transform, origin = page.execute_script(
        "const s = getComputedStyle(arguments[0].querySelector('img'));"
        "return [s.transform, s.transformOrigin.split(' ').map(parseFloat)]",
        stage,
    )
    assert transform == "matrix(4, 0, 0, 4, 0, 0)"
    assert origin[0] == pytest.approx(stage.size["width"] / 4, abs=2)
    assert origin[1] == pytest.approx(stage.size["height"] / 2, abs=2)


@pytest.mark.parametrize("width", [320, 700, 1600])
def test_it_fits_any_width(page: Any, width: int) -> None:
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    wanted, seen = page.execute_script(
        "const e = document.documentElement; return [e.scrollWidth, e.clientWidth]"
    )
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wanted <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_either_scheme(page: Any, scheme: str) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    page.refresh()
    colours = page.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    text, background = (luminance(colour) for colour in colours)
    contrast = (max(text, background) + 0.05) / (min(text, background) + 0.05)
    assert contrast > 7  # WCAG's AAA
    assert (text > background) == (scheme == "dark")


def test_all_tables_are_there(page: Any) -> None:
    titles = [caption.text.split(".")[0] for caption in select(page, "#tables caption")]
    assert titles == [f"Table {number}" for number in (1, 2, 3, 7, 8, 9, 10, 11)]


def test_the_autoencoders_part(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(report_page([autoencoder_part(small_report())]))
    browser.get((tmp_path / "page.html").as_uri())
    assert browser.get_log("browser") == []
    pictures = browser.execute_script(
        "return [...document.images].map(i => [i.naturalWidth, i.alt])"
    )
    assert pictures == [
        [32, f"picture {index}: {name}"]
        for index in range(2)
        for name in ("source", "JPEG", "auto-encoder")
    ]
    charts = select(browser, "#autoencoder svg.chart")
    assert [chart.get_attribute("aria-label").split()[0] for chart in charts] == ["PSNR", "SSIM"]
    for chart in charts:
        curves = chart.find_elements("css selector", "g[data-series]")
        assert tuple(curve.get_attribute("data-series") for curve in curves) == CODECS
        styles = {curve.get_attribute("class") for curve in curves}
        assert len(styles) == len(CODECS)
    assert [caption.text[:7] for caption in select(browser, "#tables caption")] == [
        f"Table {number}" for number in (4, 5, 6)
    ]


def test_curves_for_compressai(folder: Path) -> None:
    files = sorted(path.name for path in (folder / "curves").iterdir())
    assert files == sorted(
        f"{name.lower().replace('+', '-').replace(' ', '-')}.json" for name in CURVES
    )
    for name in files:
        curve = json.loads((folder / "curves" / name).read_text())
        assert set(curve) == {"name", "description", "results"}
        assert {"bpp", "psnr-y", "psnr-u", "psnr-v", "psnr-yuv", "ssim-y"} == set(curve["results"])
        assert all(len(values) == len(QPS) for values in curve["results"].values())
        assert curve["results"]["bpp"] == sorted(curve["results"]["bpp"])


def slider_of(stage: WebElement) -> float:
    return float(stage.find_element("css selector", "input").get_property("value") or "nan")


def clip_of_left(page: Any, stage: WebElement) -> str:
    left = stage.find_element("css selector", ".layer.left")
    return str(page.execute_script("return getComputedStyle(arguments[0]).clipPath", left))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it, of ``rgb(r, g, b)``."""
    channels = [int(part) / 255 for part in colour[4:-1].split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
