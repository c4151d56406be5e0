// Turns the typed kernel templates of one level into its table of untyped entries.
// Included after the level's kernels are visible in the namespace that NNR_KERNELS names, each under
// the name of its entry.
#pragma once

#include "float_types.hpp"
#include "kernel_table.hpp"

namespace nnr {
namespace {

template <class T>
MinMax minmax_entry(const void* values, std::size_t count) {
    return NNR_KERNELS::minmax(static_cast<const T*>(values), count);
}

template <class T>
bool minmax_columns_entry(const void* values, std::size_t rows, std::size_t columns, float* lo,
                          float* hi) {
    return NNR_KERNELS::minmax_columns(static_cast<const T*>(values), rows, columns, lo, hi);
}

template <class T, class Code>
QuantizeResult quantize_entry(const void* values, std::size_t count,
                              const QuantizerParameters& parameters, void* codes) {
    return NNR_KERNELS::quantize(static_cast<const T*>(values), count, parameters,
                                 static_cast<Code*>(codes));
}

template <class T, class Code>
void dequantize_entry(const void* codes, std::size_t count, const QuantizerParameters& parameters,
                      void* values, Stores stores) {
    NNR_KERNELS::dequantize(static_cast<const Code*>(codes), count, parameters,
                            static_cast<T*>(values), stores);
}

template <class T, class Code>
QuantizeResult quantize_columns_entry(const void* values, std::size_t count,
                                      const QuantizerColumns& columns, void* codes) {
    return NNR_KERNELS::quantize_columns(static_cast<const T*>(values), count, columns,
                                         static_cast<Code*>(codes));
}

template <class T, class Code>
void dequantize_columns_entry(const void* codes, std::size_t count,
                              const QuantizerColumns& columns, void* values) {
    NNR_KERNELS::dequantize_columns(static_cast<const Code*>(codes), count, columns,
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

template <class T, class Code>
constexpr void fill_code_type(KernelTable& table, FloatType type, CodeType code) {
    const auto t = static_cast<std::size_t>(type), c = static_cast<std::size_t>(code);
    table.quantize[t][c] = quantize_entry<T, Code>;
    table.dequantize[t][c] = dequantize_entry<T, Code>;
    table.quantize_columns[t][c] = quantize_columns_entry<T, Code>;
    table.dequantize_columns[t][c] = dequantize_columns_entry<T, Code>;
}

template <class T>
constexpr void fill_float_type(KernelTable& table, FloatType type) {
    const auto t = static_cast<std::size_t>(type);
    table.minmax[t] = minmax_entry<T>;
    table.minmax_columns[t] = minmax_columns_entry<T>;
    fill_code_type<T, std::uint8_t>(table, type, CodeType::u8);
    fill_code_type<T, std::uint16_t>(table, type, CodeType::u16);
}

constexpr void fill_network(KernelTable& table) {
    table.conv = NNR_KERNELS::conv;
    table.thin_conv = NNR_KERNELS::thin_conv;
    table.depthwise_conv = NNR_KERNELS::depthwise_conv;
    table.winograd_input = NNR_KERNELS::winograd_input;
    table.winograd_output = NNR_KERNELS::winograd_output;
    table.conv_u8_u8 = NNR_KERNELS::integer_conv;
    table.conv_u8_i16 = NNR_KERNELS::integer_conv;
    table.conv_i16_u8 = NNR_KERNELS::integer_conv;
    table.conv_i16_i16 = NNR_KERNELS::integer_conv;
    table.thin_conv_u8_u8 = NNR_KERNELS::integer_thin_conv;
    table.thin_conv_u8_i16 = NNR_KERNELS::integer_thin_conv;
    table.thin_conv_i16_u8 = NNR_KERNELS::integer_thin_conv;
    table.thin_conv_i16_i16 = NNR_KERNELS::integer_thin_conv;
    table.integer_products = NNR_KERNELS::integer_products;
    table.scale_u8_u8 = NNR_KERNELS::integer_scale;
    table.scale_u8_i16 = NNR_KERNELS::integer_scale;
    table.scale_i16_u8 = NNR_KERNELS::integer_scale;
    table.scale_i16_i16 = NNR_KERNELS::integer_scale;
    table.winograd_input_u8 = NNR_KERNELS::winograd_input;
    table.winograd_output_u8 = NNR_KERNELS::winograd_output;
    table.winograd_output_i16 = NNR_KERNELS::winograd_output;
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
    fill_network(table);
    table.context_costs = NNR_KERNELS::context_costs;
    table.trellis = NNR_KERNELS::trellis;
    return table;
}

}  // namespace
}  // namespace nnr
