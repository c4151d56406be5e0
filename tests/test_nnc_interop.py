"""NNCodec beside us, where it is installed: each reads what the other writes, and writes the same.

NNCodec is run, and not looked into: its two functions, the dictionary in which its caller keeps
the state of a series, and its tool for the history of a series.
"""

from __future__ import annotations

import importlib
import os
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from golden.make_nnc import Expected, base_of
from model_files import assert_same_tensors, normal, small_network
from numpy.typing import NDArray

import nnr
from nnr.coding.nnc import encode_model

pytestmark = pytest.mark.filterwarnings("ignore")  # NNCodec's

Tensors = dict[str, NDArray[Any]]

GOLDEN = Path(__file__).parent / "golden" / "nnc"
# What NNCodec 2.1.3 does not read, and why.
REFUSED = {
    "edition1": "it looks for 31 of the 32 contexts that its first version sends",
    "factors": "the names of factors are none that it looks for",
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
        tensors = self._peer.decode(data, hdsp_tool=self._tool, **self._state())
        self._tool.add_data_to_hist(tensors)
        return tensors

    def encode(self, tensors: Tensors, **settings: Any) -> bytes:
        return self._peer.encode(tensors, tca=True, **self._state(), **settings)

    def begin_at(self, depth: int) -> None:
        """It counts the first step as 1; the syntax as 0."""
        self.base["put_node_depth"] = dict.fromkeys(self.base["put_node_depth"], depth)

    def _state(self) -> dict[str, Any]:
        return {"approx_param_base": self.base, "update_base_param": True}


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
    if name == "hash_step1":
        pytest.skip("NNCodec 2 reads hashes of parents and finds nothing by them")
    for step in names:
        decoded = series.decode((GOLDEN / f"{step}.nnr").read_bytes())
        if step is names[0]:
            series.begin_at(0)
    assert_same_tensors(decoded, Expected(GOLDEN / f"{name}.npz").coded)
