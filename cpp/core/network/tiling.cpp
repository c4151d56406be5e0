#include "tiling.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "regions.hpp"
#include "sizes.hpp"

namespace nnr::network {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line
// Measured: an arena twice as large as this costs some hundredths.
constexpr std::size_t kNearBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxArenaBytes = std::size_t{11} << 19;
constexpr Index kStripWidths[] = {96, 128, 192, 256, 384, 512, 768};
constexpr Index kStepHeights[] = {4, 8, 16, 32, 64, 128};

Index ceil_divided(Index value, Index divisor) { return (value + divisor - 1) / divisor; }

Index rounded_up(Index value, Index multiple) { return ceil_divided(value, multiple) * multiple; }

// Consecutive parts of `length` of an interval; the last may be shorter.
std::vector<Interval> pieces(const Interval& whole, Index length) {
    std::vector<Interval> parts;
    for (Index begin = whole.begin; begin < whole.end; begin += length)
        parts.push_back({begin, std::min(begin + length, whole.end)});
    return parts;
}

// Roughly, in multiplications; what is not a convolution moves samples at the pace of memory.
double time_of_pixel(const Plan& plan, const Layer& layer) {
    constexpr double kMove = 16.0;
    constexpr double kWinogradOverhead = 1.15;
    const auto products = [&](const auto& weights, bool blocks) {
        const auto count = static_cast<double>(weights.size());
        return blocks ? kWinogradOverhead * count / (kWinogradOutputs * kWinogradOutputs) : count;
    };
    if (const auto* conv = std::get_if<Conv>(&layer.operation))
        return products(conv->weights, conv->method == ConvMethod::blocks);
    if (const auto* conv = std::get_if<IntegerDirectConv>(&layer.operation))
        return products(conv->byte_weights, false) + products(conv->word_weights, false);
    if (const auto* blocks = std::get_if<IntegerBlocks>(&layer.operation))
        return products(blocks->weights, true);
    return kMove * static_cast<double>(plan.value(layer.output).pixel_stride());
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
std::size_t find_place(const std::vector<Allocation>& in_use, std::size_t bytes) {
    std::size_t begin = 0;
    for (const Allocation& other : in_use) {
        if (begin + bytes <= other.begin) break;
        begin = std::max(begin, other.end);
    }
    return begin;
}

std::vector<Cut> cuts_to_try(Size part, Index phase, std::size_t threads) {
    const Index unit = phase * static_cast<Index>(kWinogradOutputs);
    const auto several = static_cast<Index>(threads);
    std::vector<Index> strip_counts{several, 2 * several};
    for (const Index width : kStripWidths)
        strip_counts.push_back(std::max<Index>(1, (part.width + width / 2) / width));
    std::vector<Cut> cuts;
    for (const Index strips : strip_counts)
        for (const Index step : kStepHeights)
            for (const Index segments : {Index{1}, several, 2 * several}) {
                const Cut cut{rounded_up(ceil_divided(part.width, strips), unit),
                              rounded_up(step, unit),
                              rounded_up(ceil_divided(part.height, segments), unit)};
                if (std::find(cuts.begin(), cuts.end(), cut) == cuts.end()) cuts.push_back(cut);
            }
    return cuts;
}

}  // namespace

Tiling::Tiling(const Plan& plan, Size image, Size part, const Cut& cut)
    : cut_(cut),
      value_count_(plan.value_count()),
      sizes_{checked_sizes(plan, Axis::rows, image.height),
             checked_sizes(plan, Axis::columns, image.width)} {
    cut_rows(plan, part.height);
    cut_columns(plan, part.width);
    lay_out(plan);
}

void Tiling::cut_rows(const Plan& plan, Index height) {
    for (const Interval& segment : pieces({0, height}, cut_.segment)) {
        segment_begins_.push_back(rows_.size() / value_count_);
        const auto regions = needed_regions(plan, Axis::rows, along(sizes_, Axis::rows),
                                            pieces(segment, cut_.step));
        rows_.insert(rows_.end(), regions.begin(), regions.end());
    }
    segment_begins_.push_back(rows_.size() / value_count_);
}

void Tiling::cut_columns(const Plan& plan, Index width) {
    for (const Interval& strip : pieces({0, width}, cut_.strip))
        for (const Rows& region :
             needed_regions(plan, Axis::columns, along(sizes_, Axis::columns), {strip}))
            columns_.push_back(region.all());
}

void Tiling::lay_out(const Plan& plan) {
    std::vector<std::size_t> bytes(value_count_);
    std::vector<bool> keeps(value_count_, false);
    for (ValueId value = 0; value < value_count_; ++value) {
        Index most_rows = 0, most_columns = 0;
        for (std::size_t step = 0; step < rows_.size() / value_count_; ++step) {
            most_rows = std::max(most_rows, rows(step, value).all().length());
            if (rows(step, value).keeps()) keeps[value] = true;
        }
        for (std::size_t strip = 0; strip < strips(); ++strip)
            most_columns = std::max(most_columns, columns(strip, value).length());
        bytes[value] = round_up(static_cast<std::size_t>(most_rows * most_columns) *
                                    plan.value(value).pixel_bytes(),
                                kAlignment);
    }
    // What is kept from step to step has a place of its own; above, the others share theirs.
    offsets_.assign(value_count_, 0);
    std::size_t kept_bytes = 0;
    for (ValueId value = 0; value < value_count_; ++value) {
        if (!keeps[value]) continue;
        offsets_[value] = kept_bytes;
        kept_bytes += bytes[value];
    }
    arena_bytes_ = kept_bytes;

    const std::vector<std::size_t> uses = last_uses(plan);
    std::vector<Allocation> in_use;  // by place
    const auto allocate = [&](ValueId value) {
        if (keeps[value]) return;
        const std::size_t begin = find_place(in_use, bytes[value]);
        const Allocation allocation{begin, begin + bytes[value], uses[value]};
        const auto after = std::find_if(in_use.begin(), in_use.end(), [&](const Allocation& other) {
            return other.begin >= allocation.end;
        });
        in_use.insert(after, allocation);
        offsets_[value] = kept_bytes + begin;
        arena_bytes_ = std::max(arena_bytes_, kept_bytes + allocation.end);
    };
    allocate(Plan::input());
    for (std::size_t i = 0; i < plan.layers().size(); ++i) {
        allocate(plan.layers()[i].output);
        std::erase_if(in_use, [&](const Allocation& other) { return other.last_use <= i; });
    }
}

double Tiling::computed_samples(const Layer& layer) const {
    const auto length = [&](Axis axis, const Interval& part) {
        return whole_blocks(layer, axis, inside(part, size(layer.output, axis))).length();
    };
    Index rows_sum = 0, columns_sum = 0;
    for (std::size_t step = 0; step < rows_.size() / value_count_; ++step) {
        const Rows& part = rows(step, layer.output);
        rows_sum += length(Axis::rows, {part.computed, part.all().end});
    }
    for (std::size_t strip = 0; strip < strips(); ++strip)
        columns_sum += length(Axis::columns, columns(strip, layer.output));
    return static_cast<double>(rows_sum) * static_cast<double>(columns_sum);
}

// The bound of any order in which idle threads take the next item: an equal share of all work, and
// one item while the other threads wait. Threads that share items wait for each other after every
// layer. Large arenas cost a little.
double Tiling::time(const Plan& plan, std::size_t images, std::size_t threads) const {
    constexpr double kFarPenalty = 1.04;
    // Some ten microseconds: meetings take three, but a hundred times that where other programs keep
    // the processors busy, and those who share nothing do not notice.
    constexpr double kMeeting = 5e5;
    double all = 0.0;
    for (const Layer& layer : plan.layers())
        all += time_of_pixel(plan, layer) * computed_samples(layer) * static_cast<double>(images);
    if (arena_bytes_ > kNearBytes) all *= kFarPenalty;
    const std::size_t items = strips() * segments() * images;
    if (items >= threads) {
        const std::size_t rounds = (items + threads - 1) / threads;
        return all * static_cast<double>(rounds) / static_cast<double>(items);
    }
    const std::size_t team = std::min(threads, kMaxTeam);
    const auto unit = static_cast<Index>(plan.phase() * kWinogradOutputs);
    const Index units = std::max<Index>(1, std::min(cut_.step, cut_.segment) / unit);
    const Index most = ceil_divided(units, static_cast<Index>(team));
    const auto meetings = static_cast<double>((plan.layers().size() + 3) * strips() *
                                              (rows_.size() / value_count_) * images);
    return all * static_cast<double>(most) / static_cast<double>(units) + kMeeting * meetings;
}

Tiling Tiling::choose(const Plan& plan, Size image, Size part, std::size_t images,
                      std::size_t threads) {
    // What fits comes before what does not; of those, what takes less time, or less memory.
    std::optional<Tiling> best;
    std::pair<bool, double> best_cost;
    for (const Cut& cut : cuts_to_try(part, static_cast<Index>(plan.phase()), threads)) {
        Tiling tiling(plan, image, part, cut);
        const bool large = tiling.arena_bytes() > kMaxArenaBytes;
        const std::pair<bool, double> cost{large,
                                           large ? static_cast<double>(tiling.arena_bytes())
                                                 : tiling.time(plan, images, threads)};
        if (best && cost >= best_cost) continue;
        best_cost = cost;
        best = std::move(tiling);
    }
    return std::move(*best);
}

}  // namespace nnr::network
