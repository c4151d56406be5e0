"""The bundled post filter does what the tables of the README say of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import nnr
from nnr.evaluation import Cache, PostFilterTask, photographs
from nnr.networks import POSTFILTER
from nnr.networks.planes import network_input


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
        (before,) = result.quality["deblock+sao"].psnr
        for form in ("float32", "8 bit"):
            assert result.quality[form].psnr[0] > before + 0.2, (result.name, result.qp, form)
            assert result.quality[form].ssim[0] > result.quality["deblock+sao"].ssim[0]
