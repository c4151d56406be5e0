// Few outputs of many channels: the lanes hold input channels, and are added at the end. Computed as
// a block of output channels, most of the products would be of weights that are not there.
#pragma once

#include "conv.hpp"

namespace nnr {
namespace {

constexpr std::size_t kThinPixels = simd::kRegisters >= 32 ? 6 : 3;

struct ThinBlock {
    const float* input;
    float* output;
    const float* addend;
};

inline float thin_result(const FloatEpilogue& epilogue, std::size_t out, float sum,
                         const float* addend) {
    sum += epilogue.bias[out];
    if (addend != nullptr) sum += *addend;
    if (epilogue.slopes == nullptr || !(sum < 0.0f)) return sum;
    const float slope = epilogue.slopes[out];
    return slope == 0.0f ? 0.0f : slope * sum;
}

template <std::size_t kOuts, std::size_t kPixels>
void thin_block(const FloatConv& conv, const ConvWindow<float, float>& window,
                const ThinBlock& block) {
    const ConvShape& shape = conv.shape;
    const std::size_t next_out = shape.kernel_height * shape.kernel_width * shape.in_channels;
    simd::F32 sums[kOuts][kPixels];
#pragma GCC unroll 16
    for (std::size_t o = 0; o < kOuts; ++o)
#pragma GCC unroll 16
        for (std::size_t p = 0; p < kPixels; ++p) sums[o][p] = simd::splat(0.0f);

    const float* weights = conv.weights;
    for (std::size_t ky = 0; ky < shape.kernel_height; ++ky)
        for (std::size_t kx = 0; kx < shape.kernel_width; ++kx) {
            const float* input = block.input + ky * window.tap_row + kx * window.tap_pixel;
            for (std::size_t c = 0; c < shape.in_channels;
                 c += simd::kLanes, weights += simd::kLanes) {
                simd::F32 weight[kOuts];
#pragma GCC unroll 16
                for (std::size_t o = 0; o < kOuts; ++o)
                    weight[o] = simd::load(weights + o * next_out);
#pragma GCC unroll 16
                for (std::size_t p = 0; p < kPixels; ++p) {
                    const simd::F32 x = simd::load(input + p * window.input_pixel + c);
#pragma GCC unroll 16
                    for (std::size_t o = 0; o < kOuts; ++o)
                        sums[o][p] = simd::mul_add(x, weight[o], sums[o][p]);
                }
            }
        }

#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPixels; ++p)
#pragma GCC unroll 16
        for (std::size_t o = 0; o < kOuts; ++o)
            block.output[p * window.output_pixel + o] = thin_result(
                conv.epilogue, o, simd::reduce_add(sums[o][p]),
                block.addend == nullptr ? nullptr : block.addend + p * window.addend_pixel + o);
}

template <std::size_t kOuts>
void thin_rows(const FloatConv& conv, const ConvWindow<float, float>& window) {
    for (std::size_t y = 0; y < window.height; ++y) {
        const auto at = [&](std::size_t x) {
            return ThinBlock{window.input + y * window.input_row + x * window.input_pixel,
                             window.output + y * window.output_row + x * window.output_pixel,
                             window.addend == nullptr
                                 ? nullptr
                                 : window.addend + y * window.addend_row + x * window.addend_pixel};
        };
        std::size_t x = 0;
        for (; x + kThinPixels <= window.width; x += kThinPixels)
            thin_block<kOuts, kThinPixels>(conv, window, at(x));
        for (; x < window.width; ++x) thin_block<kOuts, 1>(conv, window, at(x));
    }
}

void thin_conv(const FloatConv& conv, const ConvWindow<float, float>& window, std::size_t outs) {
    switch (outs) {
        case 1: return thin_rows<1>(conv, window);
        case 2: return thin_rows<2>(conv, window);
        case 3: return thin_rows<3>(conv, window);
        default: return thin_rows<4>(conv, window);
    }
}

}  // namespace
}  // namespace nnr
