"""Post filters over planes of every bit depth and size."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnx
import pytest
from network_models import (
    GraphMaker,
    as_model,
    codec_filter_7,
    cut_of,
    expected,
    half_size_filter,
    residual_filter,
    session_of,
    u_net,
)

import nnr
from nnr.networks import Network, PostFilter
from nnr.networks.fold import fold
from nnr.networks.graph import read_graph
from nnr.networks.plan import blocks_of
from nnr.reference import network as reference

Make = Callable[[], onnx.ModelProto]

DEPTHS = [8, 10, 12, 16]


def random_plane(height: int, width: int, bit_depth: int, seed: int = 0) -> np.ndarray:
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << bit_depth, (height, width)).astype(dtype)


def identity_network() -> onnx.ModelProto:
    maker = GraphMaker(2)
    weights = np.zeros((1, 2, 3, 3), np.float32)
    weights[0, 0, 1, 1] = 1
    maker.node("Conv", ["x", maker.weight(weights)], 1, pads=[1] * 4)
    return maker.model()


def mean_network() -> onnx.ModelProto:
    maker = GraphMaker(1)
    weights = np.full((1, 1, 3, 3), 1 / 9, np.float32)
    maker.node("Conv", ["x", maker.weight(weights)], 1, pads=[1] * 4)
    return maker.model()


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bit_depth", DEPTHS)
def test_identity_network_changes_nothing(bit_depth: int) -> None:
    post_filter = PostFilter.load(as_model(identity_network()))
    every_value = np.arange(1 << bit_depth).astype(random_plane(1, 1, bit_depth).dtype)
    plane = every_value.reshape(-1, 64)
    result = post_filter.apply(plane, qp=30, bit_depth=bit_depth)
    assert result.dtype == plane.dtype
    np.testing.assert_array_equal(result, plane)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("bit_depth", DEPTHS)
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 1), (7, 9), (33, 50), (64, 65)])
def test_plane_equals_onnxruntime(bit_depth: int, size: tuple[int, int]) -> None:
    proto = residual_filter()
    plane = random_plane(*size, bit_depth)
    peak = np.float32((1 << bit_depth) - 1)
    result = PostFilter.load(as_model(proto)).apply(plane, qp=37, bit_depth=bit_depth)
    even = np.pad(plane, ((0, size[0] % 2), (0, size[1] % 2)), mode="edge")
    luma = even.astype(np.float32) / peak
    x = np.stack([luma, np.full_like(luma, 37 / 63)])
    wanted = np.clip(expected(session_of(proto), x)[0, : size[0], : size[1]] * peak, 0, peak)
    # Both round to whole samples; 1e-5 of full scale may be a sample's difference at 16 bits.
    assert np.abs(result - wanted).max() <= 0.5 + 1e-5 * peak


@pytest.mark.parametrize("make", [residual_filter, half_size_filter, u_net])
def test_scalar_level_has_the_bits_of_the_twin(make: Make) -> None:
    model = as_model(make())
    plane = random_plane(24, 36, 10)
    with nnr.cpu.use_target("scalar"):
        result = PostFilter.load(model).apply(plane, qp=22, bit_depth=10)
    folded = fold(read_graph(model))
    twin = reference.filter_plane(folded, plane, qp=22, peak=1023, blocks=blocks_of(folded))
    np.testing.assert_array_equal(result, twin)


MANY: list[tuple[Make, int]] = [
    (lambda: codec_filter_7(16), 1),
    (residual_filter, 2),
    (half_size_filter, 2),
    (u_net, 4),
]


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize(("make", "multiple"), MANY)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 1), (17, 34), (35, 30), (40, 41)])
def test_plane_is_continued_to_a_size_that_the_network_takes(
    make: Make, multiple: int, size: tuple[int, int]
) -> None:
    proto = make()
    post_filter, session = PostFilter.load(as_model(proto)), session_of(proto)
    assert post_filter.network.plan.phase == multiple
    plane = random_plane(*size, 10)
    result = post_filter.apply(plane, qp=37, bit_depth=10)
    whole = np.pad(plane, [(0, -length % multiple) for length in size], mode="edge")
    luma = whole.astype(np.float32) / np.float32(1023)
    channels = [luma, np.full_like(luma, 37 / 63)][: post_filter.network.in_channels]
    wanted = expected(session, np.stack(channels))[0, : size[0], : size[1]] * 1023
    assert np.abs(result - np.clip(wanted, 0, 1023)).max() <= 0.5 + 1e-5 * 1023
    continued = post_filter.apply(whole, qp=37, bit_depth=10)
    np.testing.assert_array_equal(result, continued[: size[0], : size[1]])


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize(("make", "multiple"), MANY)
def test_result_depends_on_neither_cuts_nor_threads(make: Make, multiple: int) -> None:
    post_filter = PostFilter.load(as_model(make()))
    plane = random_plane(45, 67 + multiple, 16)

    def apply(**options: Any) -> np.ndarray:
        return post_filter.apply(plane, qp=32, bit_depth=16, **options)

    whole = apply(threads=1, _cut=(1000, 1000, 1000))
    cuts = [cut_of(1), cut_of(5), cut_of(16), cut_of(33), (8, 3, 9), (1000, 1, 7), (3, 1000, 1000)]
    for number, cut in enumerate(cuts):
        np.testing.assert_array_equal(apply(threads=1 + number % 4, _cut=cut), whole, str(cut))
    np.testing.assert_array_equal(apply(threads=3), whole)


def mirroring_network(reach: int) -> onnx.ModelProto:
    """Margins by reflection, which convolutions of 3x5 and 5x3 use up."""
    maker = GraphMaker(1)
    value = maker.pad("x", (reach, reach, reach, reach), "reflect")
    for _ in range(reach // 3):
        value = maker.conv(maker.conv(value, 4, (3, 5), pads=[0] * 4), 1, (5, 3), pads=[0] * 4)
    return maker.model()


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("size", [(1, 1), (6, 7), (2, 30), (7, 1), (7, 7)])
def test_plane_smaller_than_the_margins_that_it_is_mirrored_in(size: tuple[int, int]) -> None:
    proto = mirroring_network(6)
    plane = random_plane(*size, 8)
    result = PostFilter.load(as_model(proto)).apply(plane, qp=30)
    large = np.pad(plane, [(0, max(0, 7 - length)) for length in size], mode="edge")
    x = large[None].astype(np.float32) / 255
    wanted = expected(session_of(proto), x)[0, : size[0], : size[1]]
    assert np.abs(result - np.clip(wanted * 255, 0, 255)).max() <= 0.5 + 1e-5 * 255


def test_misaligned_plane() -> None:
    post_filter = PostFilter.load(as_model(mean_network()))
    wanted = random_plane(12, 17, 10)
    plane = np.frombuffer(bytes(1) + wanted.tobytes(), np.uint8, offset=1).view(np.uint16)
    plane = plane.reshape(wanted.shape)
    assert not plane.flags.aligned
    arguments = {"qp": 30, "bit_depth": 10}
    np.testing.assert_array_equal(
        post_filter.apply(plane, **arguments), post_filter.apply(wanted, **arguments)
    )
    with pytest.raises(ValueError, match="aligned"):
        post_filter.network.plan.filter_planes([plane], [wanted], 1023.0, 0.5, 1, None)


def test_threads_of_python_get_what_one_alone_gets() -> None:
    post_filter = PostFilter.load(as_model(residual_filter()))
    planes = [random_plane(90 + i, 131, 10, seed=i) for i in range(16)]
    alone = [post_filter.apply(plane, qp=32, bit_depth=10, threads=1) for plane in planes]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda p: post_filter.apply(p, qp=32, bit_depth=10, threads=2), planes)
        for result, wanted in zip(together, alone, strict=True):
            np.testing.assert_array_equal(result, wanted)


def test_qp_reaches_the_network_only_if_it_has_a_channel_for_it() -> None:
    plane = random_plane(20, 20, 8)
    with_qp = PostFilter.load(as_model(residual_filter()))
    assert (with_qp.apply(plane, qp=22) != with_qp.apply(plane, qp=42)).any()
    without = PostFilter.load(as_model(mean_network()))
    np.testing.assert_array_equal(without.apply(plane, qp=0), without.apply(plane, qp=63))


def test_results_are_rounded_and_clipped() -> None:
    maker = GraphMaker(1)
    maker.same(
        "Add", maker.same("Mul", "x", maker.weight(np.float32(4))), maker.weight(np.float32(-1))
    )
    plane = np.arange(256, dtype=np.uint8).reshape(4, 64)
    wanted = np.clip(plane.astype(int) * 4 - 255, 0, 255)
    result = PostFilter.load(as_model(maker.model())).apply(plane, qp=0)
    np.testing.assert_array_equal(result, wanted)


def test_nan_becomes_zero() -> None:
    maker = GraphMaker(1)
    huge = maker.same("Mul", "x", maker.weight(np.float32(3e38)))
    infinite = maker.same("Mul", huge, maker.weight(np.float32(1e9)))
    maker.same("Add", infinite, maker.same("Mul", infinite, maker.weight(np.float32(-1))))
    result = PostFilter.load(as_model(maker.model())).apply(np.full((3, 5), 9, np.uint8), qp=0)
    np.testing.assert_array_equal(result, np.zeros((3, 5)))


def test_halves_round_to_even() -> None:
    maker = GraphMaker(1)
    maker.same("Mul", "x", maker.weight(np.float32(0.5)))
    plane = np.array([[1, 3, 5, 7, 9]], np.uint8)
    result = PostFilter.load(as_model(maker.model())).apply(plane, qp=0)
    np.testing.assert_array_equal(result, [[0, 2, 2, 4, 4]])


def test_strided_plane_and_out() -> None:
    post_filter = PostFilter.load(as_model(mean_network()))
    frame = random_plane(20, 30, 8)
    part = frame[3:17:2, 4:25]
    out = np.empty(part.shape, np.uint8)
    assert post_filter.apply(part, qp=30, out=out) is out
    np.testing.assert_array_equal(out, post_filter.apply(part.copy(), qp=30))


BYTES, WORDS = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint16)


@pytest.mark.parametrize(
    ("plane", "arguments", "error", "message"),
    [
        (BYTES, {"qp": 64}, ValueError, "qp must be 0 to 63, got 64"),
        (BYTES, {"qp": -1}, ValueError, "qp must be 0 to 63, got -1"),
        (BYTES, {"qp": 30.5}, TypeError, "qp must be an integer, got float"),
        (BYTES, {"qp": 30, "bit_depth": 10}, ValueError, "must be 8 for a plane of uint8, got 10"),
        (WORDS, {"qp": 30}, ValueError, "bit_depth must be given"),
        (WORDS, {"qp": 30, "bit_depth": 8}, ValueError, "must be 9 to 16"),
        (WORDS, {"qp": 30, "bit_depth": 17}, ValueError, "must be 9 to 16"),
        (WORDS + 1024, {"qp": 30, "bit_depth": 10}, ValueError, "holds 1024, more than 10 bits"),
        (BYTES.astype(np.float32), {"qp": 30}, TypeError, "got float32"),
        (BYTES[0], {"qp": 30}, ValueError, r"\(height, width\)"),
        (BYTES[:0], {"qp": 30}, ValueError, r"got \(0, 4\)"),
        (BYTES, {"qp": 30, "out": BYTES}, ValueError, "overlap"),
        (BYTES, {"qp": 30, "out": WORDS.copy()}, TypeError, "out must be uint8"),
        (BYTES, {"qp": 30, "threads": 0}, ValueError, "threads"),
    ],
)
def test_wrong_arguments(
    plane: np.ndarray, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    post_filter = PostFilter.load(as_model(mean_network()))
    with pytest.raises(error, match=message):
        post_filter.apply(plane, **arguments)  # type: ignore[arg-type]


def test_networks_that_are_no_post_filters() -> None:
    for channels in (1, 3):
        maker = GraphMaker(channels)
        maker.conv("x", 3 - channels // 3 * 2)
        with pytest.raises(ValueError, match="1 or 2 input channels"):
            PostFilter.load(as_model(maker.model()))
    maker = GraphMaker(1)
    maker.conv("x", 1, pads=[0] * 4)
    with pytest.raises(ValueError, match="must keep the size"):
        PostFilter.load(as_model(maker.model()))
    maker = GraphMaker(1)
    maker.pad("x", (1 << 16,) * 4, "edge")
    with pytest.raises(ValueError, match="must keep the size"):
        PostFilter.load(as_model(maker.model()))


def test_network_that_keeps_one_size_only_is_no_post_filter() -> None:
    maker = GraphMaker(1)
    value = maker.node("DepthToSpace", [maker.conv("x", 4)], 1, blocksize=2)
    for _ in range(16):
        value = maker.conv(value, 1, 5, pads=[0] * 4)
    assert Network.load(as_model(maker.model())).plan.output_size(64, 64) == (64, 64)
    with pytest.raises(ValueError, match=r"makes \(66, 66\) of \(65, 65\)"):
        PostFilter.load(as_model(maker.model()))
