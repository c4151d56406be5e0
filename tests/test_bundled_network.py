"""The bundled post filter does what the tables of the README say of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import nnr
from nnr.evaluation import Cache, PostFilterTask, photographs, psnr
from nnr.networks import POSTFILTER
from nnr.networks.planes import network_input
from nnr.video import vvc

ROOT = Path(__file__).resolve().parents[1]


def test_it_has_the_papers_size() -> None:
    weights = [t for t in nnr.load(POSTFILTER).tensors.values() if t.dtype == np.float32]
    assert 190_000 <= sum(tensor.size for tensor in weights) <= 197_000


@pytest.mark.usefixtures("target")
def test_it_equals_onnxruntime() -> None:
    face = photographs()[0][0]
    planes = [face.y[100:198, 160:290], face.u[50:99, 80:145], face.v[50:99, 80:145]]
    image = network_input(planes, 37, 255)
    session = onnxruntime.InferenceSession(POSTFILTER, providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"samples_qp": image[None]})
    result = nnr.Network.load(POSTFILTER).run(image)
    np.testing.assert_allclose(result, expected[0], rtol=0, atol=1e-5)


def test_it_beats_the_filters_it_replaces(tmp_path: Path) -> None:
    report = PostFilterTask(photographs()[:2]).run(cache=Cache(tmp_path))
    for result in report.results:
        before = result.quality["all"]
        for form in ("float32", "8 bit", "8 bit NNC"):
            after = result.quality[form]
            assert after.psnr[0] > before.psnr[0], (result.name, result.qp, form)
            assert after.ssim[0] > before.ssim[0], (result.name, result.qp, form)


def first_row_of_the_readme() -> list[float]:
    """Luma PSNR of the astronaut at QP 32: no filter, deblock+SAO, all VVC filters, both CNNs."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    row = re.search(r"^\|\s+32 \| astronaut 512x512\s+\|\s+1 \|(.*)$", text, re.MULTILINE)
    assert row is not None
    return [float(cell) for cell in row[1].split("|")[:5]]


def test_it_gives_the_first_row_of_the_readme(tmp_path: Path) -> None:
    # The stream is kept, so that no other version of the encoder changes what is filtered.
    data = (ROOT / "tests" / "golden" / "astronaut-qp32-no-filter.266").read_bytes()
    source = photographs()[0][0]
    settings = vvc.VvcSettings(32, loop_filters="none")
    (decoded,) = vvc.decode(vvc.VvcStream(data, settings, source.format, 1, "", ""))
    nnr.compress(nnr.load(POSTFILTER), bits=8).save(tmp_path / "8.safetensors")
    results = [decoded.y]
    for path in (POSTFILTER, tmp_path / "8.safetensors"):
        results.append(nnr.PostFilter.load(path).apply_frame(decoded, qp=32).y)
    unfiltered, _, _, original, reconstructed = first_row_of_the_readme()
    found = [psnr(source.y, luma, source_bit_depth=8, bit_depth=10) for luma in results]
    np.testing.assert_allclose(found, [unfiltered, original, reconstructed], rtol=0, atol=0.01)
