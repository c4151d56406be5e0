// Bytes of a fuzzer, or of a generator, as decisions: numbers in a range, flags, values of tensors.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace nnr::checks {

// SplitMix64: the same numbers with every compiler.
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>((next() >> 32) * bound >> 32);
    }
    // In [-1, 1), and nearer to zero the higher `peak` is.
    double signed_unit(unsigned peak) {
        const double uniform = static_cast<double>(next() >> 11) * 0x1p-53;
        const double magnitude = std::pow(static_cast<double>(next() >> 11) * 0x1p-53, peak);
        return uniform < 0.5 ? -magnitude : magnitude;
    }

private:
    std::uint64_t state_;
};

class Choices {
public:
    explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    // Zeros when there are no more.
    std::uint8_t byte() { return at_ < bytes_.size() ? bytes_[at_++] : 0; }
    bool flag() { return (byte() & 1) != 0; }
    std::uint32_t below(std::uint32_t bound) {
        std::uint32_t wide = byte();
        if (bound > 256) wide = wide << 8 | byte();
        return wide % bound;
    }
    std::uint32_t word() {
        std::uint32_t value = 0;
        for (int i = 0; i < 4; ++i) value = value << 8 | byte();
        return value;
    }
    bool at_end() const { return at_ >= bytes_.size(); }

private:
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

enum class ValueKind { bytes, peaked, sparse, few, any };
inline constexpr unsigned kValueKinds = 5;

// Levels and what lies between them, as multiples of a step: small, large and extreme ones.
inline std::vector<double> chosen_multiples(Choices& choices, std::size_t count) {
    const auto kind = static_cast<ValueKind>(choices.below(kValueKinds));
    const double scale = std::ldexp(1.0, static_cast<int>(choices.below(30)) - 2);
    const unsigned peak = 1 + choices.below(12), run = 1 + choices.below(64);
    Numbers numbers(choices.word());
    std::vector<double> values(count);
    bool zeros = false;
    for (std::size_t i = 0; i < count; ++i) {
        switch (kind) {
            case ValueKind::bytes:
                values[i] = static_cast<std::int8_t>(choices.byte()) * scale / 16;
                break;
            case ValueKind::peaked: values[i] = numbers.signed_unit(peak) * scale; break;
            case ValueKind::sparse:
                if (i % run == 0) zeros = numbers.below(3) != 0;
                values[i] = zeros ? 0 : numbers.signed_unit(peak) * scale;
                break;
            case ValueKind::few:
                values[i] = (static_cast<double>(numbers.below(peak)) - peak / 4) * scale;
                break;
            case ValueKind::any:
                values[i] = std::ldexp(numbers.signed_unit(1),
                                       static_cast<int>(numbers.below(40)) - 8);
                break;
        }
    }
    return values;
}

// Integers of 32 bits, the smallest and the largest among them.
inline std::vector<std::int32_t> chosen_integers(Choices& choices, std::size_t count) {
    std::vector<std::int32_t> integers(count);
    const bool extreme = choices.below(8) == 0;
    const std::vector<double> values = chosen_multiples(choices, count);
    for (std::size_t i = 0; i < count; ++i)
        integers[i] = static_cast<std::int32_t>(
            std::fmin(std::fmax(values[i], -2147483648.0), 2147483647.0));
    if (extreme && count > 0) integers[count / 2] = std::numeric_limits<std::int32_t>::min();
    if (extreme && count > 2) integers[count / 3] = std::numeric_limits<std::int32_t>::max();
    return integers;
}

}  // namespace nnr::checks
