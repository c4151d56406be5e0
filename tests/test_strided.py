"""Arrays give the same results wherever their elements lie in memory, and nothing is copied."""

from __future__ import annotations

import numpy as np
import pytest
from array_cases import DTYPES, VIEWS, assert_same, normal, unaligned
from hypothesis import given
from hypothesis import strategies as st

import nnr

# More elements than are gathered at once, in no round number.
SHAPE = (23, 37, 211)

every_view = pytest.mark.parametrize("view_of", VIEWS.values(), ids=VIEWS.keys())


@pytest.mark.usefixtures("target")
@every_view
@pytest.mark.parametrize("dtype", DTYPES)
def test_quantize(view_of, dtype) -> None:
    view = view_of(normal(*SHAPE, dtype=dtype))
    copy = np.array(view, order="C")
    for bits, axis in ((5, None), (8, None), (8, 0), (11, -1), (8, view.ndim // 2)):
        got = nnr.quantize(view, bits, axis=axis, threads=2)
        assert_same(got, nnr.quantize(copy, bits, axis=axis))
        assert got.shape == view.shape
    got = nnr.quantize(view, 7, lo=-1.0, hi=0.5)
    assert_same(got, nnr.quantize(copy, 7, lo=-1.0, hi=0.5))
    assert got.clipped == np.count_nonzero((copy < -1) | (copy > 0.5))


@every_view
def test_equals_reference(view_of) -> None:
    view = view_of(normal(*SHAPE))
    assert_same(nnr.quantize(view, 6), nnr.reference.quantize(view, 6))
    assert_same(nnr.quantize(view, 8, axis=1 - view.ndim), nnr.reference.quantize(view, 8, axis=1))


@pytest.mark.usefixtures("target")
@every_view
@pytest.mark.parametrize("dtype", DTYPES)
def test_minmax(view_of, dtype) -> None:
    view = view_of(normal(*SHAPE, dtype=dtype))
    if view.size == 0:
        with pytest.raises(ValueError, match="is empty"):
            nnr.minmax(view)
        return
    copy = np.array(view, order="C")
    for axis in (None, *range(view.ndim)):
        got, want = nnr.minmax(view, axis=axis, threads=2), nnr.reference.minmax(copy, axis=axis)
        np.testing.assert_array_equal(got, want)


@pytest.mark.usefixtures("target")
@every_view
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pack(view_of, dtype) -> None:
    # Twice as many as of other types are gathered at once.
    codes = np.random.default_rng(3).integers(0, 64, (46, 37, 211)).astype(dtype)
    view = view_of(codes)
    for bits in (6, 8):
        got = nnr.pack(view, bits, threads=2)
        np.testing.assert_array_equal(got, nnr.pack(np.array(view, order="C"), bits))
    np.testing.assert_array_equal(nnr.unpack(got, 8, view.size), view.reshape(-1))
    if view.size:
        with pytest.raises(ValueError, match=rf"below 2\*\*bits = 16, got {view.max()}"):
            nnr.pack(view, 4)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@every_view
def test_threads_do_not_change_the_result(view_of, threads: int) -> None:
    view = view_of(normal(*SHAPE))
    copy = np.array(view, order="C")
    for axis in (None, 0, -1):
        got = nnr.quantize(view, 3, axis=axis, threads=threads)
        np.testing.assert_array_equal(got.packed, nnr.quantize(copy, 3, axis=axis).packed)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_first_not_finite_value_in_c_order_is_named(dtype) -> None:
    for place in ((0, 0), (0, 1), (1, 0), (41, 13), (99, 300), (599, 200), (599, 300)):
        values = np.zeros((301, 600), dtype)
        view = values.T
        view[place] = np.nan
        view[599, 300] = np.nan  # the first one counts, though this may lie before it in memory
        view[min(place[0] + 1, 599), 0] = np.nan if place < (599, 0) else 0
        where = rf"nan at index \({place[0]}, {place[1]}\)"
        for axis in (None, 0, 1):
            with pytest.raises(ValueError, match=where):
                nnr.minmax(view, axis=axis, threads=3)
            with pytest.raises(ValueError, match=where):
                nnr.quantize(view, axis=axis, threads=3)
        with pytest.raises(ValueError, match=where):
            nnr.quantize(view, lo=-1.0, hi=1.0, threads=3)


def test_values_between_the_elements_do_not_count() -> None:
    values = np.full((200, 300), np.nan, np.float32)
    values[::2, ::3] = normal(100, 100)
    assert nnr.minmax(values[::2, ::3]) == nnr.reference.minmax(values[::2, ::3].copy())
    assert nnr.quantize(values[::2, ::3]).clipped == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_dimensions_unaligned(dtype) -> None:
    value = unaligned(np.array(2.5, dtype))
    assert not value.flags.aligned
    assert_same(nnr.quantize(value), nnr.quantize(np.array(2.5, dtype)))
    assert nnr.minmax(value) == (2.5, 2.5)


@pytest.mark.parametrize("code", [">f2", ">f4", ">f8"])
def test_foreign_byte_order(code: str) -> None:
    values = normal(*SHAPE).astype(code)
    for view in (values, values.T, values[::2, ::-1, 3:]):
        native = view.astype(view.dtype.newbyteorder("="), order="C")
        assert_same(nnr.quantize(view, axis=0), nnr.quantize(native, axis=0))
        assert nnr.minmax(view) == nnr.minmax(native)


def test_codes_of_foreign_byte_order_and_wider_types() -> None:
    codes = np.random.default_rng(3).integers(0, 1 << 12, (60, 70))
    want = nnr.pack(codes.astype(np.uint16).T.copy(), 12)
    for dtype in (">u2", np.int32, np.uint32, np.int64, ">i8", np.uint64):
        np.testing.assert_array_equal(nnr.pack(codes.astype(dtype).T, 12), want)


@st.composite
def strided_views(draw: st.DrawFn) -> np.ndarray:
    sides = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    array = normal(*sides)
    for axis, side in enumerate(sides):
        step = draw(st.sampled_from([1, 1, 2, 3, -1, -2]))
        index: list[slice] = [slice(None)] * len(sides)
        index[axis] = slice(draw(st.integers(0, side - 1)), None, step)
        array = array[tuple(index)]
    array = array.transpose(draw(st.permutations(range(len(sides)))))
    repeat = draw(st.integers(0, array.ndim))
    array = np.expand_dims(array, repeat)
    shape = list(array.shape)
    shape[repeat] = draw(st.integers(1, 5))
    return np.broadcast_to(array, shape)


@given(strided_views(), st.integers(1, 16), st.integers(1, 4), st.data())
def test_any_view_equals_its_copy(view, bits: int, threads: int, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(-view.ndim, view.ndim - 1))
    copy = np.array(view, order="C")
    got = nnr.quantize(view, bits, axis=axis, threads=threads)
    assert_same(got, nnr.reference.quantize(copy, bits, axis=axis))
    got, want = nnr.minmax(view, axis=axis), nnr.reference.minmax(copy, axis=axis)
    np.testing.assert_array_equal(got, want)
