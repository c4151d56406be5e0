// What the two searches through the trellis share: the multiples of the step that a weight may take,
// and the order in which weights are visited.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "inline.hpp"
#include "layer.hpp"

namespace nnr::nnc {

// The lowest of the four multiples of the step about a magnitude, given in steps.
NNR_INLINE std::uint32_t lowest_multiple(double scaled) {
    const auto whole = static_cast<std::uint32_t>(scaled);
    return whole > 2 ? whole - 1 : 1;
}

// The magnitude of the level that stands for that one of the four which leaves `remainder` by four.
NNR_INLINE std::uint32_t level_of(std::uint32_t lowest, unsigned remainder) {
    return (lowest + ((remainder - lowest) & 3) + 1) / 2;
}

// Weights that are coded one after the other; or, where rows are skipped, that are not coded.
struct Segment {
    std::uint64_t first, length;
    bool skipped;
    bool begins_block_row;
};

std::vector<Segment> segments_of(const Layer& layer, std::span<const std::uint8_t> skipped);

// The state before a row of zeros was skipped.
unsigned before_skipped(unsigned state, std::uint64_t columns);

// Undoes one decision: the level that led to `state`, and the state before it.
struct Step {
    std::int32_t level;
    unsigned from;
};
NNR_INLINE Step step_back(TrellisDecisions decisions, unsigned state, float weight, double inverse) {
    const unsigned decision = static_cast<unsigned>(decisions) >> (2 * state);
    const bool odd = (decision & kOddWon) != 0;
    const unsigned from = odd ? kTrellisArrivals[state].odd : kTrellisArrivals[state].even;
    std::uint32_t level = 0;
    if (odd || (decision & kZeroWon) == 0)
        level = level_of(lowest_multiple(std::fabs(double{weight}) * inverse),
                         odd ? odd_remainder(from) : even_remainder(from));
    return {static_cast<std::int32_t>(weight < 0 ? 0 - level : level), from};
}

}  // namespace nnr::nnc
