# The native core. Internal: arguments are checked by the package, not here.

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Layout: TypeAlias = tuple[int, int, int]
_FloatType: TypeAlias = Literal["float16", "bfloat16", "float32", "float64"]

version: str
compiler: str
build_type: str
flags: str

def compiled_targets() -> tuple[str, ...]: ...
def runnable_targets() -> tuple[str, ...]: ...
def current_target() -> str: ...
def use_target(name: str) -> Literal["ok", "unknown", "not runnable"]: ...
def minmax(
    array: NDArray[Any], float_type: _FloatType, layout: _Layout, threads: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], int | None]: ...
def quantize(
    array: NDArray[Any],
    float_type: _FloatType,
    layout: _Layout,
    lo: NDArray[np.float32],
    hi: NDArray[np.float32],
    bits: int,
    threads: int,
) -> tuple[NDArray[np.uint8], int, int | None]: ...
def dequantize(
    packed: NDArray[np.uint8],
    lo: NDArray[np.float32],
    hi: NDArray[np.float32],
    bits: int,
    out: NDArray[Any],
    float_type: _FloatType,
    layout: _Layout,
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
