"""Any tensors with any options: what is reported is what is decoded."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from model_files import assert_same_tensors
from numpy.typing import NDArray

import nnr
from nnr.coding.nnc import encode_model

FLOATS = ["float16", "float32", "float64", "bfloat16", "float8_e4m3fn"]
INTEGERS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
SHAPES = st.one_of(
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
    st.sampled_from([(17, 40), (40, 17), (1, 70), (70, 1), (33, 8, 2), (128,)]),
)


def dtype_of(name: str) -> np.dtype[Any]:
    return np.dtype(getattr(ml_dtypes, name, name))


@st.composite
def arrays(draw: st.DrawFn) -> NDArray[Any]:
    shape = draw(SHAPES)
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    if draw(st.booleans()):
        scale = 10.0 ** draw(st.integers(-6, 4))
        sparse = generator.random(shape) < draw(st.sampled_from([0.0, 0.5, 0.95]))
        values = np.where(sparse, 0, generator.normal(size=shape) * scale)
        name = draw(st.sampled_from(FLOATS))
        limit = 400.0 if "float8" in name else 60000.0
        return np.clip(values, -limit, limit).astype(dtype_of(name))
    name = draw(st.sampled_from(INTEGERS))
    if name == "bool":
        return generator.random(shape) < 0.5
    info = np.iinfo(name)
    span = draw(st.sampled_from([3, 200, None]))
    lo, hi = (info.min, info.max) if span is None else (max(-span, info.min), min(span, info.max))
    return generator.integers(lo, hi, shape, dtype=name, endpoint=True)


QUANTIZERS = st.one_of(
    st.just({}),
    st.builds(lambda bits: {"bits": bits}, st.integers(1, 12)),
    st.builds(lambda qp: {"qp": qp}, st.integers(-48, 8)),
    st.builds(lambda step: {"step": step}, st.floats(1e-3, 10)),
    st.builds(lambda error: {"max_error": error}, st.floats(1e-3, 10)),
)
OPTIONS = st.fixed_dictionaries(
    {
        "rdo": st.sampled_from([None, 0, 1.0, 4.0]),
        "codebook": st.booleans(),
        "scan_order": st.integers(0, 4),
        "row_skipping": st.booleans(),
        "optimize_contexts": st.booleans(),
        "unary_length": st.sampled_from([None, 1, 2, 11, 256]),
        "qp_density": st.sampled_from([None, 2, 3, 7]),
        "threads": st.sampled_from([None, 2]),
        "rules": st.sampled_from([(), ("0=raw",), ("0=bits:3,no-dq",), ("*=qp:-30", "0=scan:1")]),
    }
)


def is_overflow(error: ValueError) -> bool:
    return "too large for its step" in str(error)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(arrays(), min_size=1, max_size=4),
    QUANTIZERS,
    OPTIONS,
    st.sampled_from([None, False, True]),
)
def test_decoded_is_reported(
    listed: list[NDArray[Any]], quantizer: dict[str, Any], options: dict[str, Any], dq: bool | None
) -> None:
    tensors = {str(index): array for index, array in enumerate(listed)}
    if "max_error" in quantizer:
        dq = None
    try:
        encoded = encode_model(tensors, **quantizer, **options, dq=dq)
    except ValueError as error:
        assert is_overflow(error)  # noqa: PT017 - where a step is asked for, values may be too large
        return
    decoded = nnr.decode(encoded.data)
    assert_same_tensors(decoded.tensors, encoded.model.tensors)
    for name, array in tensors.items():
        rebuilt = decoded.tensors[name]
        assert (rebuilt.dtype, rebuilt.shape) == (array.dtype, array.shape)
        if array.dtype.kind in "iub":
            assert rebuilt.tobytes() == array.tobytes()
        elif "max_error" in quantizer and not options["rules"] and array.size:
            error = abs(rebuilt.astype("f8") - array.astype("f8")).max()
            assert error <= quantizer["max_error"]
    for record in encoded.records:
        if record.payload != "raw_float":
            np.testing.assert_array_equal(
                decoded.levels(record.name), encoded.model.levels(record.name), strict=True
            )


@settings(deadline=None, max_examples=100)
@given(st.lists(arrays(), min_size=1, max_size=3), st.integers(1, 4), OPTIONS)
def test_updates_are_reported(
    listed: list[NDArray[Any]], seed: int, options: dict[str, Any]
) -> None:
    first = {str(index): array for index, array in enumerate(listed)}
    generator = np.random.default_rng(seed)
    # A part of each tensor stays, a part is another value of it.
    second = {
        name: np.where(generator.random(array.shape) < 0.7, array, np.roll(array, 1)).astype(
            array.dtype
        )
        for name, array in first.items()
    }
    options["rules"] = ()
    base = encode_model(first, bits=6, **options)
    update = encode_model(second, bits=6, base=base.model, **options)
    decoded = nnr.decode(update.data, base=nnr.decode(base.data))
    assert_same_tensors(decoded.tensors, update.model.tensors)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 3))
def test_any_bytes_end_well_or_in_an_error(data: bytes, start: int) -> None:
    head = bytes.fromhex("00040201000806810040008000060e000000")[: (0, 4, 12, 18)[start]]
    try:
        nnr.decode(head + data)
    except nnr.BitstreamError as error:
        assert 0 <= error.byte_offset <= len(head) + len(data)  # noqa: PT017 - some are valid
