// Sizes and parts of values, and what `explain` says of a plan.
#pragma once

#include "../core/network/explain.hpp"
#include "../core/network/geometry.hpp"
#include "engine_check.hpp"

namespace nnr::checks {
namespace {

// The part of the input that a part of a padded output needs, against every sample's source.
void check_pad_intervals() {
    for (const PadMode mode : {PadMode::constant, PadMode::edge, PadMode::reflect}) {
        const Pad pad{{Margin{4, 3}, Margin{}}, mode, {}};
        const Index size = 5, padded = size + 7;
        for (Index begin = 0; begin < padded; ++begin)
            for (Index end = begin + 1; end <= padded; ++end) {
                Interval wanted;
                for (Index i = begin; i < end; ++i)
                    if (const auto source = pad_source(mode, i - 4, size))
                        wanted = hull(wanted, {*source, *source + 1});
                const Interval got = input_interval(pad, Axis::rows, {begin, end}, size);
                expect(got.begin == wanted.begin && got.end == wanted.end,
                       "padded samples " + std::to_string(begin) + " to " + std::to_string(end));
            }
    }
}

// The input that a convolution sees and the size it gives, against its definition.
void check_conv_intervals() {
    for (std::size_t kernel = 1; kernel <= 5; ++kernel)
        for (std::size_t stride = 1; stride <= 3; ++stride)
            for (Index before = 0; before < static_cast<Index>(kernel); ++before)
                for (Index size = 1; size <= 12; ++size) {
                    const Index after = static_cast<Index>(kernel) - 1 - before;
                    const Conv conv{{{kernel, 1}, {Margin{before, after}, Margin{}}, {stride, 1}},
                                    ConvMethod::direct, 1, 1, 1, {}, {}, {}, {}};
                    Index outputs = 0;
                    const auto step = static_cast<Index>(stride);
                    while (outputs * step + static_cast<Index>(kernel) <= size + before + after)
                        ++outputs;
                    const SizeResult result = output_size(conv, Axis::rows, size);
                    expect(result.error.empty() && result.size == outputs, "size of a convolution");
                    const Interval seen = input_interval(conv, Axis::rows, {1, 3}, size);
                    expect(seen.begin == step - before &&
                               seen.end == 2 * step - before + static_cast<Index>(kernel),
                           "input of a convolution");
                }
}

void check_taken_sizes() {
    ValueId output = 0;
    const Plan plan = float_network(output).build(output);
    const auto takes = [&](Size image, Size wanted) {
        const Size got = taken_size(plan, image);
        expect(got.height == wanted.height && got.width == wanted.width,
               "size taken for " + text(image) + " is " + text(got));
        expect(output_size(plan, got).height == got.height, "size of the output");
    };
    takes({1, 1}, {16, 16});
    takes({15, 17}, {16, 20});
    takes({16, 18}, {16, 20});
    takes({2000, 1999}, {2000, 2000});
}

// Numbers of products and bytes that follow from the shapes alone.
void check_explained_layers() {
    PlanBuilder builder(4);
    const ValueId direct = add_conv(builder, Plan::input(), 4, 16, {5, 3},
                                    {Margin{2, 2}, Margin{1, 1}});
    const ValueId depthwise = add_depthwise(builder, add_relu(builder, direct), 16);
    const ValueId blocks = add_conv(builder, depthwise, 16, 32, {3, 3}, around(1));
    const ValueId strided = add_conv(builder, blocks, 32, 32, {2, 2}, {}, {2, 2});
    const ValueId doubled = builder.add("double", strided, strided);
    const Plan plan = builder.build(add_conv(builder, doubled, 32, 2, {1, 1}, {}));
    const Size size{40, 24};
    const auto costs = explain(plan, Tiling(plan, size, output_size(plan, size), kWhole));
    const double all = 40.0 * 24.0, half = 20.0 * 12.0;
    const double products[] = {15.0 * 4 * 16 * all, 9.0 * 16 * all, 9.0 * 16 * 32 * all / 4,
                               4.0 * 32 * 32 * half, 0.0, 32.0 * 2 * half};
    const double operations[] = {2 * products[0], 2 * products[1], 8 * products[2],
                                 2 * products[3], 0.0, 2 * products[5]};
    const std::size_t weights[] = {15 * 4 * 16, 9 * 16, 36 * 16 * 32, 4 * 32 * 32, 0, 32 * 2};
    // What is read and written: a pixel is filled up to 16 channels.
    const double samples_moved[] = {32 * all, 32 * all, 48 * all, 32 * all + 32 * half,
                                    96 * half, 48 * half};
    expect(costs.size() == std::size(products), "layers explained");
    for (std::size_t i = 0; i < costs.size(); ++i) {
        const LayerCost& cost = costs[i];
        expect(std::abs(cost.operations - operations[i]) < 0.5, cost.kernel + ": operations");
        expect(std::abs(cost.products - products[i]) < 0.5, cost.kernel + ": products");
        expect(std::abs(cost.computed - 1.0) < 1e-12, cost.kernel + ": computes more than once");
        expect(cost.weight_bytes == weights[i] * sizeof(float), cost.kernel + ": weights");
        expect(std::abs(cost.value_bytes - samples_moved[i] * 4.0) < 0.5, cost.kernel + ": bytes");
    }
    const char* kernels[] = {"conv 5x3 direct + slope", "depthwise 3x3", "conv 3x3 blocks of 4x4",
                             "conv 2x2 stride 2x2 direct", "add", "conv 1x1 thin"};
    for (std::size_t i = 0; i < costs.size(); ++i)
        expect(costs[i].kernel == kernels[i], "\"" + costs[i].kernel + "\"");
}

// Strips compute what both of two need twice; operations are of the network, whatever the cut.
void check_explained_cuts() {
    const Plan plan = seven_convolutions();
    const Size size{64, 96};
    const auto totals = [&](const Cut& cut) {
        double operations = 0.0, computed = 0.0;
        for (const LayerCost& cost : explain(plan, Tiling(plan, size, size, cut))) {
            operations += cost.operations;
            computed += cost.computed;
        }
        return std::pair(operations, computed);
    };
    const auto [operations, once] = totals(kWhole);
    expect(std::abs(operations - 2.0 * 9 * (2 * 64 + 5 * 64 * 64 + 64) * 64 * 96) < 0.5,
           "operations of seven convolutions");
    const auto [same, more] = totals({32, 8, 1 << 20});
    const auto [also_same, most] = totals({32, 8, 16});
    expect(operations == same && operations == also_same, "operations depend on the cut");
    expect(once < more && more < most, "strips and segments compute more");
}

void check_plans() {
    check_pad_intervals();
    check_conv_intervals();
    check_taken_sizes();
    check_explained_layers();
    check_explained_cuts();
}

}  // namespace
}  // namespace nnr::checks
