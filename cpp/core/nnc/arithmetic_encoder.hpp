// The binary arithmetic encoder, the decoder's mirror.
#pragma once

#include <cstdint>
#include <vector>

#include "arithmetic_decoder.hpp"
#include "probability.hpp"

namespace nnr::nnc {

class ArithmeticEncoder {
public:
    explicit ArithmeticEncoder(std::vector<std::uint8_t>& out) : out_(&out), begin_(out.size()) {}

    NNR_INLINE void bin(Context& context, unsigned value) {
        const std::uint64_t widths = context.lps_widths;
        const unsigned more_probable = context.state() >= 0;
        const auto width = static_cast<std::uint32_t>((widths >> ((range_ >> 2) & 0x38)) & 0xFF);
        const std::uint32_t rest = range_ - width;
        const bool less_probable = value != more_probable;
        low_ += less_probable ? rest : 0;
        range_ = less_probable ? width : rest;
        const unsigned missing = ArithmeticDecoder::missing_bits(range_);
        range_ <<= missing;
        shift(missing);
        context.update(value);
    }

    NNR_INLINE void bypass(std::uint32_t value, unsigned count) {
        while (count > 0) {
            const unsigned now = count < kBypassAtOnce ? count : kBypassAtOnce;
            count -= now;
            const std::uint64_t bins = value >> count & ((1u << now) - 1);
            low_ = (low_ << now) + bins * range_;
            moved(now);
        }
    }

    void restart_range() { range_ = ArithmeticDecoder::kRestartRange; }

    // As of the decoder.
    std::uint64_t position() const { return std::uint64_t{out_->size() - begin_} * 8 + pending_; }

    // The register, from which `entry_value` finds the decoder's once the code is complete.
    std::uint32_t low() const {
        return static_cast<std::uint32_t>(low_) & ((1u << ArithmeticDecoder::kRegisterBits) - 1);
    }

    // The terminating bin, and all that is still held back.
    void finish() {
        range_ -= 2;
        low_ += range_;
        shift(7);
        // The last eight bits do not matter; the stop bit takes their place.
        low_ = low_ >> 8 << 1 | 1;
        unsigned bits = pending_ + 2;
        while (bits % 8 != 0) {
            low_ <<= 1;
            ++bits;
        }
        carry(*out_, low_ >> bits);
        for (; bits > 0; bits -= 8) out_->push_back(static_cast<std::uint8_t>(low_ >> (bits - 8)));
    }

private:
    static constexpr unsigned kBypassAtOnce = 16, kWrittenAtOnce = 32;

    NNR_INLINE void shift(unsigned count) {
        low_ <<= count;
        moved(count);
    }

    NNR_INLINE void moved(unsigned count) {
        pending_ += count;
        if (pending_ >= kWrittenAtOnce) [[unlikely]]
            write();
    }

    NNR_INLINE void write() {
        const unsigned kept = ArithmeticDecoder::kRegisterBits + pending_ - kWrittenAtOnce;
        append(*out_, low_ >> kept);
        low_ &= (std::uint64_t{1} << kept) - 1;
        pending_ -= kWrittenAtOnce;
    }

    // 32 bits, and the carry above them. Apart, and without `this`, which would keep the encoder from
    // living in registers.
    static NNR_OUTLINE void append(std::vector<std::uint8_t>& out, std::uint64_t bits) {
        carry(out, bits >> kWrittenAtOnce);
        for (unsigned by = kWrittenAtOnce; by > 0; by -= 8)
            out.push_back(static_cast<std::uint8_t>(bits >> (by - 8)));
    }

    static void carry(std::vector<std::uint8_t>& out, std::uint64_t over) {
        if (over == 0) return;
        for (std::size_t i = out.size(); ++out[--i] == 0;) {
        }
    }

    std::vector<std::uint8_t>* out_;
    std::size_t begin_;
    std::uint64_t low_ = 0;  // the register in the lowest bits, what waits to be written above it
    std::uint32_t range_ = ArithmeticDecoder::kStartRange;
    unsigned pending_ = 0;   // bits that wait
};

// What the decoder's register holds at `position`, where the encoder's held `low`.
inline std::uint8_t entry_value(std::span<const std::uint8_t> code, std::uint64_t position,
                                std::uint32_t low) {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < ArithmeticDecoder::kRegisterBits; ++i, ++position) {
        const std::uint32_t byte = position / 8 < code.size() ? code[position / 8] : 0;
        bits = bits << 1 | (byte >> (7 - position % 8) & 1);
    }
    return static_cast<std::uint8_t>(bits - low);
}

}  // namespace nnr::nnc
