// Turns the typed kernel templates of one level into its table of untyped entries.
// Included after the level's `minmax`, `quantize`, `dequantize`, `pack`, `unpack`, `conv` are visible
// in the namespace that NNR_KERNELS names.
#pragma once

#include "float_types.hpp"
#include "kernel_table.hpp"

namespace nnr {
namespace {

template <class T>
MinMax minmax_entry(const void* values, std::size_t count) {
    return NNR_KERNELS::minmax(static_cast<const T*>(values), count);
}

template <class T, class Code>
QuantizeResult quantize_entry(const void* values, std::size_t count,
                              const QuantizerParameters& parameters, void* codes) {
    return NNR_KERNELS::quantize(static_cast<const T*>(values), count, parameters,
                                 static_cast<Code*>(codes));
}

template <class T, class Code>
void dequantize_entry(const void* codes, std::size_t count, const QuantizerParameters& parameters,
                      void* values) {
    NNR_KERNELS::dequantize(static_cast<const Code*>(codes), count, parameters,
                            static_cast<T*>(values));
}

template <class Code>
std::uint32_t pack_entry(const void* codes, std::size_t count, unsigned bits,
                         std::uint8_t* packed) {
    return NNR_KERNELS::pack(static_cast<const Code*>(codes), count, bits, packed);
}

template <class Code>
void unpack_entry(const std::uint8_t* packed, std::size_t count, unsigned bits, void* codes) {
    NNR_KERNELS::unpack(packed, count, bits, static_cast<Code*>(codes));
}

template <class T>
constexpr void fill_float_type(KernelTable& table, FloatType type) {
    const auto t = static_cast<std::size_t>(type);
    table.minmax[t] = minmax_entry<T>;
    table.quantize[t][0] = quantize_entry<T, std::uint8_t>;
    table.quantize[t][1] = quantize_entry<T, std::uint16_t>;
    table.dequantize[t][0] = dequantize_entry<T, std::uint8_t>;
    table.dequantize[t][1] = dequantize_entry<T, std::uint16_t>;
}

constexpr KernelTable make_table(const char* name) {
    KernelTable table{};
    table.name = name;
    fill_float_type<float>(table, FloatType::f32);
    fill_float_type<Float16>(table, FloatType::f16);
    fill_float_type<BFloat16>(table, FloatType::bf16);
    fill_float_type<double>(table, FloatType::f64);
    table.pack[0] = pack_entry<std::uint8_t>;
    table.pack[1] = pack_entry<std::uint16_t>;
    table.unpack[0] = unpack_entry<std::uint8_t>;
    table.unpack[1] = unpack_entry<std::uint16_t>;
    table.conv = NNR_KERNELS::conv;
    return table;
}

}  // namespace
}  // namespace nnr
