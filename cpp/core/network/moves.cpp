// Layers that move samples of any type.
#include <algorithm>

#include "layer_kinds.hpp"

namespace nnr::network {

void run(const Concat&, const Context& context) {
    with_sample_type(context.output.value->type, [&]<class Sample>(Sample*) {
        std::size_t first = 0;
        for (const Window& input : context.inputs) {
            for_each_pixel<Sample>(context.output, [&](Index y, Index x, Sample* result) {
                std::copy_n(input.at<Sample>(y, x), input.channels(), result + first);
            });
            first += input.channels();
        }
    });
}

void run(const Slice& slice, const Context& context) {
    with_sample_type(context.output.value->type, [&]<class Sample>(Sample*) {
        for_each_pixel<Sample>(context.output, [&](Index y, Index x, Sample* result) {
            std::copy_n(context.inputs[0].at<Sample>(y, x) + slice.first_channel,
                        context.output.channels(), result);
        });
    });
}

void run(const Crop& crop, const Context& context) {
    const Index top = along(crop.margins, Axis::rows).before;
    const Index left = along(crop.margins, Axis::columns).before;
    with_sample_type(context.output.value->type, [&]<class Sample>(Sample*) {
        for_each_pixel<Sample>(context.output, [&](Index y, Index x, Sample* result) {
            std::copy_n(context.inputs[0].at<Sample>(y + top, x + left),
                        context.output.channels(), result);
        });
    });
}

void run(const DepthToSpace& space, const Context& context) {
    const auto block = static_cast<Index>(space.block);
    const bool block_major = space.order == DepthOrder::block_major;
    const Window& output = context.output;
    const std::size_t channels = output.channels();
    const std::size_t step = block_major ? 1 : space.block * space.block;
    const std::size_t next_phase = block_major ? channels : 1;
    const Interval rows = output.rows_inside(), columns = output.columns_inside();
    with_sample_type(output.value->type, [&]<class Sample>(Sample*) {
        for (Index y = rows.begin; y < rows.end; ++y) {
            Sample* result = output.at<Sample>(y, columns.begin);
            for (Index x = columns.begin; x < columns.end;) {
                const auto phase = static_cast<std::size_t>(y % block * block + x % block);
                const Sample* sample =
                    context.inputs[0].at<Sample>(y / block, x / block) + phase * next_phase;
                const Index end = std::min(x / block * block + block, columns.end);
                for (; x < end; ++x, sample += next_phase, result += output.pixel_stride())
                    for (std::size_t c = 0; c < channels; ++c) result[c] = sample[c * step];
            }
        }
    });
}

void run(const SpaceToDepth& depth, const Context& context) {
    const auto block = static_cast<Index>(depth.block);
    const Window& input = context.inputs[0];
    with_sample_type(context.output.value->type, [&]<class Sample>(Sample*) {
        for_each_pixel<Sample>(context.output, [&](Index y, Index x, Sample* result) {
            for (Index phase = 0; phase < block * block; ++phase, result += input.channels())
                std::copy_n(
                    input.at<Sample>(y * block + phase / block, x * block + phase % block),
                    input.channels(), result);
        });
    });
}

void run(const Pad& pad, const Context& context) {
    const Window& input = context.inputs[0];
    const auto [height, width] = input.sizes;
    const Index top = along(pad.margins, Axis::rows).before;
    const Index left = along(pad.margins, Axis::columns).before;
    const std::size_t channels = context.output.channels();
    with_sample_type(context.output.value->type, [&, height = height,
                                                  width = width]<class Sample>(Sample*) {
        const auto* constant = reinterpret_cast<const Sample*>(pad.pixel.data());
        for_each_pixel<Sample>(context.output, [&](Index y, Index x, Sample* result) {
            const auto row = pad_source(pad.mode, y - top, height);
            const auto column = pad_source(pad.mode, x - left, width);
            std::copy_n(row && column ? input.at<Sample>(*row, *column) : constant, channels,
                        result);
        });
    });
}

}  // namespace nnr::network
