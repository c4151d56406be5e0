#include "layers.hpp"

#include <algorithm>

#include "block_conv.hpp"
#include "layer_kinds.hpp"

namespace nnr::network {

std::size_t scratch_bytes(const Plan& plan) {
    std::size_t most = 0;
    for (const Layer& layer : plan.layers()) {
        if (block_phase(layer.operation) == nullptr) continue;
        const bool floats = std::holds_alternative<Conv>(layer.operation);
        most = std::max(most, BlockScratch(plan.value(layer.inputs[0]).pixel_stride(),
                                           plan.value(layer.output).pixel_stride(),
                                           floats ? sizeof(float) : sizeof(std::int16_t))
                                  .bytes());
    }
    return most;
}

void run_layer(const Operation& operation, const KernelTable& kernels, Inputs inputs,
               const Window& output, std::byte* scratch) {
    if (output.rows_inside().empty() || output.columns_inside().empty()) return;
    const Context context{kernels, inputs, output, scratch};
    std::visit([&](const auto& known) { run(known, context); }, operation);
}

void clear_outside(const Window& window) {
    const Interval rows = window.rows_inside(), columns = window.columns_inside();
    const auto clear_samples = [&]<class Sample>(Sample*) {
        const std::size_t channels = window.channels();
        const auto clear = [&](Index row, Index first, Index last) {
            if (first >= last) return;
            Sample* pixel = window.at<Sample>(row, first);
            for (std::size_t c = 0; c < channels; ++c)
                pixel[c] = static_cast<Sample>(window.value->zero(c));
            for (Index x = first + 1; x < last; ++x)
                std::copy_n(pixel, channels, window.at<Sample>(row, x));
        };
        for (Index y = window.rows().begin; y < window.rows().end; ++y) {
            const bool on_image = y >= rows.begin && y < rows.end;
            if (on_image) clear(y, window.columns().begin, columns.begin);
            clear(y, on_image ? columns.end : window.columns().begin, window.columns().end);
        }
    };
    with_sample_type(window.value->type, clear_samples);
}

}  // namespace nnr::network
