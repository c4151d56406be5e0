// A register block holds the sums of several neighbouring pixels by one or two blocks of output
// channels: every weight that is loaded serves all of its pixels, every input all of its channels.
#pragma once

#include "kernel_table.hpp"

namespace nnr {
namespace {

constexpr std::size_t kBlockVectors = kChannelBlock / simd::kLanes;
// Where a block is one vector, two of them share the inputs.
constexpr std::size_t kMaxBlocks = kBlockVectors == 1 ? 2 : 1;
// What is left beside the weights of one step and one input.
constexpr std::size_t kMaxPixels =
    (simd::kRegisters - kMaxBlocks * kBlockVectors - 1) / (kMaxBlocks * kBlockVectors);

// Where one register block begins.
struct ConvBlock {
    const float* weights;
    const float* bias;
    const float* slopes;  // null for none
    const float* input;
    float* output;
};

template <std::size_t kBlocks, std::size_t kPixels>
void convolve_block(const ConvParameters& conv, const ConvWindow& window, const ConvBlock& block) {
    constexpr std::size_t kVectors = kBlocks * kBlockVectors;
    const std::size_t block_size =
        conv.kernel_height * conv.kernel_width * conv.in_channels * kChannelBlock;
    simd::F32 sums[kPixels][kVectors];
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPixels; ++p)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v)
            sums[p][v] = simd::load(block.bias + v * simd::kLanes);

    const float* weights = block.weights;
    for (std::size_t ky = 0; ky < conv.kernel_height; ++ky)
        for (std::size_t kx = 0; kx < conv.kernel_width; ++kx) {
            const float* input = block.input + ky * window.input_row + kx * window.input_pixel;
            for (std::size_t c = 0; c < conv.in_channels; ++c, weights += kChannelBlock) {
                simd::F32 weight[kVectors];
#pragma GCC unroll 4
                for (std::size_t v = 0; v < kVectors; ++v)
                    weight[v] = simd::load(weights + v / kBlockVectors * block_size +
                                           v % kBlockVectors * simd::kLanes);
#pragma GCC unroll 16
                for (std::size_t p = 0; p < kPixels; ++p) {
                    const simd::F32 x = simd::splat(input[p * window.input_pixel + c]);
#pragma GCC unroll 4
                    for (std::size_t v = 0; v < kVectors; ++v)
                        sums[p][v] = simd::mul_add(x, weight[v], sums[p][v]);
                }
            }
        }

    if (block.slopes != nullptr) {
        const simd::F32 zero = simd::splat(0.0f);
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v) {
            const simd::F32 slope = simd::load(block.slopes + v * simd::kLanes);
            const simd::Mask cut_off = simd::equal(slope, zero);
#pragma GCC unroll 16
            for (std::size_t p = 0; p < kPixels; ++p) {
                const simd::F32 below =
                    simd::select(cut_off, zero, simd::mul(slope, sums[p][v]));
                sums[p][v] = simd::select(simd::less(sums[p][v], zero), below, sums[p][v]);
            }
        }
    }
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPixels; ++p)
#pragma GCC unroll 4
        for (std::size_t v = 0; v < kVectors; ++v)
            simd::store(block.output + p * window.output_pixel + v * simd::kLanes, sums[p][v]);
}

// One entry a number of pixels, index 0 unused.
struct ConvBodies {
    using Body = void (*)(const ConvParameters&, const ConvWindow&, const ConvBlock&);
    Body of_pixels[kMaxPixels + 1];
};

template <std::size_t kBlocks, std::size_t kPixels = 1>
constexpr void fill(ConvBodies& bodies) {
    bodies.of_pixels[kPixels] = convolve_block<kBlocks, kPixels>;
    if constexpr (kPixels < kMaxPixels) fill<kBlocks, kPixels + 1>(bodies);
}

template <std::size_t kBlocks>
constexpr ConvBodies make_conv_bodies() {
    ConvBodies bodies{};
    fill<kBlocks>(bodies);
    return bodies;
}

template <std::size_t kBlocks>
constexpr ConvBodies kConvBodies = make_conv_bodies<kBlocks>();

// Rows are cut into stretches of nearly equal length, so that no short one is left over.
void convolve_rows(const ConvBodies& bodies, const ConvParameters& conv, const ConvWindow& window,
                   ConvBlock block) {
    const std::size_t stretches = (window.width + kMaxPixels - 1) / kMaxPixels;
    for (std::size_t y = 0; y < window.height; ++y) {
        ConvBlock stretch = block;
        for (std::size_t i = 0; i < stretches; ++i) {
            const std::size_t pixels = window.width / stretches + (i < window.width % stretches);
            bodies.of_pixels[pixels](conv, window, stretch);
            stretch.input += pixels * window.input_pixel;
            stretch.output += pixels * window.output_pixel;
        }
        block.input += window.input_row;
        block.output += window.output_row;
    }
}

void conv(const ConvParameters& parameters, const ConvWindow& window) {
    const std::size_t block_size = parameters.kernel_height * parameters.kernel_width *
                                   parameters.in_channels * kChannelBlock;
    for (std::size_t i = 0; i < parameters.out_blocks;) {
        const std::size_t channel = i * kChannelBlock;
        const float* slopes = parameters.slopes == nullptr ? nullptr : parameters.slopes + channel;
        const ConvBlock block{parameters.weights + i * block_size, parameters.bias + channel,
                              slopes, window.input, window.output + channel};
        const bool pair = kMaxBlocks == 2 && i + 2 <= parameters.out_blocks;
        convolve_rows(pair ? kConvBodies<kMaxBlocks> : kConvBodies<1>, parameters, window, block);
        i += pair ? 2 : 1;
    }
}

}  // namespace
}  // namespace nnr
