"""NNCodec beside us, where it is installed: each reads what the other writes, and writes the same.

NNCodec is run, and not looked into: its two functions, the dictionary in which its caller keeps
the state of a series, and its tool for the history of a series.
"""

from __future__ import annotations

import importlib
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from golden.expected import Expected, base_of
from model_files import assert_same_tensors, normal, small_network
from nnc_cases import EVERY_TYPE
from numpy.typing import NDArray

import nnr
from nnr.coding.nnc import encode_model

pytestmark = pytest.mark.filterwarnings("ignore")  # NNCodec's

Tensors = dict[str, NDArray[Any]]

GOLDEN = Path(__file__).parent / "golden" / "nnc"
# What NNCodec 2.1.3 does not read, and why.
REFUSED = {
    "edition1": "it looks for 31 of the 32 contexts that its first version sends",
    "factors": "a weight as two factors",
    "hash_step1": "it looks for parents by number, not by hash",
    "network": "a topology unit of ONNX",
    "nnef_raw": "a topology unit of NNEF",
    "nnef_deflate": "a topology unit of NNEF",
    "unknown": "units of unknown types",
}


class NNCodec:
    """Its functions, by our conventions."""

    def __init__(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._nnc: Any = importlib.import_module("nncodec.nnc")
                self._hdsp: Any = importlib.import_module("nncodec.nnc_core.hdsp.hdsp_tool")
        except ImportError:
            pytest.skip("needs NNCodec and all that it imports, which are not here")

    def decode(self, data: bytes, **state: Any) -> Tensors:
        return dict(self._nnc.decompress(bytearray(data), **state))

    def encode(self, tensors: Tensors, **settings: Any) -> bytes:
        own = {name: array.copy() for name, array in tensors.items()}
        written = self._nnc.compress(
            own, bitstream_path=os.devnull, return_bitstream=True, **settings
        )
        return bytes(written)

    def series(self) -> Series:
        return Series(self, self._hdsp.HdspTool(True))


class Series:
    """The state that NNCodec leaves to its caller, from step to step."""

    def __init__(self, peer: NNCodec, tool: Any) -> None:
        self._peer, self._tool = peer, tool
        self.base: dict[str, Any] = {
            "parameters": {},
            "put_node_depth": {},
            "device_id": 0,
            "parameter_id": {},
        }

    def decode(self, data: bytes) -> Tensors:
        tensors = self._peer.decode(data, **self._state())
        self.remember(tensors)
        return tensors

    def encode(self, tensors: Tensors, **settings: Any) -> bytes:
        return self._peer.encode(tensors, tca=True, **self._state(), **settings)

    def remember(self, tensors: Tensors) -> None:
        """What was decoded, for the history."""
        self._tool.add_data_to_hist(tensors)

    def begin_at(self, depth: int) -> None:
        """It counts the first step as 1; the syntax as 0."""
        self.base["put_node_depth"] = dict.fromkeys(self.base["put_node_depth"], depth)

    def _state(self) -> dict[str, Any]:
        return {"approx_param_base": self.base, "update_base_param": True, "hdsp_tool": self._tool}


@pytest.fixture(scope="module")
def peer() -> NNCodec:
    return NNCodec()


def network(seed: int = 0, zeros: float = 0.3) -> Tensors:
    """What NNCodec takes: float32 and int32 of every rank, some of it zero."""
    generator = np.random.default_rng(seed)
    tensors: Tensors = {
        "conv.weight": normal(10, 4, 3, 3, seed=seed) / 4,
        "conv.bias": normal(10, seed=seed) / 8,
        "fc": normal(21, 34, seed=seed + 1) / 2,
        "column": normal(9, 1, seed=seed),
        "steps": generator.integers(-500, 500, (3, 4, 5), np.int32),
    }
    for name in ("conv.weight", "fc"):
        tensors[name][generator.random(tensors[name].shape) < zeros] = 0
        tensors[name][2:4] = 0
    return tensors


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bits": 4},
        {"bits": 12, "dq": False},
        {"qp": -20, "rdo": 4.0},
        {"qp": -150, "nonweight_qp": -300, "qp_density": 4},
        {"qp": -700, "qp_density": 7},
        {"step": 0.01},
        {"max_error": 0.01},
        {"rmse": 0.02},
        {"target_size": 1500},
        {"bits": 5, "scan_order": 1},
        {"bits": 5, "scan_order": 2, "dq": False},
        {"codebook": True, "bits": 3, "rules": ["fc=bits:4,codebook,scan:1"]},
        {"row_skipping": False, "optimize_contexts": False},
        {"unary_length": 1},
        {"unary_length": 256},
        {"rules": ["conv.bias=raw", "fc=qp:-12,no-dq"]},
    ],
)
def test_it_decodes_what_we_write_to_what_we_report(peer: NNCodec, options: dict[str, Any]) -> None:
    encoded = encode_model(nnr.Model(network(), None, {"author": "Zoë"}), **options)
    assert nnr.NncFile(encoded.data).has_checksums
    decoded = peer.decode(encoded.data)
    assert list(decoded) == list(encoded.model.tensors)
    for name, array in encoded.model.tensors.items():
        # It leaves what has a codebook in float64, of which ours are the nearest float32.
        if decoded[name].dtype == np.float64:
            decoded[name] = decoded[name].astype(np.float32)
        assert_same_tensors({name: decoded[name]}, {name: array})


@pytest.mark.parametrize(
    "name", sorted({path.stem for path in GOLDEN.glob("*.nnr")} - REFUSED.keys())
)
def test_it_decodes_the_golden_bitstreams(peer: NNCodec, name: str) -> None:
    series, names = peer.series(), [name]
    while (before := base_of(names[0])) is not None:
        names.insert(0, before)
    for step in names:
        data = (GOLDEN / f"{step}.nnr").read_bytes()
        decoded = series.decode(data) if len(names) > 1 else peer.decode(data)
        if step is names[0]:
            series.begin_at(0)
    assert_same_tensors(decoded, Expected(GOLDEN / f"{name}.npz").coded)


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_some(peer: NNCodec, name: str) -> None:
    with pytest.raises((AssertionError, KeyError, NotImplementedError, RuntimeError, ValueError)):
        peer.decode((GOLDEN / f"{name}.nnr").read_bytes())


def test_it_decodes_every_type_as_float32_and_int32(peer: NNCodec) -> None:
    encoded = encode_model(EVERY_TYPE, bits=9)
    decoded = peer.decode(encoded.data)
    assert list(decoded) == list(EVERY_TYPE)
    assert {array.dtype.name for array in decoded.values()} == {"float32", "int32"}
    for name, array in encoded.model.tensors.items():
        if name in ("half", "brain", "double", "e4m3", "e5m2", "weight", "bias", "scale"):
            nearest = decoded[name].reshape(array.shape).astype(array.dtype)
            assert_same_tensors({name: nearest}, {name: array})
        else:
            assert decoded[name].size in (array.size, 2 * array.size)


def test_it_decodes_a_network_without_its_graph(peer: NNCodec, tmp_path: Path) -> None:
    onnx.save(small_network(), tmp_path / "network.onnx")
    model = nnr.load(tmp_path / "network.onnx")
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises
        peer.decode(nnr.encode(model))
    decoded = peer.decode(nnr.encode(model, topology=False))
    assert list(decoded) == list(model.tensors)


def steps_of_a_series(count: int, missing: str = "conv.bias") -> list[Tensors]:
    """Small changes, places that come and go, a tensor that the third step leaves out."""
    generator = np.random.default_rng(8)
    steps = []
    for number in range(count):
        tensors = network()
        lost = generator.random(tensors["fc"].shape) < (0.9 if number % 2 else 0)
        tensors["fc"] = tensors["fc"] * np.float32(1 + 0.02 * number)
        tensors["fc"][lost] = 0
        if number == 2:
            del tensors[missing]
        steps.append(tensors)
    return steps


@pytest.mark.parametrize(
    "options",
    [
        {"bits": 4},
        {"bits": 4, "dq": False},
        {"qp": -20, "scan_order": 1, "dq": False},
        {"profile": "nncodec"},
    ],
)
@pytest.mark.parametrize("says_so", [False, True])
def test_it_decodes_our_series(peer: NNCodec, options: dict[str, Any], says_so: bool) -> None:
    series, base = peer.series(), None
    for number, tensors in enumerate(steps_of_a_series(5)):
        begins = says_so and number == 0
        encoded = encode_model(tensors, base=base, series=begins, **options)
        assert_same_tensors(series.decode(encoded.data), encoded.model.tensors)
        if not says_so and number == 0:
            series.begin_at(0)
        base = encoded.model


def test_it_goes_on_with_what_begins_a_series_alone(peer: NNCodec) -> None:
    series, steps = peer.series(), steps_of_a_series(2)
    first = encode_model(steps[0])
    series.decode(first.data)
    with pytest.raises(AssertionError, match="depth"):
        series.decode(nnr.encode(steps[1], base=first.model))


SETTINGS: list[dict[str, Any]] = [
    {},
    {"qp": -20},
    {"use_dq": False},
    {"param_opt": False},
    {"row_skipping": True},
    {"qp": -5, "qp_density": 0, "nonweight_qp": -16},
    {"qp": -600, "qp_density": 7, "nonweight_qp": -1200},
    {"cabac_unary_length_minus1": 0},
    {"cabac_unary_length_minus1": 40, "use_dq": False},
    {"scan_order": 1, "use_dq": False},
    {"scan_order": 2, "use_dq": False, "row_skipping": True},
]
# What our profile does not copy, but everyone has to read.
FURTHER: list[dict[str, Any]] = [
    {"lambda_scale": 2.0, "qp": -20},
    {"codebook_mode": 1, "qp": -12, "use_dq": False},
    {"codebook_mode": 2, "qp": -12, "use_dq": False},
    {"scan_order": 1, "qp": -20},
    {"scan_order": 3, "qp": -20, "row_skipping": True},
    {"int_quant_bw": False, "opt_qp": True},
    {"pre_signalling": True},
]


def blocks(settings: dict[str, Any], tensors: Tensors) -> Tensors:
    """Without what it cannot scan in blocks: a column."""
    scanned = "scan_order" in settings
    return {name: a for name, a in tensors.items() if not (scanned and name == "column")}


@pytest.mark.parametrize("settings", [*SETTINGS, *FURTHER])
def test_we_decode_what_it_writes(peer: NNCodec, settings: dict[str, Any]) -> None:
    data = peer.encode(blocks(settings, network()), **settings)
    for threads in (1, 3):
        assert_same_tensors(nnr.decode(data, threads=threads).tensors, peer.decode(data))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("settings", SETTINGS)
def test_the_profile_of_nncodec_has_its_bytes(
    peer: NNCodec, settings: dict[str, Any], seed: int
) -> None:
    tensors = blocks(settings, network(seed, zeros=0.3 * seed))
    ours = {
        "qp": -38,  # of this one of its functions
        "row_skipping": False,
        **{OUR_NAMES.get(name, name): value for name, value in settings.items()},
    }
    if "unary_length" in ours:
        ours["unary_length"] += 1
    data = peer.encode(tensors, **settings)
    assert nnr.encode(tensors, profile="nncodec", **ours) == data


def test_zeros_of_either_sign_have_its_bytes(peer: NNCodec) -> None:
    """The trellis may take a level that is not zero for a zero, and then asks for its sign."""
    values = normal(21, 34, seed=1) / 2
    values[np.random.default_rng(9).random(values.shape) < 0.9] = -0.0
    assert nnr.encode({"w": values}, profile="nncodec", qp=-20) == peer.encode(
        {"w": values}, qp=-20, row_skipping=True
    )


OUR_NAMES = {
    "use_dq": "dq",
    "param_opt": "optimize_contexts",
    "cabac_unary_length_minus1": "unary_length",
}


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("nncodec*.nnr")))
def test_the_golden_bitstreams_are_its_own(peer: NNCodec, name: str) -> None:
    expected = Expected(GOLDEN / f"{name}.npz")
    theirs = {ours: name for name, ours in OUR_NAMES.items()}
    settings = {"qp": -32, "row_skipping": True}
    settings |= {theirs.get(key, key): value for key, value in expected.options.items()}
    if "cabac_unary_length_minus1" in settings:
        settings["cabac_unary_length_minus1"] -= 1
    data = peer.encode(expected.inputs, **settings)
    assert data == (GOLDEN / f"{name}.nnr").read_bytes()


def test_we_decode_its_series_and_write_the_same(peer: NNCodec) -> None:
    writing, reading = peer.series(), peer.series()
    base: nnr.Model | None = None
    # It numbers tensors anew at each step, so that only the last one can be left out.
    for tensors in steps_of_a_series(4, missing="steps"):
        data = writing.encode(tensors, qp=-20, row_skipping=True, compress_differences=True)
        model = nnr.decode(data, base=base)
        assert_same_tensors(model.tensors, reading.decode(data))
        writing.remember(model.tensors)
        ours = {"profile": "nncodec", "qp": -20, "base": base, "series": base is None}
        assert nnr.encode(tensors, **ours) == data  # type: ignore[arg-type]
        base = model
