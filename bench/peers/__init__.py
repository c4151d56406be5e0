"""Other libraries that do the same work, one file each, all with the same interface.

`NAME`, `version()` and `WORKS`, which maps a kind of work to a function from a case to contestants
(none where the library lacks a dtype or a width). Importing the file limits the library to one
thread; where the library is not installed, importing fails and the report says so.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from ..cases import Case
from ..contestants import Contestant

NAMES = ("numpy", "torch", "onnxruntime", "fastpfor", "opencv", "gguf")


def installed() -> dict[str, ModuleType]:
    """The peers that can be imported here."""
    peers = {}
    for name in NAMES:
        try:
            peers[name] = importlib.import_module(f".{name}", __name__)
        except ImportError:
            continue
    return peers


def contestants(case: Case) -> list[Contestant]:
    """All that installed peers offer for this case."""
    return [
        contestant
        for peer in installed().values()
        if case.work.kind in peer.WORKS
        for contestant in peer.WORKS[case.work.kind](case)
    ]


def versions() -> dict[str, str]:
    found = installed()
    return {name: found[name].version() if name in found else "not installed" for name in NAMES}
