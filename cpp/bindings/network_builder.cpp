// The builder of float networks.
#include <optional>

#include "network_arguments.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

using namespace nnr::network;

std::span<const float> optional_view(const std::optional<Array<float>>& array) {
    return array ? view(*array) : std::span<const float>{};
}

template <bool kDepthwise>
ValueId py_conv(PlanBuilder& builder, std::string name, ValueId input, const Array<float>& weights,
                const std::optional<Array<float>>& bias, const Pads& pads, const Sides& stride) {
    const WeightShape shape = weight_shape(weights, kDepthwise);
    const ConvWeights<float> given{view(weights), shape, optional_view(bias)};
    const ConvGeometry geometry = geometry_of(shape, pads, stride);
    if constexpr (kDepthwise)
        return builder.depthwise_conv(std::move(name), input, given, geometry);
    else
        return builder.conv(std::move(name), input, given, geometry);
}

}  // namespace

void register_network_builder(py::module_& module) {
    using py::arg;
    py::class_<PlanBuilder> builder(module, "NetworkBuilder");
    builder.def(py::init<std::size_t>(), arg("in_channels"))
        .def("conv", py_conv<false>, arg("name"), arg("input"), arg("weights").noconvert(),
             arg("bias").noconvert().none(true), arg("pads"), arg("stride"))
        .def("depthwise_conv", py_conv<true>, arg("name"), arg("input"),
             arg("weights").noconvert(), arg("bias").noconvert().none(true), arg("pads"),
             arg("stride"))
        .def(
            "slope",
            [](PlanBuilder& to, std::string name, ValueId input, const Array<float>& slopes) {
                return to.slope(std::move(name), input, view(slopes));
            },
            arg("name"), arg("input"), arg("slopes").noconvert())
        .def(
            "affine",
            [](PlanBuilder& to, std::string name, ValueId input, const Array<float>& scales,
               const Array<float>& offsets) {
                return to.affine(std::move(name), input, view(scales), view(offsets));
            },
            arg("name"), arg("input"), arg("scales").noconvert(), arg("offsets").noconvert())
        .def("clip", &PlanBuilder::clip, arg("name"), arg("input"), arg("lo"), arg("hi"))
        .def("add", &PlanBuilder::add, arg("name"), arg("first"), arg("second"))
        .def("mul", &PlanBuilder::mul, arg("name"), arg("first"), arg("second"))
        .def(
            "pad",
            [](PlanBuilder& to, std::string name, ValueId input, const Pads& pads,
               std::string_view mode, float value) {
                return to.pad(std::move(name), input, margins_of(pads), pad_mode_of(mode),
                              {&value, 1});
            },
            arg("name"), arg("input"), arg("pads"), arg("mode"), arg("value"))
        .def("build", &PlanBuilder::build, arg("output"), arg("fused") = true);
    register_moves(builder);
}

}  // namespace nnr::bindings
