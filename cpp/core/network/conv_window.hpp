#pragma once

#include "layer_kinds.hpp"

namespace nnr::network {

// What a direct convolution sees and writes: all of the output's window that lies on the image.
template <class Input, class Output>
ConvWindow<Input, Output> conv_window(const ConvGeometry& geometry, const Context& context) {
    const Window& output = context.output;
    const Window& input = context.inputs[0];
    const Interval rows = output.rows_inside(), columns = output.columns_inside();
    const auto seen = [&](Axis axis, Index position) {
        return position * static_cast<Index>(along(geometry.stride, axis)) -
               along(geometry.margins, axis).before;
    };
    const Window* addend = context.inputs.size() > 1 ? &context.inputs[1] : nullptr;
    return {input.at<Input>(seen(Axis::rows, rows.begin), seen(Axis::columns, columns.begin)),
            input.pixel_stride() * along(geometry.stride, Axis::columns),
            input.row_stride() * along(geometry.stride, Axis::rows),
            input.pixel_stride(),
            input.row_stride(),
            output.at<Output>(rows.begin, columns.begin),
            output.pixel_stride(),
            output.row_stride(),
            addend == nullptr ? nullptr : addend->byte_at(rows.begin, columns.begin),
            addend == nullptr ? 0 : addend->pixel_stride(),
            addend == nullptr ? 0 : addend->row_stride(),
            static_cast<std::size_t>(rows.length()),
            static_cast<std::size_t>(columns.length()),
            addend != nullptr && addend->value->type == SampleType::u8};
}

}  // namespace nnr::network
