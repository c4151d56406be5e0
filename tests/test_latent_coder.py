"""The coder of latents: native and plain Python write the same bytes, and refuse the same ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latent_tables import logistic_counts
from numpy.typing import NDArray

import nnr
from nnr import _core
from nnr.reference import latent_coder as twin

COUNTS, SHIFTS = logistic_counts(12)
NATIVE, TWIN = _core.LatentTables(COUNTS, SHIFTS), twin.LatentTables(COUNTS, SHIFTS)
Arrays = tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]


def int16(numbers: Any) -> NDArray[np.int16]:
    return np.array(numbers, np.int16)


def likely(count: int, seed: int = 0) -> Arrays:
    """Values as their means and scales predict them."""
    random = np.random.default_rng(seed)
    means, scales = random.integers(-500, 500, count), random.integers(-30, 45, count)
    noise = random.logistic(size=count) * 2.0 ** (scales / 8) / 1.7
    values = np.rint(means / 16 + noise).clip(-2047, 2047)
    return int16(values), int16(means), int16(scales)


def decoded(code: bytes, means: NDArray[np.int16], scales: NDArray[np.int16]) -> list[Any]:
    """What both decoders give, or the kind, words and place of their error."""
    results = []
    for decoder in (
        _core.LatentDecoder(NATIVE, np.frombuffer(code, np.uint8), 7),
        twin.LatentDecoder(TWIN, code, 7),
    ):
        try:
            values = decoder.decode(means, scales)
            decoder.finish()
            results.append(values.tolist())
        except nnr.BitstreamError as error:
            results.append((error.kind, error.byte_offset, str(error)))
    return results


latents = st.lists(
    st.tuples(st.integers(-2047, 2047), st.integers(-32768, 32767), st.integers(-32768, 32767)),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(latents)
def test_any_latents_come_back(drawn: list[tuple[int, int, int]]) -> None:
    values, means, scales = (int16([item[i] for item in drawn]) for i in range(3))
    code = NATIVE.encode(values, means, scales)
    assert code == TWIN.encode(values, means, scales)
    assert decoded(code, means, scales) == [values.tolist()] * 2


@pytest.mark.parametrize("count", [0, 1, 2, 100, 3000])
def test_code_is_as_short_as_the_counts_allow(count: int) -> None:
    values, means, scales = likely(count)
    code = NATIVE.encode(values, means, scales)
    assert code == TWIN.encode(values, means, scales)
    ideal = 0.0
    for value, mean, scale in zip(values.tolist(), means.tolist(), scales.tolist(), strict=True):
        context = TWIN.context(mean, scale)
        symbol, escaped = TWIN.symbol((value - context.base) >> context.shift)
        share = TWIN.frequencies[context.scale, context.fraction, symbol] / 32768
        raw = context.shift + (0 if escaped is None else twin.golomb_bits(escaped))
        ideal += raw - np.log2(share)
    assert ideal <= 8 * len(code) + 8
    assert len(code) <= ideal / 8 * 1.002 + 1


def test_code_decodes_in_parts() -> None:
    values, means, scales = likely(500, seed=1)
    code = np.frombuffer(NATIVE.encode(values, means, scales), np.uint8)
    decoder = _core.LatentDecoder(NATIVE, code, 0)
    parts = [
        decoder.decode(means[first:end].copy(), scales[first:end].copy())
        for first, end in [(0, 0), (0, 1), (1, 333), (333, 500)]
    ]
    decoder.finish()
    np.testing.assert_array_equal(np.concatenate(parts), values)


# There is one code for some latents, so whatever is not it gives others, or an error.
@settings(max_examples=300, deadline=None)
@given(st.integers(0, 5), st.binary(max_size=12))
def test_any_bytes_are_the_code_of_what_they_give(seed: int, code: bytes) -> None:
    _, means, scales = likely(12, seed)
    native, plain = decoded(code, means, scales)
    assert native == plain
    if isinstance(native, list):
        assert NATIVE.encode(int16(native), means, scales) == code


def test_damage_is_noticed_or_changes_the_latents() -> None:
    values, means, scales = likely(60, seed=2)
    code = NATIVE.encode(values, means, scales)
    changed = [code[:length] for length in range(len(code))]
    changed += [code + bytes([byte]) for byte in (0, 1, 255)]
    changed += [code + bytes(9)]
    for bit in range(8 * len(code)):
        flipped = bytearray(code)
        flipped[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(flipped))
    for other in changed:
        native, plain = decoded(other, means, scales)
        assert native == plain
        assert native != values.tolist()


def test_truncated_code_names_its_end() -> None:
    values, means, scales = likely(200, seed=3)
    code = NATIVE.encode(values, means, scales)
    kind, place, _ = decoded(code[: len(code) // 2], means, scales)[0]
    assert (kind, place) == ("truncated", 7 + len(code) // 2)


def test_choice_is_that_of_the_twin() -> None:
    _, means, scales = likely(3000, seed=4)
    random = np.random.default_rng(5)
    targets = (means / 16 + random.normal(size=3000) * 2.0 ** (scales / 8)).astype(np.float32)
    targets[:4] = [3e9, -3e9, 2046.9, 0.5]
    bits = -np.log2(COUNTS / np.float32(32768))
    for weight in (0.0, 0.1155, 3.0):
        native = NATIVE.choose(bits, targets, means, scales, weight)
        np.testing.assert_array_equal(native, TWIN.choose(bits, targets, means, scales, weight))
        distance = np.abs(native - targets.clip(-2047, 2047)).max()
        assert distance <= (0.5 if weight == 0 else 1.5)


def test_choice_saves_bits() -> None:
    _, means, scales = likely(3000, seed=6)
    random = np.random.default_rng(7)
    targets = (means / 16 + random.normal(size=3000) * 2.0 ** (scales / 8)).astype(np.float32)
    bits = -np.log2(COUNTS / np.float32(32768))
    sizes = [
        len(NATIVE.encode(NATIVE.choose(bits, targets, means, scales, weight), means, scales))
        for weight in (0.0, 0.1155, 0.5)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


@pytest.mark.parametrize(
    ("counts", "shifts", "message"),
    [
        (COUNTS[:63], SHIFTS, "64 x 16 rows"),
        (COUNTS[..., :-1], SHIFTS, "even in length"),
        (COUNTS, SHIFTS[:9], "64 numbers"),
        (COUNTS, SHIFTS + 12, "at most 12"),
        (COUNTS - np.eye(26, dtype=np.uint16)[3], SHIFTS, "sum to 32768"),
        (np.where(np.arange(26) == 25, 0, COUNTS), SHIFTS, "at least 1"),
    ],
)
def test_tables_that_are_none(counts: Any, shifts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _core.LatentTables(
            np.ascontiguousarray(counts, np.uint16), np.ascontiguousarray(shifts, np.uint8)
        )


def test_latents_out_of_range_are_not_coded() -> None:
    with pytest.raises(ValueError, match="-2047 to 2047"):
        NATIVE.encode(int16([2048]), int16([0]), int16([0]))
    with pytest.raises(ValueError, match="equally many"):
        NATIVE.encode(int16([1, 2]), int16([0]), int16([0]))
