#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "../kernels/kernel_table.hpp"
#include "strided.hpp"

namespace nnr {

// A C-ordered tensor seen as (outer, channels, inner): every channel has a range of its own. With
// one range for the whole tensor, outer and channels are 1.
struct ChannelLayout {
    std::size_t outer;
    std::size_t channels;
    std::size_t inner;

    std::size_t count() const { return outer * channels * inner; }
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

struct ConstTensorView {
    const void* data;
    FloatType type;
    ChannelLayout layout;
    std::span<const Axis> axes;  // as `merged` makes them
};

// In C order without gaps, aligned.
struct TensorView {
    void* data;
    FloatType type;
    ChannelLayout layout;
};

struct ConstCodesView {
    const void* data;
    CodeType type;
    std::size_t count;
    std::span<const Axis> axes;  // likewise
};

inline ElementReader reader_of(const ConstTensorView& tensor, std::size_t end) {
    return {tensor.data, tensor.axes, size_of(tensor.type), end};
}

inline ElementReader reader_of(const ConstCodesView& codes, std::size_t end) {
    return {codes.data, codes.axes, size_of(codes.type), end};
}

constexpr std::size_t packed_bytes(std::size_t count, unsigned bits) {
    // As count / 8 * bits + ... the product cannot overflow for any count that fits in memory.
    return count / 8 * bits + (count % 8 * bits + 7) / 8;
}

// What passes over a tensor are split by: a multiple of eight elements, so that a block of codes
// begins at a whole byte of the packed stream and threads never share one; small enough that a block
// of values and of codes stay in the cache nearest the core between two steps.
inline constexpr std::size_t kBlock = 4096;

inline std::size_t block_count(std::size_t elements) { return (elements + kBlock - 1) / kBlock; }

// The flat index of the first value that is not finite once read as float32. The table is that of
// the calling function, so that one call never mixes two levels.
std::optional<std::size_t> find_not_finite(const ConstTensorView& tensor,
                                           const KernelTable& table);

}  // namespace nnr
