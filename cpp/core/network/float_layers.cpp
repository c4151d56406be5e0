// Layers of floats.
#include "block_conv.hpp"
#include "conv_window.hpp"
#include "layer_kinds.hpp"

namespace nnr::network {
namespace {

// result = compute(x, channel) for every sample.
template <class Compute>
void map_samples(const Context& context, const Compute& compute) {
    for_each_pixel<float>(context.output, [&](Index y, Index x, float* result) {
        const float* sample = context.inputs[0].at(y, x);
        for (std::size_t c = 0; c < context.output.channels(); ++c)
            result[c] = compute(sample[c], c);
    });
}

// result = compute(a, b) for every sample of two inputs.
template <class Compute>
void combine_samples(const Context& context, const Compute& compute) {
    for_each_pixel<float>(context.output, [&](Index y, Index x, float* result) {
        const float* a = context.inputs[0].at(y, x);
        const float* b = context.inputs[1].at(y, x);
        for (std::size_t c = 0; c < context.output.channels(); ++c) result[c] = compute(a[c], b[c]);
    });
}

template <class AnyConv>
FloatEpilogue epilogue_of(const AnyConv& conv) {
    return {conv.bias.data(), conv.slopes.empty() ? nullptr : conv.slopes.data()};
}

}  // namespace

void run(const Conv& conv, const Context& context) {
    const FloatEpilogue epilogue = epilogue_of(conv);
    const KernelTable& kernels = context.kernels;
    if (conv.method == ConvMethod::blocks) {
        const std::vector<float> no_bias(conv.bias.size(), 0.0f);
        const std::size_t size = conv.weights.size() / kWinogradPositions;
        const ConvShape shape{conv.in_channels, conv.out_blocks, 1, 1};
        return run_blocks<float, float, float, float>(
            context, conv.geometry, conv.phase, conv.out_blocks, nullptr, kernels.winograd_input,
            [&](std::size_t position, const ConvWindow<float, float>& window) {
                kernels.conv({shape, conv.weights.data() + position * size, {no_bias.data(), nullptr}},
                             window);
            },
            [&](const WinogradBlocks<const float>& blocks, const WinogradOutput<float>& output) {
                kernels.winograd_output(epilogue, blocks, output);
            });
    }
    const auto [kernel_height, kernel_width] = conv.geometry.kernel;
    const FloatConv parameters{{conv.in_channels, conv.out_blocks, kernel_height, kernel_width},
                               conv.weights.data(),
                               epilogue};
    const auto window = conv_window<float, float>(conv.geometry, context);
    if (conv.method == ConvMethod::thin)
        kernels.thin_conv(parameters, window, conv.out_channels);
    else
        kernels.conv(parameters, window);
}

void run(const DepthwiseConv& conv, const Context& context) {
    const auto [kernel_height, kernel_width] = conv.geometry.kernel;
    context.kernels.depthwise_conv({{1, conv.out_blocks, kernel_height, kernel_width},
                                    conv.weights.data(),
                                    epilogue_of(conv)},
                                   conv_window<float, float>(conv.geometry, context));
}

void run(const Slope& slope, const Context& context) {
    map_samples(context, [slopes = slope.slopes.data()](float x, std::size_t c) {
        if (!(x < 0.0f)) return x;
        return slopes[c] == 0.0f ? 0.0f : slopes[c] * x;
    });
}

void run(const Affine& affine, const Context& context) {
    const float* scales = affine.scales.data();
    const float* offsets = affine.offsets.data();
    map_samples(context, [=](float x, std::size_t c) { return x * scales[c] + offsets[c]; });
}

void run(const Clip& clip, const Context& context) {
    map_samples(context, [clip](float x, std::size_t) {
        const float above = x < clip.lo ? clip.lo : x;
        return clip.hi < above ? clip.hi : above;
    });
}

void run(const Add&, const Context& context) {
    combine_samples(context, [](float a, float b) { return a + b; });
}

void run(const Mul&, const Context& context) {
    combine_samples(context, [](float a, float b) { return a * b; });
}

}  // namespace nnr::network
