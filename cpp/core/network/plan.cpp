#include "plan.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <utility>

#include "builder.hpp"
#include "geometry.hpp"
#include "tiling_memory.hpp"

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

struct Uses {
    std::vector<std::size_t> count;
    std::vector<std::size_t> producer;  // layers.size() where there is none
};

Uses uses_of(const std::vector<Layer>& layers, std::size_t value_count, ValueId output) {
    Uses uses{std::vector<std::size_t>(value_count, 0),
              std::vector<std::size_t>(value_count, layers.size())};
    uses.count[output] = 1;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        uses.producer[layers[i].output] = i;
        for (const ValueId input : layers[i].inputs) ++uses.count[input];
    }
    return uses;
}

std::vector<float>* slopes_of(Operation& operation) {
    if (auto* conv = std::get_if<Conv>(&operation)) return &conv->slopes;
    if (auto* conv = std::get_if<DepthwiseConv>(&operation)) return &conv->slopes;
    return nullptr;
}

// The layer that `layer` becomes a part of, when it can: the producer of an input that nothing else
// reads. An activation, or another value that is added to a convolution without one.
std::optional<std::size_t> host_of(std::vector<Layer>& layers, std::size_t index,
                                   const Uses& uses) {
    const Layer& layer = layers[index];
    const bool activates = std::holds_alternative<Slope>(layer.operation);
    if (!activates && !std::holds_alternative<Add>(layer.operation)) return std::nullopt;
    std::optional<std::size_t> host;
    for (const ValueId input : layer.inputs) {
        const std::size_t producer = uses.producer[input];
        if (producer == layers.size() || uses.count[input] != 1) continue;
        const std::vector<float>* slopes = slopes_of(layers[producer].operation);
        if (slopes == nullptr || !slopes->empty()) continue;
        if (!activates && layers[producer].inputs.size() > 1) continue;
        // The later of two convolutions, so that what it adds is there already.
        if (!host || producer > *host) host = producer;
    }
    if (host && !activates) {
        const ValueId own = layers[*host].output;
        const ValueId other = layer.inputs[0] == own ? layer.inputs[1] : layer.inputs[0];
        const std::size_t producer = uses.producer[other];
        if (producer != layers.size() && producer > *host) return std::nullopt;
    }
    return host;
}

// Activations and sums become parts of the convolutions before them.
void fuse(std::vector<Layer>& layers, std::size_t value_count, ValueId output) {
    for (std::size_t i = 0; i < layers.size();) {
        const Uses uses = uses_of(layers, value_count, output);
        const auto host = host_of(layers, i, uses);
        if (!host) {
            ++i;
            continue;
        }
        Layer& conv = layers[*host];
        if (auto* slope = std::get_if<Slope>(&layers[i].operation)) {
            slope->slopes.resize(round_up(slope->slopes.size(), kChannelBlock), 0.0f);
            *slopes_of(conv.operation) = std::move(slope->slopes);
        } else {
            const auto [first, second] = std::pair(layers[i].inputs[0], layers[i].inputs[1]);
            conv.inputs.push_back(first == conv.output ? second : first);
        }
        conv.output = layers[i].output;
        layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(i));
    }
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
        if (const ConvGeometry* conv = conv_geometry(layer.operation))
            scale = reduced(scale.numerator, scale.denominator * std::lcm(conv->stride[0],
                                                                          conv->stride[1]));
        phase = std::lcm(phase, scale.denominator);
        if (std::max({phase, scale.numerator, scale.denominator}) > kMaxPhase)
            throw std::invalid_argument(layer.name + ": the network changes its resolution by "
                                                     "more than 4096");
        scales[layer.output] = scale;
    }
    return phase;
}

// Where blocks lie is a property of the plan, so that the result does not depend on how it is cut.
void place_blocks(std::vector<Layer>& layers, std::size_t value_count, ValueId output,
                  std::size_t multiple) {
    const std::vector<Phase> phases = end_phases(layers, value_count, output, multiple);
    for (Layer& layer : layers)
        if (auto* conv = std::get_if<Conv>(&layer.operation)) conv->phase = phases[layer.output];
}

}  // namespace

std::vector<Phase> end_phases(std::span<const Layer> layers, std::size_t value_count,
                              ValueId output, std::size_t multiple) {
    constexpr Index kBlock = kWinogradOutputs;
    std::vector<Phase> phases(value_count, Phase{0, 0});
    for (const Axis axis : {Axis::rows, Axis::columns}) {
        // Far from both ends of an image, the output up to a multiple of everything.
        const Index begin = static_cast<Index>(multiple) << 24, end = begin + begin;
        std::vector<Interval> parts(value_count);
        parts[output] = {begin, end};
        for (const Layer& layer : std::views::reverse(layers)) {
            if (parts[layer.output].empty()) continue;
            const Interval& part = parts[layer.output];
            const bool adds = conv_geometry(layer.operation) != nullptr;
            for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
                Interval& seen = parts[layer.inputs[i]];
                seen = hull(seen, adds && i > 0 ? part
                                                : input_interval(layer.operation, axis, part,
                                                                 end << 8));
            }
        }
        for (std::size_t value = 0; value < value_count; ++value)
            along(phases[value], axis) = parts[value].end % kBlock;
    }
    return phases;
}

Plan PlanBuilder::build(ValueId output, bool fused) {
    if (output >= values_.size()) throw std::invalid_argument("output is not a value");
    Plan plan;
    plan.layers_ = std::exchange(layers_, {});
    plan.values_ = std::exchange(values_, {});
    plan.output_ = output;
    const std::size_t values = plan.values_.size();
    prune(plan.layers_, values, output);
    if (fused) fuse(plan.layers_, values, output);
    plan.phase_ = find_phase(plan.layers_, values);
    place_blocks(plan.layers_, values, output, plan.phase_);
    plan.memory_ = std::make_shared<TilingMemory>();
    return plan;
}

}  // namespace nnr::network
