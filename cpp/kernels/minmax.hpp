#pragma once

#include "reference/minmax.hpp"

namespace nnr {
namespace {

// Running minimum, maximum and check of one column of vectors. The product with zero is zero for
// every finite value and NaN for the others, so the check is one operation and never forgets.
struct RunningRange {
    simd::F32 lo = simd::splat(__builtin_inff());
    simd::F32 hi = simd::splat(-__builtin_inff());
    simd::F32 poison = simd::splat(0.0f);

    void add(simd::F32 x) {
        lo = simd::min(x, lo);
        hi = simd::max(x, hi);
        poison = simd::mul_add(x, simd::splat(0.0f), poison);
    }
    void add(const RunningRange& other) {
        lo = simd::min(other.lo, lo);
        hi = simd::max(other.hi, hi);
        poison = simd::add(poison, other.poison);
    }
    bool finite() const { return !simd::any(simd::not_finite(poison)); }
};

template <class T>
MinMax minmax(const T* values, std::size_t count) {
    if (count < simd::kLanes) return reference::minmax(values, count);
    // Independent of each other, so that no step waits for the one before.
    constexpr std::size_t kRanges = 4;
    RunningRange ranges[kRanges];
    // The first and the last vector may overlap others: a value seen twice changes nothing.
    ranges[0].add(simd::load(values));
    std::size_t i = elements_to_alignment(values, simd::kLanes);
    for (; i + kRanges * simd::kLanes <= count; i += kRanges * simd::kLanes)
#pragma GCC unroll 4
        for (std::size_t r = 0; r < kRanges; ++r)
            ranges[r].add(simd::load(values + i + r * simd::kLanes));
    for (; i + simd::kLanes <= count; i += simd::kLanes) ranges[0].add(simd::load(values + i));
    ranges[1].add(simd::load(values + count - simd::kLanes));
    for (std::size_t r = 1; r < kRanges; ++r) ranges[0].add(ranges[r]);
    return {simd::reduce_min(ranges[0].lo) + 0.0f,  // -0 becomes +0
            simd::reduce_max(ranges[0].hi) + 0.0f, ranges[0].finite()};
}

template <class T>
bool minmax_columns(const T* values, std::size_t rows, std::size_t columns, float* lo, float* hi) {
    // A strip of columns at a time, whose ranges stay in registers over all rows.
    constexpr std::size_t kVectors = 2;
    constexpr std::size_t kStrip = kVectors * simd::kLanes;
    const simd::F32 zero = simd::splat(0.0f);
    bool finite = true;
    std::size_t c = 0;
    for (; c + kStrip <= columns; c += kStrip) {
        RunningRange ranges[kVectors];
        for (std::size_t row = 0; row < rows; ++row)
#pragma GCC unroll 2
            for (std::size_t v = 0; v < kVectors; ++v)
                ranges[v].add(simd::load(values + row * columns + c + v * simd::kLanes));
        for (std::size_t v = 0; v < kVectors; ++v) {
            float* strip_lo = lo + c + v * simd::kLanes;
            float* strip_hi = hi + c + v * simd::kLanes;
            simd::store(strip_lo,
                        simd::min(simd::load(strip_lo), simd::add(ranges[v].lo, zero)));
            simd::store(strip_hi,
                        simd::max(simd::load(strip_hi), simd::add(ranges[v].hi, zero)));
            finite &= ranges[v].finite();
        }
    }
    for (std::size_t row = 0; row < rows && c < columns; ++row)
        finite &= reference::minmax_columns(values + row * columns + c, 1, columns - c, lo + c,
                                            hi + c);
    return finite;
}

}  // namespace
}  // namespace nnr
