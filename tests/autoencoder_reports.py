"""A report of the auto-encoder made up for the tests of what is printed and drawn."""

from __future__ import annotations

import numpy as np

from nnr.evaluation.autoencoder_report import AutoEncoderReport, CodedRow, Example, RatePoint

CODECS = ("CNN-AE", "JPEG 4:4:4, whole files", "WebP")


def small_report() -> AutoEncoderReport:
    """Two pictures and three codecs of three rates each; the first codec is the best."""
    random = np.random.default_rng(1)
    examples = [
        Example(index, *random.integers(0, 256, (3, 32, 32, 3), np.uint8), 33.0, 41.0, 560, 550)
        for index in range(2)
    ]
    rows = [
        CodedRow("JPEG 4:4:4, whole files", 60.0, 4.3, 33.0, 0.93),
        CodedRow("CNN-AE", 90.0, 4.3, 41.7, 0.98),
        CodedRow("reconstructed CNN-AE", 90.0, 4.3, 41.6, 0.98),
    ]
    curves = {
        name: [
            RatePoint(rate, 30.0 + 4 * step - 2 * worse, 0.9 + 0.02 * step - 0.01 * worse)
            for step, rate in enumerate((1.0, 2.0, 4.0))
        ]
        for worse, name in enumerate(CODECS)
    }
    versions = dict.fromkeys(CODECS, "1.0")
    return AutoEncoderReport(
        "made up", 2, 4.3, rows, curves, 2, examples, {"decoder": 1000}, versions
    )
