"""What the encoder refuses before anything is coded, and how it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from model_files import normal

import nnr
from nnr.coding.nnc.rules import Rule
from nnr.coding.nnc.steps import highest_qp, lowest_qp, qp_at_most

WEIGHTS = {"w": normal(6, 5), "b": normal(6)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"qp": -129}, "qp must be -128 to 127 at a qp_density of 2, got -129"),
        ({"qp": 128}, "qp must be -128 to 127"),
        ({"qp": -33, "qp_density": 0}, "qp must be -32 to 31"),
        ({"qp": -20, "nonweight_qp": -200}, "nonweight_qp must be -128 to 127"),
        ({"rules": ["w=qp:300"]}, "rule 'w': qp must be -128 to 127"),
        ({"profile": "nncodec", "qp_density": 0, "qp": -8}, "nonweight_qp must be -32 to 31"),
        ({"qp_density": 8}, "qp_density must be 0 to 7"),
        ({"bits": 0}, "bits must be 1 to 16"),
        ({"bits": 17}, "bits must be 1 to 16"),
        ({"step": 0.0}, "step must be above 0"),
        ({"step": float("inf")}, "step must be above 0"),
        ({"step": 1e-11}, "the finest is 2"),
        ({"max_error": -1.0}, "max_error must be above 0"),
        ({"max_error": 0.1, "dq": True}, "uniform quantiser"),
        ({"max_error": 0.1, "rules": ["w=dq"]}, "'w': max_error needs the uniform quantiser"),
        ({"rmse": float("nan")}, "rmse must be above 0"),
        ({"target_size": 0}, "target_size must be above 0"),
        ({"qp": -20, "bits": 8}, "one of qp, bits must be chosen"),
        ({"rmse": 1.0, "target_size": 8}, "one of rmse, target_size"),
        ({"nonweight_qp": -40}, "nonweight_qp goes with qp"),
        ({"scan_order": 5}, "scan_order must be 0 to 4"),
        ({"unary_length": 0}, "unary_length must be 1 to 256"),
        ({"unary_length": 257}, "unary_length must be 1 to 256"),
        ({"rdo": -1.0}, "rdo must be a weight"),
        ({"threads": 0}, "threads must be 1"),
        ({"profile": "other"}, "profile must be"),
        ({"profile": "nncodec", "bits": 8}, "takes qp alone, not bits"),
        ({"profile": "nncodec", "rules": ["w=raw"]}, "takes qp alone, not raw"),
        ({"profile": "nncodec", "rdo": 1.0}, "rate-distortion"),
        ({"rules": ["v*=raw"]}, "no tensor is named 'v\\*'"),
        ({"rules": ["w"]}, "must be PATTERN=setting"),
        ({"rules": ["w="]}, "must be PATTERN=setting"),
        ({"rules": "w=bits:x"}, "no number: 'x'"),
        ({"rules": ["w=bits:99"]}, "bits must be 1 to 16"),
        ({"rules": ["w=scan:9"]}, "scan must be 0 to 4"),
        ({"rules": ["w=quickly"]}, "'quickly' is none of qp:N"),
        ({"rules": ["w=dq,no-dq"]}, "contradicts"),
        ({"rules": ["w=qp:1,raw"]}, "contradicts"),
        ({"base": nnr.Model(WEIGHTS)}, "base has no levels"),
    ],
)
def test_wrong_values(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nnr.encode(WEIGHTS, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"qp": 1.5},
        {"bits": "8"},
        {"step": True},
        {"scan_order": 1.0},
        {"qp_density": 2.0},
        {"rules": [3]},
        {"base": b""},
        {"threads": "two"},
    ],
)
def test_wrong_types(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        nnr.encode(WEIGHTS, **options)


@pytest.mark.parametrize(
    ("tensors", "error", "message"),
    [
        ({"w": np.float32([[1, np.nan]])}, ValueError, "'w': array holds nan at index"),
        ({"w": np.float32([1, -np.inf])}, ValueError, "'w': array holds -inf at index"),
        (
            {"w": np.array([1e39, 1])},
            ValueError,
            "'w' holds 1e\\+39 at index .0,., which is beyond",
        ),
        ({"w": np.float32([[3e38, 1]])}, ValueError, "'w'"),
        ({"a\0b": normal(2)}, ValueError, "must not hold NUL"),
        ({"a\ud800": normal(2)}, ValueError, "UTF-8"),
        ({"w": np.zeros((1,) * 33, np.float32)}, ValueError, "'w': at most 32 dimensions, got 33"),
        ({"w": np.array([1j])}, TypeError, "'w': only real numbers"),
        ({"w": np.array(["a"])}, TypeError, "'w': only real numbers"),
        ({"w": np.array([None])}, TypeError, "'w': only real numbers"),
        ({"w": [1.0]}, TypeError, "'w' must be a NumPy array"),
        ({3: normal(2)}, TypeError, "must be str"),
        ([normal(2)], TypeError, "Model or a mapping"),
    ],
)
def test_tensors_that_cannot_be_coded(tensors: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nnr.encode(tensors)


@pytest.mark.parametrize("options", [{}, {"qp": -20}, {"step": 0.1}, {"rmse": 1.0}])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_never_gets_through(options: dict[str, Any], bad: float) -> None:
    for shape in ((3, 4), (12,)):
        array = normal(12)
        array[7] = bad
        with pytest.raises(ValueError, match="tensor 'w'"):
            nnr.encode({"fine": normal(4, 4), "w": array.reshape(shape)}, **options)


@pytest.mark.parametrize(
    ("tensors", "error", "message"),
    [
        ({"w": normal(3).astype(np.float64)}, TypeError, "float32 and int32, got float64"),
        ({"w": np.arange(3)}, TypeError, "float32 and int32, got int64"),
        ({"w": np.float32(3).reshape(())}, ValueError, "takes no shape"),
        ({"w": np.zeros((4, 0), np.float32)}, ValueError, "takes no shape"),
        ({"w_G": normal(3)}, ValueError, "for a factor"),
        ({"w_H": normal(3)}, ValueError, "for a factor"),
    ],
)
def test_what_nncodec_cannot_take(tensors: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        nnr.encode(tensors, profile="nncodec")
    nnr.encode(tensors)


def test_the_grid_of_steps() -> None:
    for density in range(8):
        for qp in range(lowest_qp(density), highest_qp(density) + 1, 7):
            step = nnr._core.nnc_step_size(qp, density)
            assert qp_at_most(step, density) == qp
            assert qp_at_most(float(np.nextafter(step, 0)), density) == qp - 1


def test_settings_of_a_rule() -> None:
    rule = Rule.parse("a=b*=bits:4,codebook,scan:3")
    assert rule.pattern == "a=b*"
    assert rule.settings.quantizer == ("bits", 4)
    assert (rule.settings.dq, rule.settings.codebook, rule.settings.scan_order) == (None, True, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"dq": "yes"},
        {"row_skipping": "no"},
        {"optimize_contexts": 3},
        {"codebook": "no"},
        {"series": 1},
        {"topology": None},
        {"rdo": "a"},
        {"rules": 5},
    ],
)
def test_options_of_another_type(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        nnr.encode({"w": np.ones((3, 3), np.float32)}, **options)


def test_nncodec_takes_no_empty_model() -> None:
    with pytest.raises(ValueError, match="without tensors"):
        nnr.encode({}, profile="nncodec")


def test_a_constant_tensor_takes_next_to_nothing() -> None:
    constant = {"w": np.full((100, 100), 2, np.float32)}
    data = nnr.encode(constant)
    assert len(data) < 200
    np.testing.assert_allclose(nnr.decode(data).tensors["w"], constant["w"], rtol=2**-8)


def test_what_no_step_takes_says_what_to_do() -> None:
    mask = {"mask": np.float32([[-3.4e38, 0], [0.5, 1]])}
    with pytest.raises(ValueError, match=r"mask.*-3\.4e\+38.*raw"):
        nnr.encode(mask, qp=-20)
    decoded = nnr.decode(nnr.encode(mask, max_error=1e-3))
    np.testing.assert_array_equal(decoded.tensors["mask"], mask["mask"])
    decoded = nnr.decode(nnr.encode(mask, qp=-20, rules=["mask=raw"]))
    np.testing.assert_array_equal(decoded.tensors["mask"], mask["mask"])
