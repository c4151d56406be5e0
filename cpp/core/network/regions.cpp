#include "regions.hpp"

#include <limits>
#include <optional>
#include <ranges>

namespace nnr::network {
namespace {

constexpr Index kBlock = kWinogradOutputs;

Index grid_floor(Index position, Index phase) {
    const Index place = (position - phase) % kBlock;
    return position - (place < 0 ? place + kBlock : place);
}

// The value's wanted parts become what is held and computed in each cut: ends never go back, and what a
// later cut still wants is kept. Whole blocks where there is a grid.
class Settled {
public:
    Settled(std::span<const Interval> wanted, std::optional<Index> grid) : rows_(wanted.size()) {
        constexpr Index kNowhere = std::numeric_limits<Index>::max();
        const auto up = [&](Index end) {
            return grid ? grid_floor(end + kBlock - 1, *grid) : end;
        };
        Index end = kNowhere;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (!wanted[i].empty())
                end = end == kNowhere ? up(wanted[i].end) : std::max(end, up(wanted[i].end));
            rows_[i].kept_and_computed.end = end;
        }
        Index begin = kNowhere;
        for (std::size_t i = wanted.size(); i-- > 0;) {
            if (!wanted[i].empty()) begin = std::min(begin, wanted[i].begin);
            rows_[i].kept_and_computed.begin = begin;
        }
        Index computed_end = kNowhere;
        for (Rows& rows : rows_) settle(rows, computed_end, grid);
    }

    const Rows& operator[](std::size_t cut) const { return rows_[cut]; }

private:
    static void settle(Rows& rows, Index& computed_end, std::optional<Index> grid) {
        constexpr Index kNowhere = std::numeric_limits<Index>::max();
        Interval& part = rows.kept_and_computed;
        if (part.end == kNowhere) {  // nothing is wanted yet
            part.begin = part.end = rows.computed = part.begin == kNowhere ? 0 : part.begin;
            return;
        }
        part.begin = std::min(part.begin, part.end);
        const bool continues = computed_end != kNowhere && part.begin <= computed_end;
        if (!continues && grid) part.begin = grid_floor(part.begin, *grid);
        rows.computed = continues ? computed_end : part.begin;
        computed_end = part.end;
    }

    std::vector<Rows> rows_;
};

std::optional<Index> grid_of(const Layer& layer, Axis axis) {
    const Phase* phase = block_phase(layer.operation);
    if (phase == nullptr) return std::nullopt;
    return along(*phase, axis);
}

}  // namespace

Interval whole_blocks(const Layer& layer, Axis axis, const Interval& part) {
    const auto grid = grid_of(layer, axis);
    if (!grid || part.empty()) return part;
    return {grid_floor(part.begin, *grid), grid_floor(part.end + kBlock - 1, *grid)};
}

std::vector<Rows> needed_regions(const Plan& plan, Axis axis, const std::vector<Index>& sizes,
                                 const std::vector<Interval>& outputs) {
    const std::size_t values = plan.value_count();
    std::vector<std::vector<Interval>> wanted(values, std::vector<Interval>(outputs.size()));
    wanted[plan.output()] = outputs;
    std::vector<Rows> regions(outputs.size() * values, Rows{{0, 0}, 0});
    const auto settle = [&](ValueId value, std::optional<Index> grid) {
        const Settled settled(wanted[value], grid);
        for (std::size_t cut = 0; cut < outputs.size(); ++cut)
            regions[cut * values + value] = settled[cut];
    };
    for (const Layer& layer : std::views::reverse(plan.layers())) {
        settle(layer.output, grid_of(layer, axis));
        for (std::size_t cut = 0; cut < outputs.size(); ++cut) {
            const Rows& rows = regions[cut * values + layer.output];
            const Interval computed{rows.computed, rows.all().end};
            const Interval there = inside(computed, sizes[layer.output]);
            if (there.empty()) continue;
            const Interval seen = whole_blocks(layer, axis, there);
            wanted[layer.inputs[0]][cut] =
                hull(wanted[layer.inputs[0]][cut],
                     input_interval(layer.operation, axis, seen, sizes[layer.inputs[0]]));
            const bool adds = conv_geometry(layer.operation) != nullptr;
            for (const ValueId other : std::span(layer.inputs).subspan(1))
                wanted[other][cut] =
                    hull(wanted[other][cut],
                         adds ? there : input_interval(layer.operation, axis, there, sizes[other]));
        }
    }
    settle(Plan::input(), std::nullopt);
    return regions;
}

}  // namespace nnr::network
