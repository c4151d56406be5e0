"""Images of every size, cut in every way: the result is that of onnxruntime, and depends on no cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from network_models import (
    GraphMaker,
    as_model,
    assert_close,
    codec_filter_7,
    cut_of,
    every_kind_of_conv,
    every_operator,
    expected,
    half_size_filter,
    residual_filter,
    session_of,
    strided_and_grouped,
    third_party_filter,
    u_net,
)

import nnr
from nnr.networks import Network
from nnr.networks.graph import read_graph

Make = Callable[[], onnx.ModelProto]

LARGEST = 70
SIDES = range(1, LARGEST + 1)


def random_image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def sizes_up_to_the_largest() -> list[tuple[int, int]]:
    """Every height and width alone and beside the largest, all small pairs, and some of the rest."""
    pairs = {(side, other) for side in SIDES for other in (1, LARGEST)}
    pairs |= {(other, side) for side, other in pairs}
    pairs |= {(height, width) for height in range(1, 14) for width in range(1, 14)}
    # Since 17 and 70 share no factor, each step meets every width.
    pairs |= {(h, 1 + (17 * h + 9 * step) % LARGEST) for h in SIDES for step in range(6)}
    return sorted(pairs)


def test_the_network_of_every_size_has_every_kind_of_convolution() -> None:
    layers = Network.load(as_model(every_kind_of_conv())).plan.explain(70, 70, 1, None)["layers"]
    assert [layer["kernel"] for layer in layers] == [
        "conv 5x5 direct + slope",
        "conv 3x3 blocks of 4x4 + slope",
        "depthwise 3x3 + add + slope",
        "conv 3x3 blocks of 4x4 + add + slope",
        "conv 3x3 stride 2x2 direct + slope",
        "conv 3x3 blocks of 4x4",
        "conv 3x3 thin",
    ]


def test_every_size_equals_onnxruntime_at_every_level() -> None:
    proto = every_kind_of_conv()
    network, session = Network.load(as_model(proto)), session_of(proto)
    for height, width in sizes_up_to_the_largest():
        x = random_image(1, height, width, seed=height * 128 + width)
        wanted = expected(session, x)
        for target in nnr.cpu.targets():
            with nnr.cpu.use_target(target):
                assert_close(network.run(x, threads=1), wanted)


@pytest.mark.parametrize("size", [(1, 301), (203, 1), (131, 257), (270, 486)])
@pytest.mark.parametrize("make", [every_kind_of_conv, lambda: codec_filter_7(16)])
def test_larger_sizes_equal_onnxruntime(make: Make, size: tuple[int, int]) -> None:
    proto = make()
    x = random_image(1, *size)
    assert_close(Network.load(as_model(proto)).run(x), expected(session_of(proto), x))


def test_wide_network_equals_onnxruntime() -> None:
    proto = residual_filter(64)
    x = random_image(2, 150, 202)
    assert_close(Network.load(as_model(proto)).run(x), expected(session_of(proto), x))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("size", [(4, 4), (8, 12), (36, 52), (64, 20)])
def test_network_that_goes_down_and_up_equals_onnxruntime(size: tuple[int, int]) -> None:
    proto = u_net()
    x = random_image(3, 1, *size)
    assert_close(Network.load(as_model(proto)).run(x), expected(session_of(proto), x))


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("side", [9, 10, 17, 40, 72, 73, 75, 100])
def test_published_filter_equals_onnxruntime_at_any_size(side: int) -> None:
    # As it is published, for 72x72; the engine takes any size.
    network = Network.load(as_model(third_party_filter()))
    x = random_image(7, side, side)
    wanted = expected(session_of(third_party_filter(side)), x)
    assert wanted.shape == (6, side - 8, side - 8)
    assert_close(network.run(x), wanted)


@pytest.mark.parametrize("size", [(8, 72), (72, 8), (1, 1)])
def test_published_filter_of_an_image_without_a_result(size: tuple[int, int]) -> None:
    network = Network.load(as_model(third_party_filter()))
    with pytest.raises(ValueError, match=r"too small to crop|smaller than its kernel") as raised:
        network.run(random_image(7, *size))
    assert "\n" not in str(raised.value)


MANY: dict[str, tuple[Make, tuple[int, int]]] = {
    "every operator": (every_operator, (38, 52)),
    "every kind of convolution": (every_kind_of_conv, (37, 53)),
    "residual": (residual_filter, (38, 52)),
    "strided and grouped": (strided_and_grouped, (38, 50)),
    "half size": (half_size_filter, (38, 46)),
    "u-net": (lambda: u_net(8), (40, 52)),
    "codec filter": (lambda: codec_filter_7(16), (33, 47)),
    "published filter": (third_party_filter, (28, 31)),
}
CUTS = [(1, 3, 2), (3, 1, 5), (4, 4, 4), (5, 7, 21), (8, 2, 16), (13, 6, 1000), (1000, 1, 9)]
CUTS += [(1000, 5, 1000), (33, 1000, 1000), (6, 9, 4), cut_of(7), cut_of(16), cut_of(31)]


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("name", MANY)
def test_result_depends_on_neither_cuts_nor_threads(name: str) -> None:
    make, size = MANY[name]
    network = Network.load(as_model(make()))
    x = random_image(2, network.in_channels, *size)
    whole = network.run(x, threads=1, _cut=(1000, 1000, 1000))
    for number, cut in enumerate(CUTS):
        result = network.run(x, threads=1 + number % 4, _cut=cut)
        np.testing.assert_array_equal(result, whole, err_msg=f"cut {cut}")
    for threads in (1, 2, 5):
        np.testing.assert_array_equal(network.run(x, threads=threads), whole)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("name", MANY)
def test_what_ran_before_leaves_nothing_behind(name: str) -> None:
    make, size = MANY[name]
    network = Network.load(as_model(make()))
    x = random_image(1, network.in_channels, *size)
    wanted = network.run(x, threads=1)
    # Memory that is used again then holds NaN wherever nothing is written.
    assert np.isnan(network.run(np.full_like(x, np.nan), threads=1)).any()
    np.testing.assert_array_equal(network.run(x, threads=1), wanted)


@pytest.mark.usefixtures("target")
def test_an_image_alone_gives_what_it_gives_among_others() -> None:
    network = Network.load(as_model(every_kind_of_conv()))
    x = random_image(5, 1, 23, 30)
    together = network.run(x, threads=2)
    for image, result in zip(x, together, strict=True):
        np.testing.assert_array_equal(network.run(image, threads=1), result)


@pytest.mark.usefixtures("target")
def test_result_far_from_the_ends_depends_on_no_end() -> None:
    # A part that begins at a multiple of 4 has its blocks where the whole image has them. A sample
    # reaches over 24 in six layers: of each, 1 and what lies beside it in its block.
    network = Network.load(as_model(codec_filter_7(16)))
    x = random_image(1, 90, 94)
    whole = network.run(x)
    part = network.run(np.ascontiguousarray(x[:, 4:82, 8:87]))
    np.testing.assert_array_equal(part[:, 24:-24, 24:-24], whole[:, 28:58, 32:63])


@pytest.mark.parametrize(
    ("proto", "shape", "message"),
    [
        (residual_filter(), (2, 5, 4), r"'spacetodepth0' \(SpaceToDepth\).*multiples of 2, got 5"),
        (every_operator(), (3, 1, 4), r"'pad2' \(Pad\).*too small to reflect"),
        (half_size_filter(), (1, 8, 7), r"'add\d+' \(Add\): its inputs differ in size"),
        (u_net(), (1, 8, 6), r"'concat\d+' \(Concat\): its inputs differ in size"),
    ],
)
def test_size_that_the_network_cannot_take(
    proto: onnx.ModelProto, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        Network.load(as_model(proto)).run(np.zeros(shape, np.float32))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("channels", [1, 8, 16])
def test_image_smaller_than_the_kernel(channels: int) -> None:
    maker = GraphMaker(channels)
    maker.conv("x", channels, 3, pads=[0, 0, 0, 0])
    network = Network(read_graph(as_model(maker.model())))
    assert network.run(np.zeros((channels, 3, 3), np.float32)).shape == (channels, 1, 1)
    for size in [(2, 3), (3, 2), (1, 1)]:
        with pytest.raises(ValueError, match="smaller than its kernel"):
            network.run(np.zeros((channels, *size), np.float32))


def test_other_sizes_than_the_declared_one_run() -> None:
    network = Network.load(as_model(third_party_filter()))
    assert network.run(random_image(7, 40, 25)).shape == (6, 32, 17)
