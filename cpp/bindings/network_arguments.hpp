// What the bindings of the network engine share.
#pragma once

#include <pybind11/stl.h>

#include <string_view>
#include <tuple>

#include "../core/network/builder.hpp"
#include "../core/network/tiling.hpp"
#include "array.hpp"

namespace nnr::bindings {

// Top, left, bottom, right, in ONNX's order.
using Pads = std::tuple<network::Index, network::Index, network::Index, network::Index>;
// Of rows and columns.
using Sides = std::pair<std::size_t, std::size_t>;

inline network::PerAxis<network::Margin> margins_of(const Pads& pads) {
    const auto [top, left, bottom, right] = pads;
    return {network::Margin{top, bottom}, network::Margin{left, right}};
}

inline network::DepthOrder depth_order_of(std::string_view mode) {
    if (mode == "DCR") return network::DepthOrder::block_major;
    if (mode == "CRD") return network::DepthOrder::channel_major;
    throw py::value_error("mode must be DCR or CRD");
}

inline network::PadMode pad_mode_of(std::string_view mode) {
    if (mode == "constant") return network::PadMode::constant;
    if (mode == "edge") return network::PadMode::edge;
    if (mode == "reflect") return network::PadMode::reflect;
    throw py::value_error("mode must be constant, edge or reflect");
}

template <class Weight>
std::size_t side(const Array<Weight>& weights, int axis) {
    return static_cast<std::size_t>(weights.shape(axis));
}

// Of weights (out channel, in channel, row, column), or (channel, row, column).
template <class Weight>
network::WeightShape weight_shape(const Array<Weight>& weights, bool depthwise) {
    require(weights.ndim() == (depthwise ? 3 : 4), "weights have too many or too few dimensions");
    if (depthwise) return {side(weights, 0), 1, side(weights, 1), side(weights, 2)};
    return {side(weights, 0), side(weights, 1), side(weights, 2), side(weights, 3)};
}

inline network::ConvGeometry geometry_of(const network::WeightShape& shape, const Pads& pads,
                                         const Sides& stride) {
    return {{shape[2], shape[3]}, margins_of(pads), {stride.first, stride.second}};
}

// The calls that move samples, which builders of floats and of integers have in common.
template <class Class>
void register_moves(Class& builder) {
    using py::arg;
    using namespace network;
    using Builder = typename Class::type;
    builder.def("concat", &PlanBuilder::concat, arg("name"), arg("inputs"))
        .def("slice", &PlanBuilder::slice, arg("name"), arg("input"), arg("first"), arg("last"))
        .def(
            "crop",
            [](Builder& to, std::string name, ValueId input, const Pads& margins) {
                return to.crop(std::move(name), input, margins_of(margins));
            },
            arg("name"), arg("input"), arg("margins"))
        .def(
            "depth_to_space",
            [](Builder& to, std::string name, ValueId input, std::size_t block,
               std::string_view mode) {
                return to.depth_to_space(std::move(name), input, block, depth_order_of(mode));
            },
            arg("name"), arg("input"), arg("block"), arg("mode"))
        .def("space_to_depth", &PlanBuilder::space_to_depth, arg("name"), arg("input"),
             arg("block"));
}

}  // namespace nnr::bindings
