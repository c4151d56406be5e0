"""What the engine reads from an ONNX graph, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from network_models import (
    GraphMaker,
    as_model,
    assert_close,
    expected,
    session_of,
)
from onnx import TensorProto, helper

import nnr
from nnr.models import Model
from nnr.networks import Network


def image(channels: int = 4) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((channels, 6, 10), dtype=np.float32)


def check(maker: GraphMaker) -> None:
    proto = maker.model()
    x = image(maker.channels["x"])
    assert_close(Network.load(as_model(proto)).run(x), expected(session_of(proto), x))


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_conv_auto_pad(auto_pad: str) -> None:
    maker = GraphMaker(4)
    weights = maker.weight(maker.numbers(3, 4, 5, 3, scale=0.1))
    maker.node("Conv", ["x", weights], 3, auto_pad=auto_pad)
    check(maker)


@pytest.mark.parametrize("axis", [1, -3])
def test_slice_and_concat_count_axes_from_either_end(axis: int) -> None:
    maker = GraphMaker(4)
    lists = [maker.weight(np.array([v])) for v in (-3, 2**63 - 1, axis)]
    maker.node("Slice", ["x", *lists], 3)
    maker.node("Concat", ["slice0", "x"], 7, axis=axis)
    check(maker)


def test_slice_of_the_whole_of_other_axes() -> None:
    maker = GraphMaker(4)
    lists = [maker.weight(np.array(v)) for v in ([0, 1, 0], [2**31 - 1, 3, 2**63 - 1], [0, 1, 3])]
    maker.node("Slice", ["x", *lists, maker.weight(np.array([1, 1, 1]))], 2)
    check(maker)


def test_attributes_of_old_operator_sets() -> None:
    maker = GraphMaker(4, opset=9)
    maker.same("Clip", "x", min=-0.5, max=0.75)
    maker.node("Slice", ["clip0"], 2, axes=[1], starts=[1], ends=[3])
    maker.node("Pad", ["slice1"], 2, pads=[0, 0, 1, 2, 0, 0, 3, 4], value=1.5)
    check(maker)


def test_pad_with_axes_and_value() -> None:
    maker = GraphMaker(4)
    lists = [maker.weight(np.array(value)) for value in ([1, 2, 0, 3], np.float32(-2), [3, 2])]
    maker.same("Pad", "x", *lists)
    check(maker)


@pytest.mark.parametrize("bounds", [("", 0.5), (-0.5, ""), ("", "")])
def test_clip_with_one_bound_or_none(bounds: tuple[object, object]) -> None:
    maker = GraphMaker(4)
    inputs = [bound if bound == "" else maker.weight(np.float32(bound)) for bound in bounds]
    maker.same("Clip", "x", *inputs)
    check(maker)


@pytest.mark.parametrize("operator", ["Add", "Mul"])
@pytest.mark.parametrize("shape", [(), (1,), (4, 1, 1), (1, 4, 1, 1)])
@pytest.mark.parametrize("constant_first", [False, True])
def test_constant_operand(operator: str, shape: tuple[int, ...], constant_first: bool) -> None:
    maker = GraphMaker(4)
    constant = maker.weight(np.asarray(maker.numbers(*shape), np.float32))
    maker.node(operator, [constant, "x"] if constant_first else ["x", constant], 4)
    check(maker)


def test_constants_and_identities() -> None:
    maker = GraphMaker(4)
    weights = onnx.numpy_helper.from_array(maker.numbers(2, 4, 1, 1))
    maker.node("Constant", [], 0, value=weights)
    maker.node("Identity", ["constant0"], 0)
    maker.node("Conv", ["x", "identity1"], 2)
    maker.node("Identity", ["conv2"], 2)
    maker.node("Constant", [], 0, value_float=0.25)
    maker.node("Mul", ["identity3", "constant4"], 2)
    check(maker)


def test_nodes_that_the_output_does_not_need() -> None:
    maker = GraphMaker(4)
    maker.conv("x", 9)
    maker.conv("x", 2)
    check(maker)


def test_activation_is_not_merged_where_the_sum_itself_is_used() -> None:
    maker = GraphMaker(4)
    total = maker.conv("x", 4)
    maker.same("Add", maker.same("Relu", total), total)
    check(maker)


def test_float16_and_float64_weights() -> None:
    maker = GraphMaker(4)
    maker.conv("x", 3)
    x = image()
    model = as_model(maker.model())
    for dtype in (np.float16, np.float64):
        typed = Model({k: v.astype(dtype) for k, v in model.tensors.items()}, model.topology)
        rounded = Model({k: v.astype(np.float32) for k, v in typed.tensors.items()}, model.topology)
        np.testing.assert_array_equal(Network.load(typed).run(x), Network.load(rounded).run(x))


Add = Callable[[GraphMaker], object]


def _conv(**attributes: object) -> Add:
    return lambda maker: maker.conv("x", 4, **attributes)  # type: ignore[arg-type]


def _node(operator: str, *constants: object, **attributes: object) -> Add:
    def add(maker: GraphMaker) -> None:
        maker.same(operator, "x", *(maker.weight(value) for value in constants), **attributes)

    return add


KERNEL = np.ones((4, 4, 3, 3), np.float32)

REFUSED: list[tuple[Add, str]] = [
    (_node("Sigmoid"), r"node 'sigmoid0' \(Sigmoid\): the engine has no such operator"),
    (_node("Relu", domain="com.example"), "no such operator"),
    (_conv(kernel=16), r"node 'conv0' \(Conv\): kernel of 16x16 .* only up to 15x15"),
    (_conv(strides=[65, 1]), r"strides \[65, 1\]"),
    (_conv(dilations=[2, 2]), "dilations"),
    (_conv(pads=[-1, 1, 1, 1]), r"pads \[-1, 1, 1, 1\]"),
    (_node("Conv", KERNEL, auto_pad="SAME_UPPER", strides=[2, 2]), "SAME_UPPER is not supported"),
    (_node("ConvTranspose", KERNEL, strides=[9, 9]), r"strides \[9, 9\]"),
    (_node("ConvTranspose", KERNEL, strides=[1, 2]), r"strides \[1, 2\] .* only equal ones"),
    (_node("ConvTranspose", KERNEL, dilations=[2, 2]), "dilations"),
    (_node("ConvTranspose", KERNEL, auto_pad="SAME_UPPER"), "auto_pad and output_shape"),
    (_node("ConvTranspose", KERNEL, output_shape=[9, 9]), "auto_pad and output_shape"),
    (_node("ConvTranspose", np.zeros((4, 1, 16, 1), np.float32)), "kernel of 16x1"),
    (_node("BatchNormalization", *[np.ones(4, np.float32)] * 4, training_mode=1), "training_mode"),
    (_node("Dropout", np.float32(0.5), np.array(True)), "training_mode"),
    (lambda maker: maker.node("Div", ["x", "x"], 4), "divisor is not a constant"),
    (lambda maker: maker.node("Div", [maker.weight(np.float32(1)), "x"], 4), "divisor is not"),
    (_conv(pads=[3, 1, 1, 1]), "pads"),
    (_node("Conv", np.zeros((2, 4, 3), np.float32)), r"\(2, 4, 3\)"),
    (_node("Conv", np.zeros((2, 4, 3, 3), np.int32)), "int32"),
    (_node("Mul", np.zeros((6, 1), np.float32)), r"\(6, 1\)"),
    (_node("PRelu", np.zeros((4, 1, 10), np.float32)), r"\(4, 1, 10\)"),
    (_node("Clip", np.zeros(2, np.float32)), "min must be one number"),
    (_node("DepthToSpace", blocksize=2, mode="XYZ"), "mode XYZ"),
    (_node("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), mode="wrap"), "mode wrap"),
    (_node("Pad", np.array([0, 1, 0, 0, 0, 0, 0, 0])), "pads"),
    (_node("Pad", np.array([0, 0, -1, 0, 0, 0, 0, 0])), "pads"),
    (_node("Concat", axis=2), "axis 2"),
    (_node("Slice", *(np.array([v]) for v in (0, 3, 2))), "0 to 3 of axis 2 .* not fixed"),
    (_node("Slice", *(np.array([v]) for v in (-3, 2**31, 3))), "axis 3 .* not fixed"),
    (_node("Slice", *(np.array([v]) for v in (1, 2**31, 0))), "axis 0"),
    (_node("Slice", *(np.array([v]) for v in (0, 3, 1, 2))), r"steps \[2\]"),
]


@pytest.mark.parametrize(("add", "message"), REFUSED)
def test_unsupported(add: Add, message: str) -> None:
    maker = GraphMaker(4)
    add(maker)
    with pytest.raises(nnr.UnsupportedOperatorError, match=message) as raised:
        Network.load(as_model(maker.model()))
    assert "\n" not in str(raised.value)


def test_weights_that_the_network_computes_are_unsupported() -> None:
    maker = GraphMaker(4)
    maker.node("Conv", ["x", maker.same("Relu", "x")], 4)
    with pytest.raises(nnr.UnsupportedOperatorError, match="weight 'relu0' is not a constant"):
        Network.load(as_model(maker.model()))


def test_two_constant_operands_are_unsupported() -> None:
    maker = GraphMaker(4)
    maker.node("Add", [maker.weight(np.ones(1, np.float32))] * 2, 1)
    with pytest.raises(nnr.UnsupportedOperatorError, match="not computed from the image"):
        Network.load(as_model(maker.model()))


WRONG: list[tuple[Add, str]] = [
    (_node("Conv", np.zeros((2, 3, 1, 1), np.float32)), r"weights for 3 input channels.*has 4"),
    (_node("Conv", np.zeros((2, 4, 1, 1), np.float32), np.zeros(3, np.float32)), "3 biases"),
    (_node("Conv", np.zeros((0, 4, 1, 1), np.float32)), "has no weights"),
    (_conv(group=3), r"has 4 input channels, and weights of shape \(4, 1, 3, 3\) for 3 groups"),
    (_node("Conv", KERNEL, group=0), "group must be positive, got 0"),
    (_node("Conv", KERNEL, strides=[0, 1]), r"strides \[0, 1\] must be two positive numbers"),
    (
        _node("ConvTranspose", np.ones((3, 4, 2, 2), np.float32)),
        r"4 input channels.*\(3, 4, 2, 2\)",
    ),
    (
        _node("ConvTranspose", KERNEL, np.zeros(3, np.float32)),
        r"biases of shape \(3,\) for 4 output",
    ),
    (_node("ConvTranspose", KERNEL, output_padding=[1, 0]), "output_padding"),
    (_node("BatchNormalization", *[np.ones(3, np.float32)] * 4), r"scale of shape \(3,\) for an"),
    (_node("BatchNormalization", *[-np.ones(4, np.float32)] * 4), "variance negative"),
    (_node("Div", np.zeros(1, np.float32)), "divides by 0.0"),
    (_node("Sub"), r"'sub0' \(Sub\): has 1 inputs, not 2"),
    (lambda maker: maker.node("Sum", [], 4), r"'sum0' \(Sum\): is malformed"),
    (_node("Slice", *(np.array([v]) for v in (0, -(1 << 40), 2))), "leaves out more than 65536"),
    (_node("Slice", *(np.array([v]) for v in (0, 1, 4))), "axis 4 is not one of an image"),
    (_node("Mul", np.zeros((3, 1, 1), np.float32)), "has 3 constants for an input of 4 channels"),
    (_node("DepthToSpace", blocksize=3), r"cannot spread 4 channels over blocks of 3x3"),
    (_node("SpaceToDepth", blocksize=65), "block size must be 1 to 64"),
    (_node("SpaceToDepth", blocksize=-1), r"'spacetodepth0' .*must be positive, got -1"),
    (_node("DepthToSpace"), r"'depthtospace0' \(DepthToSpace\): is malformed .*blocksize"),
    (_node("LeakyRelu", alpha=[0.1, 0.2]), r"'leakyrelu0' \(LeakyRelu\): is malformed"),
    (_node("Conv", np.zeros((1, 4, 1, 1), np.float32), pads=1), r"'conv0' .*is malformed"),
    (_node("Add"), r"'add0' \(Add\): has 1 inputs, not 2"),
    (_node("Slice", np.array([0, 0]), np.array([1]), np.array([1])), "2 starts and 1 ends for 1"),
    (_node("Slice", starts=[0]), "1 starts and 0 ends for 1 axes"),
    (_node("Slice", np.array([0.5]), np.array([1])), r"'slice0' \(Slice\): is malformed"),
    (_node("Pad", np.zeros(2, int), np.float32(0), np.array([4])), r"axes \[4\] are not"),
    (_node("Pad", np.zeros(6, int)), "6 pads for 4 axes"),
    (_node("Pad", np.array([0, 0, 0, 1 << 16, 0, 0, 0, 65537])), r"'pad0' \(Pad\): pads by 65537"),
    (_node("Pad", np.array([0, 0, 1 << 62, 0, 0, 0, 1 << 62, 0])), r"wanted 0 to 65536"),
    (_node("Slice", *(np.array([v]) for v in (3, 1, 1))), "takes none of the 4 channels"),
    (lambda maker: maker.same("Add", "x", maker.slice("x", 0, 2)), "4 and 2 channels"),
    (lambda maker: maker.same("Add", "x", "nowhere"), "'nowhere' is computed by no node"),
]


@pytest.mark.parametrize(("add", "message"), WRONG)
def test_graph_that_does_not_fit(add: Add, message: str) -> None:
    maker = GraphMaker(4)
    add(maker)
    with pytest.raises(ValueError, match=message) as raised:
        Network.load(as_model(maker.model()))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(value: float) -> None:
    maker = GraphMaker(1)
    weights = np.zeros((2, 1, 3, 3), np.float32)
    weights[1, 0, 2, 1] = value
    maker.node("Conv", ["x", maker.weight(weights)], 2)
    with pytest.raises(ValueError, match=rf"'w0' holds {value} at index \(1, 0, 2, 1\)"):
        Network.load(as_model(maker.model()))


NOT_FINITE = np.array([1, np.nan, 1, 1], np.float32)
CONSTANTS: dict[str, Add] = {
    "bias": _node("Conv", KERNEL, NOT_FINITE),
    "depthwise": lambda maker: maker.node(
        "Conv", ["x", maker.weight(NOT_FINITE.reshape(4, 1, 1, 1))], 4, group=4
    ),
    "transposed": _node("ConvTranspose", KERNEL, NOT_FINITE),
    "slope": _node("PRelu", NOT_FINITE.reshape(4, 1, 1)),
    "alpha": _node("LeakyRelu", alpha=np.nan),
    "factor": _node("Mul", NOT_FINITE.reshape(4, 1, 1)),
    "divisor": _node("Div", NOT_FINITE.reshape(4, 1, 1)),
    "bound": _node("Clip", np.float32(np.nan)),
    "mean": _node("BatchNormalization", NOT_FINITE, *[np.ones(4, np.float32)] * 3),
    "padding": _node("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.float32(np.nan)),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_that_are_not_finite(name: str) -> None:
    maker = GraphMaker(4)
    CONSTANTS[name](maker)
    with pytest.raises(ValueError, match="nan") as raised:
        Network.load(as_model(maker.model()))
    assert "\n" not in str(raised.value)


def test_channels_that_would_not_fit_in_memory() -> None:
    maker = GraphMaker(1)
    value = "x"
    for _ in range(3):
        value = maker.node("SpaceToDepth", [value], maker.channels[value] * 4096, blocksize=64)
    with pytest.raises(ValueError, match="more than 65536"):
        Network.load(as_model(maker.model()))


def test_groups_that_would_not_fit_in_memory() -> None:
    maker = GraphMaker(1 << 14)
    weights = maker.weight(np.zeros((1 << 15, 1, 1, 1), np.float32))
    maker.node("Conv", ["x", weights], 1 << 15, group=1 << 14)
    with pytest.raises(nnr.UnsupportedOperatorError, match="16384 groups"):
        Network.load(as_model(maker.model()))


def test_slice_that_takes_none_of_a_fixed_size() -> None:
    maker = GraphMaker(4, size=(6, 10))
    maker.cut("x", [3], [2], [2], 4)
    with pytest.raises(ValueError, match="takes none of the 6 samples along axis 2"):
        Network.load(as_model(maker.model()))


def test_input_channels_that_would_not_fit_in_memory() -> None:
    info = helper.make_tensor_value_info
    with pytest.raises(ValueError, match="more than 65536 channels"):
        Network.load(_with_inputs(info("x", TensorProto.FLOAT, [1, 1 << 62, 2, 2])))


def _with_inputs(*inputs: onnx.ValueInfoProto) -> Model:
    maker = GraphMaker(4)
    maker.same("Relu", "x")
    proto = maker.model()
    del proto.graph.input[:]
    proto.graph.input.extend(inputs)
    return as_model(proto)


def test_input_of_the_graph() -> None:
    info = helper.make_tensor_value_info
    with pytest.raises(ValueError, match="one input"):
        Network.load(_with_inputs())
    with pytest.raises(ValueError, match="one input"):
        Network.load(
            _with_inputs(
                info("x", TensorProto.FLOAT, [1, 4, 2, 2]), info("z", TensorProto.FLOAT, [])
            )
        )
    with pytest.raises(ValueError, match="float32"):
        Network.load(_with_inputs(info("x", TensorProto.FLOAT16, [1, 4, 2, 2])))
    with pytest.raises(ValueError, match="known number of channels"):
        Network.load(_with_inputs(info("x", TensorProto.FLOAT, ["n", "c", "h", "w"])))
    with pytest.raises(ValueError, match="known number of channels"):
        Network.load(_with_inputs(info("x", TensorProto.FLOAT, [4, 4])))


def test_output_of_the_graph() -> None:
    maker = GraphMaker(4)
    maker.same("Relu", "x")
    proto = maker.model()
    proto.graph.output[0].name = "nowhere"
    with pytest.raises(ValueError, match="'nowhere'"):
        Network.load(as_model(proto))
    del proto.graph.output[:]
    with pytest.raises(ValueError, match="one output"):
        Network.load(as_model(proto))


def test_model_without_topology(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no topology"):
        Network.load(Model({"w": np.zeros(1, np.float32)}))
    with pytest.raises(FileNotFoundError):
        Network.load(tmp_path / "missing.onnx")
