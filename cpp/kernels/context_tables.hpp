// The tables of the entropy coder's probability model, which its kernels and its core share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace nnr {

// Where a context may start from, and how fast its two trackers move.
struct ContextConfiguration {
    std::uint8_t fast_shift, slow_shift;
    std::int16_t fast, slow;
};

inline constexpr std::size_t kContextConfigurations = 9;
inline constexpr std::array<ContextConfiguration, kContextConfigurations> kContextConfiguration{{
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

// How far a tracker moves before its shift, by the upper five bits of its distance from the middle,
// counted towards the bin: entry `distance & 31`, -16 to 15.
inline constexpr std::array<std::int16_t, 32> kContextStep{
    64,   64,   64,   64,   64,   64,   64,  64,  64,  64,  64,  64,  64,  64,  64,  0,
    2512, 2288, 2064, 1840, 1616, 1392, 1168, 944, 720, 560, 464, 368, 272, 208, 144, 80};

// Bits of the trackers below those five.
inline constexpr int kFastTrackerBits = 3, kSlowTrackerBits = 7;

// The cost of a bin, in 1/32768 bits: [bin][512 + state / 8].
using ContextBinCosts = std::array<std::array<std::uint32_t, 1024>, 2>;

}  // namespace nnr
