// The binary arithmetic decoder: a range of nine bits, of which the code says where in it the
// bitstream lies.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "fault.hpp"
#include "inline.hpp"
#include "probability.hpp"

namespace nnr::nnc {

class ArithmeticDecoder {
public:
    static constexpr unsigned kRegisterBits = 9;
    static constexpr std::uint32_t kStartRange = 510, kRestartRange = 256;

    // How far a range has to be shifted to fill the register again; it is never zero.
    static NNR_INLINE unsigned missing_bits(std::uint32_t range) {
#if defined(__GNUC__)
        return static_cast<unsigned>(__builtin_clz(range)) - (32 - kRegisterBits);
#else
        return static_cast<unsigned>(std::countl_zero(range)) - (32 - kRegisterBits);
#endif
    }

    // The same for what the more probable bin leaves of it: one bit at most.
    static NNR_INLINE unsigned missing_bits_of_rest(std::uint32_t rest) {
        return (rest >> (kRegisterBits - 1)) ^ 1;
    }

    // `base` is where `code` begins in the whole bitstream, for messages.
    ArithmeticDecoder(std::span<const std::uint8_t> code, std::size_t base)
        : begin_(code.data()), next_(begin_), end_(begin_ + code.size()), base_(base) {
        load(0);
        check_in_range();
    }

    // Takes the decoding up at the beginning of a block row, where the register has moved on by
    // `position` bits and holds `value`.
    void resume(std::uint64_t position, unsigned value) {
        if (position / 8 > static_cast<std::size_t>(end_ - begin_))
            throw Fault(FaultKind::truncated, "entry point beyond the end of the unit", base_);
        next_ = begin_ + position / 8;
        load(static_cast<unsigned>(position % 8));
        window_ = (window_ & (~std::uint64_t{0} >> kRegisterBits)) |
                  std::uint64_t{value} << (64 - kRegisterBits);
        range_ = kRestartRange;
    }

    NNR_INLINE unsigned bin(Context& context) {
        const std::uint64_t widths = context.lps_widths;
        unsigned decoded = context.state() >= 0;
        const auto width = static_cast<std::uint32_t>((widths >> ((range_ >> 2) & 0x38)) & 0xFF);
        const std::uint32_t rest = range_ - width;
        const std::uint64_t limit = std::uint64_t{rest} << (64 - kRegisterBits);
        const bool less_probable = window_ >= limit;
        decoded ^= static_cast<unsigned>(less_probable);
        // Both outcomes side by side, which is shorter than one after the choice.
        const unsigned rest_missing = missing_bits_of_rest(rest), width_missing = missing_bits(width);
        const std::uint32_t rest_range = rest << rest_missing, width_range = width << width_missing;
        window_ -= less_probable ? limit : 0;
        range_ = less_probable ? width_range : rest_range;
        shift(less_probable ? width_missing : rest_missing);
        context.update(decoded);
        return decoded;
    }

    // The same for bins of which the caller does not know either what to do next: it branches on
    // them anyway, and here the branch saves the more probable bin half its way through the range.
    NNR_INLINE unsigned branching_bin(Context& context) {
        const std::uint64_t widths = context.lps_widths;
        const unsigned more_probable = context.state() >= 0;
        const auto width = static_cast<std::uint32_t>((widths >> ((range_ >> 2) & 0x38)) & 0xFF);
        const std::uint32_t rest = range_ - width;
        const std::uint64_t limit = std::uint64_t{rest} << (64 - kRegisterBits);
        if (window_ < limit) [[likely]] {
            const unsigned missing = missing_bits_of_rest(rest);
            range_ = rest << missing;
            shift(missing);
            context.update(more_probable);
            return more_probable;
        }
        window_ -= limit;
        const unsigned missing = missing_bits(width);
        range_ = width << missing;
        shift(missing);
        context.update(1 - more_probable);
        return 1 - more_probable;
    }

    NNR_INLINE unsigned bypass() {
        const std::uint64_t limit = std::uint64_t{range_} << (64 - kRegisterBits - 1);
        const bool one = window_ >= limit;
        window_ -= one ? limit : 0;
        shift(1);
        return one;
    }

    NNR_INLINE std::uint32_t bypass(unsigned count) {
        std::uint32_t value = 0;
        for (; count >= kBypassAtOnce; count -= kBypassAtOnce)
            value = value << kBypassAtOnce | divide(kBypassAtOnce);
        return count != 0 ? value << count | divide(count) : value;
    }

    // The bin that ends the code; true where it does.
    bool terminate() const {
        return window_ >> (64 - kRegisterBits) >= range_ - 2;
    }

    // After the terminating bin: whether the code ends as it has to, with a one as the last bit
    // taken in, zeros to the end of that byte, and no byte after it.
    bool ends_properly() const {
        const std::uint64_t bits = position() + kRegisterBits;
        if ((bits + 7) / 8 != static_cast<std::size_t>(end_ - begin_)) return false;
        const unsigned last = end_[-1];
        return (last & (0xFFu >> ((bits - 1) % 8))) == (0x80u >> ((bits - 1) % 8));
    }

    // Both sides forget the range at the beginning of a block row.
    void restart_range() {
        range_ = kRestartRange;
        check_in_range();
    }

    // How many bits the register has moved on since the beginning.
    std::uint64_t position() const {
        return static_cast<std::uint64_t>(next_ - begin_) * 8 + past_end_ -
               static_cast<std::uint64_t>(extra_) - kRegisterBits;
    }

    unsigned value() const { return static_cast<unsigned>(window_ >> (64 - kRegisterBits)); }

    // Whether bits were used that the code does not have.
    bool overran() const {
        return position() + kRegisterBits > static_cast<std::uint64_t>(end_ - begin_) * 8;
    }

    // The byte that the register has come to, however far ahead bytes are taken in.
    std::size_t here() const {
        const std::uint64_t bits = position() + kRegisterBits;
        return base_ + std::min(static_cast<std::size_t>(bits / 8),
                                static_cast<std::size_t>(end_ - begin_));
    }

private:
    static constexpr unsigned kBypassAtOnce = 16;
    // The most bits that one step takes.
    static constexpr int kReserve = 16;

    void load(unsigned skipped) {
        window_ = 0;
        extra_ = -static_cast<int>(kRegisterBits);
        past_end_ = 0;
        refill();
        shift(skipped);
    }

    void check_in_range() const {
        if (value() >= range_)
            throw Fault(FaultKind::corrupt, "the arithmetic code is out of its range", base_);
    }

    NNR_INLINE void shift(unsigned count) {
        window_ <<= count;
        extra_ -= static_cast<int>(count);
        if (extra_ < kReserve) [[unlikely]]
            refill();
    }

    NNR_INLINE void refill() {
        if (end_ - next_ < 8) [[unlikely]] {
            const Supply supply = supplied_at_end({window_, next_, past_end_, extra_}, end_, here());
            window_ = supply.window;
            next_ = supply.next;
            past_end_ = supply.past_end;
            extra_ = supply.extra;
            return;
        }
        std::uint64_t bytes;
        std::memcpy(&bytes, next_, 8);
        if constexpr (std::endian::native == std::endian::little) bytes = byte_swapped(bytes);
        const auto held = static_cast<unsigned>(extra_ + static_cast<int>(kRegisterBits));
        window_ |= bytes >> held;
        const unsigned taken = (64 - held) / 8;
        next_ += taken;
        extra_ += static_cast<int>(taken * 8);
        // What was put into the window beyond whole bytes comes again with the next refill.
        window_ &= ~std::uint64_t{0} << (64 - static_cast<unsigned>(extra_ + 9));
    }

    struct Supply {
        std::uint64_t window;
        const std::uint8_t* next;
        std::uint64_t past_end;
        int extra;
    };

    // Byte by byte, and zeros after the last one. Without `this`, which would keep the decoder from
    // living in registers.
    static NNR_OUTLINE Supply supplied_at_end(Supply supply, const std::uint8_t* end,
                                              std::size_t here) {
        constexpr std::uint64_t kTolerated = 128;
        while (supply.extra <= 64 - 8 - static_cast<int>(kRegisterBits)) {
            std::uint64_t byte = 0;
            if (supply.next < end)
                byte = *supply.next++;
            else if ((supply.past_end += 8) > kTolerated)
                throw Fault(FaultKind::truncated, "the arithmetic code has no end", here);
            supply.extra += 8;
            supply.window |= byte << (64 - static_cast<int>(kRegisterBits) - supply.extra);
        }
        return supply;
    }

    static std::uint64_t byte_swapped(std::uint64_t value) {
#if defined(__GNUC__)
        return __builtin_bswap64(value);
#else
        std::uint64_t swapped = 0;
        for (int i = 0; i < 8; ++i, value >>= 8) swapped = swapped << 8 | (value & 0xFF);
        return swapped;
#endif
    }

    // `count` bypass bins at once: how often the range goes into the register and the bits after it.
    NNR_INLINE std::uint32_t divide(unsigned count) {
        const unsigned below = 64 - kRegisterBits - count;
        const auto dividend = static_cast<std::uint32_t>(window_ >> below);
        const std::uint32_t quotient = dividend / range_;
        window_ -= std::uint64_t{quotient * range_} << below;
        shift(count);
        return quotient;
    }

    const std::uint8_t* begin_;
    const std::uint8_t* next_;
    const std::uint8_t* end_;
    std::size_t base_;
    std::uint64_t window_ = 0;  // the register in the upper nine bits, the bits after it below
    int extra_ = 0;             // how many of those there are
    std::uint32_t range_ = kStartRange;
    std::uint64_t past_end_ = 0;
};

}  // namespace nnr::nnc
