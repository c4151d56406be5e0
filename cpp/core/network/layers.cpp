#include "layers.hpp"

namespace nnr::network {
namespace {

using Inputs = std::span<const Window>;

// Calls visit(row, column, pixel of the output) for what of the output lies on the image.
template <class Visit>
void for_each_pixel(const Window& output, const Visit& visit) {
    const Interval rows = output.rows_inside(), columns = output.columns_inside();
    for (Index y = rows.begin; y < rows.end; ++y)
        for (Index x = columns.begin; x < columns.end; ++x) visit(y, x, output.at(y, x));
}

// result = compute(x, channel) for every sample.
template <class Compute>
void map_samples(const Window& input, const Window& output, const Compute& compute) {
    for_each_pixel(output, [&](Index y, Index x, float* result) {
        const float* sample = input.at(y, x);
        for (std::size_t c = 0; c < output.channels; ++c) result[c] = compute(sample[c], c);
    });
}

// result = compute(a, b) for every sample of two inputs.
template <class Compute>
void combine_samples(Inputs inputs, const Window& output, const Compute& compute) {
    for_each_pixel(output, [&](Index y, Index x, float* result) {
        const float* a = inputs[0].at(y, x);
        const float* b = inputs[1].at(y, x);
        for (std::size_t c = 0; c < output.channels; ++c) result[c] = compute(a[c], b[c]);
    });
}

void run(const Conv& conv, const KernelTable& kernels, Inputs inputs, const Window& output) {
    const Interval rows = output.rows_inside(), columns = output.columns_inside();
    if (rows.empty() || columns.empty()) return;
    const Window& input = inputs[0];
    const auto [kernel_height, kernel_width] = conv.kernel;
    const float* slopes = conv.slopes.empty() ? nullptr : conv.slopes.data();
    const ConvParameters parameters{conv.weights.data(), conv.bias.data(), slopes,
                                    conv.in_channels,    conv.out_blocks,  kernel_height,
                                    kernel_width};
    const float* first = input.at(rows.begin - along(conv.margins, Axis::rows).before,
                                  columns.begin - along(conv.margins, Axis::columns).before);
    kernels.conv(parameters, {first, input.pixel_stride, input.row_stride(),
                              output.at(rows.begin, columns.begin), output.pixel_stride,
                              output.row_stride(), static_cast<std::size_t>(rows.length()),
                              static_cast<std::size_t>(columns.length())});
}

void run(const Slope& slope, const KernelTable&, Inputs inputs, const Window& output) {
    map_samples(inputs[0], output, [slopes = slope.slopes.data()](float x, std::size_t c) {
        if (!(x < 0.0f)) return x;
        return slopes[c] == 0.0f ? 0.0f : slopes[c] * x;
    });
}

void run(const Affine& affine, const KernelTable&, Inputs inputs, const Window& output) {
    const float* scales = affine.scales.data();
    const float* offsets = affine.offsets.data();
    map_samples(inputs[0], output,
                [=](float x, std::size_t c) { return x * scales[c] + offsets[c]; });
}

void run(const Clip& clip, const KernelTable&, Inputs inputs, const Window& output) {
    map_samples(inputs[0], output, [clip](float x, std::size_t) {
        const float above = x < clip.lo ? clip.lo : x;
        return clip.hi < above ? clip.hi : above;
    });
}

void run(const Add&, const KernelTable&, Inputs inputs, const Window& output) {
    combine_samples(inputs, output, [](float a, float b) { return a + b; });
}

void run(const Mul&, const KernelTable&, Inputs inputs, const Window& output) {
    combine_samples(inputs, output, [](float a, float b) { return a * b; });
}

void run(const Concat&, const KernelTable&, Inputs inputs, const Window& output) {
    std::size_t first = 0;
    for (const Window& input : inputs) {
        for_each_pixel(output, [&](Index y, Index x, float* result) {
            std::copy_n(input.at(y, x), input.channels, result + first);
        });
        first += input.channels;
    }
}

void run(const Slice& slice, const KernelTable&, Inputs inputs, const Window& output) {
    for_each_pixel(output, [&](Index y, Index x, float* result) {
        std::copy_n(inputs[0].at(y, x) + slice.first_channel, output.channels, result);
    });
}

void run(const DepthToSpace& space, const KernelTable&, Inputs inputs, const Window& output) {
    const auto block = static_cast<Index>(space.block);
    const bool block_major = space.order == DepthOrder::block_major;
    const std::size_t step = block_major ? 1 : space.block * space.block;
    for_each_pixel(output, [&](Index y, Index x, float* result) {
        const auto phase = static_cast<std::size_t>(y % block * block + x % block);
        const float* sample = inputs[0].at(y / block, x / block) +
                              (block_major ? phase * output.channels : phase);
        for (std::size_t c = 0; c < output.channels; ++c) result[c] = sample[c * step];
    });
}

void run(const SpaceToDepth& depth, const KernelTable&, Inputs inputs, const Window& output) {
    const auto block = static_cast<Index>(depth.block);
    for_each_pixel(output, [&](Index y, Index x, float* result) {
        for (Index phase = 0; phase < block * block; ++phase, result += inputs[0].channels)
            std::copy_n(inputs[0].at(y * block + phase / block, x * block + phase % block),
                        inputs[0].channels, result);
    });
}

void run(const Pad& pad, const KernelTable&, Inputs inputs, const Window& output) {
    const Window& input = inputs[0];
    const auto [height, width] = input.sizes;
    const Index top = along(pad.margins, Axis::rows).before;
    const Index left = along(pad.margins, Axis::columns).before;
    for_each_pixel(output, [&, height = height, width = width](Index y, Index x, float* result) {
        const auto row = pad_source(pad.mode, y - top, height);
        const auto column = pad_source(pad.mode, x - left, width);
        if (row && column)
            std::copy_n(input.at(*row, *column), output.channels, result);
        else
            std::fill_n(result, output.channels, pad.value);
    });
}

}  // namespace

void run_layer(const Operation& operation, const KernelTable& kernels, Inputs inputs,
               const Window& output) {
    std::visit([&](const auto& known) { run(known, kernels, inputs, output); }, operation);
}

void clear_outside(const Window& window) {
    const Interval rows = window.rows_inside(), columns = window.columns_inside();
    const auto clear = [&](Index row, Index first, Index last) {
        std::fill(window.at(row, first), window.at(row, last), 0.0f);
    };
    for (Index y = window.rows().begin; y < window.rows().end; ++y) {
        const bool on_image = y >= rows.begin && y < rows.end;
        if (on_image) clear(y, window.columns().begin, columns.begin);
        clear(y, on_image ? columns.end : window.columns().begin, window.columns().end);
    }
}

}  // namespace nnr::network
