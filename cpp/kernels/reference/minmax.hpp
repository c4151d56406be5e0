#pragma once

#include "../float_types.hpp"
#include "../kernel_table.hpp"

namespace nnr::reference {
namespace {

// False for NaN and both infinities.
inline bool is_finite(float value) { return __builtin_fabsf(value) <= __FLT_MAX__; }

template <class T>
MinMax minmax(const T* values, std::size_t count) {
    MinMax result{__builtin_inff(), -__builtin_inff(), true};
    for (std::size_t i = 0; i < count; ++i) {
        const float x = to_f32(values[i]) + 0.0f;  // -0 becomes +0
        result.finite = result.finite && is_finite(x);
        result.lo = x < result.lo ? x : result.lo;
        result.hi = x > result.hi ? x : result.hi;
    }
    return result;
}

template <class T>
bool minmax_columns(const T* values, std::size_t rows, std::size_t columns, float* lo, float* hi) {
    bool finite = true;
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t c = 0; c < columns; ++c) {
            const float x = to_f32(values[row * columns + c]) + 0.0f;
            finite = finite && is_finite(x);
            lo[c] = x < lo[c] ? x : lo[c];
            hi[c] = x > hi[c] ? x : hi[c];
        }
    }
    return finite;
}

}  // namespace
}  // namespace nnr::reference
