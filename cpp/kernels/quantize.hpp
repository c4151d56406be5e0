#pragma once

#include "reference/quantize.hpp"

namespace nnr {
namespace {

template <class T, class Code>
QuantizeResult quantize(const T* values, std::size_t count, const QuantizerParameters& parameters,
                        Code* codes) {
    const simd::F32 lo = simd::splat(parameters.lo);
    const simd::F32 hi = simd::splat(parameters.hi);
    const simd::F32 inv_step = simd::splat(parameters.inv_step);
    const simd::F32 zero = simd::splat(0.0f);
    const simd::F32 max_code = simd::splat(static_cast<float>(parameters.max_code));
    std::uint64_t clipped = 0;
    bool finite = true;
    std::size_t i = 0;
    for (; i + simd::kLanes <= count; i += simd::kLanes) {
        const simd::F32 x = simd::load(values + i);
        finite &= !simd::any(simd::not_finite(x));
        clipped += simd::count(simd::less(x, lo)) + simd::count(simd::less(hi, x));
        const simd::F32 level = simd::mul(simd::sub(x, lo), inv_step);
        const simd::F32 bounded = simd::min(simd::max(level, zero), max_code);
        simd::store_narrow(codes + i, simd::round_to_i32(bounded));
    }
    QuantizeResult tail = reference::quantize(values + i, count - i, parameters, codes + i);
    return {clipped + tail.clipped, finite && tail.finite};
}

template <class Code, class T>
void dequantize(const Code* codes, std::size_t count, const QuantizerParameters& parameters,
                T* values) {
    const simd::F32 lo = simd::splat(parameters.lo);
    const simd::F32 step = simd::splat(parameters.step);
    std::size_t i = 0;
    for (; i + simd::kLanes <= count; i += simd::kLanes) {
        const simd::F32 code = simd::i32_to_f32(simd::load_widen(codes + i));
        simd::store(values + i, simd::add(lo, simd::mul(code, step)));
    }
    reference::dequantize(codes + i, count - i, parameters, values + i);
}

}  // namespace
}  // namespace nnr
