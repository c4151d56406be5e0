"""``nnr.decode``."""

from __future__ import annotations

from ...models.model import Model
from .file import NncFile
from .series import check_base
from .source import Source


def decode(
    data: Source,
    *,
    base: Model | None = None,
    max_elements: int | None = None,
    threads: int | None = None,
) -> Model:
    """Decode a bitstream of ISO/IEC 15938-17, of either edition.

    Tensors come back in their own types and shapes if this package wrote the bitstream, otherwise
    as float32 and int32, and as float64 where they have a codebook.

    Parameters
    ----------
    data : path or bytes-like object
        The bitstream.
    base : Model, optional
        What the step before decoded to, for a step of an incremental series. Tensors are matched
        by name; those that a step does not hold keep their state for the steps after it.
    max_elements : int, optional
        The most elements to decode, so that a few bytes of doubtful origin cannot fill the memory.
        Default: 2**24 + 2,048 for each byte of *data*.
    threads : int, optional
        As `nnr.quantize` takes it.

    Returns
    -------
    Model
        Its `Model.levels` gives the integers before dequantisation, and it serves as *base*.

    Raises
    ------
    BitstreamError
        The bitstream is damaged, or holds what is not supported; the error has the number of the
        unit and the offset of the byte.
    ValueError
        *base* did not come from a bitstream.

    Examples
    --------
    >>> import numpy as np, nnr
    >>> data = nnr.encode({"weight": np.float32([[1, 2], [3, 4]])}, max_error=0.25)
    >>> nnr.decode(data).tensors["weight"]
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    file = NncFile(data, base=check_base(base), max_elements=max_elements)
    return file.decompress(threads=threads)
