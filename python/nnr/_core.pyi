# The native core. Internal: arguments are checked by the package, not here.

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

_Quantized = TypeVar("_Quantized")
_ChannelValues: TypeAlias = float | NDArray[np.float32]
_FloatType: TypeAlias = Literal["float16", "bfloat16", "float32", "float64"]

version: str
compiler: str
build_type: str
flags: str

def compiled_targets() -> tuple[str, ...]: ...
def runnable_targets() -> tuple[str, ...]: ...
def current_target() -> str: ...
def use_target(name: str) -> Literal["ok", "unknown", "not runnable"]: ...
def are_float_arrays(*arrays: object) -> bool: ...
def is_fit(
    out: object, shape: tuple[int, ...], dtype: np.dtype[Any] | None, source: NDArray[Any]
) -> bool: ...
def minmax(
    array: NDArray[Any], axis: int | None, threads: int
) -> tuple[_ChannelValues, _ChannelValues, int | None]: ...
def first_overflowing(
    lo: NDArray[np.float32], hi: NDArray[np.float32], bits: int
) -> int | None: ...
def quantize(
    quantized_array: type[_Quantized],
    array: NDArray[Any],
    bits: int,
    lo: _ChannelValues,
    hi: _ChannelValues,
    axis: int | None,
    out: NDArray[np.uint8] | None,
    threads: int,
) -> tuple[_Quantized | None, int | None]: ...
def quantize_many(
    quantized_array: type[_Quantized],
    arrays: list[NDArray[Any]],
    bits: int,
    axis: int | None,
    out: NDArray[np.uint8] | None,
    threads: int,
) -> tuple[list[_Quantized], tuple[int, _ChannelValues, _ChannelValues, int | None] | None]: ...
def dequantize(
    packed: NDArray[np.uint8],
    lo: _ChannelValues,
    hi: _ChannelValues,
    bits: int,
    axis: int | None,
    out: NDArray[Any],
    out_is_new: bool,
    threads: int,
) -> None: ...
def pack(
    codes: NDArray[np.uint8] | NDArray[np.uint16], bits: int, out: NDArray[np.uint8], threads: int
) -> bool: ...
def unpack(
    packed: NDArray[np.uint8],
    bits: int,
    out: NDArray[np.uint8] | NDArray[np.uint16],
    threads: int,
) -> None: ...
def from_dlpack(capsule: object) -> tuple[NDArray[Any], _FloatType]: ...

_Sample = TypeVar("_Sample", np.uint8, np.uint16)
_Pads: TypeAlias = tuple[int, int, int, int]

_PadMode: TypeAlias = Literal["constant", "edge", "reflect"]
# Width of a strip, height of a step and of a segment.
_Cut: TypeAlias = tuple[int, int, int]
# Whether it is uint8, and the zero of each channel.
_IntegerValue: TypeAlias = tuple[bool, NDArray[np.int16]]
_IntegerEpilogue: TypeAlias = tuple[
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32] | None,
    int,
    int,
]

class _MovesSamples:
    def concat(self, name: str, inputs: list[int]) -> int: ...
    def slice(self, name: str, input: int, first: int, last: int) -> int: ...
    def crop(self, name: str, input: int, margins: _Pads) -> int: ...
    def depth_to_space(
        self, name: str, input: int, block: int, mode: Literal["DCR", "CRD"]
    ) -> int: ...
    def space_to_depth(self, name: str, input: int, block: int) -> int: ...

class NetworkBuilder(_MovesSamples):
    def __init__(self, in_channels: int) -> None: ...
    def conv(
        self,
        name: str,
        input: int,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        pads: _Pads,
        stride: tuple[int, int],
    ) -> int: ...
    def depthwise_conv(
        self,
        name: str,
        input: int,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        pads: _Pads,
        stride: tuple[int, int],
    ) -> int: ...
    def slope(self, name: str, input: int, slopes: NDArray[np.float32]) -> int: ...
    def affine(
        self, name: str, input: int, scales: NDArray[np.float32], offsets: NDArray[np.float32]
    ) -> int: ...
    def clip(self, name: str, input: int, lo: float, hi: float) -> int: ...
    def add(self, name: str, first: int, second: int) -> int: ...
    def mul(self, name: str, first: int, second: int) -> int: ...
    def pad(self, name: str, input: int, pads: _Pads, mode: _PadMode, value: float) -> int: ...
    def build(self, output: int, fused: bool = True) -> NetworkPlan: ...

class IntegerNetworkBuilder(_MovesSamples):
    def __init__(self, input: _IntegerValue) -> None: ...
    def conv(
        self,
        name: str,
        input: int,
        addend: int | None,
        weights: NDArray[np.int16],
        pads: _Pads,
        stride: tuple[int, int],
        epilogue: _IntegerEpilogue,
        value: _IntegerValue,
    ) -> int: ...
    def depthwise_conv(
        self,
        name: str,
        input: int,
        addend: int | None,
        weights: NDArray[np.int16],
        pads: _Pads,
        stride: tuple[int, int],
        epilogue: _IntegerEpilogue,
        value: _IntegerValue,
    ) -> int: ...
    def winograd(
        self,
        name: str,
        input: int,
        addend: int | None,
        weights: NDArray[np.int16],
        shifts: NDArray[np.uint8],
        pads: _Pads,
        phase: tuple[int, int],
        epilogue: _IntegerEpilogue,
        value: _IntegerValue,
    ) -> int: ...
    def rescale(
        self,
        name: str,
        input: int,
        multipliers: NDArray[np.int32],
        negative_multipliers: NDArray[np.int32],
        offsets: NDArray[np.int32],
        clamp: tuple[int, int],
        value: _IntegerValue,
    ) -> int: ...
    def add(
        self,
        name: str,
        first: int,
        second: int,
        first_multipliers: NDArray[np.int32],
        second_multipliers: NDArray[np.int32],
        clamp: tuple[int, int],
        value: _IntegerValue,
    ) -> int: ...
    def mul(
        self,
        name: str,
        first: int,
        second: int,
        multipliers: NDArray[np.int32],
        clamp: tuple[int, int],
        value: _IntegerValue,
    ) -> int: ...
    def pad(
        self, name: str, input: int, pads: _Pads, mode: _PadMode, fills: NDArray[np.int16]
    ) -> int: ...
    def build(self, output: int) -> NetworkPlan: ...

class NetworkPlan:
    @property
    def in_channels(self) -> int: ...
    @property
    def out_channels(self) -> int: ...
    @property
    def input_type(self) -> Literal["float32", "uint8", "int16"]: ...
    @property
    def output_type(self) -> Literal["float32", "uint8", "int16"]: ...
    @property
    def phase(self) -> int: ...
    @property
    def block_phases(self) -> list[tuple[int, int]]: ...
    @property
    def blocks(self) -> dict[int, tuple[int, int]]: ...
    def output_size(self, height: int, width: int) -> tuple[int, int]: ...
    def explain(
        self, height: int, width: int, threads: int, cut: _Cut | None
    ) -> dict[str, Any]: ...
    def ranges(
        self, image: NDArray[np.float32]
    ) -> list[tuple[list[float], list[float], list[float], list[float], bool]]: ...
    def histograms(
        self,
        image: NDArray[np.float32],
        ends: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
        bins: int,
    ) -> list[list[float]]: ...
    def run(
        self, input: NDArray[Any], out: NDArray[Any], threads: int, cut: _Cut | None
    ) -> None: ...
    def run_quantized(
        self,
        input: NDArray[np.float32],
        out: NDArray[np.float32],
        input_scales: NDArray[np.float64],
        output_scales: NDArray[np.float64],
        threads: int,
    ) -> None: ...
    def filter_planes(
        self,
        planes: Sequence[NDArray[_Sample]],
        out: Sequence[NDArray[_Sample]],
        peak: float,
        side: float,
        threads: int,
        cut: _Cut | None,
    ) -> None: ...

class LatentTables:
    def __init__(self, frequencies: NDArray[np.uint16], shifts: NDArray[np.uint8]) -> None: ...
    def encode(
        self, values: NDArray[np.int16], means: NDArray[np.int16], scales: NDArray[np.int16]
    ) -> bytes: ...
    def choose(
        self,
        bits: NDArray[np.float32],
        targets: NDArray[np.float32],
        means: NDArray[np.int16],
        scales: NDArray[np.int16],
        rate_weight: float,
    ) -> NDArray[np.int16]: ...

class LatentDecoder:
    def __init__(self, tables: LatentTables, code: NDArray[np.uint8], base: int) -> None: ...
    def decode(self, means: NDArray[np.int16], scales: NDArray[np.int16]) -> NDArray[np.int16]: ...
    def finish(self) -> None: ...

_NncPayload: TypeAlias = Literal["int", "float", "raw_float", "block"]
_NncRole: TypeAlias = Literal[
    "weight", "g", "h", "local_scaling", "beta", "gamma", "mean", "variance", "bias"
]

class NncDataUnit:
    number: int
    offset: int
    size: int
    payload_offset: int
    payload_type: _NncPayload
    names: list[str]
    tensors: list[tuple[str, _NncRole, tuple[int, ...], np.dtype[Any]]]
    dq: bool
    unary_length: int
    scan_order: int
    decomposed_rank: int
    shape: tuple[int, ...]
    entry_points: int
    codebook: tuple[list[int], int] | None
    node: tuple[int, int, int] | None
    parent: tuple[int, bool, int, bytes] | None

class NncStream:
    def __init__(self, data: NDArray[np.uint8]) -> None: ...
    units: list[tuple[int, int, int]]
    topologies: list[tuple[int, int, int, int]]
    notes: list[str]
    edition: int
    qp_density: int
    parent_signalling: bool
    pre_signalled: bool
    data_units: list[NncDataUnit]
    def decode(
        self,
        indices: list[int],
        values: bool,
        levels: bool,
        base_levels: dict[str, NDArray[np.int32]],
        history: dict[str, NDArray[np.uint8]],
        max_elements: int,
        threads: int,
    ) -> list[list[tuple[str, NDArray[Any] | None, NDArray[np.int32] | None, int | None]]]: ...

class NncEncodeTask:
    def __init__(
        self,
        name: str,
        values: NDArray[np.float32] | NDArray[np.int32],
        qp: int,
        *,
        dq: bool,
        rdo: float,
        unary_length: int,
        scan_order: int,
        row_skipping: bool,
        optimize_contexts: bool,
        codebook: bool,
        raw: bool,
        nncodec: bool,
        node: tuple[int, int, int],
        parent: tuple[int, bool] | None,
        base_levels: NDArray[np.int32] | None,
        history: NDArray[np.uint8] | None,
    ) -> None: ...

def nnc_step_size(qp: int, qp_density: int) -> float: ...
def nnc_encode(
    tasks: list[NncEncodeTask],
    qp_density: int,
    parent_signalling: bool,
    values: bool,
    threads: int,
) -> list[tuple[bytes, NDArray[np.int32] | None, NDArray[Any] | None, int | None, bool, bool]]: ...
def nnc_parameter_units(
    qp_density: int, parent_signalling: bool, pre_signalled: bool, codebooks: bool
) -> bytes: ...
def nnc_topology_unit(storage_format: int, compression_format: int, data: bytes) -> bytes: ...
