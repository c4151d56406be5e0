// What the checks hand to the kernels. Outputs have a sentinel on both sides, so that a write
// outside the span is seen; inputs end where their allocation ends, so that a sanitizer build sees a
// read beyond, and NaNs or codes of all ones stand before them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "../kernels/float_types.hpp"
#include "../kernels/kernel_table.hpp"

namespace nnr::checks {
namespace {

int failures = 0;

void expect(bool condition, const std::string& what) {
    if (condition) return;
    ++failures;
    std::printf("FAILED %s\n", what.c_str());
}

constexpr std::uint8_t kSentinel = 0xa5;
constexpr std::size_t kAlignment = 64;  // of the widest vector
constexpr std::size_t kPadding = 64;

struct AlignedDelete {
    void operator()(std::uint8_t* memory) const {
        ::operator delete[](memory, std::align_val_t{kAlignment});
    }
};
using AlignedMemory = std::unique_ptr<std::uint8_t[], AlignedDelete>;

AlignedMemory aligned_memory(std::size_t bytes, std::uint8_t fill) {
    AlignedMemory memory(
        static_cast<std::uint8_t*>(::operator new[](bytes, std::align_val_t{kAlignment})));
    std::memset(memory.get(), fill, bytes);
    return memory;
}

// An output of `count` elements, `offset` elements behind an aligned address, between sentinels.
template <class T>
class GuardedBuffer {
public:
    explicit GuardedBuffer(std::size_t count, std::size_t offset = 1)
        : bytes_(count * sizeof(T)),
          begin_(kPadding + offset * sizeof(T)),
          storage_(aligned_memory(begin_ + bytes_ + kPadding, kSentinel)) {}
    GuardedBuffer(const std::vector<T>& values, std::size_t offset)
        : GuardedBuffer(values.size(), offset) {
        std::copy(values.begin(), values.end(), data());
    }

    T* data() { return reinterpret_cast<T*>(storage_.get() + begin_); }

    bool intact() const {
        const auto is_sentinel = [](std::uint8_t byte) { return byte == kSentinel; };
        const std::uint8_t* end = storage_.get() + begin_ + bytes_;
        return std::all_of(storage_.get(), storage_.get() + begin_, is_sentinel) &&
               std::all_of(end, end + kPadding, is_sentinel);
    }

    bool equals(const void* expected) {
        return bytes_ == 0 || std::memcmp(data(), expected, bytes_) == 0;
    }
    std::vector<T> values() { return {data(), data() + bytes_ / sizeof(T)}; }

private:
    std::size_t bytes_;
    std::size_t begin_;
    AlignedMemory storage_;
};

// A copy of values that ends where its allocation ends, `offset` elements behind an aligned address.
template <class T>
class Input {
public:
    explicit Input(const std::vector<T>& values, std::size_t offset = 1)
        : begin_(offset * sizeof(T)),
          storage_(aligned_memory(begin_ + values.size() * sizeof(T), 0xff)) {
        if (!values.empty())
            std::memcpy(storage_.get() + begin_, values.data(), values.size() * sizeof(T));
    }

    const T* data() const { return reinterpret_cast<const T*>(storage_.get() + begin_); }

private:
    std::size_t begin_;
    AlignedMemory storage_;
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

template <class T>
void set_not_finite(float bad, T& value) {
    if constexpr (sizeof(T) == 2) {
        const std::uint16_t infinity = std::is_same_v<T, Float16> ? 0x7c00 : 0x7f80;
        value.bits = static_cast<std::uint16_t>(infinity | (bad < 0 ? 0x8000u : 0u) |
                                                (std::isnan(bad) ? 1u : 0u));
    } else {
        value = bad;
    }
}

}  // namespace
}  // namespace nnr::checks
