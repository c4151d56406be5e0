#pragma once

#include "../float_types.hpp"
#include "../kernel_table.hpp"
#include "minmax.hpp"

namespace nnr::reference {
namespace {

// Adding 2^23 to a value of 0 to 2^22 leaves no fraction bits, so the addition itself rounds to
// the nearest integer, halves to even, without a rounding instruction.
inline float round_half_to_even(float value) { return (value + 0x1p23f) - 0x1p23f; }

template <class T, class Code>
QuantizeResult quantize(const T* values, std::size_t count, const QuantizerParameters& parameters,
                        Code* codes) {
    QuantizeResult result{0, true};
    const float max_code = static_cast<float>(parameters.max_code);
    for (std::size_t i = 0; i < count; ++i) {
        const float x = to_f32(values[i]);
        result.finite = result.finite && is_finite(x);
        result.clipped += x < parameters.lo || x > parameters.hi;
        const float level = (x - parameters.lo) * parameters.inv_step;
        // Clipping before rounding gives the same code, since both bounds are integers.
        const float clipped = level > 0.0f ? (level < max_code ? level : max_code) : 0.0f;
        codes[i] = static_cast<Code>(round_half_to_even(clipped));
    }
    return result;
}

template <class Code, class T>
void dequantize(const Code* codes, std::size_t count, const QuantizerParameters& parameters,
                T* values) {
    for (std::size_t i = 0; i < count; ++i) {
        const float offset = static_cast<float>(codes[i]) * parameters.step;
        from_f32(parameters.lo + offset, values[i]);
    }
}

}  // namespace
}  // namespace nnr::reference
