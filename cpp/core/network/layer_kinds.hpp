// One function a kind of layer; `layers.cpp` chooses.
#pragma once

#include "layers.hpp"

namespace nnr::network {

using Inputs = std::span<const Window>;

// Calls visit(row, column, pixel of the output) for what of the output lies on the image.
template <class Sample, class Visit>
void for_each_pixel(const Window& output, const Visit& visit) {
    const Interval rows = output.rows_inside(), columns = output.columns_inside();
    for (Index y = rows.begin; y < rows.end; ++y)
        for (Index x = columns.begin; x < columns.end; ++x) visit(y, x, output.at<Sample>(y, x));
}

// Calls compute with a null pointer of the value's sample type.
template <class Compute>
void with_sample_type(SampleType type, const Compute& compute) {
    if (type == SampleType::f32) return compute(static_cast<float*>(nullptr));
    if (type == SampleType::u8) return compute(static_cast<std::uint8_t*>(nullptr));
    compute(static_cast<std::int16_t*>(nullptr));
}

struct Context {
    const KernelTable& kernels;
    Inputs inputs;
    const Window& output;
    std::byte* scratch;
};

void run(const Conv& conv, const Context& context);
void run(const DepthwiseConv& conv, const Context& context);
void run(const Slope& slope, const Context& context);
void run(const Affine& affine, const Context& context);
void run(const Clip& clip, const Context& context);
void run(const Add& add, const Context& context);
void run(const Mul& mul, const Context& context);
void run(const Concat& concat, const Context& context);
void run(const Slice& slice, const Context& context);
void run(const Crop& crop, const Context& context);
void run(const DepthToSpace& space, const Context& context);
void run(const SpaceToDepth& depth, const Context& context);
void run(const Pad& pad, const Context& context);
void run(const IntegerDirectConv& conv, const Context& context);
void run(const IntegerDepthwiseConv& conv, const Context& context);
void run(const IntegerBlocks& blocks, const Context& context);
void run(const IntegerRescale& rescale, const Context& context);
void run(const IntegerMultiply& multiply, const Context& context);

}  // namespace nnr::network
