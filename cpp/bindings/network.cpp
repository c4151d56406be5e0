// The network engine: a builder that takes layers one by one, and the plan it gives.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "../core/network/execute.hpp"
#include "array.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

using namespace nnr::network;

// Top, left, bottom, right, in ONNX's order.
using Pads = std::tuple<Index, Index, Index, Index>;

PerAxis<Margin> margins_of(const Pads& pads) {
    const auto [top, left, bottom, right] = pads;
    return {Margin{top, bottom}, Margin{left, right}};
}

DepthOrder depth_order_of(std::string_view mode) {
    if (mode == "DCR") return DepthOrder::block_major;
    if (mode == "CRD") return DepthOrder::channel_major;
    throw py::value_error("mode must be DCR or CRD");
}

PadMode pad_mode_of(std::string_view mode) {
    if (mode == "constant") return PadMode::constant;
    if (mode == "edge") return PadMode::edge;
    if (mode == "reflect") return PadMode::reflect;
    throw py::value_error("mode must be constant, edge or reflect");
}

ValueId py_conv(PlanBuilder& builder, std::string name, ValueId input, const Array<float>& weights,
                const std::optional<Array<float>>& bias, const Pads& pads) {
    require(weights.ndim() == 4, "weights must have four dimensions");
    const auto size = [&](int axis) { return static_cast<std::size_t>(weights.shape(axis)); };
    const auto bias_view = bias ? view(*bias) : std::span<const float>{};
    return builder.conv(std::move(name), input,
                        {view(weights), {size(0), size(1), size(2), size(3)}, bias_view},
                        margins_of(pads));
}

Size size_of(const py::array& array) {
    require(array.ndim() >= 2, "array must have rows and columns");
    const Size size{array.shape(array.ndim() - 2), array.shape(array.ndim() - 1)};
    require(size.height > 0 && size.width > 0, "array must not be empty");
    return size;
}

RunOptions options_of(unsigned threads, std::optional<Index> tile) {
    require(!tile || *tile > 0, "tile must be positive");
    return {threads, tile};
}

void py_run(const Plan& plan, const Array<float>& input, Array<float> out, unsigned threads,
            std::optional<Index> tile) {
    require(input.ndim() == 4 && out.ndim() == 4, "arrays must have four dimensions");
    const auto images = static_cast<std::size_t>(input.shape(0));
    const Size size = size_of(input), given = size_of(out);
    const Size wanted = output_size(plan, size);
    require(static_cast<std::size_t>(input.shape(1)) == plan.channels(Plan::input()), "channels");
    require(out.shape(0) == input.shape(0) && given.height == wanted.height &&
                given.width == wanted.width &&
                static_cast<std::size_t>(out.shape(1)) == plan.channels(plan.output()),
            "output shape");
    const RunOptions options = options_of(threads, tile);
    const float* from = view(input).data();
    float* to = mutable_view(out).data();
    const py::gil_scoped_release unlocked;
    run(plan, from, images, size, options, to);
}

template <class Sample>
void py_filter_plane(const Plan& plan, const Array<Sample>& plane, Array<Sample> out, float peak,
                     float side, unsigned threads, std::optional<Index> tile) {
    require(plane.ndim() == 2 && out.ndim() == 2, "planes must have two dimensions");
    const Size size = size_of(plane), given = size_of(out);
    require(given.height == size.height && given.width == size.width, "output shape");
    const RunOptions options = options_of(threads, tile);
    const PlaneFilter<Sample> filter{view(plane).data(), mutable_view(out).data(), size, peak, side};
    const py::gil_scoped_release unlocked;
    filter_plane(plan, filter, options);
}

std::pair<Index, Index> py_output_size(const Plan& plan, Index height, Index width) {
    require(height > 0 && width > 0, "size must be positive");
    const Size size = output_size(plan, {height, width});
    return {size.height, size.width};
}

void register_builder(py::module_& module) {
    using py::arg;
    py::class_<PlanBuilder>(module, "NetworkBuilder")
        .def(py::init<std::size_t>(), arg("in_channels"))
        .def("conv", py_conv, arg("name"), arg("input"), arg("weights").noconvert(),
             arg("bias").noconvert().none(true), arg("pads"))
        .def(
            "slope",
            [](PlanBuilder& builder, std::string name, ValueId input, const Array<float>& slopes) {
                return builder.slope(std::move(name), input, view(slopes));
            },
            arg("name"), arg("input"), arg("slopes").noconvert())
        .def(
            "affine",
            [](PlanBuilder& builder, std::string name, ValueId input, const Array<float>& scales,
               const Array<float>& offsets) {
                return builder.affine(std::move(name), input, view(scales), view(offsets));
            },
            arg("name"), arg("input"), arg("scales").noconvert(), arg("offsets").noconvert())
        .def("clip", &PlanBuilder::clip, arg("name"), arg("input"), arg("lo"), arg("hi"))
        .def("add", &PlanBuilder::add, arg("name"), arg("first"), arg("second"))
        .def("mul", &PlanBuilder::mul, arg("name"), arg("first"), arg("second"))
        .def("concat", &PlanBuilder::concat, arg("name"), arg("inputs"))
        .def("slice", &PlanBuilder::slice, arg("name"), arg("input"), arg("first"), arg("last"))
        .def(
            "depth_to_space",
            [](PlanBuilder& builder, std::string name, ValueId input, std::size_t block,
               std::string_view mode) {
                return builder.depth_to_space(std::move(name), input, block, depth_order_of(mode));
            },
            arg("name"), arg("input"), arg("block"), arg("mode"))
        .def("space_to_depth", &PlanBuilder::space_to_depth, arg("name"), arg("input"),
             arg("block"))
        .def(
            "pad",
            [](PlanBuilder& builder, std::string name, ValueId input, const Pads& pads,
               std::string_view mode, float value) {
                return builder.pad(std::move(name), input, margins_of(pads), pad_mode_of(mode),
                                   value);
            },
            arg("name"), arg("input"), arg("pads"), arg("mode"), arg("value"))
        .def("build", &PlanBuilder::build, arg("output"));
}

}  // namespace

void register_network(py::module_& module) {
    using py::arg;
    register_builder(module);
    py::class_<Plan>(module, "NetworkPlan")
        .def_property_readonly("in_channels",
                               [](const Plan& plan) { return plan.channels(Plan::input()); })
        .def_property_readonly("out_channels",
                               [](const Plan& plan) { return plan.channels(plan.output()); })
        .def_property_readonly("phase", &Plan::phase)
        .def("output_size", py_output_size, arg("height"), arg("width"))
        .def("run", py_run, arg("input").noconvert(), arg("out").noconvert(), arg("threads"),
             arg("tile"))
        .def("filter_plane", py_filter_plane<std::uint8_t>, arg("plane").noconvert(),
             arg("out").noconvert(), arg("peak"), arg("side"), arg("threads"), arg("tile"))
        .def("filter_plane", py_filter_plane<std::uint16_t>, arg("plane").noconvert(),
             arg("out").noconvert(), arg("peak"), arg("side"), arg("threads"), arg("tile"));
}

}  // namespace nnr::bindings
