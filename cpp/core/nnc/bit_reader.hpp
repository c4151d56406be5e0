// The bits of headers, most significant first. Every read is checked against the end.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "fault.hpp"
#include "utf8.hpp"

namespace nnr::nnc {

class BitReader {
public:
    // Reads bytes [begin, end) of `data`; offsets in faults count from the beginning of `data`.
    BitReader(std::span<const std::uint8_t> data, std::size_t begin, std::size_t end)
        : data_(data), bit_(std::uint64_t{begin} * 8), end_(std::uint64_t{end} * 8) {}

    std::size_t byte_offset() const { return static_cast<std::size_t>(bit_ / 8); }
    bool is_aligned() const { return bit_ % 8 == 0; }

    bool flag() { return u(1) != 0; }

    std::uint64_t u(unsigned count) {
        if (end_ - bit_ < count) fail(FaultKind::truncated, "the header goes on beyond its unit");
        std::uint64_t value = 0;
        for (; count > 0; --count, ++bit_)
            value = value << 1 | (data_[bit_ / 8] >> (7 - bit_ % 8) & 1u);
        return value;
    }

    std::int64_t i(unsigned count) {
        const std::uint64_t value = u(count);
        return static_cast<std::int64_t>(value << (64 - count)) >> (64 - count);
    }

    // Exp-Golomb of order k; what does not fit into 32 bits is corrupt.
    std::uint32_t ue(unsigned k) {
        std::uint64_t value = 0;
        for (; !flag(); ++k) {
            value += std::uint64_t{1} << k;
            if (k >= 32) fail(FaultKind::corrupt, "a number does not fit into 32 bits");
        }
        value += u(k);
        if (value > UINT32_MAX) fail(FaultKind::corrupt, "a number does not fit into 32 bits");
        return static_cast<std::uint32_t>(value);
    }

    std::int64_t ie(unsigned k) {
        const std::int64_t coded = ue(k);
        return coded % 2 != 0 ? (coded + 1) / 2 : -(coded / 2);
    }

    float flt() {
        const std::uint32_t bytes = static_cast<std::uint32_t>(u(32));
        return std::bit_cast<float>(bytes >> 24 | (bytes >> 8 & 0xFF00) | (bytes << 8 & 0xFF0000) |
                                    bytes << 24);
    }

    // Text in UTF-8 that ends with a zero byte.
    std::string st() {
        if (!is_aligned()) fail(FaultKind::corrupt, "text off a byte boundary");
        const auto rest = data_.first(static_cast<std::size_t>(end_ / 8)).subspan(byte_offset());
        const auto end = std::ranges::find(rest, std::uint8_t{0});
        if (end == rest.end()) fail(FaultKind::truncated, "text goes on beyond its unit");
        const std::string text(rest.begin(), end);
        if (!is_utf8(text)) fail(FaultKind::corrupt, "text that is not UTF-8");
        bit_ += (text.size() + 1) * 8;
        return text;
    }

    // A one, then zeros to the byte's end.
    void byte_alignment() {
        if (!flag()) fail(FaultKind::corrupt, "byte alignment does not begin with a one");
        while (!is_aligned())
            if (flag()) fail(FaultKind::corrupt, "byte alignment holds a one");
    }

    void expect_zeros(unsigned count, const char* what) {
        if (u(count) != 0) fail(FaultKind::unsupported, what);
    }

    [[noreturn]] void fail(FaultKind kind, const std::string& what) const {
        throw Fault(kind, what, byte_offset());
    }

private:
    std::span<const std::uint8_t> data_;
    std::uint64_t bit_, end_;
};

}  // namespace nnr::nnc
