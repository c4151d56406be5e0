#include "tiling.hpp"

#include <iterator>
#include <ranges>
#include <stdexcept>
#include <utility>

namespace nnr::network {
namespace {

// Tile sizes to try: larger ones compute less twice, smaller ones keep values in the cache. Below
// the last one, a deep network would compute most of its samples several times.
constexpr Index kTileSizes[] = {512, 384, 256, 192, 128, 96, 64};
constexpr std::size_t kArenaFloats = std::size_t{6} * 1024 * 1024 / sizeof(float);

// Beyond it, sums of sizes could overflow.
constexpr Index kMaxLength = Index{1} << 48;

// The size of every value along one axis, or why there is none.
struct ValueSizes {
    std::vector<Index> of_value;
    std::string error;
};

ValueSizes value_sizes(const Plan& plan, Axis axis, Index length) {
    ValueSizes sizes{std::vector<Index>(plan.value_count(), 0), {}};
    if (length > kMaxLength) return {{}, "input: is too large"};
    sizes.of_value[Plan::input()] = length;
    for (const Layer& layer : plan.layers()) {
        const Index input = sizes.of_value[layer.inputs[0]];
        for (const ValueId other : layer.inputs)
            if (sizes.of_value[other] != input)
                return {{}, layer.name + ": its inputs differ in size"};
        const SizeResult result = output_size(layer.operation, axis, input);
        if (!result.error.empty()) return {{}, layer.name + ": " + result.error};
        if (result.size > kMaxLength) return {{}, layer.name + ": its output is too large"};
        sizes.of_value[layer.output] = result.size;
    }
    return sizes;
}

std::vector<Index> checked_sizes(const Plan& plan, Axis axis, Index length) {
    ValueSizes sizes = value_sizes(plan, axis, length);
    if (!sizes.error.empty()) throw std::invalid_argument(sizes.error);
    return std::move(sizes.of_value);
}

// What `taken_size` says, along one axis.
Index taken_length(const Plan& plan, Axis axis, Index length) {
    // No layer's margins or kernel need more.
    constexpr Index kSearched = Index{1} << 32;
    const auto phase = static_cast<Index>(plan.phase());
    const auto refuses = [&](Index phases) {
        return !value_sizes(plan, axis, phases * phase).error.empty();
    };
    const Index least = (length + phase - 1) / phase;
    if (!refuses(least)) return least * phase;
    // Bisected here, since clang before 16 cannot compile libstdc++'s views.
    Index first = least, last = std::max(least, kSearched / phase);
    while (first < last) {
        const Index middle = first + (last - first) / 2;
        if (refuses(middle))
            first = middle + 1;
        else
            last = middle;
    }
    return (refuses(first) ? least : first) * phase;
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

Size output_size(const Plan& plan, Size image) {
    const ValueId output = plan.output();
    return {checked_sizes(plan, Axis::rows, image.height)[output],
            checked_sizes(plan, Axis::columns, image.width)[output]};
}

Size taken_size(const Plan& plan, Size image) {
    return {taken_length(plan, Axis::rows, image.height),
            taken_length(plan, Axis::columns, image.width)};
}

Tiling::Tiling(const Plan& plan, Size image, Size part, Size tile)
    : sizes_{checked_sizes(plan, Axis::rows, image.height),
             checked_sizes(plan, Axis::columns, image.width)} {
    cut_axis(plan, Axis::rows, part.height, tile.height);
    cut_axis(plan, Axis::columns, part.width, tile.width);
    lay_out(plan);
}

Tiling Tiling::choose(const Plan& plan, Size image, Size part, std::size_t images,
                      std::size_t threads) {
    constexpr Index kSmallest = *(std::end(kTileSizes) - 1);
    Tiling best(plan, image, part, {kSmallest, kSmallest});
    double best_time = best.time(plan, images, threads);
    for (const Index length : kTileSizes) {
        Tiling tiling(plan, image, part, {length, length});
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
                const Index length =
                    inside(part(axis, cut, layer.output), size(layer.output, axis)).length();
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

void Tiling::cut_axis(const Plan& plan, Axis axis, Index length, Index tile_length) {
    const Index count = (length + tile_length - 1) / tile_length;
    along(tiles_, axis) = static_cast<std::size_t>(count);
    auto& intervals = along(intervals_, axis);
    intervals.resize(along(tiles_, axis) * value_count());
    for (Index cut = 0; cut < count; ++cut) {
        Interval* parts = intervals.data() + static_cast<std::size_t>(cut) * value_count();
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
            length = std::max(length, part(axis, cut, value).length());
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
