#include "geometry.hpp"

namespace nnr::network {
namespace {

// Everything that works sample by sample.
template <class AnyOperation>
SizeResult size_of(const AnyOperation&, Axis, Index size) {
    return {size, {}};
}

SizeResult size_of(const ConvGeometry& conv, Axis axis, Index size) {
    const Margin margin = along(conv.margins, axis);
    const Index seen =
        size + margin.before + margin.after - static_cast<Index>(along(conv.kernel, axis));
    if (seen < 0) return {0, "its input is smaller than its kernel"};
    return {seen / static_cast<Index>(along(conv.stride, axis)) + 1, {}};
}

SizeResult size_of(const Crop& crop, Axis axis, Index size) {
    const Margin margin = along(crop.margins, axis);
    const Index result = size - margin.before - margin.after;
    if (result < 1)
        return {0, "its input of " + std::to_string(size) + " samples is too small to crop"};
    return {result, {}};
}

SizeResult size_of(const Pad& pad, Axis axis, Index size) {
    const Margin margin = along(pad.margins, axis);
    if (pad.mode == PadMode::reflect && std::max(margin.before, margin.after) >= size)
        return {0, "its input of " + std::to_string(size) + " samples is too small to reflect"};
    return {size + margin.before + margin.after, {}};
}

SizeResult size_of(const DepthToSpace& space, Axis, Index size) {
    return {size * static_cast<Index>(space.block), {}};
}

SizeResult size_of(const SpaceToDepth& depth, Axis, Index size) {
    const auto block = static_cast<Index>(depth.block);
    if (size % block != 0)
        return {0, "height and width of its input must be multiples of " + std::to_string(block) +
                       ", got " + std::to_string(size)};
    return {size / block, {}};
}

template <class AnyOperation>
Interval input_of(const AnyOperation&, Axis, const Interval& output, Index) {
    return output;
}

Interval input_of(const ConvGeometry& conv, Axis axis, const Interval& output, Index) {
    const auto stride = static_cast<Index>(along(conv.stride, axis));
    const Index before = along(conv.margins, axis).before;
    const Index last = (output.end - 1) * stride - before;
    return {output.begin * stride - before,
            last + static_cast<Index>(along(conv.kernel, axis))};
}

Interval input_of(const Crop& crop, Axis axis, const Interval& output, Index) {
    const Index before = along(crop.margins, axis).before;
    return {output.begin + before, output.end + before};
}

Interval input_of(const Pad& pad, Axis axis, const Interval& output, Index size) {
    const Index before = along(pad.margins, axis).before;
    const Index begin = output.begin - before, end = output.end - before;
    // Before, on and after the input, sources go one way: those of the two ends enclose the others.
    Interval input;
    for (const Interval part : {Interval{begin, std::min<Index>(end, 0)},
                                inside({begin, end}, size), Interval{std::max(begin, size), end}})
        if (part.begin < part.end)
            for (const Index position : {part.begin, part.end - 1})
                if (const auto source = pad_source(pad.mode, position, size))
                    input = hull(input, {*source, *source + 1});
    return input;
}

Interval input_of(const DepthToSpace& space, Axis, const Interval& output, Index) {
    const auto block = static_cast<Index>(space.block);
    return {output.begin / block, (output.end + block - 1) / block};
}

Interval input_of(const SpaceToDepth& depth, Axis, const Interval& output, Index) {
    const auto block = static_cast<Index>(depth.block);
    return {output.begin * block, output.end * block};
}

}  // namespace

SizeResult output_size(const Operation& operation, Axis axis, Index input_size) {
    if (const ConvGeometry* conv = conv_geometry(operation)) return size_of(*conv, axis, input_size);
    return std::visit([&](const auto& known) { return size_of(known, axis, input_size); },
                      operation);
}

Interval input_interval(const Operation& operation, Axis axis, const Interval& output,
                        Index input_size) {
    if (const ConvGeometry* conv = conv_geometry(operation))
        return input_of(*conv, axis, output, input_size);
    return std::visit([&](const auto& known) { return input_of(known, axis, output, input_size); },
                      operation);
}

std::optional<Index> pad_source(PadMode mode, Index position, Index size) {
    if (position >= 0 && position < size) return position;
    if (mode == PadMode::constant) return std::nullopt;
    if (mode == PadMode::edge) return std::clamp<Index>(position, 0, size - 1);
    return position < 0 ? -position : 2 * (size - 1) - position;
}

}  // namespace nnr::network
