"""Random small networks: what the property tests of the engine and of folding draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from network_models import GraphMaker

# Sides of values that are no longer made smaller, or larger, by a factor.
_SMALL = 3
_LARGE = 24


@dataclass(frozen=True)
class Value:
    name: str
    channels: int
    height: int
    width: int


class RandomGraph:
    """Draws one node after the other, each of a value that is there already."""

    def __init__(self, draw: st.DrawFn, maker: type[GraphMaker]) -> None:
        self._draw = draw
        channels, height, width = (draw(st.integers(1, high)) for high in (5, 12, 12))
        self.maker = maker(channels, seed=draw(st.integers(0, 2**16)))
        self.values = [Value("x", channels, height, width)]

    def add(self) -> None:
        value = self._draw(st.sampled_from(self.values))
        steps = [self._conv, self._activate, self._constant, self._combine, self._pad, self._slice]
        steps += [self._grouped_conv, self._normalize, self._crop]
        if min(value.height, value.width) > _SMALL:
            steps.append(self._strided_conv)
        if max(value.height, value.width) < _LARGE:
            steps.append(self._conv_transpose)
        if value.channels % 4 == 0:
            steps.append(self._spread)
        if value.height % 2 == 0 and value.width % 2 == 0:
            steps.append(self._gather)
        self.values.append(self._draw(st.sampled_from(steps))(value))

    def _conv(self, value: Value) -> Value:
        # Of 16 and more, with a kernel of 3x3, are those that are computed in other ways.
        channels = self._draw(st.one_of(st.integers(1, 20), st.sampled_from([16, 32])))
        bias = self._draw(st.booleans())
        sides = st.tuples(*[st.sampled_from([1, 3, 5])] * 2)
        kernel = self._draw(st.one_of(sides, st.just((3, 3))))
        name = self.maker.conv(value.name, channels, kernel, bias=bias)
        return Value(name, channels, value.height, value.width)

    def _grouped_conv(self, value: Value) -> Value:
        groups = self._divisor(value.channels)
        channels = groups * self._draw(st.integers(1, 3))
        kernel = self._draw(st.tuples(*[st.sampled_from([1, 3, 5])] * 2))
        name = self.maker.conv(value.name, channels, kernel, group=groups)
        return Value(name, channels, value.height, value.width)

    def _divisor(self, number: int) -> int:
        return self._draw(st.sampled_from([d for d in range(1, number + 1) if number % d == 0]))

    def _strided_conv(self, value: Value) -> Value:
        groups = self._draw(st.sampled_from([1, value.channels]))
        channels = value.channels if groups > 1 else self._draw(st.integers(1, 20))
        sizes, attributes = [], {}
        kernel, strides, pads = [], [], [0] * 4
        for axis, length in enumerate((value.height, value.width)):
            kernel.append(self._draw(st.integers(1, min(5, length))))
            strides.append(self._draw(st.integers(1, 3)))
            around = [self._draw(st.integers(0, kernel[axis] - 1)) for _ in range(2)]
            pads[axis], pads[axis + 2] = around
            sizes.append((length + sum(around) - kernel[axis]) // strides[axis] + 1)
        attributes = {"strides": strides, "pads": pads, "group": groups}
        name = self.maker.conv(value.name, channels, (kernel[0], kernel[1]), **attributes)
        return Value(name, channels, sizes[0], sizes[1])

    def _conv_transpose(self, value: Value) -> Value:
        groups = self._divisor(value.channels)
        channels, stride = groups * self._draw(st.integers(1, 4)), self._draw(st.integers(1, 3))
        kernel, more, sizes, pads = [], [], [], [0] * 4
        for axis, length in enumerate((value.height, value.width)):
            kernel.append(self._draw(st.integers(1, 5)))
            more.append(self._draw(st.integers(0, stride - 1)))
            whole = stride * (length - 1) + kernel[axis] + more[axis]
            pads[axis] = self._draw(st.integers(0, min(3, whole - 1)))
            pads[axis + 2] = self._draw(st.integers(0, min(3, whole - pads[axis] - 1)))
            sizes.append(whole - pads[axis] - pads[axis + 2])
        attributes = {"pads": pads, "output_padding": more, "group": groups}
        kernel_size = kernel[0], kernel[1]
        name = self.maker.conv_transpose(value.name, channels, kernel_size, stride, **attributes)
        return Value(name, channels, sizes[0], sizes[1])

    def _normalize(self, value: Value) -> Value:
        return self._same(value, self.maker.batch_normalization(value.name))

    def _crop(self, value: Value) -> Value:
        top, left = (
            self._draw(st.integers(0, min(2, side - 1))) for side in (value.height, value.width)
        )
        bottom = self._draw(st.integers(0, min(2, value.height - top - 1)))
        right = self._draw(st.integers(0, min(2, value.width - left - 1)))
        name = self.maker.crop(value.name, (top, left, bottom, right))
        size = value.height - top - bottom, value.width - left - right
        return Value(name, value.channels, *size)

    def _same(self, value: Value, name: str) -> Value:
        return Value(name, value.channels, value.height, value.width)

    def _per_channel(self, value: Value) -> str:
        count = self._draw(st.sampled_from([1, value.channels]))
        return self.maker.weight(self.maker.numbers(count, 1, 1))

    def _activate(self, value: Value) -> Value:
        maker, source = self.maker, value.name
        operator = self._draw(st.sampled_from(["Relu", "LeakyRelu", "PRelu", "Clip", "Identity"]))
        if operator == "PRelu":
            return self._same(value, maker.same(operator, source, self._per_channel(value)))
        if operator == "Clip":
            bounds = [maker.weight(np.float32(bound)) for bound in (-0.5, 1.0)]
            return self._same(value, maker.same(operator, source, *bounds))
        return self._same(value, maker.same(operator, source))

    def _constant(self, value: Value) -> Value:
        operator = self._draw(st.sampled_from(["Add", "Mul", "Sub", "Div"]))
        if operator == "Div":
            numbers = self.maker.numbers(value.channels, 1, 1)
            divisors = self.maker.weight(np.copysign(np.maximum(np.abs(numbers), 0.5), numbers))
            return self._same(value, self.maker.same("Div", value.name, divisors))
        operands = [value.name, self._per_channel(value)]
        if self._draw(st.booleans()):
            operands.reverse()
        return self._same(value, self.maker.node(operator, operands, value.channels))

    def _combine(self, value: Value) -> Value:
        operator = self._draw(st.sampled_from(["Add", "Mul", "Sub", "Sum", "Concat"]))
        size = value.height, value.width
        fitting = [other for other in self.values if (other.height, other.width) == size]
        if operator == "Concat":
            others = self._draw(st.lists(st.sampled_from(fitting), max_size=2))
            names = [value.name, *(other.name for other in others)]
            channels = value.channels + sum(other.channels for other in others)
            return Value(self.maker.node("Concat", names, channels, axis=1), channels, *size)
        other = self._draw(st.sampled_from([v for v in fitting if v.channels == value.channels]))
        return self._same(value, self.maker.same(operator, value.name, other.name))

    def _pad(self, value: Value) -> Value:
        mode = self._draw(st.sampled_from(["constant", "edge", "reflect"]))
        limit = (value.height - 1, value.width - 1) if mode == "reflect" else (3, 3)
        pads = [self._draw(st.integers(0, min(3, limit[i % 2]))) for i in range(4)]
        name = self.maker.pad(value.name, (pads[0], pads[1], pads[2], pads[3]), mode)
        height, width = value.height + pads[0] + pads[2], value.width + pads[1] + pads[3]
        return Value(name, value.channels, height, width)

    def _slice(self, value: Value) -> Value:
        first = self._draw(st.integers(0, value.channels - 1))
        last = self._draw(st.integers(first + 1, value.channels))
        name = self.maker.slice(value.name, first, last)
        return Value(name, last - first, value.height, value.width)

    def _spread(self, value: Value) -> Value:
        channels, mode = value.channels // 4, self._draw(st.sampled_from(["DCR", "CRD"]))
        name = self.maker.node("DepthToSpace", [value.name], channels, blocksize=2, mode=mode)
        return Value(name, channels, value.height * 2, value.width * 2)

    def _gather(self, value: Value) -> Value:
        channels = value.channels * 4
        name = self.maker.node("SpaceToDepth", [value.name], channels, blocksize=2)
        return Value(name, channels, value.height // 2, value.width // 2)


@st.composite
def random_graphs(draw: st.DrawFn, maker: type[GraphMaker] = GraphMaker) -> RandomGraph:
    graph = RandomGraph(draw, maker)
    for _ in range(draw(st.integers(1, 7))):
        graph.add()
    return graph
