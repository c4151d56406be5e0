"""Choices for the fixed-length form: how many bits a weight of each tensor takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..coding.differences import differences
from ..coding.uniform import CompressedModel, compress
from ..models.model import Model
from ..quantized_array import QuantizedArray
from .coder import ERROR_OF_STEP, Cost, root_mean_square

_WIDTHS = range(1, 17)


class UniformCoder:
    """The tensors of a model in codes of fixed length; a choice is the bits of a weight.

    Parameters
    ----------
    model : Model
    per_channel, keep, all_tensors
        As `nnr.compress` takes them.
    """

    def __init__(
        self,
        model: Model,
        *,
        per_channel: bool = False,
        keep: Sequence[str] = (),
        all_tensors: bool = False,
    ) -> None:
        self._model = model
        self._options: dict[str, Any] = {"per_channel": per_channel, "all_tensors": all_tensors}
        self._keep = keep
        tensors = compress(model, keep=keep, **self._options).tensors
        self._sizes = {
            name: model.tensors[name].size
            for name, tensor in tensors.items()
            if isinstance(tensor, QuantizedArray)
        }
        self._quantized = cache(self._quantize)

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of elements of each tensor that there is a choice for, by name."""
        return self._sizes

    def kept_size(self, name: str) -> int:
        """Return the bytes of a tensor that there is no choice for."""
        return self._model.tensors[name].nbytes

    def scale(self, name: str) -> float:
        """Return the root of the mean square of a tensor's values."""
        return root_mean_square(self._model.tensors[name])

    def probe(self, name: str, error: float) -> int:
        """Return a width of about this mean square error."""
        if not error:
            return _WIDTHS[-1]
        values = self._model.tensors[name]
        levels = float(values.max() - values.min()) / math.sqrt(error / ERROR_OF_STEP)
        return min(max(round(math.log2(levels + 1)), _WIDTHS[0]), _WIDTHS[-1])

    def candidates(self, name: str, error: float) -> list[int]:  # noqa: ARG002 - few enough
        """Return what is worth trying: all widths."""
        return list(_WIDTHS)

    def costs(self, choices: Sequence[tuple[str, int]]) -> list[Cost]:
        """Return what each of some choices costs."""
        return [self._quantized(name, bits)[0] for name, bits in choices]

    def model(self, choices: Mapping[str, int]) -> Model:
        """Return the model with these tensors as the decoder gives them, others as they were."""
        original = self._model
        rebuilt = {name: self._quantized(name, bits)[1] for name, bits in choices.items()}
        return Model(original.tensors | rebuilt, original.topology, dict(original.metadata))

    def compressed(self, choices: Mapping[str, int]) -> CompressedModel:
        """Return the whole model; *choices* has every tensor of `sizes`."""
        return compress(self._model, keep=self._keep, widths=choices, **self._options)

    def describe(self, name: str, choice: int) -> dict[str, Any]:  # noqa: ARG002
        """Return a choice as JSON has it."""
        return {"bits": choice}

    def _quantize(self, name: str, bits: int) -> tuple[Cost, NDArray[Any]]:
        array = self._model.tensors[name]
        coded = compress(Model({name: array}), bits, **self._options)
        rebuilt = coded.decompress().tensors[name]
        squares = sum(float(np.dot(part, part)) for part in differences(array, rebuilt))
        return Cost(coded.records[0].stored_bytes, squares / array.size), rebuilt
