#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "../kernels/kernel_table.hpp"

namespace nnr {

// A C-ordered tensor seen as (outer, channels, inner): every channel has a range of its own. With
// one range for the whole tensor, outer and channels are 1.
struct ChannelLayout {
    std::size_t outer;
    std::size_t channels;
    std::size_t inner;

    std::size_t count() const { return outer * channels * inner; }
    std::size_t channel_of(std::size_t element) const { return element / inner % channels; }
};

struct ConstTensorView {
    const void* data;
    FloatType type;
    ChannelLayout layout;
};

struct TensorView {
    void* data;
    FloatType type;
    ChannelLayout layout;
};

constexpr std::size_t size_of(FloatType type) {
    switch (type) {
        case FloatType::f32: return 4;
        case FloatType::f64: return 8;
        default: return 2;
    }
}

constexpr CodeType code_type(unsigned bits) { return bits <= 8 ? CodeType::u8 : CodeType::u16; }

constexpr std::size_t size_of(CodeType type) { return type == CodeType::u8 ? 1 : 2; }

constexpr std::size_t packed_bytes(std::size_t count, unsigned bits) {
    // As count / 8 * bits + ... the product cannot overflow for any count that fits in memory.
    return count / 8 * bits + (count % 8 * bits + 7) / 8;
}

inline const void* element(const ConstTensorView& tensor, std::size_t index) {
    return static_cast<const std::byte*>(tensor.data) + index * size_of(tensor.type);
}

inline void* element(const TensorView& tensor, std::size_t index) {
    return static_cast<std::byte*>(tensor.data) + index * size_of(tensor.type);
}

// Calls visit(begin, length, channel) for the stretches of one channel within [begin, end).
template <class Visit>
void for_each_run(const ChannelLayout& layout, std::size_t begin, std::size_t end,
                  const Visit& visit) {
    while (begin < end) {
        const std::size_t left_in_channel = layout.inner - begin % layout.inner;
        const std::size_t length = left_in_channel < end - begin ? left_in_channel : end - begin;
        visit(begin, length, layout.channel_of(begin));
        begin += length;
    }
}

// The flat index of the first value that is not finite once read as float32. The table is that of
// the calling function, so that one call never mixes two levels.
std::optional<std::size_t> find_not_finite(const ConstTensorView& tensor,
                                           const KernelTable& table);

}  // namespace nnr
