"""Tensors to units, and units to a bitstream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import _core
from ...models.model import Model
from .checks import checksums_of
from .description import Description, codebook_origin, write_description
from .options import EncodeOptions
from .plan import Planner, TaskMaker
from .representation import restore
from .topology import UNRECOGNISED, write_topology


class Result(NamedTuple):
    """What the native core makes of one tensor."""

    unit: bytes = b""
    levels: NDArray[np.int32] | None = None
    values: NDArray[Any] | None = None
    qp: int | None = None
    dq: bool = False
    codebook: bool = False


# Elements that are coded between two signs of life.
_BATCH_ELEMENTS = 1 << 18


class Encoder:
    """The encoding of one model.

    Parameters
    ----------
    model, options
        What to encode, and how.
    on_tensor : callable, optional
        Called with the name of each tensor that is done.
    with_values : bool
        Whether what the decoder reconstructs is wanted.
    """

    def __init__(
        self,
        model: Model,
        options: EncodeOptions,
        on_tensor: Callable[[str], None] | None = None,
        *,
        with_values: bool = False,
    ) -> None:
        self.model, self.options = model, options
        self._on_tensor = on_tensor
        self.base = options.base_model
        series = {} if self.base is None else self.base.series()
        self.planner = Planner(options)
        self.planned = self.planner.plan(model)
        self.common = [index for index, planned in enumerate(self.planned) if planned.common]
        self._maker = TaskMaker(options, series)
        self._with_values = with_values
        self.results = [Result()] * len(self.planned)
        self.keep()

    def data(self) -> bytes:
        """Return the bitstream."""
        return self._joined([self.results[index].unit for index in self.written()])

    def set_common(self, qp: int, *, values: bool = False) -> None:
        """Code all tensors that follow a common QP, if they are not coded with it already."""
        changed = []
        for index in self.common:
            planned = self.planned[index]
            before = planned.qp
            self.planner.set_common(planned, qp)
            missing = values and self.results[index].values is None
            if planned.qp != before or not self.results[index].unit or missing:
                changed.append(index)
        self.run(changed, values=values)

    def keep(self) -> None:
        """Note how everything is coded now."""
        self._kept = [planned.qp for planned in self.planned], list(self.results)

    def take_kept(self) -> None:
        """Go back to what `keep` noted."""
        qps, self.results = self._kept
        for planned, qp in zip(self.planned, qps, strict=True):
            planned.qp = qp

    def rebuilt(self, index: int) -> NDArray[Any]:
        """Return a tensor as the decoder gives it; an array of its own."""
        planned, values = self.planned[index], self.results[index].values
        assert values is not None
        # Lossless values are those that the caller gave.
        if np.may_share_memory(values, planned.coded):
            values = values.copy()
        origin = planned.origin
        if values.dtype == np.float64 and not self.options.is_nncodec:
            origin = origin or codebook_origin(planned.original.shape)
        return values if origin is None else restore(values, origin, raw=planned.raw)

    def run(self, indices: Iterable[int], *, values: bool = False) -> None:
        """Code these tensors with their present settings."""
        values = values or self._with_values
        wanted: list[int] = []
        elements = 0
        for index in indices:
            wanted.append(index)
            elements += self.planned[index].coded.size
            if self._on_tensor is not None and elements >= _BATCH_ELEMENTS:
                self._run_batch(wanted, values=values)
                wanted, elements = [], 0
        self._run_batch(wanted, values=values)

    def _run_batch(self, indices: list[int], *, values: bool) -> None:
        task, planned = self._maker.task, self.planned
        results = _core.nnc_encode(
            [task(planned[index], index) for index in indices],
            self.options.density,
            self.options.in_series,
            values or any(planned[index].max_error is not None for index in indices),
            self.options.thread_count,
        )
        for index, result in zip(indices, results, strict=True):
            self.results[index] = Result(*result)
            if self._on_tensor is not None:
                self._on_tensor(planned[index].name)

    def written(self) -> Iterable[int]:
        """NNCodec leaves tensors of zeros out of updates."""
        everything = range(len(self.planned))
        if not (self.options.in_series and self.options.is_nncodec):
            return everything
        return [index for index in everything if _is_any(self.results[index].levels)]

    def _joined(self, units: list[bytes]) -> bytes:
        options = self.options
        codebooks = not options.is_nncodec and any(result.codebook for result in self.results)
        head = _core.nnc_parameter_units(options.density, options.in_series, False, codebooks)
        if options.is_nncodec:
            return b"".join([head, _core.nnc_topology_unit(UNRECOGNISED, 0, b"\0"), *units])
        topology = self.model.topology if options.topology else None
        others = [] if topology is None else [self._topology_unit]
        start = int.from_bytes(head[:2], "big")
        checksums = checksums_of([head[:start], head[start:], *others, *units])
        # Before the graph, so that a file cut off after that has lost its tensors visibly.
        origins = {each.name: each.origin for each in self.planned if each.origin is not None}
        text = write_description(Description(checksums, origins, self.model.metadata))
        return b"".join([head, _core.nnc_topology_unit(UNRECOGNISED, 0, text), *others, *units])

    @cached_property
    def _topology_unit(self) -> bytes:
        assert self.model.topology is not None
        return write_topology(self.model.topology)


def _is_any(levels: NDArray[np.int32] | None) -> bool:
    return levels is None or bool(levels.any())
