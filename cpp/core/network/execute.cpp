#include "execute.hpp"

#include <atomic>
#include <memory>
#include <new>
#include <vector>

#include "../../dispatch/targets.hpp"
#include "../parallel.hpp"
#include "layers.hpp"

namespace nnr::network {
namespace {

// What one thread works in: every value's part of one tile. Made once a call.
class Arena {
public:
    Arena(const Plan& plan, const Tiling& tiling) : inputs_(most_inputs(plan)) {
        const std::size_t bytes = tiling.arena_floats() * sizeof(float);
        floats_.reset(static_cast<float*>(::operator new(bytes, kAlignment)));
    }

    float* at(std::size_t offset) const { return floats_.get() + offset; }
    // Room for the inputs of any layer.
    std::vector<Window>& inputs() { return inputs_; }

private:
    static constexpr std::align_val_t kAlignment{64};  // a cache line
    struct Free {
        void operator()(float* floats) const { ::operator delete(floats, kAlignment); }
    };

    static std::size_t most_inputs(const Plan& plan) {
        std::size_t most = 0;
        for (const Layer& layer : plan.layers()) most = std::max(most, layer.inputs.size());
        return most;
    }

    std::unique_ptr<float, Free> floats_;
    std::vector<Window> inputs_;
};

struct Execution {
    const Plan& plan;
    const Tiling& tiling;
    const KernelTable& kernels;
    const ImageReader& reader;
    const ImageWriter& writer;

    Window window(std::size_t tile, ValueId value, const Arena& arena) const {
        return {arena.at(tiling.offset(value)),
                {tiling.interval(tile, value, Axis::rows),
                 tiling.interval(tile, value, Axis::columns)},
                {tiling.size(value, Axis::rows), tiling.size(value, Axis::columns)},
                plan.channels(value),
                plan.pixel_stride(value)};
    }

    void run_tile(std::size_t image, std::size_t tile, Arena& arena) const {
        const Window input = window(tile, Plan::input(), arena);
        clear_outside(input);
        reader.read(image, input);
        for (const Layer& layer : plan.layers()) {
            for (std::size_t i = 0; i < layer.inputs.size(); ++i)
                arena.inputs()[i] = window(tile, layer.inputs[i], arena);
            const Window output = window(tile, layer.output, arena);
            clear_outside(output);
            run_layer(layer.operation, kernels, {arena.inputs().data(), layer.inputs.size()},
                      output);
        }
        writer.write(image, window(tile, plan.output(), arena));
    }
};

// Computes the first rows and columns of the output, as many as `part` has.
void execute(const Plan& plan, Size size, Size part, std::size_t images, const RunOptions& options,
             const ImageReader& reader, const ImageWriter& writer) {
    const std::size_t asked =
        options.threads != 0 ? options.threads : default_threads();
    const Tiling tiling = options.tile
                              ? Tiling(plan, size, part, {*options.tile, *options.tile})
                              : Tiling::choose(plan, size, part, images, asked);
    const std::size_t items = tiling.tile_count() * images;
    const std::size_t threads = std::min(asked, items);
    std::vector<Arena> arenas;
    for (std::size_t i = 0; i < threads; ++i) arenas.emplace_back(plan, tiling);

    const Execution execution{plan, tiling, kernels(), reader, writer};
    std::atomic<std::size_t> next{0};
    parallel_for(threads, threads, [&](std::size_t thread, std::size_t) noexcept {
        for (std::size_t item; (item = next.fetch_add(1)) < items;)
            execution.run_tile(item / tiling.tile_count(), item % tiling.tile_count(),
                               arenas[thread]);
    });
}

}  // namespace

void run(const Plan& plan, const float* input, std::size_t images, Size size,
         const RunOptions& options, float* output) {
    execute(plan, size, output_size(plan, size), images, options, FloatReader(input),
            FloatWriter(output));
}

template <class Sample>
void filter_plane(const Plan& plan, const PlaneFilter<Sample>& filter, const RunOptions& options) {
    const auto [height, width] = filter.size;
    execute(plan, taken_size(plan, filter.size), filter.size, 1, options,
            PlaneReader<Sample>(filter.input, height, width, filter.peak, filter.side),
            PlaneWriter<Sample>(filter.output, height, width, filter.peak));
}

template void filter_plane(const Plan&, const PlaneFilter<std::uint8_t>&, const RunOptions&);
template void filter_plane(const Plan&, const PlaneFilter<std::uint16_t>&, const RunOptions&);

}  // namespace nnr::network
