// The probability model of one context: two trackers of the same probability, one fast and one slow,
// each moved towards the bin just coded by a step that shrinks as the tracker nears the end of its
// range. Which of nine starting points and speeds a context has is its configuration.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "../../kernels/context_tables.hpp"
#include "inline.hpp"

namespace nnr::nnc {

namespace tables {

constexpr unsigned kMinFastShift = 4, kFastShifts = 4;
constexpr unsigned kMinSlowShift = 4, kSlowShifts = 3;

constexpr int step(int distance) {
    // A distance of 16 is that of a tracker which the model never reaches.
    return distance > 15 ? 0 : kContextStep[static_cast<unsigned>(distance) & 31];
}

constexpr int moved(int tracker, int precision, unsigned shift, bool bin) {
    const int direction = bin ? 1 : -1;
    return tracker + direction * (step((direction * tracker) >> precision) >> shift);
}

// The fast tracker has 8 bits, few enough for a table of what follows each value.
constexpr auto kNextFast = [] {
    std::array<std::array<std::array<std::int8_t, 256>, 2>, kFastShifts> next{};
    for (unsigned shift = 0; shift < kFastShifts; ++shift)
        for (unsigned bin = 0; bin < 2; ++bin)
            for (int fast = -128; fast < 128; ++fast)
                next[shift][bin][static_cast<std::uint8_t>(fast)] =
                    static_cast<std::int8_t>(moved(fast, kFastTrackerBits, shift + kMinFastShift, bin != 0));
    return next;
}();

// The slow one has 12; its step depends on the upper five, rounded towards where the bin draws it.
constexpr unsigned kUppers = 64, kMiddleUpper = 16;
constexpr auto kSlowStep = [] {
    std::array<std::array<std::array<std::int16_t, kUppers>, 2>, kSlowShifts> steps{};
    for (unsigned shift = 0; shift < kSlowShifts; ++shift)
        for (int upper = -16; upper <= 16; ++upper) {
            const auto at = static_cast<unsigned>(upper) + kMiddleUpper;
            const unsigned by = shift + kMinSlowShift;
            if (upper < 16) steps[shift][1][at] = static_cast<std::int16_t>(step(upper) >> by);
            if (upper > -16) steps[shift][0][at] = static_cast<std::int16_t>(-(step(-upper) >> by));
        }
    return steps;
}();

// Widths of the less probable part by eighths of the range, a byte each; one row for the upper six
// bits of a state, which lie about the middle.
constexpr unsigned kMiddleState = 32;
constexpr auto kLpsWidths = [] {
    constexpr std::array<unsigned, 32> kBase{228, 200, 174, 150, 132, 116, 102, 90, 80, 70, 62,
                                             54,  48,  42,  36,  32,  28,  26,  22, 20, 18, 16,
                                             14,  14,  10,  10,  8,   8,   6,   6,  4,  4};
    std::array<std::uint64_t, 2 * kMiddleState> rows{};
    for (unsigned at = 0; at < rows.size(); ++at) {
        const unsigned sureness = at < kMiddleState ? kMiddleState - at : at - kMiddleState;
        const unsigned base = kBase[std::min(sureness, 31u)];
        for (unsigned eighth = 0; eighth < 8; ++eighth)
            rows[at] |= std::uint64_t{(base * (9 + eighth)) >> 4} << (8 * eighth);
    }
    return rows;
}();

}  // namespace tables

struct Context {
    std::uint64_t lps_widths;       // row of the present state, kept so that a bin finds it at once
    const std::int8_t* next_fast;   // of the context's speed: for bin 0, then for bin 1
    const std::int16_t* slow_step;  // likewise
    std::int16_t slow;
    std::int8_t fast;

    static constexpr Context of(unsigned configuration) {
        const ContextConfiguration& c = kContextConfiguration[configuration];
        return {widths_of(c.slow + 16 * c.fast),
                tables::kNextFast[c.fast_shift - tables::kMinFastShift][0].data(),
                tables::kSlowStep[c.slow_shift - tables::kMinSlowShift][0].data(), c.slow,
                static_cast<std::int8_t>(c.fast)};
    }

    // 13 bits, signed: the more probable bin is 1 from 0 on, and the surer the further from 0.
    NNR_INLINE int state() const { return slow + 16 * fast; }

    NNR_INLINE void update(unsigned bin) {
        const int upper = (slow + static_cast<int>((bin - 1) & 127)) >> kSlowTrackerBits;
        slow = static_cast<std::int16_t>(
            slow + slow_step[bin * tables::kUppers +
                             static_cast<unsigned>(upper + static_cast<int>(tables::kMiddleUpper))]);
        fast = next_fast[bin * 256 + static_cast<std::uint8_t>(fast)];
        lps_widths = widths_of(state());
    }

    static constexpr std::uint64_t widths_of(int state) {
        return tables::kLpsWidths[static_cast<unsigned>((state >> 7) +
                                                        static_cast<int>(tables::kMiddleState))];
    }
};

}  // namespace nnr::nnc
