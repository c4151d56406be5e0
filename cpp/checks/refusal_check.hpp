// What the builders and the engine refuse, with the name of the layer.
#pragma once

#include <functional>
#include <stdexcept>

#include "engine_check.hpp"

namespace nnr::checks {
namespace {

template <class Action>
void expect_refusal(const std::string& what, const Action& action, const char* layer = "layer") {
    try {
        action();
        expect(false, what + " was taken");
    } catch (const std::invalid_argument& refusal) {
        expect(std::string_view(refusal.what()).starts_with(layer),
               what + ": the message does not name the layer: " + refusal.what());
    }
}

constexpr Index kHuge = Index{1} << 62;
const Margins kBadMargins[] = {{Margin{-1, 0}, Margin{}}, {Margin{}, Margin{0, 65537}},
                               {Margin{kHuge, kHuge}, Margin{}}};

void check_conv_refusals() {
    PlanBuilder builder(3);
    const auto conv = [&](const char* what, const WeightShape& shape, std::size_t weights,
                          std::size_t biases, const ConvGeometry& geometry, ValueId input = 0) {
        const std::vector<float> w(weights), b(biases);
        expect_refusal(what, [&] { builder.conv("layer", input, {w, shape, b}, geometry); });
    };
    const ConvGeometry plain{{3, 3}, around(1), {1, 1}};
    conv("a convolution of other channels", {2, 4, 3, 3}, 72, 0, plain);
    conv("no outputs", {0, 3, 3, 3}, 0, 0, plain);
    conv("an empty kernel", {2, 3, 0, 3}, 0, 0, {{0, 3}, {}, {1, 1}});
    conv("a kernel of 65", {1, 3, 65, 1}, 195, 0, {{65, 1}, {}, {1, 1}});
    conv("another kernel", {2, 3, 3, 1}, 18, 0, plain);
    conv("too few weights", {2, 3, 3, 3}, 53, 0, plain);
    conv("too many biases", {2, 3, 3, 3}, 54, 3, plain);
    conv("margins of a kernel", {2, 3, 3, 3}, 54, 0, {{3, 3}, {Margin{3, 0}, Margin{}}, {1, 1}});
    conv("negative margins", {2, 3, 3, 3}, 54, 0, {{3, 3}, {Margin{}, Margin{0, -1}}, {1, 1}});
    conv("a stride of 0", {2, 3, 3, 3}, 54, 0, {{3, 3}, around(1), {0, 1}});
    conv("a stride of 65", {2, 3, 3, 3}, 54, 0, {{3, 3}, around(1), {1, 65}});
    conv("too many outputs", {65537, 3, 1, 1}, 3 * 65537, 0, {{1, 1}, {}, {1, 1}});
    conv("a value that is not there", {2, 3, 3, 3}, 54, 0, plain, 1);
    const auto depthwise = [&](const char* what, const WeightShape& shape) {
        const std::vector<float> w(shape[0] * shape[1] * shape[2] * shape[3]);
        expect_refusal(what, [&] { builder.depthwise_conv("layer", 0, {w, shape, {}}, plain); });
    };
    depthwise("depthwise of other channels", {2, 1, 3, 3});
    depthwise("depthwise of another kernel", {3, 1, 1, 3});
}

void check_layer_refusals() {
    PlanBuilder builder(3);
    const std::vector<float> two{1.0f, 2.0f}, one{1.0f};
    const ValueId other = builder.slice("other", 0, 0, 2);
    const auto refuses = [](const char* what, const std::function<void()>& action) {
        expect_refusal(what, action);
    };
    refuses("two slopes for three channels", [&] { builder.slope("layer", 0, two); });
    refuses("two scales", [&] { builder.affine("layer", 0, two, one); });
    refuses("two offsets", [&] { builder.affine("layer", 0, one, two); });
    refuses("a slice beyond the channels", [&] { builder.slice("layer", 0, 2, 4); });
    refuses("an empty slice", [&] { builder.slice("layer", 0, 2, 2); });
    refuses("a sum with a value that is not there", [&] { builder.add("layer", 0, 9); });
    refuses("a sum of other channels", [&] { builder.add("layer", 0, other); });
    refuses("a product of other channels", [&] { builder.mul("layer", other, 0); });
    refuses("nothing joined", [&] { builder.concat("layer", {}); });
    refuses("too much joined",
            [&] { builder.concat("layer", std::vector<ValueId>(21846, ValueId{0})); });
    refuses("clip of nothing", [&] { builder.clip("layer", 9, 0.0f, 1.0f); });
    refuses("depth of 3 to space",
            [&] { builder.depth_to_space("layer", 0, 2, DepthOrder::block_major); });
    refuses("blocks of 0",
            [&] { builder.depth_to_space("layer", 0, 0, DepthOrder::block_major); });
    refuses("space to blocks of 0", [&] { builder.space_to_depth("layer", 0, 0); });
    refuses("space to blocks of 65", [&] { builder.space_to_depth("layer", 0, 65); });
    for (const Margins& margins : kBadMargins) {
        refuses("pads", [&] { builder.pad("layer", 0, margins, PadMode::edge, {}); });
        refuses("crops", [&] { builder.crop("layer", 0, margins); });
    }
    refuses("two constants", [&] { builder.pad("layer", 0, around(1), PadMode::constant, two); });
    expect_refusal("no channels", [] { PlanBuilder(0); }, "input");
    expect_refusal("65537 channels", [] { PlanBuilder(65537); }, "input");
    expect_refusal("no output", [&] { builder.build(9); }, "output");
}

void check_size_refusals() {
    ValueId output = 0;
    const Plan plan = float_network(output).build(output);
    const Size bad[] = {{17, 20}, {20, 18}, {12, 16}, {16, 12}, {kHuge, 16}, {16, kHuge}};
    for (const Size size : bad) {
        expect_refusal(text(size), [&] { output_size(plan, size); }, "");
        expect_refusal(text(size), [&] { run(plan, nullptr, 1, size, {}, nullptr); }, "");
    }
    PlanBuilder cropping(1);
    const Plan cropped = cropping.build(cropping.crop("layer", 0, around(2)));
    expect_refusal("nothing left", [&] { output_size(cropped, {4, 9}); });
    PlanBuilder valid(1);
    const Plan large = valid.build(
        valid.conv("layer", 0, {std::vector<float>(25), {1, 1, 5, 5}}, {{5, 5}, {}, {1, 1}}));
    expect_refusal("less than a kernel", [&] { output_size(large, {5, 4}); });
    PlanBuilder uneven(1);
    const Plan sums = uneven.build(uneven.add("layer", 0, uneven.crop("crop", 0, around(1))));
    expect_refusal("a sum of two sizes", [&] { output_size(sums, {9, 9}); });
    PlanBuilder deep(1);
    ValueId value = 0;
    for (int i = 0; i < 3; ++i) {
        value = deep.conv("layer", value, {std::vector<float>(1), {1, 1, 1, 1}},
                          {{1, 1}, {}, {64, 64}});
    }
    expect_refusal("a resolution 262144 times lower", [&] { deep.build(value); });
}

void check_integer_layer_refusals() {
    constexpr SampleType u8 = SampleType::u8, i16 = SampleType::i16;
    const std::vector<std::int16_t> zeros{1, 2};
    PlanBuilder builder(u8, zeros);
    const IntegerResult bytes{u8, {3, 4}, 0, 255};
    const ValueId words =
        builder.integer_rescale("words", 0, {1, 1}, {1, 1}, {0, 0}, {i16, {0, 0}, -9, 9});
    const IntegerMultipliers good{{0, 0}, {1, 1}, {1, 1}, {}};
    const ConvGeometry geometry{{1, 1}, {}, {1, 1}};
    const auto conv = [&](const char* what, std::int16_t weight, const IntegerMultipliers& numbers,
                          const IntegerResult& result, std::optional<ValueId> addend = {}) {
        const std::vector<std::int16_t> weights(4, weight);
        expect_refusal(what, [&] {
            builder.integer_conv("layer", 0, addend, {weights, {2, 2, 1, 1}, {}}, geometry, numbers,
                                 result);
        });
    };
    conv("a weight of 128", 128, good, bytes);
    conv("a weight of -129", -129, good, bytes);
    conv("one bias", 1, {{0}, {1, 1}, {1, 1}, {}}, bytes);
    conv("three multipliers", 1, {{0, 0}, {1, 1, 1}, {1, 1}, {}}, bytes);
    conv("no negative multipliers", 1, {{0, 0}, {1, 1}, {}, {}}, bytes);
    conv("no addend multipliers", 1, good, bytes, ValueId{0});
    conv("an addend without multipliers", 1, good, bytes, words);
    conv("an addend that is not there", 1, good, bytes, ValueId{9});
    conv("a result of floats", 1, good, {SampleType::f32, {0, 0}, 0, 1});
    conv("one zero point", 1, good, {u8, {3}, 0, 255});
    conv("a zero point of 256", 1, good, {u8, {3, 256}, 0, 255});
    conv("a zero point of words", 1, good, {i16, {0, 1}, 0, 255});
    conv("bounds of 256", 1, good, {u8, {0, 0}, 0, 256});
    conv("bounds in the wrong order", 1, good, {u8, {0, 0}, 9, 8});
    for (const float value : {-1.0f, 256.0f, 0.5f, std::numeric_limits<float>::quiet_NaN()})
        expect_refusal("a constant that is no byte", [&] {
            builder.pad("layer", 0, around(1), PadMode::constant, std::vector<float>{value});
        });
    using Zeros = std::vector<std::int16_t>;
    expect_refusal("an input zero of 256", [] { PlanBuilder(u8, Zeros{0, 256}); }, "input");
    expect_refusal("an input zero of -1", [] { PlanBuilder(u8, Zeros{-1}); }, "input");
    expect_refusal("an input zero of words", [] { PlanBuilder(i16, Zeros{1}); }, "input");
    expect_refusal("floats of integers", [&] { builder.add("layer", 0, 0); });
    expect_refusal("types joined", [&] { builder.concat("layer", {0, words}); });
    const auto depthwise = [&](const char* what, const WeightShape& shape) {
        const std::vector<std::int16_t> weights(shape[0] * shape[1]);
        expect_refusal(what, [&] {
            builder.integer_depthwise_conv("layer", 0, {}, {weights, shape, {}}, geometry, good,
                                           bytes);
        });
    };
    depthwise("depthwise of other channels", {3, 1, 1, 1});
}

void check_integer_block_refusals() {
    constexpr SampleType u8 = SampleType::u8;
    PlanBuilder builder(u8, std::vector<std::int16_t>{1, 2});
    const ValueId words = builder.integer_rescale("words", 0, {1, 1}, {1, 1}, {0, 0},
                                                  {SampleType::i16, {0, 0}, -9, 9});
    const auto blocks = [&](const char* what, ValueId input, const WeightShape& shape,
                            std::size_t shift_count, std::uint8_t shift, const Phase& phase) {
        const std::vector<std::int16_t> weights(shape[0] * shape[1] * shape[2] * shape[3]);
        const std::vector<std::uint8_t> shifts(shift_count, shift);
        expect_refusal(what, [&] {
            builder.integer_blocks("layer", input, {}, {weights, shape, {}}, shifts, around(1),
                                   phase, {{0}, {1}, {1}, {}}, {u8, {0}, 0, 255});
        });
    };
    const WeightShape good{6, 6, 1, 2};
    blocks("blocks of words", words, good, 36, 9, {0, 0});
    blocks("blocks of 5x6", 0, {5, 6, 1, 2}, 36, 9, {0, 0});
    blocks("blocks of other channels", 0, {6, 6, 1, 3}, 36, 9, {0, 0});
    blocks("35 shifts", 0, good, 35, 9, {0, 0});
    blocks("a shift of 0", 0, good, 36, 0, {0, 0});
    blocks("a shift of 25", 0, good, 36, 25, {0, 0});
    blocks("a phase of 4", 0, good, 36, 9, {4, 0});
    blocks("a phase of -1", 0, good, 36, 9, {0, -1});
    const IntegerResult result{u8, {0, 0}, 0, 255};
    expect_refusal("one multiplier",
                   [&] { builder.integer_rescale("layer", 0, {1}, {1, 1}, {0, 0}, result); });
    expect_refusal("no offsets",
                   [&] { builder.integer_rescale("layer", 0, {1, 1}, {1, 1}, {}, result); });
    expect_refusal("no second multipliers",
                   [&] { builder.integer_add("layer", 0, 0, {1, 1}, {}, result); });
    expect_refusal("three multipliers of a product",
                   [&] { builder.integer_multiply("layer", 0, 0, {1, 1, 1}, result); });
}

void check_refusals() {
    check_conv_refusals();
    check_layer_refusals();
    check_size_refusals();
    check_integer_layer_refusals();
    check_integer_block_refusals();
}

}  // namespace
}  // namespace nnr::checks
