// What the values of a network are made of.
#pragma once

#include <vector>

#include "operations.hpp"

namespace nnr::network {

constexpr std::size_t round_up(std::size_t count, std::size_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

enum class SampleType : std::uint8_t { f32, u8, i16 };

constexpr std::size_t sample_size(SampleType type) {
    return type == SampleType::f32 ? 4 : type == SampleType::i16 ? 2 : 1;
}

struct Value {
    std::size_t channels;
    SampleType type = SampleType::f32;
    std::vector<std::int16_t> zeros{};  // a channel, what stands for zero; empty where it is 0

    // Samples from a pixel to the next.
    std::size_t pixel_stride() const { return round_up(channels, kChannelBlock); }
    std::size_t pixel_bytes() const { return pixel_stride() * sample_size(type); }
    std::int16_t zero(std::size_t channel) const { return zeros.empty() ? std::int16_t{0} : zeros[channel]; }
};

}  // namespace nnr::network
