// Eight codes of any width fill a whole number of bytes, as many as a code has bits; so the body
// handles groups of eight with every shift known at compile time.
#pragma once

#include "reference/bitpack.hpp"

namespace nnr {
namespace {

// The bits of a group: at most 16 bytes.
struct GroupBits {
    std::uint64_t low;
    std::uint64_t high;
};

template <class Word>
std::uint64_t load_word(const std::uint8_t* bytes) {
    Word word;
    __builtin_memcpy(&word, bytes, sizeof(Word));
    return word;
}

template <class Word>
void store_word(std::uint8_t* bytes, std::uint64_t bits) {
    const auto word = static_cast<Word>(bits);
    __builtin_memcpy(bytes, &word, sizeof(Word));
}

// The first kBytes bytes as the low bits of a word, zeros above. Composed of whole words in
// registers: a copy of an odd number of bytes goes through memory, where the wider load that follows
// waits for the narrower stores.
template <unsigned kBytes>
std::uint64_t load_bytes(const std::uint8_t* bytes) {
    if constexpr (kBytes >= 8) {
        return load_word<std::uint64_t>(bytes);
    } else if constexpr (kBytes >= 4) {
        return load_word<std::uint32_t>(bytes) | load_bytes<kBytes - 4>(bytes + 4) << 32;
    } else if constexpr (kBytes >= 2) {
        return load_word<std::uint16_t>(bytes) | load_bytes<kBytes - 2>(bytes + 2) << 16;
    } else if constexpr (kBytes == 1) {
        return *bytes;
    } else {
        return 0;
    }
}

template <unsigned kBytes>
void store_bytes(std::uint8_t* bytes, std::uint64_t bits) {
    if constexpr (kBytes >= 8) {
        store_word<std::uint64_t>(bytes, bits);
    } else if constexpr (kBytes >= 4) {
        store_word<std::uint32_t>(bytes, bits);
        store_bytes<kBytes - 4>(bytes + 4, bits >> 32);
    } else if constexpr (kBytes >= 2) {
        store_word<std::uint16_t>(bytes, bits);
        store_bytes<kBytes - 2>(bytes + 2, bits >> 16);
    } else if constexpr (kBytes == 1) {
        *bytes = static_cast<std::uint8_t>(bits);
    }
}

template <unsigned kBytes>
GroupBits load_group(const std::uint8_t* bytes) {
    if constexpr (kBytes <= 8) {
        return {load_bytes<kBytes>(bytes), 0};
    } else {
        return {load_bytes<8>(bytes), load_bytes<kBytes - 8>(bytes + 8)};
    }
}

template <unsigned kBytes>
void store_group(std::uint8_t* bytes, const GroupBits& bits) {
    if constexpr (kBytes <= 8) {
        store_bytes<kBytes>(bytes, bits.low);
    } else {
        store_bytes<8>(bytes, bits.low);
        store_bytes<kBytes - 8>(bytes + 8, bits.high);
    }
}

template <unsigned kBits, class Code>
std::uint32_t pack_groups(const Code* codes, std::size_t groups, std::uint8_t* packed) {
    std::uint64_t seen = 0;
    for (std::size_t group = 0; group < groups; ++group, codes += 8, packed += kBits) {
        std::uint64_t first = 0;   // codes 0 to 3
        std::uint64_t second = 0;  // codes 4 to 7
        for (unsigned i = 0; i < 4; ++i) {
            seen |= codes[i] | codes[i + 4];
            first |= static_cast<std::uint64_t>(codes[i]) << (i * kBits);
            second |= static_cast<std::uint64_t>(codes[i + 4]) << (i * kBits);
        }
        GroupBits bits;
        if constexpr (kBits == 16)
            bits = {first, second};
        else
            bits = {first | second << (4 * kBits), second >> (64 - 4 * kBits)};
        store_group<kBits>(packed, bits);
    }
    return static_cast<std::uint32_t>(seen);
}

template <unsigned kBits, class Code>
void unpack_groups(const std::uint8_t* packed, std::size_t groups, Code* codes) {
    constexpr std::uint64_t kMask = (1u << kBits) - 1u;
    for (std::size_t group = 0; group < groups; ++group, codes += 8, packed += kBits) {
        const GroupBits bits = load_group<kBits>(packed);
        std::uint64_t second = bits.high;
        if constexpr (kBits < 16)
            second = bits.low >> (4 * kBits) | bits.high << (64 - 4 * kBits);
        for (unsigned i = 0; i < 4; ++i) {
            codes[i] = static_cast<Code>(bits.low >> (i * kBits) & kMask);
            codes[i + 4] = static_cast<Code>(second >> (i * kBits) & kMask);
        }
    }
}

// One entry a width, index 0 unused; byte codes have at most 8 bits.
template <class Code>
struct BitpackBodies {
    using Pack = std::uint32_t (*)(const Code*, std::size_t, std::uint8_t*);
    using Unpack = void (*)(const std::uint8_t*, std::size_t, Code*);
    static constexpr unsigned kMaxBits = sizeof(Code) * 8;
    Pack pack[kMaxBits + 1];
    Unpack unpack[kMaxBits + 1];
};

template <class Code, unsigned kBits = 1>
constexpr void fill(BitpackBodies<Code>& bodies) {
    bodies.pack[kBits] = pack_groups<kBits, Code>;
    bodies.unpack[kBits] = unpack_groups<kBits, Code>;
    if constexpr (kBits < BitpackBodies<Code>::kMaxBits) fill<Code, kBits + 1>(bodies);
}

template <class Code>
constexpr BitpackBodies<Code> make_bitpack_bodies() {
    BitpackBodies<Code> bodies{};
    fill<Code>(bodies);
    return bodies;
}

template <class Code>
constexpr BitpackBodies<Code> kBitpackBodies = make_bitpack_bodies<Code>();

template <class Code>
std::uint32_t pack(const Code* codes, std::size_t count, unsigned bits, std::uint8_t* packed) {
    const std::size_t groups = count / 8;
    const std::uint32_t seen = kBitpackBodies<Code>.pack[bits](codes, groups, packed);
    return seen | reference::pack(codes + groups * 8, count % 8, bits, packed + groups * bits);
}

template <class Code>
void unpack(const std::uint8_t* packed, std::size_t count, unsigned bits, Code* codes) {
    const std::size_t groups = count / 8;
    kBitpackBodies<Code>.unpack[bits](packed, groups, codes);
    reference::unpack(packed + groups * bits, count % 8, bits, codes + groups * 8);
}

}  // namespace
}  // namespace nnr
