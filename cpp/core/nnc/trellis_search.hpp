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

// The arrivals of a state: one on an even level, which may be zero, and one on an odd level.
struct Arrivals {
    std::uint8_t even, odd;
};
inline constexpr std::array<Arrivals, trellis::kStates> kArrivals = [] {
    std::array<Arrivals, trellis::kStates> arrivals{};
    for (std::uint8_t from = 0; from < trellis::kStates; ++from) {
        arrivals[trellis::kNext[from][0]].even = from;
        arrivals[trellis::kNext[from][1]].odd = from;
    }
    return arrivals;
}();

// The remainder by four of the multiple that leaves a state on an even or an odd level.
constexpr unsigned even_remainder(unsigned from) { return 3 * (from & 1); }
constexpr unsigned odd_remainder(unsigned from) { return 2 - (from & 1); }

// The four multiples of the step about a weight's magnitude, one for each remainder by four.
struct Candidates {
    std::array<double, 4> distance;  // squared, by remainder, in steps
    double zero_distance;
    std::uint32_t first;

    NNR_INLINE explicit Candidates(double scaled) : zero_distance(scaled * scaled) {
        const double lowest = std::max(1.0, std::floor(scaled) - 1);
        first = static_cast<std::uint32_t>(lowest);
        for (unsigned i = 0; i < 4; ++i) {
            const double difference = scaled - (lowest + i);
            distance[(first + i) & 3] = difference * difference;
        }
    }

    std::uint32_t multiple(unsigned remainder) const {
        return first + ((remainder - first) & 3);
    }
    // The magnitude of the level that stands for it.
    std::uint32_t level(unsigned remainder) const { return (multiple(remainder) + 1) / 2; }
};

// How each state was arrived at, two bits a state.
using Decisions = std::uint16_t;
constexpr unsigned kOddWon = 1, kZeroWon = 2;

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
NNR_INLINE Step step_back(Decisions decisions, unsigned state, float weight, double inverse) {
    const unsigned decision = static_cast<unsigned>(decisions) >> (2 * state);
    const bool odd = (decision & kOddWon) != 0;
    const unsigned from = odd ? kArrivals[state].odd : kArrivals[state].even;
    std::uint32_t level = 0;
    if (odd || (decision & kZeroWon) == 0)
        level = Candidates(std::fabs(double{weight}) * inverse)
                    .level(odd ? odd_remainder(from) : even_remainder(from));
    return {static_cast<std::int32_t>(std::signbit(weight) ? 0 - level : level), from};
}

}  // namespace nnr::nnc
