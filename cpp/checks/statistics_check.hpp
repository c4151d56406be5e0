// Ranges and histograms count every sample of every value once, however many steps an image takes.
#pragma once

#include "../core/network/statistics.hpp"
#include "engine_check.hpp"

namespace nnr::checks {
namespace {

// Convolutions of too few channels for blocks, so that a value has the same bits in plans that end
// with it.
PlanBuilder small_network() {
    PlanBuilder builder(2);
    const ValueId head =
        add_relu(builder, add_conv(builder, Plan::input(), 2, 5, {3, 3}, around(1)));
    const ValueId framed = builder.pad("mirror", head, around(2), PadMode::reflect, {});
    const ValueId body = add_conv(builder, framed, 5, 5, {5, 5}, {});
    const ValueId skip = builder.add("skip", body, head);
    const ValueId half = add_conv(builder, skip, 5, 4, {2, 2}, {}, {2, 2});
    const ValueId raised = builder.depth_to_space("raise", half, 2, DepthOrder::block_major);
    builder.concat("join", {raised, Plan::input()});
    return builder;
}

constexpr ValueId kSmallOutput = 8;

// Whether the ranges of one value are those of its samples, (channel, row, column).
bool same_ranges(const ChannelRanges& ranges, const std::vector<float>& samples_of) {
    const std::size_t channels = ranges.smallest.size();
    if (channels == 0 || samples_of.size() % channels != 0) return false;
    const auto pixels = static_cast<std::ptrdiff_t>(samples_of.size() / channels);
    for (std::size_t c = 0; c < channels; ++c) {
        const auto begin = samples_of.begin() + static_cast<std::ptrdiff_t>(c) * pixels;
        const auto [lo, hi] = std::minmax_element(begin, begin + pixels);
        double sum = 0.0, magnitude = 0.0;
        for (auto sample = begin; sample != begin + pixels; ++sample) {
            sum += static_cast<double>(*sample);
            magnitude += std::abs(static_cast<double>(*sample));
        }
        const auto zeros = static_cast<double>(std::count(begin, begin + pixels, 0.0f));
        if (ranges.smallest[c] != *lo || ranges.largest[c] != *hi || ranges.zeros[c] != zeros ||
            std::abs(ranges.sum[c] - sum) > 1e-12 * magnitude)
            return false;
    }
    return ranges.finite;
}

bool same_histogram(const std::vector<double>& counts, const std::vector<float>& samples_of,
                    std::size_t channels, std::size_t bins, double first, double last) {
    std::vector<double> wanted(channels * bins, 0.0);
    const std::size_t pixels = samples_of.size() / channels;
    for (std::size_t i = 0; i < samples_of.size(); ++i) {
        const double place = std::floor((static_cast<double>(samples_of[i]) - first) *
                                        (static_cast<double>(bins) / (last - first)));
        const double bin = std::clamp(place, 0.0, static_cast<double>(bins - 1));
        wanted[i / pixels * bins + static_cast<std::size_t>(bin)] += 1.0;
    }
    return counts == wanted;
}

void check_statistics_of(Size size) {
    constexpr std::size_t kBins = 7;
    constexpr double kFirst = -0.4, kLast = 0.5;
    PlanBuilder builder = small_network();
    const auto plan_to = [&](ValueId value) {
        PlanBuilder copy = builder;
        return copy.build(value, false);
    };
    const Plan plan = plan_to(kSmallOutput);
    const auto input = some_images<float>(plan, 1, size);
    const auto ranges = ranges_of(plan, input.data(), size);
    std::vector<std::vector<double>> firsts, lasts;
    std::vector<ChannelEnds> ends;
    for (ValueId value = 0; value < plan.value_count(); ++value) {
        firsts.emplace_back(plan.value(value).channels, kFirst);
        lasts.emplace_back(plan.value(value).channels, kLast);
    }
    for (ValueId value = 0; value < plan.value_count(); ++value)
        ends.push_back({firsts[value], lasts[value]});
    const auto histograms = histograms_of(plan, input.data(), size, ends, kBins);
    for (ValueId value = 0; value < plan.value_count(); ++value) {
        const std::string name = "value " + std::to_string(value) + " of " + text(size);
        const auto all = value == Plan::input()
                             ? input
                             : run_plan<float, float>(plan_to(value), input, 1, size, {1, kWhole});
        expect(same_ranges(ranges[value], all), name + ": ranges");
        expect(same_histogram(histograms[value], all, plan.value(value).channels, kBins, kFirst,
                              kLast),
               name + ": histogram");
    }
}

// Blocks at the edges of an image are computed in part only, values that nothing needs not at all.
void check_counts_of_blocks() {
    ValueId output = 0;
    PlanBuilder builder = float_network(output);
    const Plan plan = builder.build(output, false);
    const Size size{36, 44};
    const auto input = some_images<float>(plan, 1, size);
    const std::vector<double> first(100, 0.0), last(100, 0.0);
    const std::vector<ChannelEnds> ends(plan.value_count(), ChannelEnds{first, last});
    const auto counts = histograms_of(plan, input.data(), size, ends, 1);
    std::vector<bool> computed(plan.value_count(), false);
    const Tiling tiling(plan, size, output_size(plan, size), kWhole);
    for (const Layer& layer : plan.layers()) {
        computed[layer.output] = true;
        const auto pixels = static_cast<double>(tiling.size(layer.output, Axis::rows) *
                                                tiling.size(layer.output, Axis::columns));
        // A crop leaves out what only it could read.
        const double needed = layer.name == "mirror" && counts[layer.output][0] < pixels
                                  ? counts[layer.output][0]
                                  : pixels;
        for (const double count : counts[layer.output])
            expect(count == needed, layer.name + ": counts " + std::to_string(count) +
                                        " samples of " + std::to_string(pixels));
    }
    for (ValueId value = 1; value < plan.value_count(); ++value)
        expect(computed[value] == !counts[value].empty(), "a value that nothing needs is counted");
    expect(plan.layers().size() + 2 == plan.value_count(), "one layer is not needed");
}

void check_not_finite() {
    PlanBuilder builder = small_network();
    const Plan plan = builder.build(kSmallOutput, false);
    auto input = some_images<float>(plan, 1, {6, 6});
    input[40] = std::numeric_limits<float>::infinity();
    const auto ranges = ranges_of(plan, input.data(), {6, 6});
    expect(!ranges[0].finite && !ranges[1].finite, "an infinite sample is finite");
}

void check_statistics() {
    for (const Size size : {Size{4, 4}, Size{4, 40}, Size{32, 16}, Size{50, 38}})
        check_statistics_of(size);
    check_counts_of_blocks();
    check_not_finite();
}

}  // namespace
}  // namespace nnr::checks
