// docs/integer.md in 64 bits, written from its text, and numbers for it that keep its bounds.
#pragma once

#include "windows.hpp"

namespace nnr::checks {
namespace {

constexpr std::int64_t kMaxSum = (std::int64_t{1} << 31) - 1;

std::int64_t high_half(std::int64_t a, std::int64_t m) {
    return (a * m + (std::int64_t{1} << 31)) >> 32;
}

struct IntegerNumbers {
    std::vector<std::int32_t> bias, multipliers, negative_multipliers, zeros;
    std::vector<std::int32_t> addend_multipliers, addend_zeros;
    std::int32_t lo, hi;

    IntegerEpilogue epilogue() const {
        return {bias.data(),
                multipliers.data(),
                negative_multipliers.data(),
                zeros.data(),
                addend_multipliers.data(),
                addend_zeros.data(),
                lo,
                hi};
    }

    // What becomes of a sum that has its bias; no addend where it is null.
    template <class Out>
    std::int64_t result(std::size_t c, std::int64_t a, const Out* addend) const {
        std::int64_t r = high_half(a, a < 0 ? negative_multipliers[c] : multipliers[c]);
        if (addend != nullptr) {
            const std::int64_t b = *addend;
            const std::int64_t s = ((b - addend_zeros[c]) * addend_multipliers[c] + 128) >> 8;
            r = (r + s + 128) >> 8;
        }
        return std::clamp<std::int64_t>(r + zeros[c], lo, hi);
    }
};

// Any magnitude as likely as any other, up to 2^31 - 1.
std::int32_t some_multiplier() {
    const std::int64_t most = (std::int64_t{1} << count_between(1, 31)) - 1;
    return static_cast<std::int32_t>(flag() ? integer_between(-most, most)
                                            : (flag() ? most : -most));
}

// The largest multiplier that an addend may have: |b - z| * |k| + 2^7 < 2^31.
template <class Out>
constexpr std::int64_t kMaxAddendMultiplier =
    (kMaxSum - 128) / (sizeof(Out) == 1 ? 255 : 32768);

template <class Out>
IntegerNumbers some_numbers(std::size_t channels) {
    constexpr bool bytes = sizeof(Out) == 1;
    const auto zero = [] {
        return bytes ? static_cast<std::int32_t>(integer_between(0, 255)) : 0;
    };
    IntegerNumbers numbers{};
    numbers.bias.assign(channels, 0);
    numbers.multipliers = made<std::int32_t>(channels, some_multiplier);
    numbers.negative_multipliers = made<std::int32_t>(channels, some_multiplier);
    numbers.zeros = made<std::int32_t>(channels, zero);
    numbers.addend_multipliers = made<std::int32_t>(channels, [] {
        const std::int64_t most = kMaxAddendMultiplier<Out> >> count_between(0, 20);
        return static_cast<std::int32_t>(flag() ? integer_between(-most, most)
                                                : (flag() ? most : -most));
    });
    numbers.addend_zeros = made<std::int32_t>(channels, zero);
    const std::vector<std::pair<std::int32_t, std::int32_t>> bounds =
        bytes ? std::vector<std::pair<std::int32_t, std::int32_t>>{{0, 255}, {16, 235}, {7, 7}}
              : std::vector<std::pair<std::int32_t, std::int32_t>>{
                    {-32768, 32767}, {0, 1023}, {-5, 4}};
    std::tie(numbers.lo, numbers.hi) = bounds[flag() ? 0 : count_between(0, 2)];
    return numbers;
}

template <class T>
std::string type_name() {
    return sizeof(T) == 1 ? "u8" : "i16";
}

// Extreme ones as often as others.
template <class T>
T some_sample() {
    constexpr std::int64_t lo = std::numeric_limits<T>::min(), hi = std::numeric_limits<T>::max();
    return static_cast<T>(flag() ? integer_between(lo, hi) : (flag() ? lo : hi));
}

// The largest |q| of a type.
template <class T>
constexpr std::int64_t kLargestSample = sizeof(T) == 1 ? 255 : 32768;

// Bound for the magnitudes of weights, of which each output sums this many: within it, sums of products
// stay below `most` whatever the samples.
template <class Weight>
std::int64_t weight_limit(std::int64_t most, std::size_t products, std::int64_t largest_sample) {
    return std::min<std::int64_t>(std::numeric_limits<Weight>::max(),
                                  most / static_cast<std::int64_t>(products) / largest_sample);
}

// A bias for weights of these magnitudes in all: none, any, or the largest of either sign.
std::int32_t some_bias(std::int64_t magnitude) {
    const std::int64_t most = kMaxSum - magnitude;
    const std::int64_t choices[] = {0, integer_between(-most, most), most, -most};
    return static_cast<std::int32_t>(choices[count_between(0, 3)]);
}

}  // namespace
}  // namespace nnr::checks
