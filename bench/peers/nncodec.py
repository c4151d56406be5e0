"""NNCodec, which reads and writes the same bitstreams: all of it, or its compiled engine alone.

Its codec needs nothing but NumPy, yet importing it imports what its applications use, and it asks
for a NumPy below 2 that it does not need. So `pip install --no-deps nncodec` does, with pybind11
and a compiler: what else it imports and is not installed is stood in for while it is imported.

The engine has no interface of its own that decodes a bitstream. What the codec calls of it for one
bitstream is therefore recorded once, with all arguments, and called again to be timed: what is left
of NNCodec if everything it does in Python takes no time.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any
from unittest.mock import MagicMock

import numpy as np
from numpy.typing import NDArray

NAME = "nncodec"
# What only its applications call: data sets, training, logs.
APPLICATIONS = [
    *("cv2", "flwr", "h5py", "pandas", "ptflops", "sentencepiece", "sklearn", "torch"),
    *("torchmetrics", "torchvision", "tqdm", "wandb"),
]

Tensors = dict[str, NDArray[Any]]


class _StandIn(MetaPathFinder, Loader):
    """Finds modules whose every attribute is a mock."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        is_ours = name.partition(".")[0] in self.names
        return ModuleSpec(name, self, is_package=True) if is_ours else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__getattr__ = _mock
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def _mock(name: str) -> MagicMock:
    if name.startswith("__"):
        raise AttributeError(name)
    return MagicMock()


@contextmanager
def _stood_in_for(names: list[str]) -> Iterator[None]:
    finder = _StandIn([name for name in names if find_spec(name) is None])
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in list(sys.modules):
            if name.partition(".")[0] in finder.names:
                del sys.modules[name]


with warnings.catch_warnings(), _stood_in_for(APPLICATIONS):
    warnings.simplefilter("ignore")
    nnc: Any = importlib.import_module("nncodec.nnc")
    deepcabac: Any = importlib.import_module("nncodec.extensions.deepCABAC")


def version() -> str:
    return importlib.metadata.version(NAME)


def decode(data: bytearray) -> Tensors:
    return dict(nnc.decompress(data))


def encode(tensors: Mapping[str, NDArray[Any]], **settings: Any) -> bytes:
    """The bitstream; it is also written to a file, which cannot be turned off."""
    return bytes(
        nnc.compress(dict(tensors), bitstream_path=os.devnull, return_bitstream=True, **settings)
    )


@dataclass(frozen=True)
class _Call:
    coder: int  # which of the coders made so far
    kind: str
    method: str  # "" makes the coder
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Engine:
    """Calls of the compiled engine, to be made once more."""

    calls: tuple[_Call, ...]

    def run(self) -> list[Any]:
        """All that was decoded, as floats, or all that was encoded, as bytes: one for a tensor."""
        coders: dict[int, Any] = {}
        results = []
        for call in self.calls:
            if not call.method:
                coders[call.coder] = getattr(deepcabac, call.kind)()
                continue
            returned = getattr(coders[call.coder], call.method)(*call.arguments)
            if call.method == "dequantLayer":
                results.append(call.arguments[0])
            elif call.kind == "Encoder" and call.method == "finish":
                results.append(returned)
        return results


def decoding_engine(data: bytearray) -> Engine:
    """Levels and dequantisation."""
    return _record(lambda: decode(data), "Decoder")


def encoding_engine(tensors: Mapping[str, NDArray[Any]], **settings: Any) -> Engine:
    """Quantisation and levels, without the decoding to which the codec then puts each tensor."""
    return _record(lambda: encode(tensors, **settings), "Encoder")


def _record(run: Callable[[], object], kind: str) -> Engine:
    calls: list[_Call] = []
    kept = _Kept()
    real = getattr(deepcabac, kind)

    class Recorder:
        def __init__(self) -> None:
            self._coder = real()
            self._new = _Call(sum(not call.method for call in calls), kind, "")
            calls.append(self._new)

        def __getattr__(self, method: str) -> Callable[..., Any]:
            def call(*arguments: Any) -> Any:
                own = tuple(kept.own(each) for each in arguments)
                calls.append(replace(self._new, method=method, arguments=own))
                return getattr(self._coder, method)(*arguments)

            return call

    setattr(deepcabac, kind, Recorder)
    try:
        run()
    finally:
        setattr(deepcabac, kind, real)
    return Engine(tuple(calls))


class _Kept:
    """Arrays of the recorded calls' own, as the codec may write over its arrays later.

    What one call wrote and another read, of one array, is so for the calls that are made again.
    """

    def __init__(self) -> None:
        self._own: dict[int, tuple[Any, Any]] = {}

    def own(self, argument: Any) -> Any:
        if not isinstance(argument, np.ndarray):
            return argument
        _, own = self._own.setdefault(id(argument), (argument, argument.copy()))
        return own
