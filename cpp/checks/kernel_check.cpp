// Every kernel but the convolution at every level this CPU runs against the scalar reference:
// lengths 0 to 200 and some longer, inputs and outputs at every distance from an aligned address.
//
//     kernel_check            check every level and print which ones ran
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../core/quantize.hpp"
#include "../dispatch/targets.hpp"
#include "../kernels/float_types.hpp"
#include "coder_kernels.hpp"
#include "guarded.hpp"

namespace {

using namespace nnr;
using namespace nnr::checks;

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
std::string describe(const KernelTable& level, std::size_t length, std::size_t offset) {
    return std::string(level.name) + " " + TypeInfo<T>::name + " length " +
           std::to_string(length) + " offset " + std::to_string(offset);
}

template <class T>
void check_minmax(const KernelTable& level, const std::vector<T>& values, std::size_t offset = 1) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    const Input input(values, offset);
    const MinMax got = level.minmax[type](input.data(), values.size());
    const MinMax want = kScalarKernels.minmax[type](input.data(), values.size());
    expect(got.finite && same_bits(got.lo, want.lo) && same_bits(got.hi, want.hi),
           describe<T>(level, values.size(), offset) + " minmax");
}

// What lo and hi hold already counts too: nothing, or a range that covers some of the values.
template <class T>
void check_minmax_columns(const KernelTable& level, std::size_t rows, std::size_t columns,
                          std::size_t offset = 1) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    const Input input(random_values<T>(rows * columns), offset);
    for (const float seen : {-std::numeric_limits<float>::infinity(), 0.25f}) {
        const std::vector<float> lo(columns, -seen), hi(columns, seen);
        GuardedBuffer got_lo(lo, offset), got_hi(hi, offset), want_lo(lo, 0), want_hi(hi, 0);
        const bool finite = level.minmax_columns[type](input.data(), rows, columns, got_lo.data(),
                                                       got_hi.data());
        kScalarKernels.minmax_columns[type](input.data(), rows, columns, want_lo.data(),
                                            want_hi.data());
        expect(finite && got_lo.equals(want_lo.data()) && got_hi.equals(want_hi.data()) &&
                   got_lo.intact() && got_hi.intact(),
               describe<T>(level, columns, offset) + " minmax of columns of " +
                   std::to_string(rows) + " rows");
    }
}

template <class Code, class T>
void check_quantize(const KernelTable& level, const std::vector<T>& values, float lo, float hi,
                    unsigned bits, std::size_t offset = 1) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    const auto code = static_cast<std::size_t>(code_type(bits));
    const std::size_t length = values.size();
    const std::string what = describe<T>(level, length, offset) + " bits " + std::to_string(bits) +
                             " range " + std::to_string(lo) + " to " + std::to_string(hi);
    const Input input(values, offset);
    const QuantizerParameters parameters = make_quantizer(lo, hi, bits);

    GuardedBuffer<Code> got(length, offset), want(length);
    const auto got_result = level.quantize[type][code](input.data(), length, parameters, got.data());
    const auto want_result =
        kScalarKernels.quantize[type][code](input.data(), length, parameters, want.data());
    expect(got.equals(want.data()) && got.intact(), what + " quantize");
    expect(got_result.clipped == want_result.clipped && got_result.finite, what + " clipped");

    const Input codes(want.values(), offset);
    GuardedBuffer<T> want_values(length);
    kScalarKernels.dequantize[type][code](codes.data(), length, parameters, want_values.data(),
                                          Stores::cached);
    for (const Stores stores : {Stores::cached, Stores::past_cache}) {
        GuardedBuffer<T> got_values(length, offset);
        level.dequantize[type][code](codes.data(), length, parameters, got_values.data(), stores);
        expect(got_values.equals(want_values.data()) && got_values.intact(), what + " dequantize");
    }
}

// The quantisers of a wide range, a narrow one and one of a single value in turn, element by
// element, in arrays that end where they end.
class Columns {
public:
    Columns(std::size_t count, unsigned bits, std::size_t offset) : max_code_((1u << bits) - 1u) {
        const QuantizerParameters cycle[] = {make_quantizer(-4.0f, 5.0f, bits),
                                             make_quantizer(-0.3f, 0.7f, bits),
                                             make_quantizer(0.125f, 0.125f, bits)};
        std::vector<float> columns[4];
        for (std::size_t i = 0; i < count; ++i) {
            const QuantizerParameters& of = cycle[i % 3];
            const float values[] = {of.lo, of.hi, of.step, of.inv_step};
            for (std::size_t c = 0; c < 4; ++c) columns[c].push_back(values[c]);
        }
        for (const auto& column : columns) inputs_.emplace_back(column, offset);
    }

    QuantizerColumns view() const {
        return {inputs_[0].data(), inputs_[1].data(), inputs_[2].data(), inputs_[3].data(),
                max_code_};
    }

private:
    std::vector<Input<float>> inputs_;
    std::uint32_t max_code_;
};

template <class Code, class T>
void check_quantize_columns(const KernelTable& level, const std::vector<T>& values, unsigned bits,
                            std::size_t offset = 1) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    const auto code = static_cast<std::size_t>(code_type(bits));
    const std::size_t length = values.size();
    const std::string what =
        describe<T>(level, length, offset) + " bits " + std::to_string(bits) + " columns";
    const Input input(values, offset);
    const Columns columns(length, bits, offset);

    GuardedBuffer<Code> got(length, offset), want(length);
    const auto got_result =
        level.quantize_columns[type][code](input.data(), length, columns.view(), got.data());
    const auto want_result = kScalarKernels.quantize_columns[type][code](
        input.data(), length, columns.view(), want.data());
    expect(got.equals(want.data()) && got.intact(), what + " quantize");
    expect(got_result.clipped == want_result.clipped && got_result.finite, what + " clipped");

    const Input codes(want.values(), offset);
    GuardedBuffer<T> got_values(length, offset), want_values(length);
    level.dequantize_columns[type][code](codes.data(), length, columns.view(), got_values.data());
    kScalarKernels.dequantize_columns[type][code](codes.data(), length, columns.view(),
                                                  want_values.data());
    expect(got_values.equals(want_values.data()) && got_values.intact(), what + " dequantize");
}

// Exactly the values at `places` lie outside a range whose width, in float32, is also that of a
// value just above it.
template <class Code, class T>
void check_clipped_places(const KernelTable& level, std::size_t length, std::size_t offset,
                          const std::vector<std::size_t>& places) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    const unsigned bits = sizeof(Code) == 1 ? 7 : 13;
    const float hi = std::nextafter(1.0f, 0.0f);
    const QuantizerParameters parameters = make_quantizer(-1024.0f, hi, bits);
    for (const float outside : {1.0f, 2000.0f, -1100.0f}) {
        std::vector<T> values(length);
        for (std::size_t i = 0; i < length; ++i)
            from_f32(-static_cast<float>(i * 7 % 1025), values[i]);
        for (const std::size_t place : places) from_f32(outside, values[place]);
        const Input input(values, offset);
        GuardedBuffer<Code> got(length, offset), want(length);
        const auto result = level.quantize[type][sizeof(Code) - 1](input.data(), length,
                                                                   parameters, got.data());
        kScalarKernels.quantize[type][sizeof(Code) - 1](input.data(), length, parameters,
                                                        want.data());
        expect(got.equals(want.data()) && got.intact() && result.finite &&
                   result.clipped == places.size(),
               describe<T>(level, length, offset) + " " + std::to_string(places.size()) +
                   " values of " + std::to_string(outside) + ", " +
                   std::to_string(result.clipped) + " clipped");
    }
}

// None, all, two in blocks of their own, and one at places where something begins or ends.
template <class Code, class T>
void check_clipping(const KernelTable& level) {
    for (const std::size_t length : {1u, 33u, 64u, 130u, 1023u, 1024u, 1025u, 1090u, 2048u, 4095u,
                                     4096u, 4097u, 5003u}) {
        std::vector<std::size_t> all(length);
        for (std::size_t i = 0; i < length; ++i) all[i] = i;
        for (const std::size_t offset : {0u, 1u, 7u, 15u}) {
            check_clipped_places<Code, T>(level, length, offset, {});
            check_clipped_places<Code, T>(level, length, offset, all);
            check_clipped_places<Code, T>(level, length, offset, {all.back()});
            if (length > 1) check_clipped_places<Code, T>(level, length, offset, {0, length - 1});
            for (const std::size_t place : {0u, 1u, 8u, 15u, 16u, 31u, 63u, 64u, 1023u, 1024u,
                                            1039u, 1040u, 2047u, 2048u, 2064u, 4095u, 4096u})
                if (place < length)
                    check_clipped_places<Code, T>(level, length, offset, {place});
        }
    }
}

// Values that are not finite must be noticed wherever they stand.
template <class T>
void check_not_finite(const KernelTable& level, std::size_t length, std::size_t stride) {
    const auto type = static_cast<std::size_t>(TypeInfo<T>::type);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const QuantizerParameters parameters = make_quantizer(-9, 9, 8);
    const Columns columns(length, 8, 1);
    const std::vector<T> finite = random_values<T>(length);
    std::vector<std::uint16_t> codes(length);
    std::vector<float> lo(length), hi(length);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
        for (std::size_t from_end = 0; from_end < length; from_end += stride) {
            const std::size_t position = length - 1 - from_end;
            std::vector<T> values = finite;
            set_not_finite(bad, values[position]);
            const auto notices = [&](const char* kernel, bool said_finite) {
                expect(!said_finite, describe<T>(level, length, 0) + " " + kernel +
                                         " not finite at " + std::to_string(position));
            };
            notices("minmax", level.minmax[type](values.data(), length).finite);
            for (const std::size_t rows : {1u, 2u, 5u})
                if (length % rows == 0)
                    notices("minmax_columns",
                            level.minmax_columns[type](values.data(), rows, length / rows,
                                                       lo.data(), hi.data()));
            for (const std::size_t code : {0u, 1u}) {
                notices("quantize", level.quantize[type][code](values.data(), length, parameters,
                                                               codes.data())
                                        .finite);
                notices("quantize_columns",
                        level.quantize_columns[type][code](values.data(), length, columns.view(),
                                                           codes.data())
                            .finite);
            }
        }
    }
}

template <class Code>
void check_bitpack(const KernelTable& level, const std::vector<Code>& codes, unsigned bits,
                   std::size_t offset) {
    const std::size_t type = sizeof(Code) - 1, length = codes.size();
    const std::string what = std::string(level.name) + " bitpack length " + std::to_string(length) +
                             " bits " + std::to_string(bits) + " in " +
                             std::to_string(sizeof(Code)) + " bytes";
    const std::size_t bytes = packed_bytes(length, bits);
    std::uint32_t all = 0;
    for (const Code code : codes) all |= code;
    const Input code_input(codes, offset);
    GuardedBuffer<std::uint8_t> got(bytes, offset), want(bytes);
    const std::uint32_t seen = level.pack[type](code_input.data(), length, bits, got.data());
    expect(seen == all && got.intact(), what + " codes seen by pack");
    if (all >> bits != 0) return;  // then the bytes may be any
    kScalarKernels.pack[type](code_input.data(), length, bits, want.data());
    expect(got.equals(want.data()), what + " pack");

    const Input packed(want.values(), offset);
    GuardedBuffer<Code> unpacked(length, offset);
    level.unpack[type](packed.data(), length, bits, unpacked.data());
    expect(unpacked.equals(codes.data()) && unpacked.intact(), what + " unpack");
}

// Any codes, all at the maximum, and one that does not fit among the others.
template <class Code>
void check_bitpack(const KernelTable& level, std::size_t length, unsigned bits) {
    const auto max_code = static_cast<Code>((1u << bits) - 1u);
    std::vector<Code> codes(length);
    for (Code& code : codes) code = static_cast<Code>(generator() & max_code);
    check_bitpack(level, codes, bits, length % 17);
    check_bitpack(level, std::vector<Code>(length, max_code), bits, 1);
    if (length == 0 || bits == sizeof(Code) * 8) return;
    codes[generator() % length] = static_cast<Code>(max_code + 1);
    check_bitpack(level, codes, bits, 1);
}

// Zeros of both signs, halves between two codes, subnormals, values far outside the range; ranges of
// one value, of subnormal width, and as wide as they may be.
template <class T>
void check_edges(const KernelTable& level) {
    for (const std::size_t length : {1u, 19u, 64u, 1100u}) {
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
            check_quantize_columns<std::uint8_t>(level, values, 8);
            check_quantize_columns<std::uint16_t>(level, values, 16);
        }
    }
}

template <class T>
void check_float_type(const KernelTable& level) {
    const auto check = [&](std::size_t length, std::size_t offset) {
        const std::vector<T> values = random_values<T>(length);
        check_minmax(level, values, offset);
        for (const std::size_t rows : {0u, 1u, 2u, 7u})
            check_minmax_columns<T>(level, rows, length, offset);
        for (const unsigned bits : {1u, 7u, 8u}) {
            check_quantize<std::uint8_t>(level, values, -1.3f, 1.7f, bits, offset);
            check_quantize<std::uint8_t>(level, values, -9.0f, 9.0f, bits, offset);
            check_quantize_columns<std::uint8_t>(level, values, bits, offset);
        }
        for (const unsigned bits : {9u, 16u}) {
            check_quantize<std::uint16_t>(level, values, -1.3f, 1.7f, bits, offset);
            check_quantize<std::uint16_t>(level, values, -9.0f, 9.0f, bits, offset);
            check_quantize_columns<std::uint16_t>(level, values, bits, offset);
        }
    };
    for (const std::size_t length : lengths()) check(length, 1 + length % 3);
    for (std::size_t offset = 0; offset < kAlignment / 2; ++offset)
        for (const std::size_t length : {31u, 65u, 1087u}) check(length, offset);
    check_edges<T>(level);
    check_clipping<std::uint8_t, T>(level);
    check_clipping<std::uint16_t, T>(level);
    check_not_finite<T>(level, 37, 1);
    check_not_finite<T>(level, 170, 1);
    check_not_finite<T>(level, 4103, 31);
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
        level.dequantize[type][1](codes.data(), codes.size(), fine, got_bits.data(),
                                  Stores::cached);
        kScalarKernels.dequantize[type][1](codes.data(), codes.size(), fine, want_bits.data(),
                                           Stores::cached);
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
    check_coder_kernels(level);
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
