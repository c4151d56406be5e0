#include "builder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "packing.hpp"
#include "require.hpp"

namespace nnr::network {
namespace {

constexpr std::size_t kMaxChannels = 1 << 16;
constexpr Index kMaxMargin = 1 << 16;
constexpr std::size_t kMaxKernel = 64;
constexpr std::size_t kMaxStride = 64;
// Below, the transforms take longer than the products they save.
constexpr std::size_t kLeastBlockChannels = 8;

void check_margins(const std::string& name, const PerAxis<Margin>& margins, const char* what) {
    for (const Margin& margin : margins)
        for (const Index samples : {margin.before, margin.after})
            require(samples >= 0 && samples <= kMaxMargin, name,
                    what + (" by " + std::to_string(samples)) + " samples; wanted 0 to 65536");
}

ConvMethod method_of(const ConvGeometry& geometry, std::size_t ins, std::size_t outs) {
    const bool is_3x3 = geometry.kernel == PerAxis<std::size_t>{3, 3} &&
                        geometry.stride == PerAxis<std::size_t>{1, 1};
    if (outs <= kMaxThinOutputs && ins % kChannelBlock == 0) return ConvMethod::thin;
    if (is_3x3 && ins >= kLeastBlockChannels && outs >= kLeastBlockChannels)
        return ConvMethod::blocks;
    return ConvMethod::direct;
}

std::vector<float> pack_weights(const ConvWeights<float>& conv, ConvMethod method) {
    if (method == ConvMethod::thin) return pack_thin<float>(conv.weights, conv.shape);
    if (method == ConvMethod::blocks) return pack_winograd(conv.weights, conv.shape);
    return pack_blocks<float>(conv.weights, conv.shape, 1);
}

// A constant as a sample of its type; of integers, it must be one.
template <class Sample>
Sample sample_of(const std::string& name, float value) {
    if constexpr (std::is_integral_v<Sample>) {
        constexpr auto lowest = static_cast<float>(std::numeric_limits<Sample>::min());
        constexpr auto highest = static_cast<float>(std::numeric_limits<Sample>::max());
        require(value >= lowest && value <= highest && value == std::trunc(value), name,
                "has a constant that is no sample of its input");
    }
    return static_cast<Sample>(value);
}

std::vector<float> filled_up(std::span<const float> values, std::size_t channels) {
    std::vector<float> filled(round_up(channels, kChannelBlock), 0.0f);
    std::copy(values.begin(), values.end(), filled.begin());
    return filled;
}

}  // namespace

void check_conv(const std::string& name, const ConvGeometry& geometry, const WeightShape& shape,
                std::size_t weights, std::size_t biases, std::size_t channels) {
    const auto [outs, ins, height, width] = shape;
    require(ins == channels, name,
            "has weights for " + std::to_string(ins) + " input channels, its input has " +
                std::to_string(channels));
    require(outs > 0 && height > 0 && width > 0, name, "has no weights");
    require(height <= kMaxKernel && width <= kMaxKernel, name, "has a kernel of more than 64");
    require(geometry.kernel == PerAxis<std::size_t>{height, width}, name, "kernel shape");
    require(weights == outs * ins * height * width, name, "weight shape");
    require(biases == 0 || biases == outs, name,
            "has " + std::to_string(biases) + " biases for " + std::to_string(outs) +
                " output channels");
    for (const Axis axis : {Axis::rows, Axis::columns}) {
        const Margin margin = along(geometry.margins, axis);
        const auto limit = static_cast<Index>(along(geometry.kernel, axis));
        require(margin.before >= 0 && margin.before < limit && margin.after >= 0 &&
                    margin.after < limit,
                name, "is padded by more than its kernel reaches");
        require(along(geometry.stride, axis) >= 1 && along(geometry.stride, axis) <= kMaxStride,
                name, "stride must be 1 to 64");
    }
}

PlanBuilder::PlanBuilder(std::size_t in_channels) : values_{{in_channels}} {
    require(in_channels > 0, "input", "has no channels");
    require(in_channels <= kMaxChannels, "input", "has more than 65536 channels");
}

PlanBuilder::PlanBuilder(SampleType type, std::span<const std::int16_t> zeros)
    : PlanBuilder(zeros.size()) {
    const std::int16_t most = type == SampleType::u8 ? 255 : 0;
    for (const std::int16_t zero : zeros)
        require(zero >= 0 && zero <= most, "input", "has a zero point that cannot be");
    values_[0] = {zeros.size(), type, {zeros.begin(), zeros.end()}};
}

ValueId PlanBuilder::append(std::string name, Operation operation, std::vector<ValueId> inputs,
                            Value value) {
    require(value.channels <= kMaxChannels, name, "has more than 65536 output channels");
    const ValueId output = values_.size();
    layers_.push_back({std::move(name), std::move(operation), std::move(inputs), output});
    values_.push_back(std::move(value));
    return output;
}

const Value& PlanBuilder::value_of(const std::string& name, ValueId value) const {
    require(value < values_.size(), name, "input is not a value yet");
    return values_[value];
}

const Value& PlanBuilder::float_value(const std::string& name, ValueId value) const {
    require(value_of(name, value).type == SampleType::f32, name, "its input must be of floats");
    return values_[value];
}

std::vector<float> PlanBuilder::one_a_channel(const std::string& name, ValueId input,
                                              std::span<const float> values) const {
    const std::size_t channels = value_of(name, input).channels;
    if (values.size() == 1) return std::vector<float>(channels, values[0]);
    require(values.size() == channels, name,
            "has " + std::to_string(values.size()) + " constants for an input of " +
                std::to_string(channels) + " channels");
    return {values.begin(), values.end()};
}

const Value& PlanBuilder::equal_channels(const std::string& name, ValueId first,
                                         ValueId second) const {
    const std::size_t channels = value_of(name, first).channels;
    const std::size_t others = value_of(name, second).channels;
    require(channels == others, name,
            "inputs have " + std::to_string(channels) + " and " + std::to_string(others) +
                " channels; wanted equally many");
    return values_[first];
}

ValueId PlanBuilder::conv(std::string name, ValueId input, const ConvWeights<float>& weights,
                          const ConvGeometry& geometry) {
    const std::size_t ins = float_value(name, input).channels;
    check_conv(name, geometry, weights.shape, weights.weights.size(), weights.bias.size(), ins);
    const std::size_t outs = weights.shape[0];
    const ConvMethod method = method_of(geometry, ins, outs);
    Conv conv{geometry,
              method,
              ins,
              outs,
              round_up(outs, kChannelBlock) / kChannelBlock,
              pack_weights(weights, method),
              filled_up(weights.bias, outs),
              {},
              {}};
    return append(std::move(name), std::move(conv), {input}, {outs});
}

ValueId PlanBuilder::depthwise_conv(std::string name, ValueId input,
                                    const ConvWeights<float>& weights,
                                    const ConvGeometry& geometry) {
    const std::size_t channels = float_value(name, input).channels;
    const auto [outs, one, height, width] = weights.shape;
    require(outs == channels, name,
            "has weights for " + std::to_string(outs) + " channels, its input has " +
                std::to_string(channels));
    check_conv(name, geometry, weights.shape, weights.weights.size(), weights.bias.size(), one);
    DepthwiseConv conv{geometry, round_up(channels, kChannelBlock) / kChannelBlock,
                       pack_depthwise(weights.weights, channels, height * width),
                       filled_up(weights.bias, channels),
                       {}};
    return append(std::move(name), std::move(conv), {input}, {channels});
}

ValueId PlanBuilder::slope(std::string name, ValueId input, std::span<const float> slopes) {
    const std::size_t channels = float_value(name, input).channels;
    Slope slope{one_a_channel(name, input, slopes)};
    return append(std::move(name), std::move(slope), {input}, {channels});
}

ValueId PlanBuilder::affine(std::string name, ValueId input, std::span<const float> scales,
                            std::span<const float> offsets) {
    const std::size_t channels = float_value(name, input).channels;
    Affine affine{one_a_channel(name, input, scales), one_a_channel(name, input, offsets)};
    return append(std::move(name), std::move(affine), {input}, {channels});
}

ValueId PlanBuilder::clip(std::string name, ValueId input, float lo, float hi) {
    const std::size_t channels = float_value(name, input).channels;
    return append(std::move(name), Clip{lo, hi}, {input}, {channels});
}

ValueId PlanBuilder::add(std::string name, ValueId first, ValueId second) {
    float_value(name, first), float_value(name, second);
    const std::size_t channels = equal_channels(name, first, second).channels;
    return append(std::move(name), Add{}, {first, second}, {channels});
}

ValueId PlanBuilder::mul(std::string name, ValueId first, ValueId second) {
    float_value(name, first), float_value(name, second);
    const std::size_t channels = equal_channels(name, first, second).channels;
    return append(std::move(name), Mul{}, {first, second}, {channels});
}

ValueId PlanBuilder::concat(std::string name, std::vector<ValueId> inputs) {
    require(!inputs.empty(), name, "has no inputs");
    Value joined{0, value_of(name, inputs[0]).type, {}};
    for (const ValueId input : inputs) {
        const Value& value = value_of(name, input);
        require(value.type == joined.type, name, "its inputs differ in type");
        for (std::size_t c = 0; c < value.channels; ++c) joined.zeros.push_back(value.zero(c));
        joined.channels += value.channels;
        require(joined.channels <= kMaxChannels, name, "has more than 65536 output channels");
    }
    return append(std::move(name), Concat{}, std::move(inputs), std::move(joined));
}

ValueId PlanBuilder::slice(std::string name, ValueId input, std::size_t first, std::size_t last) {
    const Value& value = value_of(name, input);
    require(first < last && last <= value.channels, name,
            "takes channels " + std::to_string(first) + " to " + std::to_string(last) + " of " +
                std::to_string(value.channels));
    Value part{last - first, value.type, {}};
    for (std::size_t c = first; c < last; ++c) part.zeros.push_back(value.zero(c));
    return append(std::move(name), Slice{first}, {input}, std::move(part));
}

ValueId PlanBuilder::crop(std::string name, ValueId input, const PerAxis<Margin>& margins) {
    Value value = value_of(name, input);
    check_margins(name, margins, "crops");
    return append(std::move(name), Crop{margins}, {input}, std::move(value));
}

ValueId PlanBuilder::depth_to_space(std::string name, ValueId input, std::size_t block,
                                    DepthOrder order) {
    const Value& value = value_of(name, input);
    require(block > 0 && block <= value.channels && value.channels % (block * block) == 0, name,
            "cannot spread " + std::to_string(value.channels) + " channels over blocks of " +
                std::to_string(block) + "x" + std::to_string(block));
    const std::size_t channels = value.channels / (block * block);
    Value spread{channels, value.type, {}};
    for (std::size_t c = 0; c < channels; ++c) {
        const auto source = [&](std::size_t phase) {
            return order == DepthOrder::block_major ? phase * channels + c
                                                    : c * block * block + phase;
        };
        spread.zeros.push_back(value.zero(source(0)));
        for (std::size_t phase = 1; phase < block * block; ++phase)
            require(value.zero(source(phase)) == spread.zeros[c], name,
                    "spreads channels of different zero points");
    }
    return append(std::move(name), DepthToSpace{block, order}, {input}, std::move(spread));
}

ValueId PlanBuilder::space_to_depth(std::string name, ValueId input, std::size_t block) {
    constexpr std::size_t kMaxBlock = 64;
    const Value& value = value_of(name, input);
    require(block > 0 && block <= kMaxBlock, name, "block size must be 1 to 64");
    Value gathered{value.channels * block * block, value.type, {}};
    require(gathered.channels <= kMaxChannels, name, "has more than 65536 output channels");
    for (std::size_t c = 0; c < gathered.channels; ++c)
        gathered.zeros.push_back(value.zero(c % value.channels));
    return append(std::move(name), SpaceToDepth{block}, {input}, std::move(gathered));
}

ValueId PlanBuilder::pad(std::string name, ValueId input, const PerAxis<Margin>& margins,
                         PadMode mode, std::span<const float> values) {
    Value value = value_of(name, input);
    check_margins(name, margins, "pads");
    std::vector<std::byte> pixel(value.channels * sample_size(value.type));
    if (mode == PadMode::constant) {
        const std::vector<float> samples = one_a_channel(name, input, values);
        const auto fill = [&]<class Sample>(Sample* to) {
            for (std::size_t c = 0; c < value.channels; ++c)
                to[c] = sample_of<Sample>(name, samples[c]);
        };
        if (value.type == SampleType::f32) fill(reinterpret_cast<float*>(pixel.data()));
        if (value.type == SampleType::u8) fill(reinterpret_cast<std::uint8_t*>(pixel.data()));
        if (value.type == SampleType::i16) fill(reinterpret_cast<std::int16_t*>(pixel.data()));
    }
    return append(std::move(name), Pad{margins, mode, std::move(pixel)}, {input},
                  std::move(value));
}

}  // namespace nnr::network
