"""Makes the golden bitstreams of `nnc/`, and what they decode to.

    PYTHONPATH=tests python tests/golden/make_nnc.py FOLDER

What lies in `nnc/` is frozen: streams are added to it, none is replaced. A later encoder may write
other bytes for the same tensors; it still has to decode the old ones to the same arrays.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from golden.expected import base_of, write_expected
from model_files import small_network
from numpy.typing import NDArray

import nnr
from nnr.reference import nnc
from nnr.reference.nnc.arithmetic import ArithmeticEncoder
from nnr.reference.nnc.coders import LayerEncoder
from nnr.reference.nnc.layer import Choices, Layer, code_layer
from nnr.reference.nnc.ndu import (
    Codebook,
    NduHeader,
    NodeId,
    ParameterTypes,
    ParentNodeId,
    PayloadType,
    write_ndu_header,
)
from nnr.reference.nnc.tensor import as_matrix, encode_tensor
from nnr.reference.nnc.units import (
    ModelParameterSet,
    Topology,
    UnitType,
    write_model_parameter_set,
    write_start,
    write_topology,
    write_unit,
)

Tensors = dict[str, NDArray[Any]]

GRAPH = b"version 1.0;\ngraph golden(x) -> (y)\n{\n    y = relu(x);\n}\n"
QP, STEP = -12, np.float32(0.125)
QP_BITS = 8  # at the density that a model parameter set has here, 2
MPS = ModelParameterSet()
SIGNALLING_MPS = ModelParameterSet(mps_parent_signalling_enabled_flag=1)
NEWEST, FIRST = 1, 0  # general_profile_idc of the two editions
FIRST_PREFIX_IDS = 32


@dataclass
class Stream:
    """A bitstream; with what was encoded and how, where the same bytes are promised."""

    data: bytes
    inputs: Tensors = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def values(*shape: int, seed: int) -> NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal(shape) / 4).astype(np.float32)


def levels(*shape: int, seed: int, largest: int = 9) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(-largest, largest, shape, np.int32, endpoint=True)


def scaled(*shape: int, seed: int) -> NDArray[np.float32]:
    return np.multiply(levels(*shape, seed=seed, largest=2), STEP, dtype=np.float32)


def encoded() -> Iterator[tuple[str, bytes]]:
    """What `nnr.encode` writes."""
    weights = {"conv.weight": values(6, 4, 3, 3, seed=1), "conv.bias": values(6, seed=2)}
    yield "uniform", nnr.encode(weights, qp=-16, dq=False, rdo=0)
    yield "dq", nnr.encode(weights, bits=5, rdo=0)
    yield "rdo", nnr.encode(weights, bits=5)
    yield "density", nnr.encode(weights, qp=-700, nonweight_qp=-1100, qp_density=7)
    rows = values(24, 11, seed=3)
    rows[np.random.default_rng(4).random(24) < 0.6] = 0
    yield "rows", nnr.encode({"sparse": rows, "nothing": np.zeros((9, 5), np.float32)}, bits=4)
    entries = np.array([-1, -0.5, 0.25, 0.75, 5], np.float32)
    few = entries[np.random.default_rng(5).integers(0, len(entries), (20, 20))]
    yield "codebook", nnr.encode({"few": few, "one": np.full(7, 0.5, np.float32)}, codebook=True)
    yield "types", nnr.encode(every_type(), bits=10)
    yield "shapes", nnr.encode(every_shape(), bits=10)
    special = np.array([[np.nan, np.inf, -np.inf], [-0.0, 2**-149, 3e38]], np.float32)
    yield "raw", nnr.encode({"raw": special, "after": values(3, 3, seed=6)}, rules=["raw=raw"])
    blocks = {f"scan{i + 1}": values(*shape, seed=7) for i, shape in enumerate(
        [(20, 19), (33, 5), (70, 3), (130, 3)]
    )}  # fmt: skip
    blocks["scan2"][4:30] = 0
    rules = ["scan1=scan:1", "scan2=scan:2,no-dq", "scan3=scan:3", "scan4=scan:4"]
    yield "scans", nnr.encode(blocks, bits=4, rules=rules)
    yield from series()
    yield "network", nnr.encode(small_model(), bits=6)


def every_type() -> Tensors:
    """Of every integer type its ends, of every other type of floats something."""
    ends = {
        dtype: np.array([np.iinfo(dtype).min, 0, 1, 7, np.iinfo(dtype).max], dtype)
        for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
    }
    return ends | {
        "small int64": np.arange(-3, 3, dtype=np.int64).reshape(2, 3),
        "bool": np.array([[True, False, True]]),
        "float16": values(3, 4, seed=8).astype(np.float16),
        "bfloat16": values(3, 4, seed=8).astype(ml_dtypes.bfloat16),
        "float64": values(3, 4, seed=8).astype(np.float64),
        "float8_e4m3fn": values(3, 4, seed=8).astype(ml_dtypes.float8_e4m3fn),
        "float8_e5m2": values(3, 4, seed=8).astype(ml_dtypes.float8_e5m2),
        "float8_e8m0fnu": np.array([0.5, 1, 2, 2**-100], ml_dtypes.float8_e8m0fnu),
    }


def every_shape() -> Tensors:
    """Without elements, without dimensions, with one row or column."""
    return {
        "none": np.zeros((0,), np.float32),
        "no columns": np.zeros((4, 0, 2), np.float32),
        "no integers": np.zeros((0, 3), np.int64),
        "scalar": np.float32(0.3).reshape(()),
        "count": np.array(41, np.int64),
        "row": values(1, 9, seed=9),
        "column": values(9, 1, seed=9),
        "zero": np.zeros((), np.float32),
    }


def series() -> Iterator[tuple[str, bytes]]:
    """Three steps, in the second of which the last tensor is missing."""
    weight = values(16, 12, seed=10)
    weight[np.random.default_rng(11).random(weight.shape) < 0.5] = 0
    base: nnr.Model | None = None
    for step in range(3):
        tensors: Tensors = {"w": weight, "n": np.arange(6).reshape(2, 3)}
        tensors["b"] = values(5, 4, seed=12)
        if step == 1:
            del tensors["b"]
        data = nnr.encode(tensors, bits=5, base=base)
        yield f"series_step{step}", data
        base = nnr.decode(data, base=base)
        weight = weight + np.float32(0.03) * values(16, 12, seed=13 + step) * (weight != 0)


def small_model() -> nnr.Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        onnx.save(small_network(), path)
        return nnr.load(path)


def as_nncodec() -> Iterator[tuple[str, Stream]]:
    """The profile whose bytes are promised."""
    inputs = {"w": values(12, 3, 3, seed=20), "b": values(12, seed=21), "n": levels(4, 5, seed=22)}
    inputs["w"][3:5] = 0
    settings: dict[str, dict[str, Any]] = {
        "nncodec": {},
        "nncodec_coarse": {"qp": -20, "qp_density": 3, "unary_length": 3},
        "nncodec_scan": {"dq": False, "scan_order": 1, "qp": -20, "nonweight_qp": -40},
        "nncodec_plain": {"optimize_contexts": False, "row_skipping": False},
    }
    for name, options in settings.items():
        data = nnr.encode(inputs, profile="nncodec", **options)
        yield name, Stream(data, inputs, options)


def put_together() -> Iterator[tuple[str, bytes]]:
    """What no encoder here writes, by the twin's writers."""
    yield "block", block()
    yield "factors", factors()
    yield "edition1", first_edition(prefix_ids=FIRST_PREFIX_IDS)
    yield "edition1_31", first_edition(prefix_ids=31)
    yield from named_by_hash()
    unit = data_unit(NduHeader(topology_elem_ids=["w"], node_id=NodeId()), [levels(5, 6, seed=30)])
    head = head_of(MPS)
    strays = [write_stray(7, b""), write_stray(34, b"text"), write_stray(63, bytes(300))]
    yield "unknown", b"".join([head, strays[0], strays[1], unit, strays[2]])
    for name, topology in {
        "nnef_raw": Topology(1, 0, GRAPH + b"\0"),
        "nnef_deflate": Topology(1, 1, zlib.compress(GRAPH)),
    }.items():
        yield name, head + write_topology(topology) + unit


def head_of(mps: ModelParameterSet, profile: int = NEWEST) -> bytes:
    return write_start(profile) + write_model_parameter_set(mps, profile)


def write_stray(unit_type: int, content: bytes) -> bytes:
    """A unit of a type that has no meaning."""
    size = 3 + len(content)
    return size.to_bytes(2, "big") + bytes([unit_type << 2 | 2]) + content


def data_unit(
    header: NduHeader, payload: Sequence[NDArray[np.int32]], mps: ModelParameterSet = MPS
) -> bytes:
    """Tensors that share a codeword, as coded and in the order of the payload."""
    header.tensor_dimensions = header.tensor_dimensions or list(payload[0].shape)
    arithmetic = ArithmeticEncoder()
    for array in payload:
        layer = Layer(
            array.shape,
            dq_flag=bool(header.dq_flag),
            unary_length=header.cabac_unary_length_minus1 + 1,
        )
        arithmetic.bypass(QP_BITS, QP & 0xFF)
        code_layer(LayerEncoder(arithmetic, layer), layer, as_matrix(layer, array), Choices())
    content = write_ndu_header(header, mps, NEWEST) + arithmetic.terminate()
    return write_unit(UnitType.NDU, content)


def block() -> bytes:
    """A weight with local scaling, batch normalisation and bias, dependently quantised."""
    header = NduHeader(
        PayloadType.BLOCK,
        ["w", "w_scaling", "beta", "gamma", "mean", "var", "bias"],
        node_id=NodeId(),
        dq_flag=1,
        compressed_parameter_types=ParameterTypes.LOCAL_SCALING
        | ParameterTypes.BATCH_NORM
        | ParameterTypes.BIAS,
        tensor_dimensions=[6, 2, 3],
    )
    vectors = [levels(6, seed=40 + i) for i in range(6)]
    return head_of(MPS) + data_unit(header, [*vectors, levels(6, 2, 3, seed=46)])


def factors() -> bytes:
    """A weight as the product of two factors, and its bias."""
    header = NduHeader(
        PayloadType.BLOCK,
        ["w_G", "w_H", "b"],
        node_id=NodeId(),
        compressed_parameter_types=ParameterTypes.DECOMPOSED | ParameterTypes.BIAS,
        decomposition_rank=2,
        g_number_of_rows=6,
        tensor_dimensions=[6, 2, 4],
    )
    payload = [levels(6, seed=50), levels(6, 2, seed=51), levels(2, 8, seed=52)]
    return head_of(MPS) + data_unit(header, payload)


def first_edition(*, prefix_ids: int) -> bytes:
    """Of the first edition, in blocks too; encoders and decoders differ in how many ids they send."""
    book = Codebook([-8, -1, 0, 3, 40], 2, 2)
    tensors: list[tuple[NduHeader, NDArray[np.int32]]] = [
        (NduHeader(PayloadType.INT, ["numbers"]), levels(3, 4, seed=60, largest=5000)),
        (NduHeader(topology_elem_ids=["vector"], dq_flag=1), levels(9, seed=61)),
        (NduHeader(topology_elem_ids=["blocks"], dq_flag=1, scan_order=1), levels(17, 9, seed=62)),
        (NduHeader(topology_elem_ids=["a block"], scan_order=1), levels(4, 5, seed=63)),
        (NduHeader(topology_elem_ids=["book"], codebook=book), levels(6, 6, seed=64, largest=2)),
    ]
    if prefix_ids != FIRST_PREFIX_IDS:
        del tensors[3]  # who sends the other number does not start a single block anew
    units = []
    for header, array in tensors:
        layer = Layer(
            array.shape,
            dq_flag=bool(header.dq_flag),
            scan_order=header.scan_order,
            profile=FIRST,
            codebook=header.codebook,
            prefix_ids=prefix_ids,
        )
        is_integer = header.nnr_compressed_data_unit_payload_type == PayloadType.INT
        coded = encode_tensor(
            layer,
            array,
            row_skip=False,
            param_opt=True,
            nncodec=False,
            qp_delta=None if is_integer else (QP, QP_BITS),
        )
        header.tensor_dimensions = list(array.shape)
        header.entry_points = coded.entry_points
        content = write_ndu_header(header, MPS, FIRST) + coded.payload
        units.append(write_unit(UnitType.NDU, content))
    return head_of(MPS, FIRST) + b"".join(units)


def named_by_hash() -> Iterator[tuple[str, bytes]]:
    """An update whose parents have their hashes for names."""
    tensors = {"w": scaled(8, 9, seed=70), "v": scaled(6, 5, seed=71)}
    first = nnc.encode_stream(tensors, qp=QP, dq=False)
    yield "hash_step0", first
    before = nnc.decode_stream(first)
    update = head_of(SIGNALLING_MPS)
    for name, parent_type, make_hash, temporal in (
        ("w", 1, hashlib.sha256, True),
        ("v", 2, hashlib.sha512, False),
    ):
        changed = np.clip(before.levels[name] + levels(1, seed=72, largest=1), -9, 9)
        changed[2] = 0
        layer = Layer(
            changed.shape,
            parent_node_id_present_flag=True,
            base=before.levels[name] if temporal else None,
            history=before.history[name],
        )
        coded = encode_tensor(
            layer, changed, row_skip=True, param_opt=True, nncodec=False, qp_delta=(QP, QP_BITS)
        )
        header = NduHeader(
            topology_elem_ids=[name],
            node_id=NodeId(0, 0, 1) if temporal else None,
            parent_node_id=ParentNodeId(
                parent_type,
                temporal_context_modeling_flag=int(temporal),
                parent_hash=int.from_bytes(make_hash(first).digest(), "big"),
            ),
            tensor_dimensions=list(changed.shape),
        )
        content = write_ndu_header(header, SIGNALLING_MPS, NEWEST) + coded.payload
        update += write_unit(UnitType.NDU, content)
    yield "hash_step1", update


def streams() -> dict[str, Stream]:
    """All of them, by name; steps of a series follow each other."""
    made = {name: Stream(data) for name, data in (*encoded(), *put_together())}
    return made | dict(as_nncodec())


def write(folder: Path, made: Mapping[str, Stream]) -> None:
    models: dict[str | None, nnr.Model | None] = {None: None}
    twins: dict[str | None, nnc.DecodedStream | None] = {None: None}
    for name, stream in made.items():
        before = base_of(name)
        model = models[name] = nnr.decode(stream.data, base=models[before])
        coded = twins[name] = nnc.decode_stream(stream.data, twins[before])
        (folder / f"{name}.nnr").write_bytes(stream.data)
        write_expected(folder / f"{name}.npz", model, coded, stream.inputs, stream.options)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="must be there and empty")
    folder = parser.parse_args().folder
    if any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    write(folder, streams())


if __name__ == "__main__":
    main()
