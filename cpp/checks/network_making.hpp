// Networks with random weights that have every operation between them.
#pragma once

#include "../core/network/builder.hpp"
#include "integer_formulas.hpp"

namespace nnr::checks {
namespace {

using namespace network;

using Sides = PerAxis<std::size_t>;
using Margins = PerAxis<Margin>;

Margins around(Index margin) {
    return {Margin{margin, margin}, Margin{margin, margin}};
}

ValueId add_conv(PlanBuilder& builder, ValueId input, std::size_t ins, std::size_t outs,
                 const Sides& kernel, const Margins& margins, const Sides& stride = {1, 1}) {
    auto weights = made<float>(outs * ins * kernel[0] * kernel[1], number);
    for (float& weight : weights) weight /= static_cast<float>(ins * kernel[0]);
    const auto bias = made<float>(outs, number);
    return builder.conv("conv", input, {weights, {outs, ins, kernel[0], kernel[1]}, bias},
                        {kernel, margins, stride});
}

ValueId add_depthwise(PlanBuilder& builder, ValueId input, std::size_t channels) {
    const auto weights = made<float>(channels * 9, number);
    return builder.depthwise_conv("depthwise", input, {weights, {channels, 1, 3, 3}, {}},
                                  {{3, 3}, around(1), {1, 1}});
}

ValueId add_relu(PlanBuilder& builder, ValueId input) {
    return builder.slope("relu", input, std::vector<float>{0.0f});
}

// Mirrors three samples from the edges, which a step far into a strip still reads, and what follows
// leaves as it was.
ValueId add_mirrored(PlanBuilder& builder, ValueId input, std::size_t channels) {
    const ValueId framed = builder.pad("mirror", input, around(3), PadMode::reflect, {});
    const ValueId cropped = builder.crop("crop", framed, around(2));
    return add_conv(builder, cropped, channels, channels, {3, 3}, {});
}

// Every operation of floats, three resolutions, and a result of the size of the input: height and
// width are multiples of 4, at least 16.
PlanBuilder float_network(ValueId& output) {
    PlanBuilder builder(2);
    const ValueId phases = builder.space_to_depth("gather", Plan::input(), 2);
    const ValueId head = add_relu(
        builder, add_conv(builder, phases, 8, 20, {3, 5}, {Margin{1, 1}, Margin{2, 2}}));
    const ValueId framed =
        builder.pad("mirror", head, {Margin{2, 1}, Margin{0, 1}}, PadMode::reflect, {});
    const ValueId widened =
        builder.pad("repeat", framed, {Margin{0, 1}, Margin{3, 0}}, PadMode::edge, {});
    const ValueId body = builder.slope("prelu", add_conv(builder, widened, 20, 17, {5, 5}, {}),
                                       made<float>(17, number));
    const ValueId joined = builder.concat("join", {body, head, body});
    const ValueId some = builder.slice("slice", joined, 5, 21);
    const ValueId scaled = builder.affine("affine", some, made<float>(16, number),
                                          std::vector<float>{0.25f});
    const ValueId clipped = builder.clip("clip", builder.mul("mul", scaled, some), -1.0f, 1.0f);
    builder.conv("unused", clipped, {made<float>(16, number), {1, 16, 1, 1}}, {{1, 1}, {}, {1, 1}});
    const ValueId block = add_relu(
        builder, builder.add("skip", add_conv(builder, clipped, 16, 16, {3, 3}, around(1)), some));
    const ValueId half = add_conv(builder, block, 16, 24, {3, 3}, around(1), {2, 2});
    const ValueId deep = add_relu(builder, add_depthwise(builder, half, 24));
    const ValueId mirrored = builder.add("double", add_mirrored(builder, deep, 24), half);
    const ValueId wide = add_conv(builder, mirrored, 24, 64, {1, 1}, {});
    const ValueId raised = builder.depth_to_space("raise", wide, 2, DepthOrder::block_major);
    const ValueId joint = builder.add("long skip", raised, some);
    const ValueId mixed = add_conv(builder, joint, 16, 4, {1, 1}, {});
    const ValueId residual = builder.depth_to_space("spread", mixed, 2, DepthOrder::channel_major);
    const ValueId luma = builder.slice("luma", Plan::input(), 0, 1);
    const ValueId edged = builder.pad("frame", residual, around(1), PadMode::constant,
                                      std::vector<float>{0.5f});
    output = builder.add("add", luma, add_conv(builder, edged, 1, 1, {3, 3}, {}));
    return builder;
}

// For images of any size, from 1x1 on: blocks, skips, edges, few outputs.
PlanBuilder any_size_network(ValueId& output) {
    PlanBuilder builder(3);
    const ValueId head =
        add_relu(builder, add_conv(builder, Plan::input(), 3, 16, {3, 3}, around(1)));
    const ValueId block = add_relu(builder, add_conv(builder, head, 16, 12, {3, 3}, around(1)));
    const ValueId body = add_conv(builder, block, 12, 16, {3, 3},
                                  {Margin{2, 0}, Margin{0, 2}});
    const ValueId skip = builder.add("skip", head, body);
    const ValueId framed =
        builder.pad("repeat", skip, {Margin{4, 1}, Margin{2, 3}}, PadMode::edge, {});
    const ValueId seen = add_conv(builder, framed, 16, 16, {6, 4}, {});
    const ValueId cropped =
        builder.crop("crop", builder.pad("frame", seen, around(5), PadMode::constant,
                                         std::vector<float>{0.25f}),
                     {Margin{9, 1}, Margin{2, 8}});
    const ValueId thin = add_conv(builder, cropped, 16, 3, {3, 3}, around(1));
    output = builder.add("residual", thin,
                         builder.pad("widen", Plan::input(), {Margin{0, 0}, Margin{1, 1}},
                                     PadMode::edge, {}));
    return builder;
}

// Strides that leave a remainder, then three times the resolution: the output is of another size.
PlanBuilder scaling_network(ValueId& output) {
    PlanBuilder builder(1);
    const ValueId strided =
        add_conv(builder, Plan::input(), 1, 9, {4, 3}, {Margin{1, 2}, Margin{1, 1}}, {2, 3});
    const ValueId block = add_relu(builder, add_conv(builder, strided, 9, 18, {3, 3}, around(1)));
    const ValueId raised = builder.depth_to_space("raise", block, 3, DepthOrder::channel_major);
    output = add_conv(builder, raised, 2, 2, {2, 5}, {Margin{1, 1}, Margin{4, 0}}, {1, 2});
    return builder;
}

// Row by row, each of the last rows is a copy of one further back: what a step computes, a later one
// still reads.
PlanBuilder mirroring_network(ValueId& output) {
    PlanBuilder builder(2);
    const ValueId head =
        add_relu(builder, add_conv(builder, Plan::input(), 2, 5, {3, 3}, around(1)));
    const ValueId framed = builder.pad("mirror", head, {Margin{5, 6}, Margin{6, 4}},
                                       PadMode::reflect, {});
    const ValueId body = add_conv(builder, framed, 5, 3, {2, 1}, {});
    output = builder.pad("again", body, {Margin{0, 9}, Margin{7, 1}}, PadMode::reflect, {});
    return builder;
}

struct IntegerLayer {
    ValueId input;
    SampleType from;
    std::size_t ins, outs;
    SampleType to;
    std::optional<ValueId> addend{};
    Sides kernel{3, 3}, stride{1, 1};
    Margins margins = around(1);
};

IntegerResult some_result(SampleType type, std::size_t channels) {
    if (type == SampleType::i16) return {type, std::vector<std::int32_t>(channels, 0), -20000, 20000};
    return {type,
            made<std::int32_t>(channels,
                               [] { return static_cast<std::int32_t>(integer_between(0, 255)); }),
            0, 255};
}

// Multipliers that make numbers of the result's range of sums of this size.
IntegerMultipliers some_multipliers(double sums, SampleType to, std::size_t channels, bool adds) {
    const double wanted = to == SampleType::u8 ? 90.0 : 9000.0;
    const double most = std::min(0x1p31 - 1.0, (adds ? 0x1p40 : 0x1p32) * wanted / sums);
    const auto multiplier = [&] {
        return static_cast<std::int32_t>(most * static_cast<double>(number()));
    };
    const auto bias = [&] {
        return static_cast<std::int32_t>(std::min(sums, 0x1p28) * static_cast<double>(number()));
    };
    IntegerMultipliers multipliers{made<std::int32_t>(channels, bias),
                                   made<std::int32_t>(channels, multiplier),
                                   made<std::int32_t>(channels, multiplier), {}};
    if (adds)
        multipliers.addend_multipliers = made<std::int32_t>(
            channels, [] { return static_cast<std::int32_t>(integer_between(-65535, 65535)); });
    return multipliers;
}

std::int64_t largest_of(SampleType type) { return type == SampleType::u8 ? 255 : 32768; }

std::vector<std::int16_t> some_weights(std::size_t count, std::int64_t limit) {
    return made<std::int16_t>(
        count, [&] { return static_cast<std::int16_t>(integer_between(-limit, limit)); });
}

ValueId add_integer_conv(PlanBuilder& builder, const IntegerLayer& layer, bool depthwise = false) {
    const std::size_t taps = layer.kernel[0] * layer.kernel[1];
    const std::size_t seen = depthwise ? 1 : layer.ins, products = taps * seen;
    const std::int64_t largest = largest_of(layer.from), most = kMaxSum / 2;
    const std::int64_t limit = layer.from == SampleType::u8
                                   ? weight_limit<std::int8_t>(most, products, largest)
                                   : weight_limit<std::int16_t>(most, products, largest);
    const auto weights = some_weights(layer.outs * products, limit);
    const double sums = static_cast<double>(limit * largest) *
                        std::sqrt(static_cast<double>(products));
    const auto multipliers =
        some_multipliers(sums, layer.to, layer.outs, layer.addend.has_value());
    const ConvWeights<std::int16_t> conv{
        weights, {layer.outs, seen, layer.kernel[0], layer.kernel[1]}};
    const ConvGeometry geometry{layer.kernel, layer.margins, layer.stride};
    const IntegerResult result = some_result(layer.to, layer.outs);
    if (depthwise)
        return builder.integer_depthwise_conv("depthwise", layer.input, layer.addend, conv,
                                              geometry, multipliers, result);
    return builder.integer_conv("conv", layer.input, layer.addend, conv, geometry, multipliers,
                                result);
}

ValueId add_integer_blocks(PlanBuilder& builder, const IntegerLayer& layer, const Phase& phase) {
    constexpr std::int64_t kLargestV = 100 * 255;
    const std::int64_t limit = weight_limit<std::int16_t>(kMaxSum / 2, layer.ins, kLargestV);
    const auto weights = some_weights(36 * layer.outs * layer.ins, limit);
    const auto shifts = made<std::uint8_t>(
        36, [] { return static_cast<std::uint8_t>(integer_between(9, 12)); });
    const double sums = static_cast<double>(limit) * 0x1p13 *
                        std::sqrt(static_cast<double>(layer.ins)) / 0x1p10 * 50.0;
    return builder.integer_blocks(
        "blocks", layer.input, layer.addend, {weights, {6, 6, layer.outs, layer.ins}}, shifts,
        layer.margins, phase,
        some_multipliers(sums, layer.to, layer.outs, layer.addend.has_value()),
        some_result(layer.to, layer.outs));
}

// A layer that computes element by element; the second multipliers and the offsets of those that have
// them.
struct Elements {
    enum class Kind { rescale, add, multiply } kind;
    std::vector<std::int32_t> multipliers, second_multipliers, offsets;

    ValueId append(PlanBuilder& builder, ValueId first, ValueId second,
                   const IntegerResult& result) const {
        switch (kind) {
            case Kind::rescale:
                return builder.integer_rescale("elements", first, multipliers, second_multipliers,
                                               offsets, result);
            case Kind::add:
                return builder.integer_add("elements", first, second, multipliers,
                                           second_multipliers, result);
            default:
                return builder.integer_multiply("elements", first, second, multipliers, result);
        }
    }
};

Elements some_elements(Elements::Kind kind, std::size_t channels) {
    const auto some = [&](std::int64_t most) {
        return made<std::int32_t>(channels, [most] {
            return static_cast<std::int32_t>(integer_between(-most, most));
        });
    };
    return {kind, some(kind == Elements::Kind::multiply ? 1 << 26 : 1 << 17), some(1 << 17),
            some(1 << 23)};
}

ValueId add_elements(PlanBuilder& builder, std::vector<ValueId> inputs, Elements::Kind kind,
                     SampleType to, std::size_t channels) {
    return some_elements(kind, channels)
        .append(builder, inputs.front(), inputs.back(), some_result(to, channels));
}

// Every operation of integers, and a result of the size of the input, one channel of 16 bits: height
// and width are multiples of 2, at least 8.
PlanBuilder integer_network(SampleType input, std::size_t ins, ValueId& output) {
    using Kind = Elements::Kind;
    constexpr SampleType u8 = SampleType::u8, i16 = SampleType::i16;
    PlanBuilder builder(input, input == u8 ? made<std::int16_t>(ins, [] {
        return static_cast<std::int16_t>(integer_between(0, 255));
    }) : std::vector<std::int16_t>(ins, 0));
    const ValueId head = add_integer_conv(builder, {Plan::input(), input, ins, 17, u8});
    const ValueId block = add_integer_blocks(builder, {head, u8, 17, 20, u8}, {0, 3});
    const ValueId added = add_integer_blocks(builder, {block, u8, 20, 17, u8, head}, {2, 1});
    const ValueId plain = add_integer_blocks(builder, {added, u8, 17, 18, i16}, {0, 0});
    // A sum of a value of other samples than the result.
    const ValueId mixed = add_integer_blocks(builder, {added, u8, 17, 18, u8, plain}, {3, 2});
    const ValueId words = add_integer_conv(builder, {mixed, u8, 18, 18, i16, mixed});
    const ValueId depth = add_integer_conv(builder, {words, i16, 18, 18, i16, words}, true);
    const ValueId half = add_integer_conv(
        builder, {depth, i16, 18, 16, i16, {}, {3, 2}, {2, 2}, {Margin{1, 1}, Margin{0, 1}}});
    const ValueId again = add_integer_conv(builder, {half, i16, 16, 16, i16, half, {1, 3}, {1, 1},
                                                     {Margin{0, 0}, Margin{1, 1}}});
    const ValueId narrow = add_elements(builder, {again}, Kind::rescale, u8, 16);
    const ValueId deeper = add_integer_conv(builder, {narrow, u8, 16, 16, u8, narrow}, true);
    const ValueId direct = add_integer_conv(builder, {deeper, u8, 16, 16, i16, half});
    const ValueId sum = add_elements(builder, {direct, narrow}, Kind::add, i16, 16);
    const ValueId framed = builder.pad("mirror", sum, around(3), PadMode::reflect, {});
    const ValueId seen =
        add_integer_conv(builder, {framed, i16, 16, 16, i16, {}, {5, 5}, {1, 1}, {}});
    const ValueId cropped = builder.crop("crop", seen, around(1));
    const ValueId product = add_elements(builder, {cropped, deeper}, Kind::multiply, i16, 16);
    const ValueId joined = builder.concat("join", {product, direct});
    const ValueId raised = builder.depth_to_space("raise", joined, 2, DepthOrder::channel_major);
    const ValueId lowered = builder.space_to_depth(
        "gather", builder.pad("frame", raised, around(2), PadMode::constant,
                              std::vector<float>{-7.0f}), 2);
    const ValueId edged = builder.pad("repeat", lowered, around(1), PadMode::edge, {});
    const ValueId inner = builder.crop("crop", edged, around(2));
    const ValueId some = builder.slice("slice", inner, 3, 19);
    const ValueId bytes = add_integer_conv(builder, {some, i16, 16, 64, u8, {}, {1, 1}, {1, 1}, {}});
    const ValueId narrow_wide = add_elements(builder, {bytes}, Kind::rescale, i16, 64);
    const ValueId spread =
        builder.depth_to_space("spread", narrow_wide, 2, DepthOrder::block_major);
    IntegerLayer last{spread, i16, 16, 1, i16};
    output = add_integer_conv(builder, last);
    return builder;
}

// Seven convolutions of 64 channels, like the bundled post filter.
Plan seven_convolutions() {
    PlanBuilder builder(2);
    const Margins same = around(1);
    ValueId value = add_relu(builder, add_conv(builder, Plan::input(), 2, 64, {3, 3}, same));
    for (int i = 0; i < 5; ++i)
        value = add_relu(builder, add_conv(builder, value, 64, 64, {3, 3}, same));
    const ValueId residual = add_conv(builder, value, 64, 1, {3, 3}, same);
    return builder.build(
        builder.add("add", residual, builder.slice("luma", Plan::input(), 0, 1)));
}

}  // namespace
}  // namespace nnr::checks
