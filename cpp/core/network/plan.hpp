// A network made ready for execution: validated, simplified, weights packed. It does not know the
// size of an image; the tiling does.
#pragma once

#include <span>

#include "operations.hpp"

namespace nnr::network {

constexpr std::size_t round_up(std::size_t count, std::size_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

class Plan {
public:
    // In the order of execution; each is needed for the output.
    std::span<const Layer> layers() const { return layers_; }
    std::size_t value_count() const { return channels_.size(); }
    std::size_t channels(ValueId value) const { return channels_[value]; }
    // Floats from a pixel to the next.
    std::size_t pixel_stride(ValueId value) const {
        return round_up(channels_[value], kChannelBlock);
    }

    static constexpr ValueId input() { return 0; }
    ValueId output() const { return output_; }

    // Height and width of an image must be multiples of this.
    std::size_t phase() const { return phase_; }

private:
    friend class PlanBuilder;
    std::vector<Layer> layers_;
    std::vector<std::size_t> channels_;
    ValueId output_ = 0;
    std::size_t phase_ = 1;
};

// Weights in ONNX's order (out channel, in channel, kernel row, kernel column); no bias if empty.
struct ConvWeights {
    std::span<const float> weights;
    std::array<std::size_t, 4> shape;
    std::span<const float> bias;
};

// Takes layers one by one and returns the number of the value each gives; value 0 is the input.
// What cannot be is a std::invalid_argument that begins with the layer's name.
class PlanBuilder {
public:
    explicit PlanBuilder(std::size_t in_channels);

    ValueId conv(std::string name, ValueId input, const ConvWeights& weights,
                 const PerAxis<Margin>& margins);
    // One number for all channels, or one a channel.
    ValueId slope(std::string name, ValueId input, std::span<const float> slopes);
    ValueId affine(std::string name, ValueId input, std::span<const float> scales,
                   std::span<const float> offsets);
    ValueId clip(std::string name, ValueId input, float lo, float hi);
    ValueId add(std::string name, ValueId first, ValueId second);
    ValueId mul(std::string name, ValueId first, ValueId second);
    ValueId concat(std::string name, std::vector<ValueId> inputs);
    ValueId slice(std::string name, ValueId input, std::size_t first, std::size_t last);
    ValueId depth_to_space(std::string name, ValueId input, std::size_t block, DepthOrder order);
    ValueId space_to_depth(std::string name, ValueId input, std::size_t block);
    ValueId pad(std::string name, ValueId input, const PerAxis<Margin>& margins, PadMode mode,
                float value);

    Plan build(ValueId output) const;

private:
    ValueId append(std::string name, Operation operation, std::vector<ValueId> inputs,
                   std::size_t channels);
    std::size_t channels_of(const std::string& name, ValueId value) const;
    std::vector<float> one_a_channel(const std::string& name, ValueId input,
                                     std::span<const float> values) const;
    std::size_t equal_channels(const std::string& name, ValueId first, ValueId second) const;

    std::vector<Layer> layers_;
    std::vector<std::size_t> channels_;
};

}  // namespace nnr::network
