// What becomes of the sums of a convolution, a vector of output channels at a time: `start` is what
// a sum begins with, `channels` holds what depends on the channel, for all pixels of a block.
#pragma once

#include <type_traits>

#include "network_kernels.hpp"

namespace nnr {
namespace {

template <bool kAddend>
struct FloatFinish {
    using Addend = float;
    const FloatEpilogue& epilogue;

    struct Channels {
        simd::F32 slope;
        simd::Mask cut_off;
        bool activated;

        simd::F32 finished(simd::F32 sum, const float* addend) const {
            if constexpr (kAddend) sum = simd::add(sum, simd::load(addend));
            if (!activated) return sum;
            const simd::F32 zero = simd::splat(0.0f);
            const simd::F32 below = simd::select(cut_off, zero, simd::mul(slope, sum));
            return simd::select(simd::less(sum, zero), below, sum);
        }
        void store(float* output, simd::F32 sum, const float* addend) const {
            simd::store(output, finished(sum, addend));
        }
    };

    simd::F32 start(std::size_t channel) const { return simd::load(epilogue.bias + channel); }
    Channels channels(std::size_t channel) const {
        const bool activated = epilogue.slopes != nullptr;
        const simd::F32 slope =
            activated ? simd::load(epilogue.slopes + channel) : simd::splat(1.0f);
        return {slope, simd::equal(slope, simd::splat(0.0f)), activated};
    }
};

// The addend is of u8, of i16, or void for none.
template <class AddendOrVoid>
struct IntegerFinish {
    static constexpr bool kAddend = !std::is_void_v<AddendOrVoid>;
    using Addend = std::conditional_t<kAddend, AddendOrVoid, std::uint8_t>;
    const IntegerEpilogue& epilogue;

    struct Channels {
        simd::I32 multiplier, negative_multiplier, zero, lo, hi;
        simd::I32 addend_multiplier, addend_zero;

        template <class Output>
        void store(Output* output, simd::I32 sum, const Addend* addend) const {
            simd::I32 result = simd::high_product(
                sum, simd::select_negative(sum, negative_multiplier, multiplier));
            if constexpr (kAddend) {
                const simd::I32 half = simd::splat_i32(128);
                const simd::I32 x = simd::mul_i32(
                    simd::sub_i32(simd::load_widen(addend), addend_zero), addend_multiplier);
                result = simd::add_i32(result,
                                       simd::shift_right_i32<8>(simd::add_i32(x, half)));
                result = simd::shift_right_i32<8>(simd::add_i32(result, half));
            }
            result = simd::add_i32(result, zero);
            simd::store_clamped(output, simd::min_i32(simd::max_i32(result, lo), hi));
        }
    };

    simd::I32 start(std::size_t channel) const { return simd::load_i32(epilogue.bias + channel); }
    Channels channels(std::size_t channel) const {
        Channels of{};
        of.multiplier = simd::load_i32(epilogue.multipliers + channel);
        of.negative_multiplier = simd::load_i32(epilogue.negative_multipliers + channel);
        of.zero = simd::load_i32(epilogue.zeros + channel);
        of.lo = simd::splat_i32(epilogue.lo);
        of.hi = simd::splat_i32(epilogue.hi);
        if constexpr (kAddend) {
            of.addend_multiplier = simd::load_i32(epilogue.addend_multipliers + channel);
            of.addend_zero = simd::load_i32(epilogue.addend_zeros + channel);
        }
        return of;
    }
};

// The sums themselves.
struct SumsFinish {
    using Addend = std::int32_t;
    const std::int32_t* bias;

    struct Channels {
        void store(std::int32_t* output, simd::I32 sum, const std::int32_t*) const {
            simd::store_i32(output, sum);
        }
    };

    simd::I32 start(std::size_t channel) const { return simd::load_i32(bias + channel); }
    Channels channels(std::size_t) const { return {}; }
};

struct ShiftFinish {
    using Addend = std::int32_t;
    std::uint32_t shift;

    struct Channels {
        std::uint32_t shift;
        void store(std::int32_t* output, simd::I32 sum, const std::int32_t*) const {
            simd::store_i32(output, simd::shift_right_i32(sum, shift));
        }
    };

    simd::I32 start(std::size_t) const { return simd::splat_i32(1 << (shift - 1)); }
    Channels channels(std::size_t) const { return {shift}; }
};

// A window without an addend points to some other memory, which is not read.
template <class Window>
Window without_addend(Window window) {
    window.addend = window.output;
    window.addend_pixel = window.addend_row = 0;
    return window;
}

// Calls compute with the finish that fits the window's addend, and the window.
template <class Window, class Compute>
void with_finish(const FloatEpilogue& epilogue, const Window& window, const Compute& compute) {
    if (window.addend == nullptr)
        compute(FloatFinish<false>{epilogue}, without_addend(window));
    else
        compute(FloatFinish<true>{epilogue}, window);
}

template <class Window, class Compute>
void with_finish(const IntegerEpilogue& epilogue, const Window& window, const Compute& compute) {
    if (window.addend == nullptr)
        compute(IntegerFinish<void>{epilogue}, without_addend(window));
    else if (window.byte_addend)
        compute(IntegerFinish<std::uint8_t>{epilogue}, window);
    else
        compute(IntegerFinish<std::int16_t>{epilogue}, window);
}

}  // namespace
}  // namespace nnr
