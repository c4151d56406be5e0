#pragma once

#include "reference/quantize.hpp"

namespace nnr {
namespace {

// What every loop below holds in registers.
struct QuantizerVectors {
    simd::F32 lo;
    simd::F32 hi;
    simd::F32 inv_step;
    simd::F32 max_code;

    explicit QuantizerVectors(const QuantizerParameters& parameters)
        : lo(simd::splat(parameters.lo)),
          hi(simd::splat(parameters.hi)),
          inv_step(simd::splat(parameters.inv_step)),
          max_code(simd::splat(static_cast<float>(parameters.max_code))) {}

    unsigned clipped(simd::F32 x) const {
        return simd::count(simd::less(x, lo)) + simd::count(simd::less(hi, x));
    }
    // Clipped above.
    simd::I32 code(simd::F32 x) const {
        const simd::F32 level = simd::mul(simd::sub(x, lo), inv_step);
        return simd::round_to_i32(simd::min(level, max_code));
    }
};

// As many vectors as fill one vector of codes.
template <class Code>
constexpr std::size_t kNarrowed = sizeof(float) / sizeof(Code);
template <class Code>
constexpr std::size_t kStep = kNarrowed<Code> * simd::kLanes;

// Any values: clipped, counted and checked, as `quantize` of the table says. The narrowing store
// clips below. `count` is a multiple of kStep.
template <class T, class Code>
QuantizeResult quantize_any(const T* values, std::size_t count,
                            const QuantizerParameters& parameters, Code* codes) {
    constexpr std::size_t kVectors = kNarrowed<Code>;
    const QuantizerVectors quantizer(parameters);
    simd::F32 poison = simd::splat(0.0f);
    std::uint64_t clipped = 0;
    for (std::size_t i = 0; i < count; i += kStep<Code>) {
        simd::I32 rounded[kVectors];
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v) {
            const simd::F32 x = simd::load(values + i + v * simd::kLanes);
            poison = simd::mul_add(x, simd::splat(0.0f), poison);
            clipped += quantizer.clipped(x);
            rounded[v] = quantizer.code(x);
        }
        simd::store_narrow(codes + i, rounded);
    }
    return {clipped, !simd::any(simd::not_finite(poison))};
}

// The same for fewer values than a step, which copies of the first fill up.
template <class T, class Code>
QuantizeResult quantize_rest(const T* values, std::size_t count,
                             const QuantizerParameters& parameters, Code* codes) {
    if (count < simd::kLanes / 2) return reference::quantize(values, count, parameters, codes);
    T filled[kStep<Code>];
    Code filled_codes[kStep<Code>];
    __builtin_memcpy(filled, values, count * sizeof(T));
    for (std::size_t i = count; i < kStep<Code>; ++i) filled[i] = values[0];
    QuantizeResult result = quantize_any(filled, kStep<Code>, parameters, filled_codes);
    __builtin_memcpy(codes, filled_codes, count * sizeof(Code));
    const float first = to_f32(values[0]);
    if (first < parameters.lo || first > parameters.hi) result.clipped -= kStep<Code> - count;
    return result;
}

template <class T>
std::uint64_t count_above(const T* values, std::size_t count, float hi) {
    std::uint64_t above = 0;
    for (std::size_t i = 0; i < count; i += simd::kLanes)
        above += simd::count(simd::less(simd::splat(hi), simd::load(values + i)));
    return above;
}

// Codes of values that lie within the range, and the greatest distance of a value from lo as the
// bits of a float: read as an unsigned integer, a distance below zero and one that is not finite are
// greater than any other. `count` is a multiple of kStep.
template <class T, class Code>
std::uint32_t quantize_within(const T* values, std::size_t count,
                              const QuantizerParameters& parameters, Code* codes) {
    constexpr std::size_t kVectors = kNarrowed<Code>;
    // From -0 both zeros are at a distance of +0; from +0 that of -0 would be negative.
    const simd::F32 lo = simd::splat(parameters.lo == 0.0f ? -0.0f : parameters.lo);
    const simd::F32 inv_step = simd::splat(parameters.inv_step);
    simd::I32 farthest[kVectors];
    for (simd::I32& vector : farthest) vector = simd::as_bits(simd::splat(0.0f));
    for (std::size_t i = 0; i < count; i += kStep<Code>) {
        simd::I32 rounded[kVectors];
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v) {
            const simd::F32 distance =
                simd::sub(simd::load(values + i + v * simd::kLanes), lo);
            farthest[v] = simd::max_unsigned(farthest[v], simd::as_bits(distance));
            rounded[v] = simd::round_to_i32(simd::mul(distance, inv_step));
        }
        simd::store_narrow(codes + i, rounded);
    }
    for (std::size_t v = 1; v < kVectors; ++v)
        farthest[0] = simd::max_unsigned(farthest[0], farthest[v]);
    return simd::reduce_max_unsigned(farthest[0]);
}

// Most values lie within the range, so a block is first quantised as if all did. What the farthest
// distance says then is whether that was so: below hi - lo it was; at hi - lo the codes are right,
// but the difference is rounded and a value may still be above hi; else the block is done again, and
// the next one, where clipping is likely, at once.
template <class T, class Code>
QuantizeResult quantize(const T* values, std::size_t count, const QuantizerParameters& parameters,
                        Code* codes) {
    constexpr std::size_t kTrial = 1024;        // twice over, it stays in the nearest cache
    constexpr std::size_t kAlignedLoop = 1024;  // from here on aligning pays
    const auto width = __builtin_bit_cast(std::uint32_t, parameters.hi - parameters.lo);
    QuantizeResult result{0, true};
    bool all_within = true;
    std::size_t i = 0;
    if (count >= kAlignedLoop) {
        // The step before the aligned ones overlaps them, which the number of clipped values must not
        // show.
        i = elements_to_alignment(values, simd::kLanes);
        if (quantize_within(values, kStep<Code>, parameters, codes) >= width)
            result = reference::quantize(values, i, parameters, codes);
    }
    for (std::size_t length; (length = count - i) >= kStep<Code>; i += length) {
        length = length < kTrial ? length / kStep<Code> * kStep<Code> : kTrial;
        if (all_within) {
            const std::uint32_t farthest =
                quantize_within(values + i, length, parameters, codes + i);
            if (farthest == width)
                result.clipped += count_above(values + i, length, parameters.hi);
            all_within = farthest <= width;
        }
        if (!all_within) {
            const auto again = quantize_any(values + i, length, parameters, codes + i);
            result.clipped += again.clipped;
            result.finite &= again.finite;
            all_within = again.clipped == 0;
        }
    }
    const QuantizeResult rest = quantize_rest(values + i, count - i, parameters, codes + i);
    return {result.clipped + rest.clipped, result.finite && rest.finite};
}

template <class T, class Code>
QuantizeResult quantize_columns(const T* values, std::size_t count,
                                const QuantizerColumns& columns, Code* codes) {
    constexpr std::size_t kVectors = kNarrowed<Code>;
    QuantizerVectors quantizer({0, 0, 0, 0, columns.max_code});
    simd::F32 poison = simd::splat(0.0f);
    std::uint64_t clipped = 0;
    std::size_t i = 0;
    for (; i + kStep<Code> <= count; i += kStep<Code>) {
        simd::I32 rounded[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            const std::size_t at = i + v * simd::kLanes;
            quantizer.lo = simd::load(columns.lo + at);
            quantizer.hi = simd::load(columns.hi + at);
            quantizer.inv_step = simd::load(columns.inv_step + at);
            const simd::F32 x = simd::load(values + at);
            poison = simd::mul_add(x, simd::splat(0.0f), poison);
            clipped += quantizer.clipped(x);
            rounded[v] = quantizer.code(x);
        }
        simd::store_narrow(codes + i, rounded);
    }
    const QuantizerColumns rest = {columns.lo + i, columns.hi + i, columns.step + i,
                                   columns.inv_step + i, columns.max_code};
    const QuantizeResult tail =
        reference::quantize_columns(values + i, count - i, rest, codes + i);
    const bool finite = !simd::any(simd::not_finite(poison));
    return {clipped + tail.clipped, finite && tail.finite};
}

template <class Code>
simd::F32 value_of(const Code* codes, simd::F32 lo, simd::F32 step) {
    return simd::add(lo, simd::mul(simd::i32_to_f32(simd::load_widen(codes)), step));
}

template <class Code, class T>
void dequantize(const Code* codes, std::size_t count, const QuantizerParameters& parameters,
                T* values, Stores stores) {
    if (count < simd::kLanes) return reference::dequantize(codes, count, parameters, values);
    const simd::F32 lo = simd::splat(parameters.lo);
    const simd::F32 step = simd::splat(parameters.step);
    std::size_t i = elements_to_alignment(values, simd::kLanes);
    if (stores == Stores::past_cache) {
        // Each line is stored either past the cache or in it, since one that is stored in both ways
        // is first brought back.
        reference::dequantize(codes, i, parameters, values);
        for (; i + simd::kLanes <= count; i += simd::kLanes)
            simd::store_past_cache(values + i, value_of(codes + i, lo, step));
        return reference::dequantize(codes + i, count - i, parameters, values + i);
    }
    // The first and the last vector may overlap others.
    simd::store(values, value_of(codes, lo, step));
#pragma GCC unroll 4
    for (; i + simd::kLanes <= count; i += simd::kLanes)
        simd::store(values + i, value_of(codes + i, lo, step));
    simd::store(values + count - simd::kLanes, value_of(codes + count - simd::kLanes, lo, step));
}

template <class Code, class T>
void dequantize_columns(const Code* codes, std::size_t count, const QuantizerColumns& columns,
                        T* values) {
    std::size_t i = 0;
    for (; i + simd::kLanes <= count; i += simd::kLanes)
        simd::store(values + i, value_of(codes + i, simd::load(columns.lo + i),
                                         simd::load(columns.step + i)));
    const QuantizerColumns rest = {columns.lo + i, columns.hi + i, columns.step + i,
                                   columns.inv_step + i, columns.max_code};
    reference::dequantize_columns(codes + i, count - i, rest, values + i);
}

}  // namespace
}  // namespace nnr
