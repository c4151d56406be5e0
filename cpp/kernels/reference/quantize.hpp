#pragma once

#include "../float_types.hpp"
#include "../kernel_table.hpp"
#include "minmax.hpp"

namespace nnr::reference {
namespace {

// Adding 2^23 to a value of 0 to 2^22 leaves no fraction bits, so the addition itself rounds to
// the nearest integer, halves to even, without a rounding instruction.
inline float round_half_to_even(float value) { return (value + 0x1p23f) - 0x1p23f; }

inline float code_of(float x, float lo, float inv_step, float max_code) {
    const float level = (x - lo) * inv_step;
    // Clipping before rounding gives the same code, since both bounds are integers.
    return round_half_to_even(level > 0.0f ? (level < max_code ? level : max_code) : 0.0f);
}

template <class T, class Code>
QuantizeResult quantize(const T* values, std::size_t count, const QuantizerParameters& parameters,
                        Code* codes) {
    QuantizeResult result{0, true};
    const float max_code = static_cast<float>(parameters.max_code);
    for (std::size_t i = 0; i < count; ++i) {
        const float x = to_f32(values[i]);
        result.finite = result.finite && is_finite(x);
        result.clipped += x < parameters.lo || x > parameters.hi;
        codes[i] = static_cast<Code>(code_of(x, parameters.lo, parameters.inv_step, max_code));
    }
    return result;
}

template <class T, class Code>
QuantizeResult quantize_columns(const T* values, std::size_t count,
                                const QuantizerColumns& columns, Code* codes) {
    QuantizeResult result{0, true};
    const float max_code = static_cast<float>(columns.max_code);
    for (std::size_t i = 0; i < count; ++i) {
        const float x = to_f32(values[i]);
        result.finite = result.finite && is_finite(x);
        result.clipped += x < columns.lo[i] || x > columns.hi[i];
        codes[i] = static_cast<Code>(code_of(x, columns.lo[i], columns.inv_step[i], max_code));
    }
    return result;
}

template <class Code, class T>
void dequantize(const Code* codes, std::size_t count, const QuantizerParameters& parameters,
                T* values, Stores = Stores::cached) {
    for (std::size_t i = 0; i < count; ++i) {
        const float offset = static_cast<float>(codes[i]) * parameters.step;
        from_f32(parameters.lo + offset, values[i]);
    }
}

template <class Code, class T>
void dequantize_columns(const Code* codes, std::size_t count, const QuantizerColumns& columns,
                        T* values) {
    for (std::size_t i = 0; i < count; ++i) {
        const float offset = static_cast<float>(codes[i]) * columns.step[i];
        from_f32(columns.lo[i] + offset, values[i]);
    }
}

}  // namespace
}  // namespace nnr::reference
