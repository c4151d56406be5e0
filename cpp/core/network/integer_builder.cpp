#include <algorithm>
#include <limits>
#include <utility>

#include "builder.hpp"
#include "require.hpp"

namespace nnr::network {
namespace {

std::vector<std::int32_t> filled_up(const std::string& name, std::vector<std::int32_t> values,
                                    std::size_t channels) {
    require(values.size() == channels, name,
            "has " + std::to_string(values.size()) + " numbers for " + std::to_string(channels) +
                " output channels");
    values.resize(round_up(channels, kChannelBlock), 0);
    return values;
}

template <class Weight>
std::vector<Weight> packed(const ConvWeights<std::int16_t>& weights, bool thin) {
    constexpr std::size_t group = sizeof(std::int32_t) / sizeof(Weight);
    return thin ? pack_thin<Weight>(weights.weights, weights.shape)
                : pack_blocks<Weight>(weights.weights, weights.shape, group);
}

}  // namespace

const Value& PlanBuilder::integer_value(const std::string& name, ValueId value) const {
    require(value_of(name, value).type != SampleType::f32, name, "its input must be of integers");
    return values_[value];
}

Value PlanBuilder::result_value(const std::string& name, const IntegerResult& result,
                                std::size_t channels) const {
    require(result.type != SampleType::f32, name, "its result must be of integers");
    require(result.zeros.size() == channels, name, "has not one zero point a channel");
    const bool bytes = result.type == SampleType::u8;
    const std::int32_t lowest = bytes ? 0 : std::numeric_limits<std::int16_t>::min();
    const std::int32_t highest = bytes ? 255 : std::numeric_limits<std::int16_t>::max();
    require(lowest <= result.lo && result.lo <= result.hi && result.hi <= highest, name,
            "its bounds are beyond its type");
    Value value{channels, result.type, {}};
    for (const std::int32_t zero : result.zeros) {
        require(bytes ? zero >= 0 && zero <= 255 : zero == 0, name, "has a zero point that cannot be");
        value.zeros.push_back(static_cast<std::int16_t>(zero));
    }
    return value;
}

IntegerScaling PlanBuilder::scaling(const std::string& name, const IntegerMultipliers& multipliers,
                                    const IntegerResult& result, std::size_t channels,
                                    std::optional<ValueId> addend) const {
    IntegerScaling scaling{filled_up(name, multipliers.bias, channels),
                           filled_up(name, multipliers.multipliers, channels),
                           filled_up(name, multipliers.negative_multipliers, channels),
                           filled_up(name, result.zeros, channels),
                           {},
                           {},
                           result.lo,
                           result.hi};
    if (!addend) return scaling;
    const Value& value = integer_value(name, *addend);
    require(value.channels == channels, name, "its addend differs in channels");
    scaling.addend_multipliers = filled_up(name, multipliers.addend_multipliers, channels);
    scaling.addend_zeros = zeros_of(*addend);
    return scaling;
}

std::vector<std::int32_t> PlanBuilder::zeros_of(ValueId id) const {
    const Value& value = values_[id];
    std::vector<std::int32_t> zeros(value.pixel_stride(), 0);
    for (std::size_t c = 0; c < value.channels; ++c) zeros[c] = value.zero(c);
    return zeros;
}

ValueId PlanBuilder::integer_conv(std::string name, ValueId input, std::optional<ValueId> addend,
                                  const ConvWeights<std::int16_t>& weights,
                                  const ConvGeometry& geometry,
                                  const IntegerMultipliers& multipliers,
                                  const IntegerResult& result) {
    const Value& value = integer_value(name, input);
    check_conv(name, geometry, weights.shape, weights.weights.size(), 0, value.channels);
    const std::size_t outs = weights.shape[0];
    const bool thin = outs <= kMaxThinOutputs && value.channels % kThinIntegerChannels == 0;
    IntegerDirectConv conv{geometry,
                           thin ? ConvMethod::thin : ConvMethod::direct,
                           value.channels,
                           outs,
                           round_up(outs, kChannelBlock) / kChannelBlock,
                           {},
                           {},
                           scaling(name, multipliers, result, outs, addend)};
    if (value.type == SampleType::u8) {
        require(std::ranges::all_of(weights.weights,
                                    [](std::int16_t w) { return w >= -128 && w <= 127; }),
                name, "has weights of more than 8 bits for an input of 8 bits");
        conv.byte_weights = packed<std::int8_t>(weights, thin);
    } else {
        conv.word_weights = packed<std::int16_t>(weights, thin);
    }
    std::vector<ValueId> inputs{input};
    if (addend) inputs.push_back(*addend);
    Value output = result_value(name, result, outs);
    return append(std::move(name), std::move(conv), std::move(inputs), std::move(output));
}

ValueId PlanBuilder::integer_depthwise_conv(std::string name, ValueId input,
                                            std::optional<ValueId> addend,
                                            const ConvWeights<std::int16_t>& weights,
                                            const ConvGeometry& geometry,
                                            const IntegerMultipliers& multipliers,
                                            const IntegerResult& result) {
    const std::size_t channels = integer_value(name, input).channels;
    const auto [outs, one, height, width] = weights.shape;
    require(outs == channels, name, "has not the channels of its input");
    check_conv(name, geometry, weights.shape, weights.weights.size(), 0, one);
    IntegerDepthwiseConv conv{geometry,
                              pack_depthwise(weights.weights, channels, height * width),
                              scaling(name, multipliers, result, channels, addend)};
    Value output = result_value(name, result, channels);
    std::vector<ValueId> inputs{input};
    if (addend) inputs.push_back(*addend);
    return append(std::move(name), std::move(conv), std::move(inputs), std::move(output));
}

ValueId PlanBuilder::integer_blocks(std::string name, ValueId input, std::optional<ValueId> addend,
                                    const ConvWeights<std::int16_t>& weights,
                                    std::span<const std::uint8_t> shifts,
                                    const PerAxis<Margin>& margins, const Phase& phase,
                                    const IntegerMultipliers& multipliers,
                                    const IntegerResult& result) {
    const Value& value = integer_value(name, input);
    require(value.type == SampleType::u8, name, "computes blocks of an input of 8 bits alone");
    const auto [height, width, outs, ins] = weights.shape;
    require(height == kWinogradInputs && width == kWinogradInputs, name, "weight shape");
    const ConvGeometry geometry{{3, 3}, margins, {1, 1}};
    check_conv(name, geometry, {outs, ins, 3, 3}, weights.weights.size() / kWinogradPositions * 9,
               0, value.channels);
    require(weights.weights.size() == kWinogradPositions * outs * ins, name, "weight shape");
    require(shifts.size() == kWinogradPositions, name, "has not one shift a position");
    for (const Index place : phase) require(place >= 0 && place < 4, name, "phase must be 0 to 3");
    IntegerBlocks blocks{geometry,
                         ins,
                         round_up(outs, kChannelBlock) / kChannelBlock,
                         pack_positions(weights.weights, outs, ins),
                         std::vector<std::int16_t>(round_up(ins, kChannelBlock), 0),
                         {},
                         scaling(name, multipliers, result, outs, addend),
                         phase};
    for (std::size_t c = 0; c < ins; ++c) blocks.in_zeros[c] = value.zero(c);
    for (std::size_t i = 0; i < kWinogradPositions; ++i) {
        require(shifts[i] >= 1 && shifts[i] <= 24, name, "shifts must be 1 to 24");
        blocks.shifts[i] = shifts[i];
    }
    std::vector<ValueId> inputs{input};
    if (addend) inputs.push_back(*addend);
    Value output = result_value(name, result, outs);
    return append(std::move(name), std::move(blocks), std::move(inputs), std::move(output));
}

ValueId PlanBuilder::integer_rescale(std::string name, ValueId input,
                                     std::vector<std::int32_t> multipliers,
                                     std::vector<std::int32_t> negative_multipliers,
                                     std::vector<std::int32_t> offsets,
                                     const IntegerResult& result) {
    const std::size_t channels = integer_value(name, input).channels;
    IntegerRescale rescale{filled_up(name, std::move(multipliers), channels),
                           filled_up(name, std::move(negative_multipliers), channels),
                           filled_up(name, std::move(offsets), channels),
                           zeros_of(input),
                           {},
                           filled_up(name, result.zeros, channels),
                           result.lo,
                           result.hi};
    Value output = result_value(name, result, channels);
    return append(std::move(name), std::move(rescale), {input}, std::move(output));
}

ValueId PlanBuilder::integer_add(std::string name, ValueId first, ValueId second,
                                 std::vector<std::int32_t> first_multipliers,
                                 std::vector<std::int32_t> second_multipliers,
                                 const IntegerResult& result) {
    integer_value(name, first), integer_value(name, second);
    const std::size_t channels = equal_channels(name, first, second).channels;
    IntegerRescale sum{filled_up(name, std::move(first_multipliers), channels),
                       filled_up(name, std::move(second_multipliers), channels),
                       {},
                       zeros_of(first),
                       zeros_of(second),
                       filled_up(name, result.zeros, channels),
                       result.lo,
                       result.hi};
    Value output = result_value(name, result, channels);
    return append(std::move(name), std::move(sum), {first, second}, std::move(output));
}

ValueId PlanBuilder::integer_multiply(std::string name, ValueId first, ValueId second,
                                      std::vector<std::int32_t> multipliers,
                                      const IntegerResult& result) {
    integer_value(name, first), integer_value(name, second);
    const std::size_t channels = equal_channels(name, first, second).channels;
    IntegerMultiply product{filled_up(name, std::move(multipliers), channels),
                            filled_up(name, result.zeros, channels), result.lo, result.hi};
    Value output = result_value(name, result, channels);
    return append(std::move(name), std::move(product), {first, second}, std::move(output));
}

}  // namespace nnr::network
