// What the bins of one context cost from each of its configurations: a lane a configuration.
#pragma once

#include "kernel_table.hpp"

namespace nnr {
namespace {

// Sums of so many costs fit into 32 bits.
constexpr std::size_t kCostsAtOnce = 4096;

// Copies of its own: what is shared by name would be one object for all levels.
constexpr auto kSteps = kContextStep;

constexpr std::array<std::int16_t, kContextLanes> shifts_of(
    std::uint8_t ContextConfiguration::* shift) {
    std::array<std::int16_t, kContextLanes> shifts{};
    for (std::size_t c = 0; c < kContextLanes; ++c)
        shifts[c] = c < kContextConfigurations ? kContextConfiguration[c].*shift : 4;
    return shifts;
}
constexpr auto kFastShifts = shifts_of(&ContextConfiguration::fast_shift);
constexpr auto kSlowShifts = shifts_of(&ContextConfiguration::slow_shift);

// Looked up one by one: compilers that see the lanes take them out of the vector and put the costs
// into another, which is three times as slow (GCC 12).
inline void keep_in_memory(std::int16_t* p) {
#if defined(__GNUC__)
    __asm__ volatile("" : : "r"(p) : "memory");
#else
    static_cast<void>(p);
#endif
}
inline void keep_scalar(std::uint32_t& x) {
#if defined(__GNUC__)
    __asm__("" : "+r"(x));
#else
    static_cast<void>(x);
#endif
}

inline void add_costs(const std::uint8_t* bins, std::size_t count, const ContextBinCosts& costs,
                      ContextTrials& trials) {
    using namespace simd;
    const Table32 steps = table(kSteps.data());
    const Shifts16 fast_shifts = shifts(kFastShifts.data());
    const Shifts16 slow_shifts = shifts(kSlowShifts.data());
    const I16 signs[2]{splat_i16(-1), splat_i16(1)};
    I16 fast = load_i16(trials.fast), slow = load_i16(trials.slow);
    std::uint32_t sums[kContextConfigurations]{};
    for (std::size_t i = 0; i < count; ++i) {
        alignas(32) std::int16_t states[kContextLanes];
        store_i16(states, shift_right<3>(add(slow, shift_left<4>(fast))));
        const std::uint32_t* const of_bin = costs[bins[i]].data() + 512;
        keep_in_memory(states);
        for (std::size_t c = 0; c < kContextConfigurations; ++c) {
            sums[c] += of_bin[states[c]];
            keep_scalar(sums[c]);
        }
        const I16 sign = signs[bins[i]];
        const I16 near_fast = shift_right<kFastTrackerBits>(with_sign(fast, sign));
        const I16 near_slow = shift_right<kSlowTrackerBits>(with_sign(slow, sign));
        fast = add(fast, with_sign(shift_right(lookup(near_fast, steps), fast_shifts), sign));
        slow = add(slow, with_sign(shift_right(lookup(near_slow, steps), slow_shifts), sign));
    }
    store_i16(trials.fast, fast);
    store_i16(trials.slow, slow);
    for (std::size_t c = 0; c < kContextConfigurations; ++c) trials.costs[c] += sums[c];
}

inline void context_costs(const std::uint8_t* bins, std::size_t count, const ContextBinCosts& costs,
                          ContextTrials& trials) {
    while (count > 0) {
        const std::size_t now = count < kCostsAtOnce ? count : kCostsAtOnce;
        add_costs(bins, now, costs, trials);
        bins += now;
        count -= now;
    }
}

}  // namespace
}  // namespace nnr
