// What the kernels of the network engine are given. Pixels lie one after the other, the channels of
// a pixel side by side; distances are in elements.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nnr {

// Channels of a pixel are filled up to a multiple of this; weights of a convolution come in blocks
// of as many output channels.
inline constexpr std::size_t kChannelBlock = 16;

// Bytes of a vector of the widest level, each an input channel.
inline constexpr std::size_t kThinIntegerChannels = 64;

struct ConvShape {
    std::size_t in_channels;
    std::size_t out_blocks;
    std::size_t kernel_height;
    std::size_t kernel_width;
};

template <class Input, class Output>
struct ConvWindow {
    const Input* input;       // what the first kernel tap of the first output pixel sees
    std::size_t input_pixel;  // to that of the output pixel to the right, and below: more than a
    std::size_t input_row;    // pixel or a row where the convolution has a stride
    std::size_t tap_pixel;    // to the next kernel column, and row
    std::size_t tap_row;
    Output* output;
    std::size_t output_pixel;
    std::size_t output_row;
    const void* addend;  // null for none, else a value that is added: floats to floats, else integers
    std::size_t addend_pixel;
    std::size_t addend_row;
    std::size_t height;  // of the output
    std::size_t width;
    bool byte_addend = sizeof(Output) == 1;  // else, beside integers, of i16
};

// A sum becomes sum + addend; then, where there are slopes, x < 0 ? slope * x : x, where a slope of
// 0 gives 0 for any x below 0, minus infinity included. NaN stays NaN, with any slope.
struct FloatEpilogue {
    const float* bias;    // out_blocks * kChannelBlock
    const float* slopes;  // as many, or null for none
};

// Weights: [out block][kernel row][kernel column][in group][kChannelBlock][kGroup], where a group is
// `kGroup` input channels: 1 of float, 4 of u8, 2 of i16; the last group is filled up with zeros.
struct FloatConv {
    ConvShape shape;
    const float* weights;
    FloatEpilogue epilogue;
};

// docs/integer.md: what becomes of a sum of 32 bits. Arrays have out_blocks * kChannelBlock numbers.
struct IntegerEpilogue {
    const std::int32_t* bias;
    const std::int32_t* multipliers;
    const std::int32_t* negative_multipliers;
    const std::int32_t* zeros;
    const std::int32_t* addend_multipliers;  // these two only where there is an addend
    const std::int32_t* addend_zeros;
    std::int32_t lo;
    std::int32_t hi;
};

template <class Weight>
struct IntegerConv {
    ConvShape shape;
    const Weight* weights;
    IntegerEpilogue epilogue;
};

// Sums of products alone: (sum + 2^(shift - 1)) >> shift, of 1x1 pixels, `shift` at least 1.
struct IntegerProducts {
    ConvShape shape;
    const std::int16_t* weights;
    std::uint32_t shift;
};

// A value of integers rescaled, or the sum of two that are; docs/integer.md. Arrays have a number a
// channel, filled up to whole blocks.
struct IntegerScale {
    std::size_t channels;
    const std::int32_t* multipliers;
    const std::int32_t* second_multipliers;  // of negative numbers, or of the addend
    const std::int32_t* offsets;             // null beside an addend
    const std::int32_t* in_zeros;
    const std::int32_t* addend_zeros;  // null without an addend
    const std::int32_t* zeros;
    std::int32_t lo;
    std::int32_t hi;
};

// Convolutions of 3x3 by blocks of 4x4 outputs, which see 6x6 inputs (Winograd's F(4x4, 3x3)). The
// 36 transformed samples of a block lie `position` apart, blocks `block` apart, channels side by side.
inline constexpr std::size_t kWinogradOutputs = 4;
inline constexpr std::size_t kWinogradInputs = 6;
inline constexpr std::size_t kWinogradPositions = kWinogradInputs * kWinogradInputs;

template <class Sample>
struct WinogradBlocks {
    Sample* samples;
    std::size_t position;
    std::size_t block;
};

// A row of `blocks` blocks, each four pixels to the right of the one before.
template <class Input>
struct WinogradInput {
    const Input* input;
    std::size_t pixel;
    std::size_t row;
    std::size_t channels;  // a multiple of kChannelBlock
    std::size_t blocks;
    const std::int16_t* zeros;  // of integers, a channel
};

// Of the rows and columns of a row of blocks, those from first to last - 1 are stored.
template <class Output>
struct WinogradOutput {
    Output* output;  // of the first row and column, stored or not
    std::size_t pixel;
    std::size_t row;
    const void* addend;  // as in ConvWindow
    std::size_t addend_pixel;
    std::size_t addend_row;
    std::size_t out_blocks;
    std::size_t blocks;
    std::size_t first_row;
    std::size_t last_row;
    std::size_t first_column;
    std::size_t last_column;
    bool byte_addend = sizeof(Output) == 1;
};

}  // namespace nnr
