"""Model to bitstream, with what it decodes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from ...models.model import Model
from .encoder import Encoder
from .file import NncFile
from .options import EncodeOptions
from .record import NncRecord
from .series import DecodedModel
from .targets import encode_as_asked, errors
from .units import Kept, active


@dataclass(eq=False, repr=False)
class EncodedModel:
    """A bitstream, and what it decodes to.

    Parameters
    ----------
    data : bytes
        The bitstream.
    model : DecodedModel
        Exactly what `nnr.decode` makes of *data*; it can be the base of the next step.
    """

    data: bytes
    model: DecodedModel
    _encoder: Encoder

    @cached_property
    def records(self) -> list[NncRecord]:
        """What was done to each tensor, with its errors."""
        written = self._encoder.written()
        records = self.model.file.records()
        return [self._with_errors(*pair) for pair in zip(written, records, strict=True)]

    def _with_errors(self, index: int, record: NncRecord) -> NncRecord:
        planned = self._encoder.planned[index]
        biggest, total, squares = errors(self._encoder, index)
        count = max(planned.original.size, 1)
        notes = ", ".join(note for note in (planned.note, record.notes) if note)
        return replace(
            record,
            max_error=biggest,
            mean_error=total / count,
            rmse=math.sqrt(squares / count),
            notes=notes,
        )

    def __repr__(self) -> str:
        count = len(self.model.tensors)
        return (
            f"EncodedModel({count} tensor{'s'[: count != 1]}, "
            f"{self.model.nbytes:,} to {len(self.data):,} bytes)"
        )


def encode_model(
    model: Model | Mapping[str, NDArray[Any]],
    *,
    on_tensor: Callable[[str], None] | None = None,
    **options: Any,
) -> EncodedModel:
    """Encode a model and keep what it decodes to.

    Parameters
    ----------
    model : Model or mapping of names to arrays
    on_tensor : callable, optional
        Called with the name of each tensor that is done; in a search, once for each attempt.
    **options
        Those of `nnr.encode`.

    Returns
    -------
    EncodedModel

    Raises
    ------
    TypeError, ValueError
        As `nnr.encode` raises them.

    Examples
    --------
    >>> import numpy as np, nnr
    >>> from nnr.coding.nnc import encode_model
    >>> first = encode_model({"w": np.float32([[1, 2], [3, 5]])}, qp=-8, dq=False, rdo=0)
    >>> first.model.tensors["w"].tolist(), first.records[0].max_error
    ([[1.0, 2.0], [3.0, 5.0]], 0.0)
    >>> update = encode_model({"w": np.float32([[1, 2], [3, 4]])}, qp=-8, base=first.model)
    >>> nnr.decode(update.data, base=first.model).tensors["w"].shape
    (2, 2)
    """
    encoder = Encoder(as_model(model), EncodeOptions(**options), on_tensor, with_values=True)
    encode_as_asked(encoder)
    data = encoder.data()
    return EncodedModel(data, _decoded(encoder, data), encoder)


def _decoded(encoder: Encoder, data: bytes) -> DecodedModel:
    """What the decoder makes of *data*, without decoding it."""
    tensors: dict[str, NDArray[Any]] = {}
    kept: Kept = {}
    for index in encoder.written():
        name, result = encoder.planned[index].name, encoder.results[index]
        assert result.values is not None
        tensors[name] = encoder.rebuilt(index)
        kept[name] = (
            result.levels,
            active(result.values if result.levels is None else result.levels),
        )
    ours, in_series = not encoder.options.is_nncodec, encoder.options.in_series
    elements = sum(planned.coded.size for planned in encoder.planned)
    return DecodedModel(
        tensors,
        encoder.model.topology if ours and encoder.options.topology else None,
        dict(encoder.model.metadata) if ours else {},
        file=NncFile(data, base=encoder.base, max_elements=elements),
        kept=kept if in_series else None,
    )


def as_model(model: Model | Mapping[str, NDArray[Any]]) -> Model:
    """Return a model, also of tensors alone."""
    if isinstance(model, Model):
        return model
    if not isinstance(model, Mapping):
        raise TypeError(
            f"what is encoded must be a Model or a mapping of names to arrays, "
            f"got {type(model).__name__}"
        )
    return Model(dict(model))
