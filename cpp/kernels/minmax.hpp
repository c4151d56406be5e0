#pragma once

#include "reference/minmax.hpp"

namespace nnr {
namespace {

template <class T>
MinMax minmax(const T* values, std::size_t count) {
    simd::F32 lo = simd::splat(__builtin_inff());
    simd::F32 hi = simd::splat(-__builtin_inff());
    bool finite = true;
    std::size_t i = 0;
    for (; i + simd::kLanes <= count; i += simd::kLanes) {
        const simd::F32 x = simd::load(values + i);
        lo = simd::min(lo, x);
        hi = simd::max(hi, x);
        finite &= !simd::any(simd::not_finite(x));
    }
    MinMax result = reference::minmax(values + i, count - i);
    if (i > 0) {
        const float vector_lo = simd::reduce_min(lo) + 0.0f;  // -0 becomes +0
        const float vector_hi = simd::reduce_max(hi) + 0.0f;
        result.lo = vector_lo < result.lo ? vector_lo : result.lo;
        result.hi = vector_hi > result.hi ? vector_hi : result.hi;
    }
    result.finite &= finite;
    return result;
}

}  // namespace
}  // namespace nnr
