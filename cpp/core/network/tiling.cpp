#include "tiling.hpp"

#include <iterator>
#include <stdexcept>
#include <utility>

namespace nnr::network {
namespace {

// Tile sizes to try: larger ones compute less twice, smaller ones keep values in the cache. Below
// the last one, a deep network would compute most of its samples several times.
constexpr Index kTileSizes[] = {512, 384, 256, 192, 128, 96, 64};
constexpr std::size_t kArenaFloats = std::size_t{6} * 1024 * 1024 / sizeof(float);

std::vector<PerAxis<Index>> value_sizes(const Plan& plan, Size image) {
    std::vector<PerAxis<Index>> sizes(plan.value_count(), PerAxis<Index>{});
    sizes[Plan::input()] = {image.height, image.width};
    for (const Layer& layer : plan.layers()) {
        const PerAxis<Index>& input = sizes[layer.inputs[0]];
        for (const ValueId other : layer.inputs)
            if (sizes[other] != input)
                throw std::invalid_argument(layer.name + ": its inputs differ in size");
        for (const Axis axis : {Axis::rows, Axis::columns}) {
            const SizeResult result = output_size(layer.operation, axis, along(input, axis));
            if (!result.error.empty())
                throw std::invalid_argument(layer.name + ": " + result.error);
            along(sizes[layer.output], axis) = result.size;
        }
    }
    return sizes;
}

// Roughly, in multiplications: what is not a convolution moves floats at the pace of memory.
double time_of_pixel(const Plan& plan, const Layer& layer) {
    constexpr std::size_t kMove = 16;
    if (const auto* conv = std::get_if<Conv>(&layer.operation))
        return static_cast<double>(conv->weights.size());
    return static_cast<double>(kMove * plan.pixel_stride(layer.output));
}

// The last layer that reads a value; the output is read after all layers.
std::vector<std::size_t> last_uses(const Plan& plan) {
    std::vector<std::size_t> uses(plan.value_count(), 0);
    for (std::size_t i = 0; i < plan.layers().size(); ++i)
        for (const ValueId input : plan.layers()[i].inputs) uses[input] = i;
    uses[plan.output()] = plan.layers().size();
    return uses;
}

struct Allocation {
    std::size_t begin;
    std::size_t end;
    std::size_t last_use;
};

// First fit: the lowest place that no value still in use covers.
std::size_t find_place(const std::vector<Allocation>& in_use, std::size_t floats) {
    std::size_t begin = 0;
    for (const Allocation& other : in_use) {
        if (begin + floats <= other.begin) break;
        begin = std::max(begin, other.end);
    }
    return begin;
}

}  // namespace

Tiling::Tiling(const Plan& plan, Size image, Size tile) : sizes_(value_sizes(plan, image)) {
    cut_axis(plan, Axis::rows, tile.height);
    cut_axis(plan, Axis::columns, tile.width);
    lay_out(plan);
}

Tiling Tiling::choose(const Plan& plan, Size image, std::size_t images, std::size_t threads) {
    constexpr Index kSmallest = *(std::end(kTileSizes) - 1);
    Tiling best(plan, image, {kSmallest, kSmallest});
    double best_time = best.time(plan, images, threads);
    for (const Index length : kTileSizes) {
        Tiling tiling(plan, image, {length, length});
        const double time = tiling.time(plan, images, threads);
        if (tiling.arena_floats() > kArenaFloats || time >= best_time) continue;
        best = std::move(tiling);
        best_time = time;
    }
    return best;
}

// The bound of any order in which idle threads take the next tile: an equal share of all work, and
// the largest tile while the other threads wait.
double Tiling::time(const Plan& plan, std::size_t images, std::size_t threads) const {
    double all = 0.0, largest = 0.0;
    for (const Layer& layer : plan.layers()) {
        double sum = time_of_pixel(plan, layer);
        double most = sum;
        for (const Axis axis : {Axis::rows, Axis::columns}) {
            Index axis_sum = 0, axis_most = 0;
            for (std::size_t cut = 0; cut < along(tiles_, axis); ++cut) {
                const Interval& part = along(intervals_, axis)[cut * sizes_.size() + layer.output];
                const Index length = inside(part, size(layer.output, axis)).length();
                axis_sum += length;
                axis_most = std::max(axis_most, length);
            }
            sum *= static_cast<double>(axis_sum);
            most *= static_cast<double>(axis_most);
        }
        all += sum;
        largest += most;
    }
    const auto shares = static_cast<double>(threads);
    return all * static_cast<double>(images) / shares + largest * (1.0 - 1.0 / shares);
}

void Tiling::cut_axis(const Plan& plan, Axis axis, Index tile_length) {
    const Index length = size(plan.output(), axis);
    const Index count = (length + tile_length - 1) / tile_length;
    along(tiles_, axis) = static_cast<std::size_t>(count);
    auto& intervals = along(intervals_, axis);
    intervals.resize(along(tiles_, axis) * sizes_.size());
    for (Index cut = 0; cut < count; ++cut) {
        Interval* parts = intervals.data() + static_cast<std::size_t>(cut) * sizes_.size();
        parts[plan.output()] = inside({cut * tile_length, (cut + 1) * tile_length}, length);
        const auto layers = plan.layers();
        for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
            const Interval computed = inside(parts[layer->output], size(layer->output, axis));
            if (computed.empty()) continue;
            for (const ValueId input : layer->inputs)
                parts[input] = hull(parts[input], input_interval(layer->operation, axis, computed,
                                                                 size(input, axis)));
        }
    }
}

void Tiling::lay_out(const Plan& plan) {
    const auto longest = [&](ValueId value, Axis axis) {
        Index length = 0;
        for (std::size_t cut = 0; cut < along(tiles_, axis); ++cut)
            length = std::max(length,
                              along(intervals_, axis)[cut * sizes_.size() + value].length());
        return static_cast<std::size_t>(length);
    };
    const std::vector<std::size_t> uses = last_uses(plan);
    std::vector<Allocation> in_use;  // by place
    offsets_.assign(plan.value_count(), 0);
    const auto allocate = [&](ValueId value) {
        const std::size_t floats = longest(value, Axis::rows) * longest(value, Axis::columns) *
                                   plan.pixel_stride(value);
        const std::size_t begin = find_place(in_use, floats);
        const auto after = std::find_if(in_use.begin(), in_use.end(), [&](const Allocation& other) {
            return other.begin >= begin + floats;
        });
        in_use.insert(after, {begin, begin + floats, uses[value]});
        offsets_[value] = begin;
        arena_floats_ = std::max(arena_floats_, begin + floats);
    };
    allocate(Plan::input());
    for (std::size_t i = 0; i < plan.layers().size(); ++i) {
        allocate(plan.layers()[i].output);
        std::erase_if(in_use, [&](const Allocation& other) { return other.last_use <= i; });
    }
}

}  // namespace nnr::network
