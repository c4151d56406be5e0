"""Which SIMD level the native core uses, and how to change it.

A level is a named group of instructions: ``scalar``, ``sse4``, ``avx2``, ``avx512`` (F, BW, VL, DQ
and VNNI) or ``neon``. The best one that this CPU runs is chosen on import; the environment variable
``NNR_TARGET`` or `use_target` chooses another. Array functions give the same bits at every level.
"""

from __future__ import annotations

import os
from types import TracebackType

from . import _core


def targets() -> tuple[str, ...]:
    """The levels that this CPU can run, from the plainest to the best.

    Examples
    --------
    >>> nnr.cpu.targets()[0]
    'scalar'
    """
    return _core.runnable_targets()


def compiled_targets() -> tuple[str, ...]:
    """The levels that this build holds, whether or not this CPU runs them."""
    return _core.compiled_targets()


def current_target() -> str:
    """The level in use."""
    return _core.current_target()


def processor_count() -> int:
    """How many processors this process may use, which in a container are not all.

    Examples
    --------
    >>> nnr.cpu.processor_count() >= 1
    True
    """
    # macOS does not tell.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class use_target:  # noqa: N801 - used as a function, and as a context manager
    """Make *name* the level in use, for the whole process.

    As a context manager it restores the level that was in use before.

    Parameters
    ----------
    name : str
        One of `targets`.

    Raises
    ------
    ValueError
        The name is unknown, or this CPU cannot run the level.

    Examples
    --------
    >>> with nnr.cpu.use_target("scalar"):
    ...     nnr.cpu.current_target()
    'scalar'
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"target must be a str, got {type(name).__name__}")
        self._previous = _core.current_target()
        status = _core.use_target(name)
        if status != "ok":
            reason = "is unknown" if status == "unknown" else "cannot run on this CPU"
            raise ValueError(f"target {name!r} {reason}; there are {', '.join(targets())}")

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _core.use_target(self._previous)


def show_config() -> None:
    """Print version, compiler, flags, levels compiled, levels runnable and the level in use."""
    for name, value in (
        ("nnr", _core.version),
        ("compiler", _core.compiler),
        ("build type", _core.build_type),
        ("flags", _core.flags),
        ("levels compiled", " ".join(compiled_targets())),
        ("levels runnable", " ".join(targets())),
        ("level in use", current_target()),
    ):
        print(f"{name + ':':<17}{value}")


_asked_for = os.environ.get("NNR_TARGET")
if _asked_for:
    try:
        use_target(_asked_for)
    except ValueError as error:
        raise ValueError(f"environment variable NNR_TARGET: {error}") from None
