// The four element types that arrays may have, and the scalar conversions that define what a
// float16 or bfloat16 bit pattern means. Internal linkage on purpose: this header is compiled
// once a level, and no level's copy may stand in for another's.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace nnr {

static_assert(std::endian::native == std::endian::little,
              "bit packing and file formats are written for little-endian machines");

struct Float16 {
    std::uint16_t bits;
};
struct BFloat16 {
    std::uint16_t bits;
};

namespace {

[[maybe_unused]] inline float to_f32(float value) { return value; }

// Rounds to nearest even; magnitudes beyond float32 become infinite, which callers report.
[[maybe_unused]] inline float to_f32(double value) { return static_cast<float>(value); }

[[maybe_unused]] inline float to_f32(BFloat16 value) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

[[maybe_unused]] inline float to_f32(Float16 value) {
    const std::uint32_t sign = (value.bits & 0x8000u) << 16;
    const std::uint32_t magnitude = value.bits & 0x7fffu;
    if (magnitude >= 0x7c00u)  // infinity, or NaN made quiet as the hardware does
        return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13 |
                                    (magnitude > 0x7c00u ? 0x400000u : 0u));
    if (magnitude < 0x0400u) {  // zero or subnormal: an exact multiple of 2^-24
        const float scaled = static_cast<float>(magnitude) * 0x1p-24f;
        return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
    }
    return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23)));
}

[[maybe_unused]] inline void from_f32(float value, float& out) { out = value; }
[[maybe_unused]] inline void from_f32(float value, double& out) { out = value; }

[[maybe_unused]] inline void from_f32(float value, BFloat16& out) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t half_to_even = 0x7fffu + ((bits >> 16) & 1u);
    out.bits = static_cast<std::uint16_t>((bits + half_to_even) >> 16);
}

[[maybe_unused]] inline void from_f32(float value, Float16& out) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    std::uint32_t half;
    if (magnitude >= 0x47800000u) {  // 2^16 and above, infinity included
        half = 0x7c00u;
    } else if (magnitude < 0x38800000u) {  // below 2^-14: a multiple of 2^-24
        // Adding 0.5 leaves exactly ten fraction bits below 2^-14 and rounds to even there.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        half = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(0.5f);
    } else {
        const std::uint32_t half_to_even = 0xfffu + ((magnitude >> 13) & 1u);
        half = (magnitude - (112u << 23) + half_to_even) >> 13;
    }
    out.bits = static_cast<std::uint16_t>(sign | half);
}

// How many elements it is from here to an address that is a multiple of `lanes` elements. An access
// that spreads over two cache lines costs twice, so long loops begin there.
template <class T>
std::size_t elements_to_alignment(const T* values, std::size_t lanes) {
    return -(reinterpret_cast<std::uintptr_t>(values) / sizeof(T)) % lanes;
}

}  // namespace
}  // namespace nnr
