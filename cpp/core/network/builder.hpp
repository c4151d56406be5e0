// Takes the layers of a network one by one and makes a plan of them.
#pragma once

#include <optional>

#include "plan.hpp"

namespace nnr::network {

// Weights in ONNX's order (out channel, in channel, kernel row, kernel column), of depthwise
// convolutions without the in channel; no bias if empty.
template <class Weight>
struct ConvWeights {
    std::span<const Weight> weights;
    WeightShape shape;
    std::span<const Weight> bias{};
};

// What an integer layer makes of its sums; one number a channel.
struct IntegerResult {
    SampleType type;
    std::vector<std::int32_t> zeros;
    std::int32_t lo;
    std::int32_t hi;
};

struct IntegerMultipliers {
    std::vector<std::int32_t> bias;
    std::vector<std::int32_t> multipliers;
    std::vector<std::int32_t> negative_multipliers;
    std::vector<std::int32_t> addend_multipliers;  // empty where there is no addend
};

// Returns the number of the value that each layer gives; value 0 is the input. What cannot be is a
// std::invalid_argument that begins with the layer's name.
class PlanBuilder {
public:
    explicit PlanBuilder(std::size_t in_channels);  // of floats
    PlanBuilder(SampleType type, std::span<const std::int16_t> zeros);

    ValueId conv(std::string name, ValueId input, const ConvWeights<float>& weights,
                 const ConvGeometry& geometry);
    ValueId depthwise_conv(std::string name, ValueId input, const ConvWeights<float>& weights,
                           const ConvGeometry& geometry);
    // One number for all channels, or one a channel.
    ValueId slope(std::string name, ValueId input, std::span<const float> slopes);
    ValueId affine(std::string name, ValueId input, std::span<const float> scales,
                   std::span<const float> offsets);
    ValueId clip(std::string name, ValueId input, float lo, float hi);
    ValueId add(std::string name, ValueId first, ValueId second);
    ValueId mul(std::string name, ValueId first, ValueId second);

    // These move samples, of any type.
    ValueId concat(std::string name, std::vector<ValueId> inputs);
    ValueId slice(std::string name, ValueId input, std::size_t first, std::size_t last);
    ValueId crop(std::string name, ValueId input, const PerAxis<Margin>& margins);
    ValueId depth_to_space(std::string name, ValueId input, std::size_t block, DepthOrder order);
    ValueId space_to_depth(std::string name, ValueId input, std::size_t block);
    // `values` is for the mode constant: one number for all channels, or one a channel.
    ValueId pad(std::string name, ValueId input, const PerAxis<Margin>& margins, PadMode mode,
                std::span<const float> values);

    // Integer layers. Bounds of sums are the caller's to keep.
    ValueId integer_conv(std::string name, ValueId input, std::optional<ValueId> addend,
                         const ConvWeights<std::int16_t>& weights, const ConvGeometry& geometry,
                         const IntegerMultipliers& multipliers, const IntegerResult& result);
    ValueId integer_depthwise_conv(std::string name, ValueId input, std::optional<ValueId> addend,
                                   const ConvWeights<std::int16_t>& weights,
                                   const ConvGeometry& geometry,
                                   const IntegerMultipliers& multipliers,
                                   const IntegerResult& result);
    // Weights of shape (6, 6, out channel, in channel), shifts (6, 6).
    ValueId integer_blocks(std::string name, ValueId input, std::optional<ValueId> addend,
                           const ConvWeights<std::int16_t>& weights,
                           std::span<const std::uint8_t> shifts,
                           const PerAxis<Margin>& margins, const Phase& phase,
                           const IntegerMultipliers& multipliers, const IntegerResult& result);
    ValueId integer_rescale(std::string name, ValueId input, std::vector<std::int32_t> multipliers,
                            std::vector<std::int32_t> negative_multipliers,
                            std::vector<std::int32_t> offsets, const IntegerResult& result);
    ValueId integer_add(std::string name, ValueId first, ValueId second,
                        std::vector<std::int32_t> first_multipliers,
                        std::vector<std::int32_t> second_multipliers, const IntegerResult& result);
    ValueId integer_multiply(std::string name, ValueId first, ValueId second,
                             std::vector<std::int32_t> multipliers, const IntegerResult& result);

    // Uses up the builder. A plan that is not fused computes every layer on its own, and so the values in
    // between as they are defined.
    Plan build(ValueId output, bool fused = true);

private:
    ValueId append(std::string name, Operation operation, std::vector<ValueId> inputs, Value value);
    const Value& value_of(const std::string& name, ValueId value) const;
    const Value& float_value(const std::string& name, ValueId value) const;
    const Value& integer_value(const std::string& name, ValueId value) const;
    std::vector<float> one_a_channel(const std::string& name, ValueId input,
                                     std::span<const float> values) const;
    const Value& equal_channels(const std::string& name, ValueId first, ValueId second) const;
    Value result_value(const std::string& name, const IntegerResult& result,
                       std::size_t channels) const;
    std::vector<std::int32_t> zeros_of(ValueId value) const;
    IntegerScaling scaling(const std::string& name, const IntegerMultipliers& multipliers,
                           const IntegerResult& result, std::size_t channels,
                           std::optional<ValueId> addend) const;

    std::vector<Layer> layers_;
    std::vector<Value> values_;
};

}  // namespace nnr::network
