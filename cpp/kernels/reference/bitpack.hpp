#pragma once

#include <cstddef>
#include <cstdint>

namespace nnr::reference {
namespace {

template <class Code>
std::uint32_t pack(const Code* codes, std::size_t count, unsigned bits, std::uint8_t* packed) {
    std::uint32_t seen = 0;
    std::uint32_t pending = 0;  // fewer than 8 bits wait here between codes
    unsigned pending_bits = 0;
    for (std::size_t i = 0; i < count; ++i) {
        seen |= codes[i];
        pending |= static_cast<std::uint32_t>(codes[i]) << pending_bits;
        pending_bits += bits;
        while (pending_bits >= 8) {
            *packed++ = static_cast<std::uint8_t>(pending);
            pending >>= 8;
            pending_bits -= 8;
        }
    }
    if (pending_bits > 0) *packed = static_cast<std::uint8_t>(pending);
    return seen;
}

template <class Code>
void unpack(const std::uint8_t* packed, std::size_t count, unsigned bits, Code* codes) {
    std::uint32_t pending = 0;
    unsigned pending_bits = 0;
    for (std::size_t i = 0; i < count; ++i) {
        while (pending_bits < bits) {
            pending |= static_cast<std::uint32_t>(*packed++) << pending_bits;
            pending_bits += 8;
        }
        codes[i] = static_cast<Code>(pending & ((1u << bits) - 1u));
        pending >>= bits;
        pending_bits -= bits;
    }
}

}  // namespace
}  // namespace nnr::reference
