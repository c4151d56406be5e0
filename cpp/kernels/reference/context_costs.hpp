// What the bins of one context cost from each of its configurations.
#pragma once

#include "../kernel_table.hpp"

namespace nnr::reference {
namespace {

// Copies of its own: what is shared by name would be one object for all levels.
constexpr auto kSteps = kContextStep;
constexpr auto kConfigurations = kContextConfiguration;

inline int moved(int tracker, int bits, unsigned shift, int direction) {
    const int step = kSteps[static_cast<std::size_t>((direction * tracker) >> bits) & 31];
    return tracker + direction * (step >> shift);
}

inline void context_costs(const std::uint8_t* bins, std::size_t count, const ContextBinCosts& costs,
                          ContextTrials& trials) {
    for (std::size_t c = 0; c < kContextConfigurations; ++c) {
        int fast = trials.fast[c], slow = trials.slow[c];
        std::uint64_t cost = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const int direction = bins[i] != 0 ? 1 : -1;
            cost += costs[bins[i]][static_cast<std::size_t>(512 + ((slow + 16 * fast) >> 3))];
            fast = moved(fast, kFastTrackerBits, kConfigurations[c].fast_shift, direction);
            slow = moved(slow, kSlowTrackerBits, kConfigurations[c].slow_shift, direction);
        }
        trials.fast[c] = static_cast<std::int16_t>(fast);
        trials.slow[c] = static_cast<std::int16_t>(slow);
        trials.costs[c] += cost;
    }
}

}  // namespace
}  // namespace nnr::reference
