// Layers of integers; docs/integer.md defines what they compute.
#include <algorithm>

#include "../../kernels/reference/integer_scale.hpp"
#include "block_conv.hpp"
#include "conv_window.hpp"

namespace nnr::network {
namespace {

IntegerEpilogue epilogue_of(const IntegerScaling& scaling) {
    return {scaling.bias.data(),
            scaling.multipliers.data(),
            scaling.negative_multipliers.data(),
            scaling.zeros.data(),
            scaling.addend_multipliers.data(),
            scaling.addend_zeros.data(),
            scaling.lo,
            scaling.hi};
}

// Calls compute with null pointers of the sample types of the first input and of the output.
template <class Compute>
void with_integer_types(const Context& context, const Compute& compute) {
    const auto with_output = [&]<class Input>(Input* input) {
        if (context.output.value->type == SampleType::u8)
            compute(input, static_cast<std::uint8_t*>(nullptr));
        else
            compute(input, static_cast<std::int16_t*>(nullptr));
    };
    if (context.inputs[0].value->type == SampleType::u8)
        with_output(static_cast<std::uint8_t*>(nullptr));
    else
        with_output(static_cast<std::int16_t*>(nullptr));
}

template <class Input, class Output>
IntegerConvKernel<Input, Output> conv_kernel(const KernelTable& kernels) {
    if constexpr (sizeof(Input) == 1 && sizeof(Output) == 1) return kernels.conv_u8_u8;
    else if constexpr (sizeof(Input) == 1) return kernels.conv_u8_i16;
    else if constexpr (sizeof(Output) == 1) return kernels.conv_i16_u8;
    else return kernels.conv_i16_i16;
}

template <class Input, class Output>
IntegerThinConvKernel<Input, Output> thin_conv_kernel(const KernelTable& kernels) {
    if constexpr (sizeof(Input) == 1 && sizeof(Output) == 1) return kernels.thin_conv_u8_u8;
    else if constexpr (sizeof(Input) == 1) return kernels.thin_conv_u8_i16;
    else if constexpr (sizeof(Output) == 1) return kernels.thin_conv_i16_u8;
    else return kernels.thin_conv_i16_i16;
}

std::int64_t sample_of(const Window& window, Index y, Index x, std::size_t channel) {
    if (window.value->type == SampleType::u8) return window.at<std::uint8_t>(y, x)[channel];
    return window.at<std::int16_t>(y, x)[channel];
}

template <class Input, class Output>
IntegerScaleKernel<Input, Output> scale_kernel(const KernelTable& kernels) {
    if constexpr (sizeof(Input) == 1 && sizeof(Output) == 1) return kernels.scale_u8_u8;
    else if constexpr (sizeof(Input) == 1) return kernels.scale_u8_i16;
    else if constexpr (sizeof(Output) == 1) return kernels.scale_i16_u8;
    else return kernels.scale_i16_i16;
}

}  // namespace

void run(const IntegerDirectConv& conv, const Context& context) {
    const auto [kernel_height, kernel_width] = conv.geometry.kernel;
    const ConvShape shape{conv.in_channels, conv.out_blocks, kernel_height, kernel_width};
    const IntegerEpilogue epilogue = epilogue_of(conv.scaling);
    with_integer_types(context, [&]<class Input, class Output>(Input*, Output*) {
        const auto window = conv_window<Input, Output>(conv.geometry, context);
        const auto with_weights = [&](const auto* weights) {
            if (conv.method == ConvMethod::thin)
                thin_conv_kernel<Input, Output>(context.kernels)({shape, weights, epilogue},
                                                                 window, conv.out_channels);
            else
                conv_kernel<Input, Output>(context.kernels)({shape, weights, epilogue}, window);
        };
        if constexpr (sizeof(Input) == 1)
            with_weights(conv.byte_weights.data());
        else
            with_weights(conv.word_weights.data());
    });
}

void run(const IntegerDepthwiseConv& conv, const Context& context) {
    const auto [kernel_height, kernel_width] = conv.geometry.kernel;
    const IntegerEpilogue epilogue = epilogue_of(conv.scaling);
    const std::size_t channels = context.output.channels();
    const std::size_t filled = context.output.pixel_stride();
    with_integer_types(context, [&, kernel_height = kernel_height,
                                 kernel_width = kernel_width]<class Input, class Output>(Input*,
                                                                                         Output*) {
        const auto window = conv_window<Input, Output>(conv.geometry, context);
        reference::for_each_pixel(window, [&](const Input* input, Output* output,
                                              const reference::AddendPixel& addend) {
            for (std::size_t c = 0; c < channels; ++c) {
                std::int32_t sum = epilogue.bias[c];
                const std::int16_t* weight = conv.weights.data() + c;
                for (std::size_t ky = 0; ky < kernel_height; ++ky)
                    for (std::size_t kx = 0; kx < kernel_width; ++kx, weight += filled)
                        sum += input[ky * window.tap_row + kx * window.tap_pixel + c] * *weight;
                output[c] = reference::finished<Output>(epilogue, c, sum, addend);
            }
        });
    });
}

void run(const IntegerBlocks& blocks, const Context& context) {
    const IntegerEpilogue epilogue = epilogue_of(blocks.scaling);
    const KernelTable& kernels = context.kernels;
    const ConvShape shape{blocks.in_channels, blocks.out_blocks, 1, 1};
    const std::size_t size = blocks.weights.size() / kWinogradPositions;
    const auto multiply = [&](std::size_t position,
                              const ConvWindow<std::int16_t, std::int32_t>& window) {
        kernels.integer_products(
            {shape, blocks.weights.data() + position * size, blocks.shifts[position]}, window);
    };
    const auto run_with = [&]<class Output>(WinogradOutputKernel<Output> untransform) {
        run_blocks<std::uint8_t, std::int16_t, std::int32_t, Output>(
            context, blocks.geometry, blocks.phase, blocks.out_blocks, blocks.in_zeros.data(),
            kernels.winograd_input_u8, multiply,
            [&](const WinogradBlocks<const std::int32_t>& sums,
                const WinogradOutput<Output>& output) { untransform(epilogue, sums, output); });
    };
    if (context.output.value->type == SampleType::u8)
        run_with(kernels.winograd_output_u8);
    else
        run_with(kernels.winograd_output_i16);
}

void run(const IntegerRescale& rescale, const Context& context) {
    const IntegerScale scale{context.output.channels(),
                             rescale.multipliers.data(),
                             rescale.second_multipliers.data(),
                             rescale.offsets.data(),
                             rescale.in_zeros.data(),
                             rescale.second_zeros.data(),
                             rescale.zeros.data(),
                             rescale.lo,
                             rescale.hi};
    constexpr ConvGeometry pixel_by_pixel{{1, 1}, {}, {1, 1}};
    // A vector for each pixel is no gain for a channel or two.
    const bool few = context.output.channels() <= 2;
    with_integer_types(context, [&]<class Input, class Output>(Input*, Output*) {
        const auto window = conv_window<Input, Output>(pixel_by_pixel, context);
        if (few)
            reference::integer_scale(scale, window);
        else
            scale_kernel<Input, Output>(context.kernels)(scale, window);
    });
}

void run(const IntegerMultiply& product, const Context& context) {
    const std::int64_t lo = product.lo, hi = product.hi;
    const auto centred = [&](std::size_t input, Index y, Index x, std::size_t c) {
        const Window& window = context.inputs[input];
        return sample_of(window, y, x, c) - window.value->zero(c);
    };
    const auto compute = [&]<class Output>(Output*) {
        for_each_pixel<Output>(context.output, [&](Index y, Index x, Output* result) {
            for (std::size_t c = 0; c < context.output.channels(); ++c) {
                const std::int64_t scaled =
                    centred(0, y, x, c) * centred(1, y, x, c) * product.multipliers[c];
                result[c] = static_cast<Output>(std::clamp(
                    ((scaled + (std::int64_t{1} << 31)) >> 32) + product.zeros[c], lo, hi));
            }
        });
    };
    if (context.output.value->type == SampleType::u8)
        compute(static_cast<std::uint8_t*>(nullptr));
    else
        compute(static_cast<std::int16_t*>(nullptr));
}

}  // namespace nnr::network
