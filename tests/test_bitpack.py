"""pack and unpack against their NumPy twins and against hand-written bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr

LENGTHS = [*range(70), 127, 128, 129, 200, 1000, 65536, 65537, 200_003]


def random_codes(count: int, bits: int, dtype: type) -> np.ndarray:
    return np.random.default_rng(count * 31 + bits).integers(0, 1 << bits, count).astype(dtype)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bits", range(1, 17))
def test_equals_reference(bits: int) -> None:
    for count in LENGTHS:
        for dtype in (np.uint8, np.uint16) if bits <= 8 else (np.uint16,):
            codes = random_codes(count, bits, dtype)
            packed = nnr.pack(codes, bits)
            np.testing.assert_array_equal(packed, nnr.reference.pack(codes, bits))
            unpacked = nnr.unpack(packed, bits, count)
            np.testing.assert_array_equal(unpacked, codes)
            np.testing.assert_array_equal(unpacked, nnr.reference.unpack(packed, bits, count))
            assert unpacked.dtype == (np.uint8 if bits <= 8 else np.uint16)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bits", range(1, 17))
def test_codes_at_the_maximum(bits: int) -> None:
    for count in (1, 15, 16, 17, 63, 64, 65, 1001):
        codes = np.full(count, (1 << bits) - 1, np.uint8 if bits <= 8 else np.uint16)
        packed = nnr.pack(codes, bits)
        assert int.from_bytes(packed.tobytes(), "little") == (1 << count * bits) - 1
        np.testing.assert_array_equal(nnr.unpack(packed, bits, count), codes)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize(("dtype", "bits"), [(np.uint8, 5), (np.uint16, 5), (np.uint16, 11)])
def test_a_code_that_does_not_fit_is_seen_wherever_it_stands(dtype, bits: int) -> None:
    for count, places in ((70, range(70)), (20_001, [0, 4095, 4096, 9999, 10_000, 20_000])):
        for place in places:
            codes = np.zeros(count, dtype)
            codes[place] = 1 << bits
            with pytest.raises(ValueError, match=rf"= {1 << bits}, got {1 << bits}"):
                nnr.pack(codes, bits, threads=2)


@pytest.mark.usefixtures("target")
def test_layout_is_little_endian() -> None:
    assert nnr.pack([0b001, 0b010, 0b111], 3).tolist() == [0b11010001, 0b1]
    assert nnr.pack([0xABC, 0xDEF], 12).tolist() == [0xBC, 0xFA, 0xDE]
    assert nnr.pack([1, 0, 0, 0, 0, 0, 0, 0, 1], 1).tolist() == [1, 1]


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_do_not_change_the_result(threads: int) -> None:
    codes = random_codes(300_001, 5, np.uint8)
    packed = nnr.pack(codes, 5, threads=threads)
    np.testing.assert_array_equal(packed, nnr.reference.pack(codes, 5))
    np.testing.assert_array_equal(nnr.unpack(packed, 5, codes.size, threads=threads), codes)


def test_out_is_filled_and_returned() -> None:
    codes = random_codes(11, 4, np.uint8)
    packed = np.empty(6, np.uint8)
    assert nnr.pack(codes, 4, out=packed) is packed
    unpacked = np.empty(11, np.uint8)
    assert nnr.unpack(packed, 4, 11, out=unpacked) is unpacked
    np.testing.assert_array_equal(unpacked, codes)


@given(st.integers(1, 16), st.data())
def test_round_trip(bits: int, data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, (1 << bits) - 1), max_size=60))
    packed = nnr.pack(np.array(codes, np.int64), bits)
    assert packed.size == (len(codes) * bits + 7) // 8
    assert nnr.unpack(packed, bits, len(codes)).tolist() == codes


@pytest.mark.parametrize("module", [nnr, nnr.reference], ids=["native", "reference"])
class TestArguments:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
    def test_code_that_does_not_fit(self, module, dtype) -> None:
        with pytest.raises(ValueError, match=r"below 2\*\*bits = 8, got 9"):
            module.pack(np.array([1, 9, 2], dtype), 3)

    def test_negative_code(self, module) -> None:
        with pytest.raises(ValueError, match="negative, got -1"):
            module.pack([0, -1], 3)

    def test_float_codes(self, module) -> None:
        with pytest.raises(TypeError, match="codes must be integers, got float64"):
            module.pack([0.5], 3)

    @pytest.mark.parametrize("bits", [0, 17, -1])
    def test_bits_out_of_range(self, module, bits) -> None:
        with pytest.raises(ValueError, match=f"bits must be 1 to 16, got {bits}"):
            module.pack([0], bits)
        with pytest.raises(ValueError, match=f"bits must be 1 to 16, got {bits}"):
            module.unpack(np.zeros(1, np.uint8), bits, 1)

    def test_wrong_size_of_packed(self, module) -> None:
        with pytest.raises(ValueError, match="5 codes of 4 bits take 3 bytes"):
            module.unpack(np.zeros(4, np.uint8), 4, 5)

    def test_wrong_out(self, module) -> None:
        with pytest.raises(ValueError, match=r"out must have shape \(1,\)"):
            module.pack([1, 2], 4, out=np.empty(2, np.uint8))
        with pytest.raises(TypeError, match="out must be uint8, got uint16"):
            module.unpack(np.zeros(1, np.uint8), 4, 2, out=np.empty(2, np.uint16))
        buffer = np.zeros(2, np.uint8)
        with pytest.raises(ValueError, match="overlap"):
            module.unpack(buffer, 8, 2, out=buffer)

    def test_negative_count(self, module) -> None:
        with pytest.raises(ValueError, match="count must not be negative"):
            module.unpack(np.zeros(0, np.uint8), 4, -1)

    def test_empty(self, module) -> None:
        assert module.pack(np.zeros(0, np.uint8), 7).size == 0
        assert module.unpack(np.zeros(0, np.uint8), 7, 0).size == 0

    def test_bytes_like(self, module) -> None:
        for packed in (b"!C", bytearray(b"!C"), memoryview(b"!C")):
            assert module.unpack(packed, 4, 4).tolist() == [1, 2, 3, 4]
        assert module.pack([], 3).size == 0

    def test_strided_codes(self, module) -> None:
        codes = np.arange(40, dtype=np.uint8)[::3] % 16
        np.testing.assert_array_equal(module.unpack(module.pack(codes, 4), 4, 14), codes)


def test_masked_codes_are_refused() -> None:
    with pytest.raises(TypeError, match="masked"):
        nnr.pack(np.ma.array([1, 2], mask=[False, True]), 4)
