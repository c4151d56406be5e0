// Values of integers rescaled and added: a vector of channels at a time, pixel by pixel, so that a few
// channels take as long as a whole vector.
#pragma once

#include "epilogue.hpp"

namespace nnr {
namespace {

// Of one vector of channels.
template <class Addend>
struct ScaleChannels {
    static constexpr bool kAddend = !std::is_void_v<Addend>;
    simd::I32 multiplier, second_multiplier, in_zero, addend_zero, zero, lo, hi;
    simd::I64 rest;  // the offset, and a half

    ScaleChannels(const IntegerScale& scale, std::size_t channel)
        : multiplier(simd::load_i32(scale.multipliers + channel)),
          second_multiplier(simd::load_i32(scale.second_multipliers + channel)),
          in_zero(simd::load_i32(scale.in_zeros + channel)),
          addend_zero(in_zero),
          zero(simd::load_i32(scale.zeros + channel)),
          // The zero is added last, where it cannot overflow.
          lo(simd::sub_i32(simd::splat_i32(scale.lo), zero)),
          hi(simd::sub_i32(simd::splat_i32(scale.hi), zero)) {
        const simd::I32 one = simd::splat_i32(1);
        rest = simd::wide_product(simd::splat_i32(1 << 15), one);
        if constexpr (kAddend)
            addend_zero = simd::load_i32(scale.addend_zeros + channel);
        else
            rest = simd::add(rest,
                             simd::wide_product(simd::load_i32(scale.offsets + channel), one));
    }

    template <class Input, class Other>
    simd::I32 operator()(const Input* input, const Other* other) const {
        const simd::I32 x = simd::sub_i32(simd::load_widen(input), in_zero);
        simd::I64 sum = rest;
        if constexpr (kAddend) {
            const simd::I32 y = simd::sub_i32(simd::load_widen(other), addend_zero);
            sum = simd::add(sum, simd::add(simd::wide_product(x, multiplier),
                                           simd::wide_product(y, second_multiplier)));
        } else {
            sum = simd::add(sum, simd::wide_product(
                                     x, simd::select_negative(x, second_multiplier, multiplier)));
        }
        const simd::I32 result = simd::bits_from_16(sum);
        return simd::add_i32(simd::min_i32(simd::max_i32(result, lo), hi), zero);
    }
};

template <class Addend, class Input, class Output>
void scale_rows(const IntegerScale& scale, const ConvWindow<Input, Output>& window) {
    using Other = std::conditional_t<std::is_void_v<Addend>, Input, Addend>;
    for (std::size_t c = 0; c < scale.channels; c += simd::kLanes) {
        const ScaleChannels<Addend> scaled(scale, c);
        for (std::size_t y = 0; y < window.height; ++y) {
            const Input* input = window.input + y * window.input_row + c;
            const Other* other = nullptr;
            if constexpr (ScaleChannels<Addend>::kAddend)
                other = static_cast<const Other*>(window.addend) + y * window.addend_row + c;
            Output* output = window.output + y * window.output_row + c;
            for (std::size_t x = 0; x < window.width; ++x) {
                simd::store_clamped(output, scaled(input, other));
                input += window.input_pixel;
                output += window.output_pixel;
                if constexpr (ScaleChannels<Addend>::kAddend) other += window.addend_pixel;
            }
        }
    }
}

template <class Input, class Output>
void integer_scale(const IntegerScale& scale, const ConvWindow<Input, Output>& window) {
    if (window.addend == nullptr)
        scale_rows<void>(scale, window);
    else if (window.byte_addend)
        scale_rows<std::uint8_t>(scale, window);
    else
        scale_rows<std::int16_t>(scale, window);
}

}  // namespace
}  // namespace nnr
