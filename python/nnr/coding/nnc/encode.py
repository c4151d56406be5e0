"""``nnr.encode``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from numpy.typing import NDArray

from ...models.model import Model
from .encode_model import as_model
from .encoder import Encoder
from .options import EncodeOptions
from .targets import encode_as_asked


def encode(
    model: Model | Mapping[str, NDArray[Any]],
    *,
    profile: Literal["nnr", "nncodec"] = "nnr",
    qp: int | None = None,
    bits: int | None = None,
    step: float | None = None,
    max_error: float | None = None,
    rmse: float | None = None,
    target_size: int | None = None,
    nonweight_qp: int | None = None,
    qp_density: int | None = None,
    dq: bool | None = None,
    rdo: float | None = None,
    rules: Iterable[str] = (),
    codebook: bool = False,
    scan_order: int = 0,
    row_skipping: bool = True,
    optimize_contexts: bool = True,
    unary_length: int | None = None,
    base: Model | None = None,
    series: bool = False,
    topology: bool = True,
    threads: int | None = None,
) -> bytes:
    """Encode tensors as a bitstream of ISO/IEC 15938-17.

    Floating-point tensors are quantised; integers and booleans are coded without loss. Every tensor
    comes back from `nnr.decode` in its own type and shape, and the model with its topology and
    metadata. Other decoders see float32 and int32.

    At most one of *qp*, *bits*, *step*, *max_error*, *rmse* and *target_size* says how fine the
    quantisation is; without any of them it is 8 bits. Vectors and scalars, such as biases, are
    quantised 4 times as finely as weights, and with at least 16,384 steps over their range, unless
    a rule names them.

    Parameters
    ----------
    model : Model or mapping of names to arrays
        What to encode.
    profile : {"nnr", "nncodec"}
        ``"nncodec"`` gives the bytes that NNCodec 2 gives for the same settings, whose defaults
        are then NNCodec's: QP -32, -75 for vectors. It takes float32 and int32 alone.
    qp : int
        The quantisation parameter of the standard.
    bits : int, 1 to 16
        The range of each tensor takes at least ``2**bits - 1`` steps, of which dependent
        quantisation takes the halves.
    step : float
        The quantisation step.
    max_error : float
        No value will be further from its original.
    rmse : float
        The root of the mean squared error over all floating-point values of the model: the coarsest
        step for all of them that keeps it.
    target_size : int
        The most bytes that the bitstream may take: the finest step for all tensors that fits.
    nonweight_qp : int, optional
        With *qp*: that of vectors and scalars.
    qp_density : int, 0 to 7, optional
        ``2**qp_density`` steps to the octave. Default: 2 for what *qp* means. Where steps are
        asked for otherwise, the bitstream has 32, so that they are at most 3 % finer than asked.
    dq : bool, optional
        Dependent (trellis-coded) quantisation. Default: on, but not with *max_error*.
    rdo : float, optional
        How much weight the size has beside the error when values are rounded. Default: 1, where
        they balance; 0 rounds to the nearest.
    rules : iterable of str
        ``"PATTERN=setting,setting"`` for tensors whose names fit the pattern, such as
        ``"head.*=qp:-36,no-dq"``. Settings are ``qp:N``, ``bits:N``, ``step:X``, ``max-error:X``,
        ``raw`` (float32 as it is), ``dq``, ``no-dq``, ``codebook``, ``no-codebook`` and
        ``scan:N``. Later rules go before earlier ones; integers are not affected.
    codebook : bool
        Code indices into a table of the values that occur, where that is smaller.
    scan_order : int, 0 to 4
        Code matrices in blocks of 8, 16, 32 or 64 rows, which several threads can decode.
    row_skipping : bool
        Mark rows of zeros as such.
    optimize_contexts : bool
        Choose how each probability model starts and adapts.
    unary_length : int, 1 to 256, optional
        Greater-than flags of a level. Default: the best of some.
    base : Model, optional
        What the step before of an incremental series decoded to, whose levels predict these.
        Whoever decodes needs it too.
    series : bool
        Begin an incremental series: NNCodec goes on only with a first step that says that it is
        one. Our own decoder takes any model of `nnr.decode` as *base*.
    topology : bool
        Carry the graph, if the model has one. NNCodec refuses bitstreams that do.
    threads : int, optional
        As `nnr.quantize` takes it.

    Returns
    -------
    bytes

    Raises
    ------
    TypeError
        A tensor of complex numbers, text or objects.
    ValueError
        NaN or infinity in a tensor that is not raw, values or names that the format cannot hold,
        options that contradict each other, a rule that fits no tensor, or a target out of reach.

    Examples
    --------
    >>> import numpy as np, nnr
    >>> weights = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    >>> data = nnr.encode({"weight": weights}, target_size=2000)
    >>> len(data) <= 2000
    True
    >>> close = nnr.decode(nnr.encode({"weight": weights}, max_error=0.01)).tensors["weight"]
    >>> bool(abs(close - weights).max() <= 0.01)
    True
    """
    options = EncodeOptions(
        profile=profile,
        qp=qp,
        bits=bits,
        step=step,
        max_error=max_error,
        rmse=rmse,
        target_size=target_size,
        nonweight_qp=nonweight_qp,
        qp_density=qp_density,
        dq=dq,
        rdo=rdo,
        rules=rules,
        codebook=codebook,
        scan_order=scan_order,
        row_skipping=row_skipping,
        optimize_contexts=optimize_contexts,
        unary_length=unary_length,
        base=base,
        series=series,
        topology=topology,
        threads=threads,
    )
    encoder = Encoder(as_model(model), options)
    encode_as_asked(encoder)
    return encoder.data()
