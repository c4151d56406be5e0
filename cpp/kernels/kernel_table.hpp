// The complete list of what is accelerated. Every level (scalar, sse4, avx2, avx512, neon) exports
// one KernelTable; the scalar one is the reference that the others equal bit for bit, except where
// an entry says otherwise.
//
// For every kernel: pointers are aligned to their element type and no more, `count` may be any number
// including zero, nothing outside the given spans is read or written, output never overlaps input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "context_tables.hpp"
#include "network_kernels.hpp"
#include "trellis_tables.hpp"

namespace nnr {

enum class FloatType : std::uint8_t { f32, f16, bf16, f64 };
inline constexpr std::size_t kFloatTypes = 4;

// Codes of 1 to 8 bits are held in bytes, codes of 9 to 16 bits in 16-bit words.
enum class CodeType : std::uint8_t { u8, u16 };
inline constexpr std::size_t kCodeTypes = 2;

struct MinMax {
    float lo;  // +infinity when count is zero
    float hi;  // -infinity when count is zero
    bool finite;
};

struct QuantizerParameters {
    float lo;
    float hi;
    float step;
    float inv_step;
    std::uint32_t max_code;  // 2^bits - 1
};

// The same for elements that each have a quantiser of their own: arrays of one value an element.
struct QuantizerColumns {
    const float* lo;
    const float* hi;
    const float* step;
    const float* inv_step;
    std::uint32_t max_code;
};

// Whether a result is left in the cache. Where it is larger than the cache, storing past it saves
// reading every line before it is overwritten: half the time of a memory-bound loop. Such stores
// need a fence before another thread reads them.
enum class Stores : bool { cached, past_cache };

struct QuantizeResult {
    std::uint64_t clipped;  // values below lo or above hi
    bool finite;
};

// The trackers of one context of the entropy coder as they are after some bins, a lane for each
// configuration that it may have started from, and what the bins cost. Lanes beyond them are zero.
inline constexpr std::size_t kContextLanes = 16;
struct ContextTrials {
    std::int16_t fast[kContextLanes]{};
    std::int16_t slow[kContextLanes]{};
    std::uint64_t costs[kContextConfigurations]{};
};

template <class Input>
using IntegerWeight = std::conditional_t<sizeof(Input) == 1, std::int8_t, std::int16_t>;
template <class Input, class Output>
using IntegerConvKernel = void (*)(const IntegerConv<IntegerWeight<Input>>& conv,
                                   const ConvWindow<Input, Output>& window);
template <class Input, class Output>
using IntegerThinConvKernel = void (*)(const IntegerConv<IntegerWeight<Input>>& conv,
                                       const ConvWindow<Input, Output>& window, std::size_t outs);
template <class Input, class Output>
using IntegerScaleKernel = void (*)(const IntegerScale& scale,
                                    const ConvWindow<Input, Output>& window);
template <class Output>
using WinogradOutputKernel = void (*)(const IntegerEpilogue& epilogue,
                                      const WinogradBlocks<const std::int32_t>& blocks,
                                      const WinogradOutput<Output>& output);

struct KernelTable {
    const char* name;

    // Smallest and largest value, read as float32; zeros come out as +0. Where a value is NaN or
    // infinite (or a float64 beyond float32), `finite` is false and lo and hi are unspecified.
    MinMax (*minmax[kFloatTypes])(const void* values, std::size_t count);

    // The same for every column of `rows` rows of `columns` values each: lo[c] and hi[c] become the
    // smaller and the larger of what they are and what column c holds. Returns whether all values
    // are finite.
    bool (*minmax_columns[kFloatTypes])(const void* values, std::size_t rows, std::size_t columns,
                                        float* lo, float* hi);

    // code = clip(rint((x - lo) * inv_step), 0, max_code), each operation in float32, halves to
    // even. Where `finite` comes out false, codes and `clipped` are unspecified.
    QuantizeResult (*quantize[kFloatTypes][kCodeTypes])(const void* values, std::size_t count,
                                                        const QuantizerParameters& parameters,
                                                        void* codes);

    // x' = lo + code * step in float32, the product rounded before the sum, then converted to the
    // output type with halves to even.
    void (*dequantize[kFloatTypes][kCodeTypes])(const void* codes, std::size_t count,
                                                const QuantizerParameters& parameters,
                                                void* values, Stores stores);

    // The same two with a quantiser for every element.
    QuantizeResult (*quantize_columns[kFloatTypes][kCodeTypes])(const void* values,
                                                                std::size_t count,
                                                                const QuantizerColumns& columns,
                                                                void* codes);
    void (*dequantize_columns[kFloatTypes][kCodeTypes])(const void* codes, std::size_t count,
                                                        const QuantizerColumns& columns,
                                                        void* values);

    // One little-endian bit stream: code i occupies bits i*bits .. (i+1)*bits - 1, bit 0 being the
    // least significant of byte 0; the last byte is filled with zeros. Writes
    // ceil(count * bits / 8) bytes and returns the bitwise OR of all codes, from which the caller
    // sees whether each fitted; where one did not, the bytes are unspecified.
    std::uint32_t (*pack[kCodeTypes])(const void* codes, std::size_t count, unsigned bits,
                                      std::uint8_t* packed);

    // The inverse; reads ceil(count * bits / 8) bytes.
    void (*unpack[kCodeTypes])(const std::uint8_t* packed, std::size_t count, unsigned bits,
                               void* codes);

    // sum = bias, then sum += input * weight by kernel row, kernel column, in channel; then the
    // epilogue. Writes out_blocks * kChannelBlock floats a pixel. A level's result does not depend on
    // how a window is cut into calls. Levels differ in whether a product is rounded before it is added:
    // with n products, each is within g(n + 4) * (|bias| + sum of |input * weight| + |addend|) *
    // max(1, |slope|) of the exact result, where g(k) = k * 2^-24 / (1 - k * 2^-24), if nothing
    // overflows or underflows.
    void (*conv)(const FloatConv& conv, const ConvWindow<float, float>& window);

    // The same for 1 to 4 output channels, of weights [out][kernel row][kernel column][in channel],
    // of which it writes no more than these; in channels are a multiple of kChannelBlock. Sums are
    // formed in any order, within the same bound.
    void (*thin_conv)(const FloatConv& conv, const ConvWindow<float, float>& window,
                      std::size_t outs);

    // The same where every output channel sees its own input channel alone, of weights [kernel row]
    // [kernel column][out_blocks * kChannelBlock].
    void (*depthwise_conv)(const FloatConv& conv, const ConvWindow<float, float>& window);

    // The first and last step of a convolution of 3x3 by blocks; between them lie the products, one
    // `conv` a position. What each level's transforms round is not bounded here; docs/networks.md
    // states the error of the whole.
    void (*winograd_input)(const WinogradInput<float>& input, const WinogradBlocks<float>& blocks);
    void (*winograd_output)(const FloatEpilogue& epilogue,
                            const WinogradBlocks<const float>& blocks,
                            const WinogradOutput<float>& output);

    // Convolutions of integers, exact, as docs/integer.md defines them: sums never leave 32 bits.
    IntegerConvKernel<std::uint8_t, std::uint8_t> conv_u8_u8;
    IntegerConvKernel<std::uint8_t, std::int16_t> conv_u8_i16;
    IntegerConvKernel<std::int16_t, std::uint8_t> conv_i16_u8;
    IntegerConvKernel<std::int16_t, std::int16_t> conv_i16_i16;
    // 1 to 4 output channels of a multiple of kThinIntegerChannels, of weights as `thin_conv` has them.
    IntegerThinConvKernel<std::uint8_t, std::uint8_t> thin_conv_u8_u8;
    IntegerThinConvKernel<std::uint8_t, std::int16_t> thin_conv_u8_i16;
    IntegerThinConvKernel<std::int16_t, std::uint8_t> thin_conv_i16_u8;
    IntegerThinConvKernel<std::int16_t, std::int16_t> thin_conv_i16_i16;
    void (*integer_products)(const IntegerProducts& products,
                             const ConvWindow<std::int16_t, std::int32_t>& window);
    // Values rescaled, or two that are added; writes whole vectors of channels, up to a multiple of
    // kChannelBlock.
    IntegerScaleKernel<std::uint8_t, std::uint8_t> scale_u8_u8;
    IntegerScaleKernel<std::uint8_t, std::int16_t> scale_u8_i16;
    IntegerScaleKernel<std::int16_t, std::uint8_t> scale_i16_u8;
    IntegerScaleKernel<std::int16_t, std::int16_t> scale_i16_i16;
    void (*winograd_input_u8)(const WinogradInput<std::uint8_t>& input,
                              const WinogradBlocks<std::int16_t>& blocks);
    WinogradOutputKernel<std::uint8_t> winograd_output_u8;
    WinogradOutputKernel<std::int16_t> winograd_output_i16;

    // Codes bins (0 or 1) of one context from every configuration at once: adds what each bin costs
    // in the state it finds, and moves the trackers.
    void (*context_costs)(const std::uint8_t* bins, std::size_t count,
                          const ContextBinCosts& costs, ContextTrials& trials);

    // One step of the Viterbi algorithm a weight, in float64: `costs`, one a state, are the squared
    // errors in steps of the best ways there; `decisions` say of each state how it was reached.
    // Magnitudes are below 2^31 steps.
    void (*trellis)(const float* weights, std::size_t count, double inverse_step, double* costs,
                    TrellisDecisions* decisions);
};

extern const KernelTable kScalarKernels;
extern const KernelTable kSse4Kernels;
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
extern const KernelTable kNeonKernels;

}  // namespace nnr
