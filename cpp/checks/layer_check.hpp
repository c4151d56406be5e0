// Each layer on its own, as a plan of one layer, against its definition sample by sample: ONNX's for
// floats, that of docs/integer.md for integers.
#pragma once

#include "conv_check.hpp"
#include "engine_check.hpp"
#include "integer_blocks_check.hpp"

namespace nnr::checks {
namespace {

// One image, (channel, row, column); beyond its edges it holds the zero of each channel.
template <class T>
struct Image {
    std::size_t channels;
    Size size;
    std::vector<T> samples_of;
    std::vector<std::int16_t> zeros{};

    T at(std::size_t c, Index y, Index x) const {
        if (y < 0 || y >= size.height || x < 0 || x >= size.width)
            return static_cast<T>(zeros.empty() ? 0 : zeros[c]);
        return samples_of[(c * static_cast<std::size_t>(size.height) +
                           static_cast<std::size_t>(y)) *
                              static_cast<std::size_t>(size.width) +
                          static_cast<std::size_t>(x)];
    }
    std::int64_t centred(std::size_t c, Index y, Index x) const {
        return std::int64_t{at(c, y, x)} - (zeros.empty() ? 0 : zeros[c]);
    }
};

constexpr Size kImage{11, 14};

template <class T>
constexpr SampleType kType = std::is_same_v<T, float> ? SampleType::f32
                             : sizeof(T) == 1         ? SampleType::u8
                                                      : SampleType::i16;

template <class T>
Image<T> some_image(std::size_t channels, bool equal_zeros = false) {
    Image<T> image{channels, kImage, {}, {}};
    const std::size_t count = channels * static_cast<std::size_t>(kImage.height * kImage.width);
    if constexpr (std::is_same_v<T, float>) image.samples_of = made<float>(count, number);
    else image.samples_of = made<T>(count, some_sample<T>);
    if (kType<T> == SampleType::u8)
        image.zeros = equal_zeros ? std::vector<std::int16_t>(channels, 77) : some_zeros(channels);
    return image;
}

template <class T>
PlanBuilder builder_of(const Image<T>& image) {
    if constexpr (std::is_same_v<T, float>) return PlanBuilder(image.channels);
    else return PlanBuilder(kType<T>, image.zeros.empty()
                                          ? std::vector<std::int16_t>(image.channels, 0)
                                          : image.zeros);
}

// Compares the plan's result with wanted(channel, row, column), as `same` says.
template <class Out, class T, class Wanted, class Same>
void check_layer(const std::string& name, PlanBuilder builder, ValueId output,
                 const Image<T>& image, const Wanted& wanted, const Same& same) {
    const Plan plan = builder.build(output);
    const Size size = output_size(plan, image.size);
    for (const Cut& cut : {kWhole, Cut{5, 3, 7}}) {
        const Image<Out> result{
            plan.value(output).channels, size,
            run_plan<T, Out>(plan, image.samples_of, 1, image.size, {1, cut}), {}};
        bool right = true;
        for (std::size_t c = 0; c < result.channels; ++c)
            for (Index y = 0; y < size.height; ++y)
                for (Index x = 0; x < size.width; ++x)
                    right = right && same(result.at(c, y, x), wanted(c, y, x));
        expect(right, std::string(kernels().name) + " layer " + name + ": differs");
    }
}

const auto kEqual = [](auto a, auto b) { return a == b; };

// Concat, Slice, Crop, DepthToSpace, SpaceToDepth and Pad.
template <class T>
void check_moves() {
    const Image<T> image = some_image<T>(18, true);
    const auto check = [&](const char* name, const auto& add, const auto& wanted) {
        PlanBuilder builder = builder_of(image);
        const ValueId output = add(builder);
        check_layer<T>(name, builder, output, image, wanted, kEqual);
    };
    check("concat", [](PlanBuilder& b) { return b.concat("layer", {0, 0}); },
          [&](std::size_t c, Index y, Index x) { return image.at(c % 18, y, x); });
    check("slice", [](PlanBuilder& b) { return b.slice("layer", 0, 3, 17); },
          [&](std::size_t c, Index y, Index x) { return image.at(c + 3, y, x); });
    check("crop",
          [](PlanBuilder& b) { return b.crop("layer", 0, {Margin{2, 1}, Margin{0, 5}}); },
          [&](std::size_t c, Index y, Index x) { return image.at(c, y + 2, x); });
    for (const DepthOrder order : {DepthOrder::block_major, DepthOrder::channel_major})
        check("depth to space",
              [&](PlanBuilder& b) { return b.depth_to_space("layer", 0, 3, order); },
              [&](std::size_t c, Index y, Index x) {
                  const auto phase = static_cast<std::size_t>(y % 3 * 3 + x % 3);
                  return image.at(order == DepthOrder::block_major ? phase * 2 + c : c * 9 + phase,
                                  y / 3, x / 3);
              });
    check("space to depth",
          [](PlanBuilder& b) {
              return b.space_to_depth("layer", b.crop("even", 0, {Margin{1, 0}, Margin{}}), 2);
          },
          [&](std::size_t c, Index y, Index x) {
              const auto phase = static_cast<Index>(c / 18);
              return image.at(c % 18, 1 + y * 2 + phase / 2, x * 2 + phase % 2);
          });
    for (const PadMode mode : {PadMode::constant, PadMode::edge, PadMode::reflect})
        check("pad",
              [&](PlanBuilder& b) {
                  return b.pad("layer", 0, {Margin{10, 3}, Margin{0, 13}}, mode,
                               std::vector<float>{5.0f});
              },
              [&](std::size_t c, Index y, Index x) {
                  Index row = y - 10, column = x;
                  const bool beside = row < 0 || row >= 11 || column >= 14;
                  if (mode == PadMode::constant && beside) return static_cast<T>(5);
                  if (mode == PadMode::edge)
                      return image.at(c, std::clamp<Index>(row, 0, 10),
                                      std::min<Index>(column, 13));
                  row = std::abs(row);
                  return image.at(c, row > 10 ? 20 - row : row, column > 13 ? 26 - column : column);
              });
}

void check_float_elements() {
    const Image<float> image = some_image<float>(5);
    const auto check = [&](const char* name, const auto& add, const auto& wanted) {
        PlanBuilder builder = builder_of(image);
        const ValueId output = add(builder);
        check_layer<float>(
            name, builder, output, image,
            [&](std::size_t c, Index y, Index x) { return wanted(image.at(c, y, x), c); }, kEqual);
    };
    const std::vector<float> some{0.0f, -0.5f, 1.0f, 3.0f, 0.25f}, one{0.75f};
    check("slope", [&](PlanBuilder& b) { return b.slope("layer", 0, some); },
          [&](float x, std::size_t c) { return x < 0.0f ? some[c] * x : x; });
    check("affine", [&](PlanBuilder& b) { return b.affine("layer", 0, some, one); },
          [&](float x, std::size_t c) { return x * some[c] + 0.75f; });
    check("clip", [&](PlanBuilder& b) { return b.clip("layer", 0, -0.5f, 0.25f); },
          [](float x, std::size_t) { return std::clamp(x, -0.5f, 0.25f); });
    check("add", [&](PlanBuilder& b) { return b.add("layer", 0, 0); },
          [](float x, std::size_t) { return x + x; });
    check("mul", [&](PlanBuilder& b) { return b.mul("layer", 0, 0); },
          [](float x, std::size_t) { return x * x; });
}

// Direct, thin, by blocks and depthwise.
void check_float_conv_layer(std::size_t ins, std::size_t outs, const ConvGeometry& geometry,
                            bool depthwise) {
    const Image<float> image = some_image<float>(ins);
    const auto [height, width] = geometry.kernel;
    const std::size_t seen = depthwise ? 1 : ins, taps = height * width;
    const auto weights = made<float>(outs * seen * taps, number), bias = made<float>(outs, number);
    PlanBuilder builder = builder_of(image);
    const ConvWeights<float> conv{weights, {outs, seen, height, width}, bias};
    const ValueId output = depthwise ? builder.depthwise_conv("layer", 0, conv, geometry)
                                     : builder.conv("layer", 0, conv, geometry);
    const auto wanted = [&, columns = width](std::size_t out, Index y, Index x) {
        double sum = static_cast<double>(bias[out]);
        for (std::size_t c = 0; c < seen; ++c)
            for (std::size_t tap = 0; tap < taps; ++tap) {
                const Index row = y * static_cast<Index>(geometry.stride[0]) -
                                  geometry.margins[0].before + static_cast<Index>(tap / columns);
                const Index column = x * static_cast<Index>(geometry.stride[1]) -
                                     geometry.margins[1].before + static_cast<Index>(tap % columns);
                sum += static_cast<double>(weights[(out * seen + c) * taps + tap]) *
                       static_cast<double>(image.at(depthwise ? out : c, row, column));
            }
        return sum;
    };
    // Samples and weights of at most 1, products, bias: see the kernel table.
    const double bound = growth(taps * seen + 4) * static_cast<double>(taps * seen + 1);
    check_layer<float>("conv", builder, output, image, wanted, [&](float got, double exact) {
        return std::abs(static_cast<double>(got) - exact) <= bound;
    });
}

template <class In, class Out>
void check_integer_elements() {
    using Kind = Elements::Kind;
    for (const Kind kind : {Kind::rescale, Kind::add, Kind::multiply})
        for (const std::size_t channels : {1, 5, 33}) {
            const Image<In> image = some_image<In>(channels);
            const Elements of = some_elements(kind, channels);
            const IntegerResult result = some_result(kType<Out>, channels);
            PlanBuilder builder = builder_of(image);
            const ValueId output = of.append(builder, 0, 0, result);
            const auto wanted = [&](std::size_t c, Index y, Index x) {
                const std::int64_t q = image.centred(c, y, x), m = of.multipliers[c];
                const std::int64_t second = of.second_multipliers[c];
                std::int64_t scaled = (q * q * m + (std::int64_t{1} << 31)) >> 32;
                if (kind == Kind::add) scaled = (q * m + q * second + 32768) >> 16;
                if (kind == Kind::rescale)
                    scaled = (q * (q < 0 ? second : m) + of.offsets[c] + 32768) >> 16;
                return std::clamp<std::int64_t>(scaled + result.zeros[c], result.lo, result.hi);
            };
            check_layer<Out>("integer elements", builder, output, image, wanted, kEqual);
        }
}

// What a layer makes of its sums, with its own input as the addend where the types allow it.
template <class Out>
struct LayerNumbers {
    IntegerNumbers numbers;
    IntegerMultipliers multipliers;
    IntegerResult result;

    explicit LayerNumbers(std::size_t channels, bool adds, std::int64_t bias_limit)
        : numbers(some_numbers<Out>(channels)) {
        for (std::int32_t& bias : numbers.bias)
            bias = static_cast<std::int32_t>(integer_between(-bias_limit, bias_limit));
        multipliers = {numbers.bias, numbers.multipliers, numbers.negative_multipliers,
                       adds ? numbers.addend_multipliers : std::vector<std::int32_t>{}};
        result = {kType<Out>, numbers.zeros, numbers.lo, numbers.hi};
    }
};

template <class In, class Out>
void check_integer_conv_layer(const ConvGeometry& geometry, bool depthwise, std::size_t ins,
                              std::size_t outs) {
    const Image<In> image = some_image<In>(ins);
    const auto [height, width] = geometry.kernel;
    const std::size_t seen = depthwise ? 1 : ins, taps = height * width;
    const std::int64_t most = kMaxSum / 2, largest = kLargestSample<In>;
    const std::int64_t limit = weight_limit<IntegerWeight<In>>(most, seen * taps, largest);
    const auto weights = some_weights(outs * seen * taps, limit);
    const bool adds = std::is_same_v<In, Out> && geometry.kernel[0] == 3 && ins == outs;
    LayerNumbers<Out> of(outs, adds, most);
    for (std::size_t c = 0; adds && c < outs; ++c)
        of.numbers.addend_zeros[c] = image.zeros.empty() ? 0 : image.zeros[c];
    PlanBuilder builder = builder_of(image);
    const ConvWeights<std::int16_t> conv{weights, {outs, seen, height, width}};
    const auto addend = adds ? std::optional<ValueId>(0) : std::nullopt;
    const ValueId output =
        depthwise ? builder.integer_depthwise_conv("layer", 0, addend, conv, geometry,
                                                   of.multipliers, of.result)
                  : builder.integer_conv("layer", 0, addend, conv, geometry, of.multipliers,
                                         of.result);
    const auto wanted = [&, columns = width](std::size_t out, Index y, Index x) {
        std::int64_t a = of.numbers.bias[out];
        for (std::size_t c = 0; c < seen; ++c)
            for (std::size_t tap = 0; tap < taps; ++tap) {
                const Index row = y * static_cast<Index>(geometry.stride[0]) -
                                  geometry.margins[0].before + static_cast<Index>(tap / columns);
                const Index column = x * static_cast<Index>(geometry.stride[1]) -
                                     geometry.margins[1].before + static_cast<Index>(tap % columns);
                a += std::int64_t{weights[(out * seen + c) * taps + tap]} *
                     image.at(depthwise ? out : c, row, column);
            }
        const In addend_sample = adds ? image.at(out, y, x) : In{};
        return of.numbers.result(out, a, adds ? &addend_sample : nullptr);
    };
    check_layer<Out>("integer conv", builder, output, image, wanted, kEqual);
}

template <class Out>
void check_integer_block_layer(const Phase& phase, const Margins& margins) {
    constexpr std::size_t kIns = 10, kOuts = 10;
    const Image<std::uint8_t> image = some_image<std::uint8_t>(kIns);
    const std::int64_t limit = weight_limit<std::int16_t>(kMaxSum / 2, kIns, 100 * 255);
    const auto weights = some_weights(36 * kOuts * kIns, limit);
    const auto shifts = made<std::uint8_t>(
        36, [] { return static_cast<std::uint8_t>(integer_between(9, 14)); });
    const bool adds = std::is_same_v<Out, std::uint8_t> && margins[0].before == 1;
    LayerNumbers<Out> of(kOuts, adds, 1 << 28);
    for (std::size_t c = 0; adds && c < kOuts; ++c) of.numbers.addend_zeros[c] = image.zeros[c];
    PlanBuilder builder = builder_of(image);
    const ValueId output = builder.integer_blocks(
        "layer", 0, adds ? std::optional<ValueId>(0) : std::nullopt,
        {weights, {6, 6, kOuts, kIns}}, shifts, margins, phase, of.multipliers, of.result);
    const auto wanted = [&](std::size_t out, Index y, Index x) {
        const Index row = (y - phase[0] + 4) % 4, column = (x - phase[1] + 4) % 4;
        std::array<std::int64_t, 36> m{};
        for (std::size_t c = 0; c < kIns; ++c) {
            std::array<std::int64_t, 36> d;
            for (std::size_t i = 0; i < 36; ++i)
                d[i] = image.centred(c, y - row - margins[0].before + static_cast<Index>(i / 6),
                                     x - column - margins[1].before + static_cast<Index>(i % 6));
            const auto v = between(kB, d);
            for (std::size_t i = 0; i < 36; ++i)
                m[i] += v[i] * weights[(i * kOuts + out) * kIns + c];
        }
        for (std::size_t i = 0; i < 36; ++i)
            m[i] = (m[i] + (std::int64_t{1} << (shifts[i] - 1))) >> shifts[i];
        const std::int64_t a =
            of.numbers.bias[out] + between(kA, m)[static_cast<std::size_t>(row * 4 + column)];
        const auto addend = adds ? static_cast<Out>(image.at(out, y, x)) : Out{};
        return of.numbers.result(out, a, adds ? &addend : nullptr);
    };
    check_layer<Out>("integer blocks", builder, output, image, wanted, kEqual);
}

template <class In, class Out>
void check_integer_layers() {
    check_integer_elements<In, Out>();
    const std::size_t outs = std::is_same_v<In, Out> ? 6 : 19;
    const ConvGeometry uneven{{2, 5}, {Margin{1, 1}, Margin{0, 4}}, {2, 3}};
    for (const ConvGeometry& geometry : {ConvGeometry{{3, 3}, around(1), {1, 1}}, uneven}) {
        check_integer_conv_layer<In, Out>(geometry, false, 6, outs);
        check_integer_conv_layer<In, Out>(geometry, true, 6, 6);
        // Few outputs of many channels have a kernel of their own.
        for (std::size_t few = 1; few <= 4; ++few)
            check_integer_conv_layer<In, Out>(geometry, false, 64, few);
    }
}

void check_layers(Levels levels) {
    for (const KernelTable* level : levels) {
        use_target(level->name);
        check_moves<float>();
        check_moves<std::uint8_t>();
        check_moves<std::int16_t>();
        check_float_elements();
        const ConvGeometry same{{3, 3}, around(1), {1, 1}};
        const ConvGeometry uneven{{4, 2}, {Margin{0, 3}, Margin{1, 0}}, {2, 3}};
        for (const ConvGeometry& geometry : {same, uneven}) {
            check_float_conv_layer(7, 18, geometry, false);
            check_float_conv_layer(18, 9, geometry, false);
            check_float_conv_layer(32, 3, geometry, false);
            check_float_conv_layer(18, 18, geometry, true);
        }
        check_integer_layers<std::uint8_t, std::uint8_t>();
        check_integer_layers<std::uint8_t, std::int16_t>();
        check_integer_layers<std::int16_t, std::uint8_t>();
        check_integer_layers<std::int16_t, std::int16_t>();
        for (Index place = 0; place < 4; ++place) {
            check_integer_block_layer<std::uint8_t>({place, 3 - place}, around(1));
            check_integer_block_layer<std::int16_t>({3 - place, place},
                                                    {Margin{0, 2}, Margin{2, 1}});
        }
    }
}

}  // namespace
}  // namespace nnr::checks
