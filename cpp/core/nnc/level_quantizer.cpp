#include "level_quantizer.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "../../dispatch/targets.hpp"
#include "trellis_search.hpp"

namespace nnr::nnc {
namespace {

using Costs = std::array<double, trellis::kStates>;

void pass_skipped(Costs& costs, std::uint64_t columns) {
    Costs next;
    for (unsigned from = 0; from < trellis::kStates; ++from)
        next[trellis::after_zeros(from, columns)] = costs[from];
    costs = next;
}

}  // namespace

std::vector<Segment> segments_of(const Layer& layer, std::span<const std::uint8_t> skipped) {
    std::vector<Segment> segments;
    const Scan scan(layer);
    for (std::uint64_t index = 0; index < scan.count(); ++index) {
        bool begins = true;
        scan.block_row(index, [&](std::uint64_t row, std::uint64_t left, std::uint64_t length) {
            const std::uint64_t first = row * layer.columns + left;
            const bool is_skipped = !skipped.empty() && skipped[row] != 0;
            const bool continues = !begins && !is_skipped && !segments.back().skipped &&
                                   segments.back().first + segments.back().length == first;
            if (continues)
                segments.back().length += length;
            else
                segments.push_back({first, length, is_skipped, begins});
            begins = false;
        });
    }
    return segments;
}

unsigned before_skipped(unsigned state, std::uint64_t columns) {
    unsigned from = 0;
    while (trellis::after_zeros(from, columns) != state) ++from;
    return from;
}

std::optional<std::size_t> first_unquantizable(std::span<const float> weights, float step) {
    const double largest = kLargestLevel * double{step};
    std::size_t i = 0;
    for (; i < weights.size(); ++i)
        if (!(std::fabs(double{weights[i]}) <= largest)) return i;
    return std::nullopt;
}

void quantize_uniform(std::span<const float> weights, float step, std::int32_t* levels) {
    const auto inverse = static_cast<float>(1.0 / double{step});
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const float scaled = weights[i] * inverse;
        const float magnitude = std::fabs(scaled);
        const auto whole = static_cast<std::int32_t>(magnitude);
        const std::int32_t rounded = whole + (magnitude - static_cast<float>(whole) >= 0.5f);
        levels[i] = scaled < 0 ? -rounded : rounded;
    }
}

void quantize_trellis(const Layer& layer, std::span<const std::uint8_t> skipped,
                      std::span<const float> weights, float step_size, std::int32_t* levels) {
    const KernelTable& level_kernels = kernels();
    const double inverse = 1.0 / double{step_size};
    const std::vector<Segment> segments = segments_of(layer, skipped);
    std::vector<TrellisDecisions> decisions(weights.size());
    Costs costs;
    costs.fill(std::numeric_limits<double>::max() / 2);
    costs[0] = 0;
    for (const Segment& segment : segments) {
        if (segment.skipped) {
            pass_skipped(costs, layer.columns);
            continue;
        }
        level_kernels.trellis(weights.data() + segment.first, segment.length, inverse, costs.data(),
                              decisions.data() + segment.first);
    }
    auto state = static_cast<unsigned>(std::ranges::min_element(costs) - costs.begin());
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
        if (segment->skipped) {
            state = before_skipped(state, layer.columns);
            std::fill_n(levels + segment->first, segment->length, 0);
            continue;
        }
        for (std::uint64_t i = segment->first + segment->length; i-- > segment->first;) {
            const Step step = step_back(decisions[i], state, weights[i], inverse);
            levels[i] = step.level;
            state = step.from;
        }
    }
}

}  // namespace nnr::nnc
