// One level as bins, for whoever takes them: the encoder, or the search for its contexts'
// configurations. A coder has bin(context index, value) and bypass(value, count).
#pragma once

#include <bit>
#include <cstdint>

#include "inline.hpp"
#include "layer.hpp"

namespace nnr::nnc {

// A level apart from its sign, and what its contexts depend on.
struct CodedLevel {
    std::uint32_t magnitude;
    bool negative;
    std::int32_t neighbour;
    unsigned state;
    std::int32_t base;   // co-located level of temporal context modelling, or 0
    bool in_history;
};

constexpr std::uint32_t magnitude_of(std::int32_t level) {
    return level < 0 ? 0 - static_cast<std::uint32_t>(level) : static_cast<std::uint32_t>(level);
}

// What magnitude is left after all greater-than flags, 0 or more, as a prefix and a suffix.
template <class Coder>
NNR_INLINE void write_remainder(Coder& coder, unsigned prefix, std::uint32_t remainder, std::uint32_t room) {
    unsigned length = 0;
    for (; length < at::kPrefixes && room >= (1u << length); ++length) {
        const bool longer = remainder >= (1u << length);
        coder.bin(prefix + length, longer);
        if (!longer) break;
        remainder -= 1u << length;
        room -= 1u << length;
    }
    if (length != 0) coder.bypass(remainder, length);
}

template <class Coder>
NNR_INLINE void write_level(Coder& coder, const Layer& layer, const CodebookRange& codebook,
                 const CodedLevel& level) {
    if (codebook.is_constant()) return;
    const unsigned flags = layer.greater_flags;
    const std::uint32_t base_magnitude = magnitude_of(level.base);
    const unsigned sign = by_sign(level.neighbour);
    unsigned significance = at::kSignificance + 3 * level.state + sign;
    if (level.base != 0)
        significance = at::kSignificanceTemporal + 2 * level.state + (base_magnitude > 1);
    if (level.in_history) significance = at::kSignificanceHistory + level.state;
    coder.bin(significance, level.magnitude != 0);
    if (level.magnitude == 0) return;
    if (!codebook.has_one_sign())
        coder.bin(level.base != 0 ? at::kSignTemporal + (level.base > 0) : at::kSign + sign,
                  level.negative);
    const std::uint32_t limit = codebook.size != 0 ? codebook.limit(level.negative) : UINT32_MAX;
    std::uint32_t magnitude = 1;
    for (unsigned flag = 0; flag < flags && magnitude < limit; ++flag, ++magnitude) {
        const unsigned context =
            level.base != 0 ? at::greater_temporal(flags) + 2 * flag + (base_magnitude < flag)
                            : at::kGreater + 2 * flag + level.negative;
        const bool greater = level.magnitude > magnitude;
        coder.bin(context, greater);
        if (!greater) return;
    }
    if (magnitude < limit)
        write_remainder(coder, at::prefix(flags), level.magnitude - magnitude, limit - magnitude);
}

}  // namespace nnr::nnc
