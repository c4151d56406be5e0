#pragma once

#include <algorithm>

#include "../network_kernels.hpp"

namespace nnr::reference {
namespace {

template <class Input>
constexpr std::size_t kGroup = 4 / sizeof(Input);
template <>
inline constexpr std::size_t kGroup<float> = 1;

// The sums of one output pixel and one block of output channels, added to what is there.
template <class Input, class Output, class Weight, class Sum>
void add_products(const ConvShape& shape, const ConvWindow<Input, Output>& window,
                  const Weight* weights, const Input* input, Sum* sums) {
    constexpr std::size_t group = kGroup<Input>;
    const std::size_t groups = (shape.in_channels + group - 1) / group;
    for (std::size_t ky = 0; ky < shape.kernel_height; ++ky)
        for (std::size_t kx = 0; kx < shape.kernel_width; ++kx) {
            const Input* pixel = input + ky * window.tap_row + kx * window.tap_pixel;
            for (std::size_t c = 0; c < groups * group; c += group)
                for (std::size_t out = 0; out < kChannelBlock; ++out)
                    for (std::size_t i = 0; i < group; ++i, ++weights)
                        if (c + i < shape.in_channels) sums[out] += pixel[c + i] * *weights;
        }
}

// The addend of one pixel, or none; of bytes, else of the other type that stands beside the output.
struct AddendPixel {
    const void* samples;
    bool bytes;

    std::int32_t integer(std::size_t channel) const {
        return bytes ? static_cast<const std::uint8_t*>(samples)[channel]
                     : static_cast<const std::int16_t*>(samples)[channel];
    }
};

template <class Output, class Geometry>
AddendPixel addend_at(const Geometry& geometry, std::size_t y, std::size_t x) {
    if (geometry.addend == nullptr) return {nullptr, false};
    const std::size_t place = y * geometry.addend_row + x * geometry.addend_pixel;
    if (sizeof(Output) == sizeof(float))
        return {static_cast<const float*>(geometry.addend) + place, false};
    if (geometry.byte_addend)
        return {static_cast<const std::uint8_t*>(geometry.addend) + place, true};
    return {static_cast<const std::int16_t*>(geometry.addend) + place, false};
}

template <class Output>
float finished(const FloatEpilogue& epilogue, std::size_t channel, float sum,
               const AddendPixel& addend) {
    if (addend.samples != nullptr) sum += static_cast<const float*>(addend.samples)[channel];
    if (epilogue.slopes == nullptr || !(sum < 0.0f)) return sum;
    const float slope = epilogue.slopes[channel];
    return slope == 0.0f ? 0.0f : slope * sum;
}

inline std::int32_t high_product(std::int32_t a, std::int32_t m) {
    const std::int64_t product = static_cast<std::int64_t>(a) * m;
    return static_cast<std::int32_t>((product + (std::int64_t{1} << 31)) >> 32);
}

template <class Output>
Output finished(const IntegerEpilogue& epilogue, std::size_t channel, std::int32_t sum,
                const AddendPixel& addend) {
    const std::int32_t* multipliers =
        sum < 0 ? epilogue.negative_multipliers : epilogue.multipliers;
    std::int32_t result = high_product(sum, multipliers[channel]);
    if (addend.samples != nullptr) {
        const std::int32_t x = addend.integer(channel) - epilogue.addend_zeros[channel];
        result += (x * epilogue.addend_multipliers[channel] + 128) >> 8;
        result = (result + 128) >> 8;
    }
    return static_cast<Output>(
        std::clamp(result + epilogue.zeros[channel], epilogue.lo, epilogue.hi));
}

// Calls visit(first input, output pixel, its addend) for every output pixel.
template <class Input, class Output, class Visit>
void for_each_pixel(const ConvWindow<Input, Output>& window, const Visit& visit) {
    for (std::size_t y = 0; y < window.height; ++y)
        for (std::size_t x = 0; x < window.width; ++x)
            visit(window.input + y * window.input_row + x * window.input_pixel,
                  window.output + y * window.output_row + x * window.output_pixel,
                  addend_at<Output>(window, y, x));
}

template <class Sum, class Input, class Output, class Conv>
void convolve(const Conv& conv, const ConvWindow<Input, Output>& window) {
    const ConvShape& shape = conv.shape;
    constexpr std::size_t group = kGroup<Input>;
    const std::size_t block_size = shape.kernel_height * shape.kernel_width *
                                   ((shape.in_channels + group - 1) / group * group) *
                                   kChannelBlock;
    for_each_pixel(window, [&](const Input* input, Output* output, const AddendPixel& addend) {
        for (std::size_t block = 0; block < shape.out_blocks; ++block) {
            const std::size_t first = block * kChannelBlock;
            Sum sums[kChannelBlock];
            std::copy_n(conv.epilogue.bias + first, kChannelBlock, sums);
            add_products(shape, window, conv.weights + block * block_size, input, sums);
            for (std::size_t c = 0; c < kChannelBlock; ++c)
                output[first + c] =
                    finished<Output>(conv.epilogue, first + c, sums[c], addend);
        }
    });
}

inline void conv(const FloatConv& conv, const ConvWindow<float, float>& window) {
    convolve<float>(conv, window);
}

template <class Input, class Output, class Weight>
void integer_conv(const IntegerConv<Weight>& conv, const ConvWindow<Input, Output>& window) {
    convolve<std::int32_t>(conv, window);
}

inline void integer_products(const IntegerProducts& products,
                             const ConvWindow<std::int16_t, std::int32_t>& window) {
    const ConvShape& shape = products.shape;
    const std::size_t block_size = (shape.in_channels + 1) / 2 * 2 * kChannelBlock;
    for_each_pixel(window, [&](const std::int16_t* input, std::int32_t* output,
                               const AddendPixel&) {
        for (std::size_t block = 0; block < shape.out_blocks; ++block) {
            std::int32_t* sums = output + block * kChannelBlock;
            std::fill_n(sums, kChannelBlock, 1 << (products.shift - 1));
            add_products(shape, window, products.weights + block * block_size, input, sums);
            for (std::size_t c = 0; c < kChannelBlock; ++c) sums[c] >>= products.shift;
        }
    });
}

// Few outputs of many channels. Weights: [out][kernel row][kernel column][in channel].
template <class Sum, class Input, class Output, class Conv>
void convolve_thin(const Conv& conv, const ConvWindow<Input, Output>& window, std::size_t outs) {
    const ConvShape& shape = conv.shape;
    for_each_pixel(window, [&](const Input* input, Output* output, const AddendPixel& addend) {
        const auto* weights = conv.weights;
        for (std::size_t out = 0; out < outs; ++out) {
            Sum sum = conv.epilogue.bias[out];
            for (std::size_t ky = 0; ky < shape.kernel_height; ++ky)
                for (std::size_t kx = 0; kx < shape.kernel_width; ++kx) {
                    const Input* pixel = input + ky * window.tap_row + kx * window.tap_pixel;
                    for (std::size_t c = 0; c < shape.in_channels; ++c, ++weights)
                        sum += pixel[c] * *weights;
                }
            output[out] = finished<Output>(conv.epilogue, out, sum, addend);
        }
    });
}

inline void thin_conv(const FloatConv& conv, const ConvWindow<float, float>& window,
                      std::size_t outs) {
    convolve_thin<float>(conv, window, outs);
}

template <class Input, class Output, class Weight>
void integer_thin_conv(const IntegerConv<Weight>& conv, const ConvWindow<Input, Output>& window,
                       std::size_t outs) {
    convolve_thin<std::int32_t>(conv, window, outs);
}

// Every channel on its own. Weights: [kernel row][kernel column][out_blocks * kChannelBlock].
inline void depthwise_conv(const FloatConv& conv, const ConvWindow<float, float>& window) {
    const ConvShape& shape = conv.shape;
    const std::size_t channels = shape.out_blocks * kChannelBlock;
    for_each_pixel(window, [&](const float* input, float* output, const AddendPixel& addend) {
        for (std::size_t c = 0; c < channels; ++c) {
            float sum = conv.epilogue.bias[c];
            const float* weight = conv.weights + c;
            for (std::size_t ky = 0; ky < shape.kernel_height; ++ky)
                for (std::size_t kx = 0; kx < shape.kernel_width; ++kx, weight += channels)
                    sum += input[ky * window.tap_row + kx * window.tap_pixel + c] * *weight;
            output[c] = finished<float>(conv.epilogue, c, sum, addend);
        }
    });
}

}  // namespace
}  // namespace nnr::reference
