// A range coder over counts that sum to 2^15: 32 bits of range, carries into the bytes written,
// and an end of one byte at most.
//
// The bytes are a fraction in base 256. The coder holds an interval [low, low + range) in units of
// 2^-32 below the bytes already decided; each symbol narrows it to that symbol's share. What is
// written at the end is the shortest fraction inside; the decoder goes on reading zeros after it,
// and accepts no other end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "nnc/fault.hpp"

namespace nnr {

constexpr unsigned kCountBits = 15;
constexpr std::uint32_t kCountSum = 1u << kCountBits;

namespace range_coder {

// Below this the interval is shifted by a byte.
constexpr std::uint32_t kLeastRange = 1u << 24;
constexpr std::uint32_t kStartRange = 0xFFFFFFFF;
constexpr std::uint64_t kOne = std::uint64_t{1} << 32;

}  // namespace range_coder

class RangeEncoder {
public:
    // A symbol with `count` of the 2^15, `before` of which belong to the symbols before it.
    void encode(std::uint32_t before, std::uint32_t count) {
        const std::uint32_t unit = range_ >> kCountBits;
        narrow(unit * before, unit * count);
    }

    // `count` bits, at most kCountBits, all values alike.
    void encode_bits(std::uint32_t value, unsigned count) {
        const std::uint32_t unit = range_ >> count;
        narrow(unit * value, unit);
    }

    // The bytes; nothing may be encoded after them.
    std::vector<std::uint8_t> finish() {
        using namespace range_coder;
        if (low_ != 0 && low_ + range_ > kOne)
            carry();
        else if (low_ != 0)
            bytes_.push_back(static_cast<std::uint8_t>((low_ + kLeastRange - 1) >> 24));
        return std::move(bytes_);
    }

private:
    void narrow(std::uint32_t offset, std::uint32_t range) {
        using namespace range_coder;
        low_ += offset;
        range_ = range;
        if (low_ >= kOne) {
            low_ -= kOne;
            carry();
        }
        for (; range_ < kLeastRange; range_ <<= 8) {
            bytes_.push_back(static_cast<std::uint8_t>(low_ >> 24));
            low_ = low_ << 8 & (kOne - 1);
        }
    }

    // There is a byte to take it: the interval never leaves the one it began with.
    void carry() {
        std::size_t last = bytes_.size() - 1;
        while (++bytes_[last] == 0) --last;
    }

    std::vector<std::uint8_t> bytes_;
    std::uint64_t low_ = 0;
    std::uint32_t range_ = range_coder::kStartRange;
};

class RangeDecoder {
public:
    // `base` is where `code` begins in the whole file, for messages.
    RangeDecoder(std::span<const std::uint8_t> code, std::size_t base) : code_(code), base_(base) {
        for (int i = 0; i < 4; ++i) offset_ = offset_ << 8 | next_byte();
    }

    // Which of the 2^15 counts the next symbol holds; `consume` has to follow.
    std::uint32_t count() {
        unit_ = range_ >> kCountBits;
        return checked(offset_ / unit_, kCountSum);
    }

    void consume(std::uint32_t before, std::uint32_t count) {
        narrow(unit_ * before, unit_ * count);
    }

    std::uint32_t decode_bits(unsigned count) {
        unit_ = range_ >> count;
        const std::uint32_t value = checked(offset_ / unit_, 1u << count);
        narrow(unit_ * value, unit_);
        return value;
    }

    // Checks that the code ends here, and in the one way that the encoder ends it.
    void finish() const {
        using namespace range_coder;
        const std::size_t decided = read_ - 4;
        if (decided == code_.size()) return;
        if (decided + 1 < code_.size())
            fail(nnc::FaultKind::corrupt, "there are bytes after the end of the code");
        const std::uint32_t low = (std::uint32_t{code_.back()} << 24) - offset_;
        const bool needs_byte = low != 0 && std::uint64_t{low} + range_ <= kOne;
        if (!needs_byte || offset_ >= kLeastRange)
            fail(nnc::FaultKind::corrupt, "the code does not end as it has to");
    }

    [[noreturn]] void fail(nnc::FaultKind kind, const char* what) const {
        throw nnc::Fault(kind, what, base_ + (read_ < code_.size() ? read_ : code_.size()));
    }

private:
    std::uint32_t checked(std::uint32_t value, std::uint32_t end) const {
        if (value >= end) fail(nnc::FaultKind::corrupt, "the code is out of its range");
        return value;
    }

    void narrow(std::uint32_t offset, std::uint32_t range) {
        offset_ -= offset;
        range_ = range;
        for (; range_ < range_coder::kLeastRange; range_ <<= 8)
            offset_ = offset_ << 8 | next_byte();
    }

    // Zeros after the last byte, as many as the register can hold when the end is reached.
    std::uint8_t next_byte() {
        if (read_ >= code_.size() + 4) fail(nnc::FaultKind::truncated, "the code is cut short");
        const std::uint8_t byte = read_ < code_.size() ? code_[read_] : std::uint8_t{0};
        ++read_;
        return byte;
    }

    std::span<const std::uint8_t> code_;
    std::size_t base_;
    std::size_t read_ = 0;        // bytes taken into `offset_`, zeros after the end included
    std::uint32_t offset_ = 0;    // of the code within the interval
    std::uint32_t range_ = range_coder::kStartRange;
    std::uint32_t unit_ = 0;      // of the symbol at hand
};

}  // namespace nnr
