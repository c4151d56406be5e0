// The builder of integer networks; docs/integer.md says what its numbers mean.
#include <optional>

#include "network_arguments.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

using namespace nnr::network;

// A class of its own, since pybind11 tells builders apart by their type.
class IntegerBuilder : public PlanBuilder {
public:
    using PlanBuilder::PlanBuilder;
};

using Words = Array<std::int16_t>;
using Integers = Array<std::int32_t>;
// Whether a value is of u8, else i16, and what stands for zero in each channel.
using ValueArguments = std::tuple<bool, Words>;
// bias, multipliers, negative multipliers, addend multipliers or none, lo, hi
using Epilogue =
    std::tuple<Integers, Integers, Integers, std::optional<Integers>, std::int32_t, std::int32_t>;
using Bounds = std::pair<std::int32_t, std::int32_t>;

std::vector<std::int32_t> numbers(const Integers& array) {
    const auto given = view(array);
    return {given.begin(), given.end()};
}

SampleType type_of(const ValueArguments& value) {
    return std::get<0>(value) ? SampleType::u8 : SampleType::i16;
}

IntegerResult result_of(const ValueArguments& value, const Bounds& bounds) {
    const auto zeros = view(std::get<1>(value));
    return {type_of(value), {zeros.begin(), zeros.end()}, bounds.first, bounds.second};
}

IntegerResult result_of(const ValueArguments& value, const Epilogue& epilogue) {
    return result_of(value, Bounds{std::get<4>(epilogue), std::get<5>(epilogue)});
}

IntegerMultipliers multipliers_of(const Epilogue& epilogue) {
    const auto& [bias, multipliers, negative, addend, lo, hi] = epilogue;
    return {numbers(bias), numbers(multipliers), numbers(negative),
            addend ? numbers(*addend) : std::vector<std::int32_t>{}};
}

template <bool kDepthwise>
ValueId py_conv(IntegerBuilder& builder, std::string name, ValueId input,
                std::optional<ValueId> addend, const Words& weights, const Pads& pads,
                const Sides& stride, const Epilogue& epilogue, const ValueArguments& value) {
    const WeightShape shape = weight_shape(weights, kDepthwise);
    const ConvWeights<std::int16_t> given{view(weights), shape};
    const ConvGeometry geometry = geometry_of(shape, pads, stride);
    const IntegerMultipliers multipliers = multipliers_of(epilogue);
    const IntegerResult result = result_of(value, epilogue);
    if constexpr (kDepthwise)
        return builder.integer_depthwise_conv(std::move(name), input, addend, given, geometry,
                                              multipliers, result);
    else
        return builder.integer_conv(std::move(name), input, addend, given, geometry, multipliers,
                                    result);
}

ValueId py_winograd(IntegerBuilder& builder, std::string name, ValueId input,
                    std::optional<ValueId> addend, const Words& weights,
                    const Array<std::uint8_t>& shifts, const Pads& pads,
                    const std::pair<Index, Index>& phase, const Epilogue& epilogue,
                    const ValueArguments& value) {
    const ConvWeights<std::int16_t> given{view(weights), weight_shape(weights, false)};
    return builder.integer_blocks(std::move(name), input, addend, given, view(shifts),
                                  margins_of(pads), {phase.first, phase.second},
                                  multipliers_of(epilogue), result_of(value, epilogue));
}

ValueId py_rescale(IntegerBuilder& builder, std::string name, ValueId input,
                   const Integers& multipliers, const Integers& negative_multipliers,
                   const Integers& offsets, const Bounds& clamp, const ValueArguments& value) {
    return builder.integer_rescale(std::move(name), input, numbers(multipliers),
                                   numbers(negative_multipliers), numbers(offsets),
                                   result_of(value, clamp));
}

ValueId py_add(IntegerBuilder& builder, std::string name, ValueId first, ValueId second,
               const Integers& first_multipliers, const Integers& second_multipliers,
               const Bounds& clamp, const ValueArguments& value) {
    return builder.integer_add(std::move(name), first, second, numbers(first_multipliers),
                               numbers(second_multipliers), result_of(value, clamp));
}

ValueId py_mul(IntegerBuilder& builder, std::string name, ValueId first, ValueId second,
               const Integers& multipliers, const Bounds& clamp, const ValueArguments& value) {
    return builder.integer_multiply(std::move(name), first, second, numbers(multipliers),
                                    result_of(value, clamp));
}

ValueId py_pad(IntegerBuilder& builder, std::string name, ValueId input, const Pads& pads,
               std::string_view mode, const Words& fills) {
    const auto given = view(fills);
    const std::vector<float> values(given.begin(), given.end());
    return builder.pad(std::move(name), input, margins_of(pads), pad_mode_of(mode), values);
}

}  // namespace

void register_integer_network_builder(py::module_& module) {
    using py::arg;
    py::class_<IntegerBuilder> builder(module, "IntegerNetworkBuilder");
    builder
        .def(py::init([](const ValueArguments& value) {
                 const auto zeros = view(std::get<1>(value));
                 return IntegerBuilder(type_of(value), zeros);
             }),
             arg("input"))
        .def("conv", py_conv<false>, arg("name"), arg("input"), arg("addend"),
             arg("weights").noconvert(), arg("pads"), arg("stride"), arg("epilogue"), arg("value"))
        .def("depthwise_conv", py_conv<true>, arg("name"), arg("input"), arg("addend"),
             arg("weights").noconvert(), arg("pads"), arg("stride"), arg("epilogue"), arg("value"))
        .def("winograd", py_winograd, arg("name"), arg("input"), arg("addend"),
             arg("weights").noconvert(), arg("shifts").noconvert(), arg("pads"), arg("phase"),
             arg("epilogue"), arg("value"))
        .def("rescale", py_rescale, arg("name"), arg("input"), arg("multipliers").noconvert(),
             arg("negative_multipliers").noconvert(), arg("offsets").noconvert(), arg("clamp"),
             arg("value"))
        .def("add", py_add, arg("name"), arg("first"), arg("second"),
             arg("first_multipliers").noconvert(), arg("second_multipliers").noconvert(),
             arg("clamp"), arg("value"))
        .def("mul", py_mul, arg("name"), arg("first"), arg("second"),
             arg("multipliers").noconvert(), arg("clamp"), arg("value"))
        .def("pad", py_pad, arg("name"), arg("input"), arg("pads"), arg("mode"),
             arg("fills").noconvert())
        .def(
            "build", [](IntegerBuilder& from, ValueId output) { return from.build(output); },
            arg("output"));
    register_moves(builder);
}

}  // namespace nnr::bindings
