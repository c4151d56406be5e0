"""The stages in which latents are coded: some channels, at all positions or at every second one."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

ALL = 2
"""The parity of a stage that has all positions."""

_Number = TypeVar("_Number", bound=np.generic)


class Stage(NamedTuple):
    """Channels *first* to *end*, where row + column is even (parity 0), odd (1), or anywhere (2)."""

    first: int
    end: int
    parity: int

    def of(self, values: NDArray[_Number]) -> NDArray[_Number]:
        """Pick this stage's values of (pictures, channels, rows, columns), in coding order.

        Returns
        -------
        ndarray of shape (pictures, count)
            Channel by channel, rows, columns; C-contiguous.
        """
        picked = values[:, self.first : self.end][..., self._mask(*values.shape[2:])]
        return np.ascontiguousarray(picked.reshape(len(values), -1))

    def put(self, target: NDArray[Any], values: NDArray[Any]) -> None:
        """Write values in coding order where `of` would pick them."""
        mask = self._mask(*target.shape[2:])
        part = target[:, self.first : self.end]
        part[..., mask] = values.reshape(len(target), self.end - self.first, -1)

    def _mask(self, rows: int, columns: int) -> NDArray[np.bool_]:
        if self.parity == ALL:
            return np.ones((rows, columns), np.bool_)
        places = np.arange(rows)[:, None] + np.arange(columns)
        mask: NDArray[np.bool_] = places % 2 == self.parity
        return mask
