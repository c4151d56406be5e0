// Every channel on its own: a vector of channels, some neighbouring pixels at a time.
#pragma once

#include "conv.hpp"

namespace nnr {
namespace {

constexpr std::size_t kDepthwisePixels = 4;

template <std::size_t kPixels, class Finish>
void depthwise_block(const FloatConv& conv, const ConvWindow<float, float>& window,
                     const ConvBlock<FloatProducts, float, float>& block, const Finish& finish) {
    const ConvShape& shape = conv.shape;
    const std::size_t channels = shape.out_blocks * kChannelBlock;
    simd::F32 sums[kPixels];
    for (simd::F32& sum : sums) sum = finish.start(block.channel);
    const float* weights = block.weights;
    for (std::size_t ky = 0; ky < shape.kernel_height; ++ky)
        for (std::size_t kx = 0; kx < shape.kernel_width; ++kx, weights += channels) {
            const float* input = block.input + ky * window.tap_row + kx * window.tap_pixel;
            const simd::F32 weight = simd::load(weights);
#pragma GCC unroll 4
            for (std::size_t p = 0; p < kPixels; ++p)
                sums[p] = simd::mul_add(simd::load(input + p * window.input_pixel), weight, sums[p]);
        }
    const auto of_channels = finish.channels(block.channel);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kPixels; ++p)
        of_channels.store(block.output + p * window.output_pixel, sums[p],
                          block.addend + p * window.addend_pixel);
}

template <class Finish>
void depthwise_rows(const FloatConv& conv, const ConvWindow<float, float>& window,
                    const Finish& finish) {
    const std::size_t channels = conv.shape.out_blocks * kChannelBlock;
    const auto* addend = static_cast<const float*>(window.addend);
    for (std::size_t y = 0; y < window.height; ++y)
        for (std::size_t c = 0; c < channels; c += simd::kLanes) {
            const auto at = [&](std::size_t x) {
                return ConvBlock<FloatProducts, float, float>{
                    conv.weights + c, c,
                    window.input + y * window.input_row + x * window.input_pixel + c,
                    window.output + y * window.output_row + x * window.output_pixel + c,
                    addend + y * window.addend_row + x * window.addend_pixel + c};
            };
            std::size_t x = 0;
            for (; x + kDepthwisePixels <= window.width; x += kDepthwisePixels)
                depthwise_block<kDepthwisePixels>(conv, window, at(x), finish);
            for (; x < window.width; ++x) depthwise_block<1>(conv, window, at(x), finish);
        }
}

void depthwise_conv(const FloatConv& conv, const ConvWindow<float, float>& window) {
    with_finish(conv.epilogue, window, [&](const auto& finish, const auto& given) {
        depthwise_rows(conv, given, finish);
    });
}

}  // namespace
}  // namespace nnr
