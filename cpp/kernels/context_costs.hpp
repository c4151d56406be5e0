// What the bins of one context cost from each of its configurations: a lane a configuration.
#pragma once

#include "kernel_table.hpp"

namespace nnr {
namespace {

// Sums of so many costs fit into 32 bits.
constexpr std::size_t kCostsAtOnce = 4096;

// All steps are multiples of this, the least of them but for the last, which is none. That leaves
// bytes, and shifts that are shorter by as much.
constexpr int kUnitBits = 4;
constexpr std::int16_t kLeastStep = kContextStep[0] >> kUnitBits;
constexpr std::int16_t kLastDistance = 15;

// Those of trackers on the other side of the middle, from the furthest on.
constexpr auto kFarSteps = [] {
    std::array<std::uint8_t, 16> steps{};
    for (std::size_t i = 0; i < steps.size(); ++i)
        steps[i] = static_cast<std::uint8_t>(kContextStep[16 + i] >> kUnitBits);
    return steps;
}();

constexpr std::array<std::int16_t, kContextLanes> shifts_of(
    std::uint8_t ContextConfiguration::* shift) {
    std::array<std::int16_t, kContextLanes> shifts{};
    for (std::size_t c = 0; c < kContextConfigurations; ++c)
        shifts[c] = static_cast<std::int16_t>(kContextConfiguration[c].*shift - kUnitBits);
    return shifts;
}
constexpr auto kFastShifts = shifts_of(&ContextConfiguration::fast_shift);
constexpr auto kSlowShifts = shifts_of(&ContextConfiguration::slow_shift);

// A tracker after a bin; `sign` is 1 or -1 for it, kBits those below the five that count.
template <int kBits>
simd::I16 moved(simd::I16 tracker, simd::I16 sign, simd::ByteTable far_steps,
                const simd::Shifts16& shifts) {
    using namespace simd;
    const I16 distance = shift_right<kBits>(with_sign(tracker, sign));
    const I16 step = zero_where_equal(max(lookup_negative(distance, far_steps), splat_i16(kLeastStep)),
                                      distance, splat_i16(kLastDistance));
    return add(tracker, with_sign(shift_right(step, shifts), sign));
}

// Looked up one by one: compilers that see the lanes take them out of the vector and put the costs
// into another, which is three times as slow (GCC 12).
inline void keep_in_memory(std::int16_t (&states)[kContextLanes]) {
#if defined(__GNUC__)
    __asm__("" : "+m"(states));
#else
    static_cast<void>(states);
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
    const ByteTable far_steps = byte_table(kFarSteps.data());
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
        fast = moved<kFastTrackerBits>(fast, sign, far_steps, fast_shifts);
        slow = moved<kSlowTrackerBits>(slow, sign, far_steps, slow_shifts);
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
