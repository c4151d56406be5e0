// Every kernel at every level this CPU runs against the scalar reference: lengths 0 to 200 and some
// longer, inputs and outputs aligned to one element and no more. Outputs have a sentinel on both
// sides, so that a write outside the span is seen; inputs end where their allocation ends, so that a
// sanitizer build sees a read beyond.
//
//     kernel_check            check every level and print which ones ran
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "../core/quantize.hpp"
#include "../dispatch/targets.hpp"
#include "../kernels/float_types.hpp"

namespace {

using namespace nnr;

int failures = 0;

void expect(bool condition, const std::string& what) {
    if (condition) return;
    ++failures;
    std::printf("FAILED %s\n", what.c_str());
}

constexpr std::uint8_t kSentinel = 0xa5;
constexpr std::size_t kPadding = 64;

// An output of `bytes` bytes, aligned to one element and to nothing more, with sentinels around it.
class GuardedBuffer {
public:
    GuardedBuffer(std::size_t bytes, std::size_t element_size)
        : bytes_(bytes),
          begin_(kPadding + element_size),
          storage_(bytes + begin_ + kPadding, kSentinel) {}

    std::uint8_t* data() { return storage_.data() + begin_; }

    bool intact() const {
        for (std::size_t i = 0; i < storage_.size(); ++i) {
            const bool inside = i >= begin_ && i < begin_ + bytes_;
            if (!inside && storage_[i] != kSentinel) return false;
        }
        return true;
    }

    bool equals(GuardedBuffer& other) {
        return bytes_ == 0 || std::memcmp(data(), other.data(), bytes_) == 0;
    }

private:
    std::size_t bytes_;
    std::size_t begin_;
    std::vector<std::uint8_t> storage_;
};

// A copy of values that ends where its allocation ends, and begins off any wider alignment.
template <class T>
class Input {
public:
    explicit Input(const std::vector<T>& values)
        : offset_(1 + values.size() % 3), storage_(new T[offset_ + values.size()]) {
        std::copy(values.begin(), values.end(), storage_.get() + offset_);
    }

    const T* data() const { return storage_.get() + offset_; }

private:
    std::size_t offset_;
    std::unique_ptr<T[]> storage_;
};

template <class T>
struct TypeInfo;
template <>
struct TypeInfo<float> {
    static constexpr FloatType type = FloatType::f32;
    static constexpr const char* name = "float32";
};
template <>
struct TypeInfo<Float16> {
    static constexpr FloatType type = FloatType::f16;
    static constexpr const char* name = "float16";
};
template <>
struct TypeInfo<BFloat16> {
    static constexpr FloatType type = FloatType::bf16;
    static constexpr const char* name = "bfloat16";
};
template <>
struct TypeInfo<double> {
    static constexpr FloatType type = FloatType::f64;
    static constexpr const char* name = "float64";
};

std::mt19937 generator{20240901};

template <class T>
std::vector<T> random_values(std::size_t count) {
    std::normal_distribution<float> normal{0.1f, 1.0f};
    std::vector<T> values(count);
    for (T& value : values) from_f32(normal(generator), value);
    // Signed zeros and subnormals wherever they fit.
    if (count > 3) {
        from_f32(-0.0f, values[1]);
        from_f32(1e-40f, values[2]);
    }
    return values;
}

std::vector<std::size_t> lengths() {
    std::vector<std::size_t> all;
    for (std::size_t length = 0; length <= 200; ++length) all.push_back(length);
    for (const std::size_t length : {255u, 256u, 257u, 1000u, 4099u}) all.push_back(length);
    return all;
}

bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

template <class T>
void check_minmax(const KernelTable& level, const std::vector<T>& values) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    const Input input(values);
    const MinMax got = level.minmax[type](input.data(), values.size());
    const MinMax want = kScalarKernels.minmax[type](input.data(), values.size());
    expect(got.finite && same_bits(got.lo, want.lo) && same_bits(got.hi, want.hi),
           std::string(level.name) + " minmax " + TypeInfo<T>::name + " " +
               std::to_string(values.size()));
}

// Values that are not finite must be noticed wherever they stand.
template <class T>
void check_not_finite(const KernelTable& level, std::size_t length) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
        for (std::size_t position = 0; position < length; ++position) {
            std::vector<T> values = random_values<T>(length);
            if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>)
                values[position].bits = static_cast<std::uint16_t>(
                    std::is_same_v<T, Float16> ? (bad < 0 ? 0xfc00 : bad > 0 ? 0x7c00 : 0x7e01)
                                               : (bad < 0 ? 0xff80 : bad > 0 ? 0x7f80 : 0x7fc1));
            else
                values[position] = bad;
            std::vector<std::uint8_t> codes(length);
            const QuantizerParameters parameters = make_quantizer(-1, 1, 8);
            const std::string what = std::string(level.name) + " " + TypeInfo<T>::name +
                                     " not finite at " + std::to_string(position);
            expect(!level.minmax[type](values.data(), length).finite, what + " minmax");
            expect(!level.quantize[type][0](values.data(), length, parameters, codes.data()).finite,
                   what + " quantize");
        }
    }
}

template <class Code, class T>
void check_quantize(const KernelTable& level, const std::vector<T>& values, float lo, float hi,
                    unsigned bits) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    const auto code = static_cast<std::size_t>(code_type(bits));
    const std::size_t length = values.size();
    const std::string what = std::string(level.name) + " " + TypeInfo<T>::name + " length " +
                             std::to_string(length) + " bits " + std::to_string(bits) + " range " +
                             std::to_string(lo) + " to " + std::to_string(hi);
    const Input input(values);
    const QuantizerParameters parameters = make_quantizer(lo, hi, bits);

    GuardedBuffer got(length * sizeof(Code), sizeof(Code));
    GuardedBuffer want(length * sizeof(Code), sizeof(Code));
    const auto got_result = level.quantize[type][code](input.data(), length, parameters, got.data());
    const auto want_result =
        kScalarKernels.quantize[type][code](input.data(), length, parameters, want.data());
    expect(got.equals(want) && got.intact(), what + " quantize");
    expect(got_result.clipped == want_result.clipped && got_result.finite, what + " clipped");

    std::vector<Code> codes(length);
    if (length > 0) std::memcpy(codes.data(), want.data(), length * sizeof(Code));
    const Input code_input(codes);
    GuardedBuffer got_values(length * sizeof(T), sizeof(T));
    GuardedBuffer want_values(length * sizeof(T), sizeof(T));
    level.dequantize[type][code](code_input.data(), length, parameters, got_values.data());
    kScalarKernels.dequantize[type][code](code_input.data(), length, parameters,
                                          want_values.data());
    expect(got_values.equals(want_values) && got_values.intact(), what + " dequantize");
}

template <class Code>
void check_bitpack(const KernelTable& level, std::size_t length, unsigned bits) {
    const std::size_t type = sizeof(Code) - 1;
    const std::string what = std::string(level.name) + " bitpack length " + std::to_string(length) +
                             " bits " + std::to_string(bits) + " in " +
                             std::to_string(sizeof(Code)) + " bytes";
    std::vector<Code> codes(length);
    for (Code& code : codes) code = static_cast<Code>(generator() & ((1u << bits) - 1u));
    const std::size_t bytes = packed_bytes(length, bits);
    const Input code_input(codes);
    GuardedBuffer got(bytes, 1), want(bytes, 1);
    const std::uint32_t seen = level.pack[type](code_input.data(), length, bits, got.data());
    const std::uint32_t seen_by_reference =
        kScalarKernels.pack[type](code_input.data(), length, bits, want.data());
    expect(got.equals(want) && got.intact() && seen == seen_by_reference, what + " pack");

    const Input packed(std::vector<std::uint8_t>(want.data(), want.data() + bytes));
    GuardedBuffer unpacked(length * sizeof(Code), sizeof(Code));
    level.unpack[type](packed.data(), length, bits, unpacked.data());
    expect(unpacked.intact(), what + " unpack writes outside");
    expect(length == 0 || std::memcmp(unpacked.data(), codes.data(), length * sizeof(Code)) == 0,
           what + " unpack");
}

// Zeros of both signs, halves between two codes, subnormals, values far outside the range; ranges of
// one value, of subnormal width, and as wide as they may be.
template <class T>
void check_edges(const KernelTable& level) {
    for (const std::size_t length : {1u, 19u, 64u}) {
        std::vector<T> negative_zeros(length), halves(length), subnormals(length), far(length);
        for (std::size_t i = 0; i < length; ++i) {
            const auto number = static_cast<float>(i);
            from_f32(-0.0f, negative_zeros[i]);
            from_f32(number + 0.5f, halves[i]);
            from_f32(number * 0x1p-149f, subnormals[i]);
            from_f32(i % 2 == 0 ? 6e4f : -6e4f, far[i]);
        }
        for (const auto& values : {negative_zeros, halves, subnormals, far}) {
            check_minmax(level, values);
            check_quantize<std::uint8_t>(level, values, 0.0f, 255.0f, 8);
            check_quantize<std::uint8_t>(level, values, 0.0f, 0.0f, 5);
            check_quantize<std::uint8_t>(level, values, -1e-3f, 1e-3f, 1);
            check_quantize<std::uint16_t>(level, values, 0.0f, 0x1p-140f, 16);
            check_quantize<std::uint16_t>(level, values, -1.5e38f, 1.5e38f, 12);
        }
    }
}

template <class T>
void check_float_type(const KernelTable& level) {
    for (const std::size_t length : lengths()) {
        const std::vector<T> values = random_values<T>(length);
        check_minmax(level, values);
        for (const unsigned bits : {1u, 7u, 8u})
            check_quantize<std::uint8_t>(level, values, -1.3f, 1.7f, bits);
        for (const unsigned bits : {9u, 16u})
            check_quantize<std::uint16_t>(level, values, -1.3f, 1.7f, bits);
    }
    check_edges<T>(level);
    check_not_finite<T>(level, 37);
}

// All 65,536 bit patterns of both 16-bit types, so that the conversions agree everywhere.
template <class T>
void check_every_pattern(const KernelTable& level) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    std::vector<T> finite;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const T value{static_cast<std::uint16_t>(bits)};
        if (std::isfinite(to_f32(value))) finite.push_back(value);
    }
    const QuantizerParameters parameters = make_quantizer(-70000.0f, 70000.0f, 16);
    std::vector<std::uint16_t> got(finite.size()), want(finite.size());
    level.quantize[type][1](finite.data(), finite.size(), parameters, got.data());
    kScalarKernels.quantize[type][1](finite.data(), finite.size(), parameters, want.data());
    expect(got == want, std::string(level.name) + " every pattern of " + TypeInfo<T>::name);

    // Every float32 that rounds to or half-way between two neighbours, by way of the identity step.
    for (const float lo : {0.0f, 0x1p-24f, 0x1p-14f, 1.0f, 60000.0f}) {
        const QuantizerParameters fine = {lo, lo + 65535, lo * 0x1p-13f + 0x1p-26f, 0, 65535};
        std::vector<std::uint16_t> codes(65536);
        for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint16_t>(i);
        std::vector<std::uint16_t> got_bits(codes.size()), want_bits(codes.size());
        level.dequantize[type][1](codes.data(), codes.size(), fine, got_bits.data());
        kScalarKernels.dequantize[type][1](codes.data(), codes.size(), fine, want_bits.data());
        expect(got_bits == want_bits, std::string(level.name) + " rounding to " +
                                          TypeInfo<T>::name + " from " + std::to_string(lo));
    }
}

void check_level(const KernelTable& level) {
    check_float_type<float>(level);
    check_float_type<Float16>(level);
    check_float_type<BFloat16>(level);
    check_float_type<double>(level);
    check_every_pattern<Float16>(level);
    check_every_pattern<BFloat16>(level);
    for (const std::size_t length : lengths()) {
        for (unsigned bits = 1; bits <= 16; ++bits) {
            if (bits <= 8) check_bitpack<std::uint8_t>(level, length, bits);
            check_bitpack<std::uint16_t>(level, length, bits);
        }
    }
}

}  // namespace

int main() {
    for (const std::string_view name : runnable_targets()) {
        check_level(*kernels_of(name));
        std::printf("checked %s\n", std::string(name).c_str());
    }
    std::printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
