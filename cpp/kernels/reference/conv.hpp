#pragma once

#include "../kernel_table.hpp"

namespace nnr::reference {
namespace {

// The sums of one output pixel and one block of output channels, which begin as the biases.
inline void add_products(const ConvParameters& conv, const ConvWindow& window,
                         const float* weights, const float* input, float* sums) {
    for (std::size_t ky = 0; ky < conv.kernel_height; ++ky)
        for (std::size_t kx = 0; kx < conv.kernel_width; ++kx) {
            const float* pixel = input + ky * window.input_row + kx * window.input_pixel;
            for (std::size_t c = 0; c < conv.in_channels; ++c, weights += kChannelBlock)
                for (std::size_t out = 0; out < kChannelBlock; ++out)
                    sums[out] += pixel[c] * weights[out];
        }
}

inline float activate(float sum, float slope) {
    if (!(sum < 0.0f)) return sum;
    return slope == 0.0f ? 0.0f : slope * sum;
}

inline void conv(const ConvParameters& conv, const ConvWindow& window) {
    const std::size_t block_size =
        conv.kernel_height * conv.kernel_width * conv.in_channels * kChannelBlock;
    for (std::size_t y = 0; y < window.height; ++y)
        for (std::size_t x = 0; x < window.width; ++x)
            for (std::size_t block = 0; block < conv.out_blocks; ++block) {
                const std::size_t channel = block * kChannelBlock;
                const float* input = window.input + y * window.input_row + x * window.input_pixel;
                float* output =
                    window.output + y * window.output_row + x * window.output_pixel + channel;
                float sums[kChannelBlock];
                for (std::size_t c = 0; c < kChannelBlock; ++c) sums[c] = conv.bias[channel + c];
                add_products(conv, window, conv.weights + block * block_size, input, sums);
                for (std::size_t c = 0; c < kChannelBlock; ++c)
                    output[c] = conv.slopes == nullptr
                                    ? sums[c]
                                    : activate(sums[c], conv.slopes[channel + c]);
            }
}

}  // namespace
}  // namespace nnr::reference
