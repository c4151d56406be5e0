#include <stdexcept>
#include <utility>

#include "plan.hpp"

namespace nnr::network {
namespace {

constexpr std::size_t kMaxChannels = 1 << 16;
constexpr Index kMaxMargin = 1 << 16;

void require(bool condition, const std::string& name, const std::string& what) {
    if (!condition) throw std::invalid_argument(name + ": " + what);
}

std::vector<float> pack_weights(const ConvWeights& conv, std::size_t out_blocks) {
    const auto [outs, ins, height, width] = conv.shape;
    const std::size_t taps = height * width;
    std::vector<float> packed(out_blocks * taps * ins * kChannelBlock, 0.0f);
    for (std::size_t out = 0; out < outs; ++out)
        for (std::size_t in = 0; in < ins; ++in)
            for (std::size_t tap = 0; tap < taps; ++tap) {
                const std::size_t row = (out / kChannelBlock * taps + tap) * ins + in;
                packed[row * kChannelBlock + out % kChannelBlock] =
                    conv.weights[(out * ins + in) * taps + tap];
            }
    return packed;
}

}  // namespace

PlanBuilder::PlanBuilder(std::size_t in_channels) : channels_{in_channels} {
    require(in_channels > 0, "input", "has no channels");
    require(in_channels <= kMaxChannels, "input", "has more than 65536 channels");
}

ValueId PlanBuilder::append(std::string name, Operation operation, std::vector<ValueId> inputs,
                            std::size_t channels) {
    require(channels <= kMaxChannels, name, "has more than 65536 output channels");
    const ValueId output = channels_.size();
    layers_.push_back({std::move(name), std::move(operation), std::move(inputs), output});
    channels_.push_back(channels);
    return output;
}

std::size_t PlanBuilder::channels_of(const std::string& name, ValueId value) const {
    require(value < channels_.size(), name, "input is not a value yet");
    return channels_[value];
}

std::vector<float> PlanBuilder::one_a_channel(const std::string& name, ValueId input,
                                              std::span<const float> values) const {
    const std::size_t channels = channels_of(name, input);
    if (values.size() == 1) return std::vector<float>(channels, values[0]);
    require(values.size() == channels, name,
            "has " + std::to_string(values.size()) + " constants for an input of " +
                std::to_string(channels) + " channels");
    return {values.begin(), values.end()};
}

std::size_t PlanBuilder::equal_channels(const std::string& name, ValueId first,
                                        ValueId second) const {
    const std::size_t channels = channels_of(name, first);
    const std::size_t others = channels_of(name, second);
    require(channels == others, name,
            "inputs have " + std::to_string(channels) + " and " + std::to_string(others) +
                " channels; wanted equally many");
    return channels;
}

ValueId PlanBuilder::conv(std::string name, ValueId input, const ConvWeights& weights,
                          const PerAxis<Margin>& margins) {
    const auto [outs, ins, height, width] = weights.shape;
    const std::size_t channels = channels_of(name, input);
    require(ins == channels, name,
            "has weights for " + std::to_string(ins) + " input channels, its input has " +
                std::to_string(channels));
    require(outs > 0 && height > 0 && width > 0, name, "has no weights");
    require(weights.weights.size() == outs * ins * height * width, name, "weight shape");
    require(weights.bias.empty() || weights.bias.size() == outs, name,
            "has " + std::to_string(weights.bias.size()) + " biases for " + std::to_string(outs) +
                " output channels");
    const PerAxis<std::size_t> kernel{height, width};
    for (const Axis axis : {Axis::rows, Axis::columns}) {
        const Margin margin = along(margins, axis);
        const auto limit = static_cast<Index>(along(kernel, axis));
        require(margin.before >= 0 && margin.before < limit && margin.after >= 0 &&
                    margin.after < limit,
                name, "is padded by more than its kernel reaches");
    }
    const std::size_t out_blocks = round_up(outs, kChannelBlock) / kChannelBlock;
    std::vector<float> bias(out_blocks * kChannelBlock, 0.0f);
    for (std::size_t i = 0; i < weights.bias.size(); ++i) bias[i] = weights.bias[i];
    Conv conv{kernel, margins, ins, out_blocks, pack_weights(weights, out_blocks), std::move(bias),
              {}};
    return append(std::move(name), std::move(conv), {input}, outs);
}

ValueId PlanBuilder::slope(std::string name, ValueId input, std::span<const float> slopes) {
    Slope slope{one_a_channel(name, input, slopes)};
    return append(std::move(name), std::move(slope), {input}, channels_[input]);
}

ValueId PlanBuilder::affine(std::string name, ValueId input, std::span<const float> scales,
                            std::span<const float> offsets) {
    Affine affine{one_a_channel(name, input, scales), one_a_channel(name, input, offsets)};
    return append(std::move(name), std::move(affine), {input}, channels_[input]);
}

ValueId PlanBuilder::clip(std::string name, ValueId input, float lo, float hi) {
    const std::size_t channels = channels_of(name, input);
    return append(std::move(name), Clip{lo, hi}, {input}, channels);
}

ValueId PlanBuilder::add(std::string name, ValueId first, ValueId second) {
    const std::size_t channels = equal_channels(name, first, second);
    return append(std::move(name), Add{}, {first, second}, channels);
}

ValueId PlanBuilder::mul(std::string name, ValueId first, ValueId second) {
    const std::size_t channels = equal_channels(name, first, second);
    return append(std::move(name), Mul{}, {first, second}, channels);
}

ValueId PlanBuilder::concat(std::string name, std::vector<ValueId> inputs) {
    require(!inputs.empty(), name, "has no inputs");
    std::size_t channels = 0;
    for (const ValueId input : inputs) channels += channels_of(name, input);
    return append(std::move(name), Concat{}, std::move(inputs), channels);
}

ValueId PlanBuilder::slice(std::string name, ValueId input, std::size_t first, std::size_t last) {
    const std::size_t channels = channels_of(name, input);
    require(first < last && last <= channels, name,
            "takes channels " + std::to_string(first) + " to " + std::to_string(last) + " of " +
                std::to_string(channels));
    return append(std::move(name), Slice{first}, {input}, last - first);
}

ValueId PlanBuilder::depth_to_space(std::string name, ValueId input, std::size_t block,
                                    DepthOrder order) {
    const std::size_t channels = channels_of(name, input);
    require(block > 0 && block <= channels && channels % (block * block) == 0, name,
            "cannot spread " + std::to_string(channels) + " channels over blocks of " +
                std::to_string(block) + "x" + std::to_string(block));
    return append(std::move(name), DepthToSpace{block, order}, {input}, channels / (block * block));
}

ValueId PlanBuilder::space_to_depth(std::string name, ValueId input, std::size_t block) {
    constexpr std::size_t kMaxBlock = 64;
    const std::size_t channels = channels_of(name, input);
    require(block > 0 && block <= kMaxBlock, name, "block size must be 1 to 64");
    return append(std::move(name), SpaceToDepth{block}, {input}, channels * block * block);
}

ValueId PlanBuilder::pad(std::string name, ValueId input, const PerAxis<Margin>& margins,
                         PadMode mode, float value) {
    const std::size_t channels = channels_of(name, input);
    for (const Margin& margin : margins)
        for (const Index samples : {margin.before, margin.after})
            require(samples >= 0 && samples <= kMaxMargin, name,
                    "pads by " + std::to_string(samples) + " samples; wanted 0 to 65536");
    return append(std::move(name), Pad{margins, mode, value}, {input}, channels);
}

}  // namespace nnr::network
