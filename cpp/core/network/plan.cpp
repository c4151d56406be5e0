#include "plan.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace nnr::network {
namespace {

// Drops what the output does not depend on.
void prune(std::vector<Layer>& layers, std::size_t value_count, ValueId output) {
    std::vector<bool> needed(value_count, false);
    needed[output] = true;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
        if (needed[layer->output])
            for (const ValueId input : layer->inputs) needed[input] = true;
    std::erase_if(layers, [&](const Layer& layer) { return !needed[layer.output]; });
}

// An activation whose input is a convolution's only use becomes a part of that convolution.
void fuse_activations(std::vector<Layer>& layers, std::size_t value_count, ValueId output) {
    std::vector<std::size_t> uses(value_count, 0);
    std::vector<Layer*> producers(value_count, nullptr);
    uses[output] = 1;
    for (Layer& layer : layers) {
        producers[layer.output] = &layer;
        for (const ValueId input : layer.inputs) ++uses[input];
    }
    std::vector<bool> fused(value_count, false);
    for (Layer& layer : layers) {
        const auto* slope = std::get_if<Slope>(&layer.operation);
        if (slope == nullptr || uses[layer.inputs[0]] != 1) continue;
        Layer* producer = producers[layer.inputs[0]];
        auto* conv = producer == nullptr ? nullptr : std::get_if<Conv>(&producer->operation);
        if (conv == nullptr || !conv->slopes.empty()) continue;
        conv->slopes = slope->slopes;
        conv->slopes.resize(conv->out_blocks * kChannelBlock, 0.0f);
        fused[layer.output] = true;
        producer->output = layer.output;
    }
    std::erase_if(layers, [&](const Layer& layer) {
        return std::holds_alternative<Slope>(layer.operation) && fused[layer.output];
    });
}

// How many samples of a value lie beside one sample of the input, as a fraction in lowest terms.
struct Scale {
    std::size_t numerator = 1;
    std::size_t denominator = 1;
};

Scale reduced(std::size_t numerator, std::size_t denominator) {
    const std::size_t divisor = std::gcd(numerator, denominator);
    return {numerator / divisor, denominator / divisor};
}

std::size_t find_phase(std::span<const Layer> layers, std::size_t value_count) {
    constexpr std::size_t kMaxPhase = 4096;
    std::vector<Scale> scales(value_count);
    std::size_t phase = 1;
    for (const Layer& layer : layers) {
        Scale scale = scales[layer.inputs[0]];
        if (const auto* space = std::get_if<DepthToSpace>(&layer.operation))
            scale = reduced(scale.numerator * space->block, scale.denominator);
        if (const auto* depth = std::get_if<SpaceToDepth>(&layer.operation))
            scale = reduced(scale.numerator, scale.denominator * depth->block);
        phase = std::lcm(phase, scale.denominator);
        if (std::max({phase, scale.numerator, scale.denominator}) > kMaxPhase)
            throw std::invalid_argument(layer.name + ": the network changes its resolution by "
                                                     "more than 4096");
        scales[layer.output] = scale;
    }
    return phase;
}

}  // namespace

Plan PlanBuilder::build(ValueId output) const {
    if (output >= channels_.size()) throw std::invalid_argument("output is not a value");
    Plan plan;
    plan.layers_ = layers_;
    plan.channels_ = channels_;
    plan.output_ = output;
    prune(plan.layers_, channels_.size(), output);
    fuse_activations(plan.layers_, channels_.size(), output);
    plan.phase_ = find_phase(plan.layers_, channels_.size());
    return plan;
}

}  // namespace nnr::network
