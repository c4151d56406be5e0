// Few outputs of many channels: the lanes hold input channels, and are added at the end. Computed as
// a block of output channels, most of the products would be of weights that are not there.
#pragma once

#include "conv.hpp"
#include "reference/conv.hpp"

namespace nnr {
namespace {

constexpr std::size_t kThinPixels = simd::kRegisters >= 32 ? 6 : 3;

template <class Products, std::size_t kOuts, std::size_t kPixels, class Conv, class Output>
void thin_block(const Conv& conv, const ConvWindow<typename Products::Input, Output>& window,
                std::size_t y, std::size_t first) {
    constexpr std::size_t kStep = simd::kLanes * Products::kGroup;
    const ConvShape& shape = conv.shape;
    const std::size_t next_out = shape.kernel_height * shape.kernel_width * shape.in_channels;
    const auto* inputs = window.input + y * window.input_row + first * window.input_pixel;
    typename Products::Sum sums[kOuts][kPixels];
#pragma GCC unroll 16
    for (std::size_t o = 0; o < kOuts; ++o)
#pragma GCC unroll 16
        for (std::size_t p = 0; p < kPixels; ++p) sums[o][p] = Products::nothing();

    const typename Products::Weight* weights = conv.weights;
    for (std::size_t ky = 0; ky < shape.kernel_height; ++ky)
        for (std::size_t kx = 0; kx < shape.kernel_width; ++kx) {
            const auto* input = inputs + ky * window.tap_row + kx * window.tap_pixel;
            for (std::size_t c = 0; c < shape.in_channels; c += kStep, weights += kStep) {
                typename Products::Sum weight[kOuts];
#pragma GCC unroll 16
                for (std::size_t o = 0; o < kOuts; ++o)
                    weight[o] = Products::load(weights + o * next_out);
#pragma GCC unroll 16
                for (std::size_t p = 0; p < kPixels; ++p) {
                    const auto x = Products::load(input + p * window.input_pixel + c);
#pragma GCC unroll 16
                    for (std::size_t o = 0; o < kOuts; ++o)
                        sums[o][p] = Products::add(sums[o][p], x, weight[o]);
                }
            }
        }

    Output* outputs = window.output + y * window.output_row + first * window.output_pixel;
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPixels; ++p) {
        const reference::AddendPixel addend = reference::addend_at<Output>(window, y, first + p);
#pragma GCC unroll 16
        for (std::size_t o = 0; o < kOuts; ++o)
            outputs[p * window.output_pixel + o] = reference::finished<Output>(
                conv.epilogue, o, conv.epilogue.bias[o] + Products::reduced(sums[o][p]), addend);
    }
}

template <class Products, std::size_t kOuts, class Conv, class Output>
void thin_rows(const Conv& conv, const ConvWindow<typename Products::Input, Output>& window) {
    for (std::size_t y = 0; y < window.height; ++y) {
        std::size_t x = 0;
        for (; x + kThinPixels <= window.width; x += kThinPixels)
            thin_block<Products, kOuts, kThinPixels>(conv, window, y, x);
        for (; x < window.width; ++x) thin_block<Products, kOuts, 1>(conv, window, y, x);
    }
}

template <class Products, class Conv, class Output>
void thin_outputs(const Conv& conv, const ConvWindow<typename Products::Input, Output>& window,
                  std::size_t outs) {
    switch (outs) {
        case 1: return thin_rows<Products, 1>(conv, window);
        case 2: return thin_rows<Products, 2>(conv, window);
        case 3: return thin_rows<Products, 3>(conv, window);
        default: return thin_rows<Products, 4>(conv, window);
    }
}

void thin_conv(const FloatConv& conv, const ConvWindow<float, float>& window, std::size_t outs) {
    thin_outputs<FloatProducts>(conv, window, outs);
}

template <class Input, class Output, class Weight>
void integer_thin_conv(const IntegerConv<Weight>& conv, const ConvWindow<Input, Output>& window,
                       std::size_t outs) {
    thin_outputs<ProductsOf<Input>>(conv, window, outs);
}

}  // namespace
}  // namespace nnr
