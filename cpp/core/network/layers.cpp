#include "layers.hpp"

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
        const auto clear = [&](Index row, Index first, Index last) {
            for (Index x = first; x < last; ++x) {
                Sample* pixel = window.at<Sample>(row, x);
                for (std::size_t c = 0; c < window.channels(); ++c)
                    pixel[c] = static_cast<Sample>(window.value->zero(c));
            }
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
