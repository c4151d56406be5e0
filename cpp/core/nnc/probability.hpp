// The probability model of one context: two trackers of the same probability, one fast and one slow,
// each moved towards the bin just coded by a step that shrinks as the tracker nears the end of its
// range. Which of nine starting points and speeds a context has is its configuration.
#pragma once

#include <array>
#include <cstdint>

namespace nnr::nnc {

struct Configuration {
    std::uint8_t fast_shift, slow_shift;
    std::int16_t fast, slow;
};

inline constexpr unsigned kConfigurations = 9;
inline constexpr std::array<Configuration, kConfigurations> kConfiguration{{
    {5, 4, 0, 0},
    {5, 4, -41, -654},
    {5, 4, 95, 1519},
    {4, 5, 0, 0},
    {6, 6, 30, 482},
    {6, 6, 95, 1519},
    {6, 6, -21, -337},
    {7, 5, 0, 0},
    {7, 5, 30, 482},
}};

namespace tables {

constexpr unsigned kMinFastShift = 4, kFastShifts = 4;
constexpr unsigned kMinSlowShift = 4, kSlowShifts = 3;

// How far a tracker moves, by how near it is to the end that the bin draws it to; before its shift.
constexpr int step(int distance) {
    constexpr std::array<int, 16> kFar{2512, 2288, 2064, 1840, 1616, 1392, 1168, 944,
                                       720,  560,  464,  368,  272,  208,  144,  80};
    const int index = distance + 16;
    return index < 16 ? kFar[static_cast<unsigned>(index)] : index < 31 ? 64 : 0;
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
                    static_cast<std::int8_t>(moved(fast, 3, shift + kMinFastShift, bin != 0));
    return next;
}();

// The slow one has 12; its step depends on the upper five, rounded towards where the bin draws it.
constexpr auto kSlowStep = [] {
    std::array<std::array<std::array<std::int16_t, 33>, 2>, kSlowShifts> steps{};
    for (unsigned shift = 0; shift < kSlowShifts; ++shift)
        for (int upper = -16; upper <= 16; ++upper) {
            const auto at = static_cast<unsigned>(upper + 16);
            const unsigned by = shift + kMinSlowShift;
            if (upper < 16) steps[shift][1][at] = static_cast<std::int16_t>(step(upper) >> by);
            if (upper > -16) steps[shift][0][at] = static_cast<std::int16_t>(-(step(-upper) >> by));
        }
    return steps;
}();

// Widths of the less probable part by eighths of the range, one row a state, a byte each.
constexpr auto kLpsWidths = [] {
    constexpr std::array<unsigned, 32> kBase{228, 200, 174, 150, 132, 116, 102, 90, 80, 70, 62,
                                             54,  48,  42,  36,  32,  28,  26,  22, 20, 18, 16,
                                             14,  14,  10,  10,  8,   8,   6,   6,  4,  4};
    std::array<std::uint64_t, 33> rows{};
    for (unsigned state = 0; state < rows.size(); ++state)
        for (unsigned eighth = 0; eighth < 8; ++eighth) {
            const unsigned base = kBase[state < 32 ? state : 31];
            rows[state] |= std::uint64_t{(base * (9 + eighth)) >> 4} << (8 * eighth);
        }
    return rows;
}();

}  // namespace tables

struct Context {
    std::int8_t fast = 0;
    std::uint8_t fast_speed = 0, slow_speed = 0;  // shifts less their minimum
    std::int16_t slow = 0;

    static constexpr Context of(unsigned configuration) {
        const Configuration& c = kConfiguration[configuration];
        return {static_cast<std::int8_t>(c.fast),
                static_cast<std::uint8_t>(c.fast_shift - tables::kMinFastShift),
                static_cast<std::uint8_t>(c.slow_shift - tables::kMinSlowShift), c.slow};
    }

    // 13 bits, signed: the more probable bin is 1 from 0 on, and the surer the further from 0.
    int state() const { return slow + 16 * fast; }

    std::uint64_t lps_widths() const {
        const int s = state() >> 7;
        return tables::kLpsWidths[static_cast<unsigned>(s < 0 ? -s : s)];
    }

    void update(unsigned bin) {
        const int upper = (slow + (bin != 0 ? 0 : 127)) >> 7;
        slow = static_cast<std::int16_t>(
            slow + tables::kSlowStep[slow_speed][bin][static_cast<unsigned>(upper + 16)]);
        fast = tables::kNextFast[fast_speed][bin][static_cast<std::uint8_t>(fast)];
    }
};

}  // namespace nnr::nnc
