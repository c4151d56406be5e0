// The trellis of dependent quantisation, which its kernels and the entropy coder's core share: eight
// states, of which the odd ones reconstruct odd multiples of the step and zero, the even ones even
// multiples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nnr {

inline constexpr std::size_t kTrellisStates = 8;

// The state after an even and after an odd level.
inline constexpr std::array<std::array<std::uint8_t, 2>, kTrellisStates> kTrellisNext{
    {{0, 2}, {7, 5}, {1, 3}, {6, 4}, {2, 0}, {5, 7}, {3, 1}, {4, 6}}};

// The states from which a state is reached: one on an even level, which may be zero, one on an odd.
struct TrellisArrivals {
    std::uint8_t even, odd;
};
inline constexpr std::array<TrellisArrivals, kTrellisStates> kTrellisArrivals = [] {
    std::array<TrellisArrivals, kTrellisStates> arrivals{};
    for (std::uint8_t from = 0; from < kTrellisStates; ++from) {
        arrivals[kTrellisNext[from][0]].even = from;
        arrivals[kTrellisNext[from][1]].odd = from;
    }
    return arrivals;
}();

// The remainder by four of the multiple that leaves a state on an even or an odd level.
constexpr unsigned even_remainder(unsigned from) { return 3 * (from & 1); }
constexpr unsigned odd_remainder(unsigned from) { return 2 - (from & 1); }

// How each state was arrived at, two bits a state: whether on the odd level, and whether on the even
// one it would have been zero.
using TrellisDecisions = std::uint16_t;
inline constexpr unsigned kOddWon = 1, kZeroWon = 2;

}  // namespace nnr
