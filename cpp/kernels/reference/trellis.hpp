// The least squared error with which each state of the trellis can be reached.
#pragma once

#include "../kernel_table.hpp"

namespace nnr::reference {
namespace {

// A copy of its own: what is shared by name would be one object for all levels.
constexpr auto kArrivals = kTrellisArrivals;

inline void trellis(const float* weights, std::size_t count, double inverse_step, double* costs,
                    TrellisDecisions* decisions) {
    for (std::size_t i = 0; i < count; ++i) {
        const double scaled = __builtin_fabs(double{weights[i]}) * inverse_step;
        const auto whole = static_cast<std::uint32_t>(scaled);
        const std::uint32_t lowest = whole > 2 ? whole - 1 : 1;
        double distance[4];
        for (unsigned j = 0; j < 4; ++j) {
            const double difference = scaled - (lowest + j);
            distance[(lowest + j) & 3] = difference * difference;
        }
        double next[kTrellisStates];
        unsigned decision = 0;
        for (unsigned state = 0; state < kTrellisStates; ++state) {
            const TrellisArrivals from = kArrivals[state];
            const double even = costs[from.even] + distance[even_remainder(from.even)];
            const double zero = costs[from.even] + scaled * scaled;
            const double odd = costs[from.odd] + distance[odd_remainder(from.odd)];
            const bool zero_won = zero < even;
            const double of_even = zero_won ? zero : even;
            const bool odd_won = from.odd < from.even ? odd <= of_even : odd < of_even;
            next[state] = odd_won ? odd : of_even;
            decision |= ((odd_won ? kOddWon : 0) | (zero_won ? kZeroWon : 0)) << (2 * state);
        }
        for (unsigned state = 0; state < kTrellisStates; ++state) costs[state] = next[state];
        decisions[i] = static_cast<TrellisDecisions>(decision);
    }
}

}  // namespace
}  // namespace nnr::reference
