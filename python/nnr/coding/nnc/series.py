"""Models that came out of a bitstream, and what the next one of an incremental series needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...models.model import Model

if TYPE_CHECKING:
    from .file import NncFile


class TensorState(NamedTuple):
    """What a series remembers of one tensor.

    Parameters
    ----------
    levels : int32 array or None
        Of its last step; None for raw floats.
    active : uint8 array
        1 where any step so far had a level, or a raw value, that is not zero.
    node : (int, int, int)
        Device, parameter and the number of the step.
    """

    levels: NDArray[np.int32] | None
    active: NDArray[np.uint8]
    node: tuple[int, int, int]


Series = dict[str, TensorState]


@dataclass(eq=False, repr=False)
class DecodedModel(Model):
    """A model as a bitstream has it, with the integers that its tensors are multiples of.

    It is made by `nnr.decode`, `nnr.load` and `encode_model`. It keeps the bitstream, from which
    `levels` decodes when it is called.

    Parameters
    ----------
    tensors, topology, metadata
        As `Model` has them.
    file : NncFile
        What they were decoded from.
    kept : dict of str to (levels, active), optional
        By the names in the bitstream, where it belongs to a series.

    Examples
    --------
    >>> import numpy as np, nnr
    >>> data = nnr.encode({"w": np.float32([[0.5, -0.25], [0, 1]])}, step=0.25, dq=False, rdo=0)
    >>> nnr.decode(data).levels("w").tolist()
    [[2, -1], [0, 4]]
    """

    file: NncFile = field(kw_only=True)
    kept: dict[str, tuple[NDArray[np.int32] | None, NDArray[np.uint8]]] | None = field(
        default=None, kw_only=True
    )
    _series: Series | None = field(default=None, init=False)

    def levels(self, name: str) -> NDArray[np.int32]:
        """Return the integers of a tensor before dequantisation.

        With dependent quantisation they are the multiples of the step, with a codebook the
        distances from its zero. They are decoded at each call, but for incremental series, whose
        levels are kept.

        Raises
        ------
        KeyError
            There is no such tensor in the bitstream.
        ValueError
            It is stored as raw floats.
        """
        if self.kept is not None and name in self.kept:
            levels = self.kept[name][0]
            if levels is not None:
                return self.file.shaped(name, levels)
        return self.file.levels(name)

    def series(self) -> Series:
        """Return the state of every tensor of the series after this step, by its coded name."""
        if self._series is None:
            base = self.file.base
            states: Series = {} if base is None else dict(base.series())
            kept = self.file.decode_kept() if self.kept is None else self.kept
            for name, node in self.file.nodes().items():
                levels, active = kept[name]
                states[name] = TensorState(levels, _joined(states.get(name), active), node)
            self._series = states
        return self._series

    def __reduce__(self) -> Any:
        # The bitstream says everything but what was changed since.
        return _rebuild, (self.tensors, self.topology, self.metadata, self.file)


def _rebuild(
    tensors: dict[str, NDArray[Any]], topology: Any, metadata: dict[str, str], file: NncFile
) -> DecodedModel:
    return DecodedModel(tensors, topology, metadata, file=file)


def _joined(before: TensorState | None, active: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if before is None or before.active.shape != active.shape:
        return active
    return before.active | active


def check_base(base: object) -> DecodedModel | None:
    """Return *base* if it can be one."""
    if base is None or isinstance(base, DecodedModel):
        return base
    if not isinstance(base, Model):
        raise TypeError(f"base must be a model that nnr.decode returned, got {type(base).__name__}")
    raise ValueError("base has no levels: it must come from nnr.decode or from an .nnr file")
