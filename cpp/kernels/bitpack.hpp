// A vector holds rows of 16 bytes; a row holds 16 byte codes or 8 codes of two bytes and is as many
// packed bytes as a code has bits, times the bytes of a code's type. Packing joins neighbouring
// codes, then pairs of them, until every half of a row is one run of bits, and moves the two runs
// together; unpacking is the same backwards.
//
// Rows are read and written 16 bytes at a time, more than a packed row has; near the end of the stream
// they go through a buffer instead.
#pragma once

#include "float_types.hpp"
#include "reference/bitpack.hpp"

namespace nnr {
namespace {

constexpr std::size_t kRowBytes = 16;
constexpr std::size_t kVectorBytes = simd::kRows * kRowBytes;

template <unsigned kBits, class Code>
struct Bitpacking {
    static constexpr std::size_t kCodes = kVectorBytes / sizeof(Code);  // in a vector
    static constexpr std::size_t kPackedRow = kBits * (kRowBytes / sizeof(Code)) / 8;
    static constexpr std::size_t kPackedBytes = kPackedRow * simd::kRows;
    // From the start of a vector's packed bytes to the end of what is read or written.
    static constexpr std::size_t kReach = kPackedRow * (simd::kRows - 1) + kRowBytes;
    // The bits of a half row: whole bytes, or half a byte more.
    static constexpr unsigned kHalfBits = kPackedRow * 4;
    static constexpr bool kOddNibble = kHalfBits % 8 != 0;
    static constexpr std::size_t kSecondHalf = kHalfBits / 8;  // where it begins in a packed row

    struct Pattern {
        std::uint8_t bytes[kRowBytes];
    };

    // Every half of a row gets the bytes that hold its bits.
    static constexpr Pattern kApart = [] {
        Pattern pattern{};
        for (std::size_t i = 0; i < kRowBytes; ++i) {
            const std::size_t from = i < 8 ? i : kSecondHalf + i - 8;
            pattern.bytes[i] = static_cast<std::uint8_t>(from);
        }
        return pattern;
    }();

    // The two halves side by side. Where they share a byte this is the first half's and all others,
    // and kSharedByte moves the second half's.
    static constexpr Pattern kTogether = [] {
        Pattern pattern{};
        for (std::size_t i = 0; i < kRowBytes; ++i) {
            const bool first = i < kSecondHalf + kOddNibble;
            const std::size_t from = first ? i : 8 + i - kSecondHalf;
            pattern.bytes[i] =
                i < kPackedRow ? static_cast<std::uint8_t>(from) : simd::kZeroByte;
        }
        return pattern;
    }();
    static constexpr Pattern kSharedByte = [] {
        Pattern pattern{};
        for (std::size_t i = 0; i < kRowBytes; ++i)
            pattern.bytes[i] = i == kSecondHalf ? std::uint8_t{8} : simd::kZeroByte;
        return pattern;
    }();

    static simd::Bits joined(simd::Bits x) {
        if constexpr (sizeof(Code) == 1) x = simd::join<16, kBits>(x);
        x = simd::join<32, kBits * 2 / sizeof(Code)>(x);
        x = simd::join<64, kBits * 4 / sizeof(Code)>(x);
        if constexpr (!kOddNibble) return simd::rearrange(x, simd::rows(kTogether.bytes));
        x = simd::second_half_up_4(x);
        return simd::bit_or(simd::rearrange(x, simd::rows(kTogether.bytes)),
                            simd::rearrange(x, simd::rows(kSharedByte.bytes)));
    }

    static simd::Bits split(simd::Bits x) {
        x = simd::rearrange(x, simd::rows(kApart.bytes));
        if constexpr (kOddNibble) x = simd::second_half_down_4(x);
        x = simd::split<64, kBits * 4 / sizeof(Code)>(x);
        x = simd::split<32, kBits * 2 / sizeof(Code)>(x);
        if constexpr (sizeof(Code) == 1) x = simd::split<16, kBits>(x);
        constexpr unsigned kMask = (1u << kBits) - 1u;
        constexpr unsigned kByCode = sizeof(Code) == 1 ? 0x101u : 1u;
        return simd::bit_and(x, simd::splat_u16(static_cast<std::uint16_t>(kMask * kByCode)));
    }

    // Where the codes of the second vector begin, so that all from there on are aligned; it overlaps the
    // first, which does no harm. 0 where that is no whole byte of the packed stream.
    static std::size_t first_aligned(const Code* codes, std::size_t count, std::size_t size) {
        const std::size_t distance = elements_to_alignment(codes, kCodes);
        return distance % 8 == 0 && count >= 2 * kCodes && size >= kReach ? distance : 0;
    }

    static std::uint32_t pack(const Code* codes, std::size_t count, std::uint8_t* packed) {
        const std::size_t size = count / 8 * kBits + (count % 8 * kBits + 7) / 8;
        simd::Bits seen = simd::splat_u16(0);
        const auto pack_vector = [&](std::size_t i, std::size_t end) {
            const simd::Bits x = simd::load_bits(codes + i);
            seen = simd::bit_or(seen, x);
            simd::store_rows(packed + end, kPackedRow, joined(x));
        };
        std::size_t i = first_aligned(codes, count, size);
        std::size_t end = i / 8 * kBits;  // of what is packed
        if (i > 0) pack_vector(0, 0);
        for (; i + kCodes <= count && end + kReach <= size; i += kCodes, end += kPackedBytes)
            pack_vector(i, end);
        for (; i < count; i += kCodes, end += kPackedBytes) {
            Code last[kCodes] = {};
            std::uint8_t last_packed[kReach];
            const std::size_t left = count - i < kCodes ? count - i : kCodes;
            __builtin_memcpy(last, codes + i, left * sizeof(Code));
            const simd::Bits x = simd::load_bits(last);
            seen = simd::bit_or(seen, x);
            simd::store_rows(last_packed, kPackedRow, joined(x));
            const std::size_t bytes = size - end < kPackedBytes ? size - end : kPackedBytes;
            __builtin_memcpy(packed + end, last_packed, bytes);
        }
        Code seen_codes[kCodes];
        simd::store_bits(seen_codes, seen);
        std::uint32_t all = 0;
        for (const Code code : seen_codes) all |= code;
        return all;
    }

    static void unpack(const std::uint8_t* packed, std::size_t count, Code* codes) {
        const std::size_t size = count / 8 * kBits + (count % 8 * kBits + 7) / 8;
        const auto unpack_vector = [&](std::size_t i, std::size_t end) {
            simd::store_bits(codes + i, split(simd::load_rows(packed + end, kPackedRow)));
        };
        std::size_t i = first_aligned(codes, count, size);
        std::size_t end = i / 8 * kBits;  // of what is unpacked
        if (i > 0) unpack_vector(0, 0);
        for (; i + kCodes <= count && end + kReach <= size; i += kCodes, end += kPackedBytes)
            unpack_vector(i, end);
        for (; i < count; i += kCodes, end += kPackedBytes) {
            Code last[kCodes];
            std::uint8_t last_packed[kReach] = {};
            const std::size_t bytes = size - end < kPackedBytes ? size - end : kPackedBytes;
            __builtin_memcpy(last_packed, packed + end, bytes);
            simd::store_bits(last, split(simd::load_rows(last_packed, kPackedRow)));
            const std::size_t left = count - i < kCodes ? count - i : kCodes;
            __builtin_memcpy(codes + i, last, left * sizeof(Code));
        }
    }
};

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
    bodies.pack[kBits] = Bitpacking<kBits, Code>::pack;
    bodies.unpack[kBits] = Bitpacking<kBits, Code>::unpack;
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
    return kBitpackBodies<Code>.pack[bits](codes, count, packed);
}

template <class Code>
void unpack(const std::uint8_t* packed, std::size_t count, unsigned bits, Code* codes) {
    kBitpackBodies<Code>.unpack[bits](packed, count, codes);
}

}  // namespace
}  // namespace nnr
