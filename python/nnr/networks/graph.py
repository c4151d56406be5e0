"""Reads the layers of a network from the ONNX graph of a model."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import UnsupportedOperatorError
from ..models import Model
from ..models.onnx import graph_of
from .layers import Float32Array, Graph, Layer, Size
from .nodes import READERS
from .shapes import Shape, shape_of

if TYPE_CHECKING:
    import onnx

_ONNX_DOMAINS = ("", "ai.onnx")


def read_graph(model: Model) -> Graph:
    """The layers of *model*'s network.

    Raises
    ------
    UnsupportedOperatorError
        The graph has a node that the engine cannot run; the message names node and operator.
    ValueError
        The graph is not that of a network from one image to one image, or its weights are not
        finite.
    """
    graph = graph_of(model).graph
    reader = GraphReader(model, _image_input(graph))
    for node in graph.node:
        reader.read(node)
    if len(graph.output) != 1:
        raise ValueError(f"a network must have one output, got {len(graph.output)}")
    name = graph.output[0].name
    if name not in reader.values:
        raise ValueError(f"no node of the graph computes its output {name!r}")
    image = reader.shapes[0]
    return Graph(image.channels, tuple(reader.layers), reader.values[name], image.size)


def _image_input(graph: onnx.GraphProto) -> tuple[str, Shape]:
    """Name and shape of the input."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1:
        raise ValueError(f"a network must have one input, got {[value.name for value in inputs]}")
    name, tensor = inputs[0].name, inputs[0].type.tensor_type
    if tensor.elem_type != 1:  # TensorProto.FLOAT
        raise ValueError(f"input {name!r} must be float32, got ONNX type {tensor.elem_type}")
    dims = tensor.shape.dim
    if len(dims) != 4 or dims[1].dim_value < 1:
        shape = [dim.dim_value or dim.dim_param or "?" for dim in dims]
        raise ValueError(
            f"input {name!r} must have shape (batch, channels, height, width) with a known "
            f"number of channels, got {shape}"
        )
    return name, Shape(dims[1].dim_value, _declared_size(dims[2].dim_value, dims[3].dim_value))


def _declared_size(height: int, width: int) -> Size | None:
    """Height and width if both are declared; 0 and less stand for any."""
    return (height, width) if min(height, width) > 0 else None


class GraphReader:
    """What is known while the nodes are read one by one."""

    def __init__(self, model: Model, image: tuple[str, Shape]) -> None:
        name, shape = image
        self.values: dict[str, int] = {name: 0}
        self.shapes: list[Shape] = [shape]
        self.layers: list[Layer] = []
        self._constants: dict[str, NDArray[Any]] = dict(model.tensors)

    def read(self, node: onnx.NodeProto) -> None:
        """Append the layers of one node."""
        name = f"node {node.name or ''.join(node.output[:1])!r} ({node.op_type})"
        reader = READERS.get(node.op_type) if node.domain in _ONNX_DOMAINS else None
        if reader is None:
            raise UnsupportedOperatorError(f"{name}: the engine has no such operator")
        try:
            reader(NodeView(self, node, name))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            if str(error).startswith(name):
                raise
            raise ValueError(f"{name}: is malformed ({type(error).__name__}: {error})") from error

    def constant(self, name: str) -> NDArray[Any] | None:
        """The constant of that name, if it is one."""
        return self._constants.get(name)

    def set_constant(self, name: str, value: NDArray[Any]) -> None:
        """Make *value* known under *name*."""
        self._constants[name] = value


class NodeView:
    """One node, its attributes, and its inputs as values or constants."""

    def __init__(self, graph: GraphReader, node: onnx.NodeProto, name: str) -> None:
        from onnx import helper

        self.graph = graph
        self.name = name
        self.inputs = list(node.input)
        self.output = node.output[0]
        self.attributes: dict[str, Any] = {
            attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute
        }

    def refuse(self, why: str) -> NoReturn:
        """Raise ``UnsupportedOperatorError``."""
        raise UnsupportedOperatorError(f"{self.name}: {why}")

    def has(self, index: int) -> bool:
        """Whether an optional input is there."""
        return index < len(self.inputs) and self.inputs[index] != ""

    def fail(self, why: str) -> NoReturn:
        """Raise ``ValueError``, for what no engine could run."""
        raise ValueError(f"{self.name}: {why}")

    def text(self, attribute: str, default: str) -> str:
        """An attribute of type string."""
        value = self.attributes.get(attribute, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def attribute_integers(self, attribute: str, default: list[int]) -> list[int]:
        """An attribute that is a list of integers."""
        return [operator.index(value) for value in self.attributes.get(attribute, default)]

    def is_constant(self, index: int) -> bool:
        """Whether an input is known without running the network."""
        return self.has(index) and self.graph.constant(self.inputs[index]) is not None

    def value(self, index: int) -> int:
        """The number of a value that the network computes."""
        if not self.has(index):
            self.refuse(f"has no input {index}")
        name = self.inputs[index]
        if self.graph.constant(name) is not None:
            self.refuse(f"its input {name!r} is a constant, not computed from the image")
        if name not in self.graph.values:
            self.fail(f"its input {name!r} is computed by no node before it")
        return self.graph.values[name]

    def constant(self, index: int, what: str) -> NDArray[Any]:
        """A constant of any type."""
        if not self.has(index):
            self.refuse(f"has no {what}")
        array = self.graph.constant(self.inputs[index])
        if array is None:
            self.refuse(f"{what} {self.inputs[index]!r} is not a constant")
        return array

    def weights(self, index: int, what: str) -> Float32Array:
        """A constant of finite numbers, in float32."""
        given = self.constant(index, what)
        if given.dtype.kind in "biucSUO":
            self.refuse(f"{what} {self.inputs[index]!r} is {given.dtype}, not of a float type")
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(given, dtype=np.float32).reshape(given.shape)
        not_finite = np.flatnonzero(~np.isfinite(array))
        if not_finite.size:
            where = tuple(int(i) for i in np.unravel_index(not_finite[0], array.shape))
            self.fail(f"tensor {self.inputs[index]!r} holds {given[where]} at index {where}")
        return array

    def per_channel(self, index: int, what: str) -> Float32Array:
        """A constant that has one number for all channels, or one a channel, as a flat array."""
        array = self.weights(index, what)
        shape = (1,) * (4 - array.ndim) + array.shape
        if len(shape) != 4 or array.size != shape[1] or array.size == 0:
            self.refuse(
                f"{what} of shape {array.shape} is not supported, only one number or one a "
                "channel, such as (channels, 1, 1)"
            )
        return array.reshape(-1)

    def scalar(self, index: int, what: str) -> float:
        """A constant of one number, infinite ones included."""
        array = self.constant(index, what)
        if array.size != 1:
            self.refuse(f"{what} must be one number, got an array of shape {array.shape}")
        return self._not_nan(float(array.reshape(())[()]), what)

    def number(self, attribute: str, default: float) -> float:
        """An attribute of one number, infinite ones included."""
        return self._not_nan(float(self.attributes.get(attribute, default)), attribute)

    def _not_nan(self, number: float, what: str) -> float:
        if np.isnan(number):
            self.fail(f"{what} is {number}")
        return number

    def integers(self, index: int, what: str) -> list[int]:
        """A constant list of integers."""
        return [operator.index(value) for value in self.constant(index, what).reshape(-1)]

    def shape(self, value: int) -> Shape:
        """What is known of the shape of a value."""
        return self.graph.shapes[value]

    def append(self, layer: Layer) -> int:
        """Make *layer* the last of those that compute the node's output; returns its value."""
        shape = shape_of(layer, [self.graph.shapes[value] for value in layer.inputs])
        self.graph.layers.append(layer)
        self.graph.shapes.append(shape)
        self.graph.values[self.output] = len(self.graph.layers)
        return len(self.graph.layers)
