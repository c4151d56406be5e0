// The direct convolutions of integers and sums of products: every level equals the scalar reference,
// and that the formulas.
#pragma once

#include "integer_formulas.hpp"

namespace nnr::checks {
namespace {

template <class In, class Out>
IntegerConvKernel<In, Out> integer_kernel(const KernelTable& table) {
    if constexpr (sizeof(In) == 1 && sizeof(Out) == 1) return table.conv_u8_u8;
    else if constexpr (sizeof(In) == 1) return table.conv_u8_i16;
    else if constexpr (sizeof(Out) == 1) return table.conv_i16_u8;
    else return table.conv_i16_i16;
}

// One convolution. `ins` channels are summed; the pixels have those of the last group too, which hold
// any numbers and meet weights of 0.
template <class In, class Out>
struct IntegerCase {
    using Weight = IntegerWeight<In>;
    static constexpr std::size_t kGroup = 4 / sizeof(In);

    std::size_t ins;
    WindowData<In, Out> data;
    std::vector<Weight> weights;
    IntegerNumbers numbers;

    static std::size_t filled(std::size_t ins) { return (ins + kGroup - 1) / kGroup * kGroup; }
    IntegerCase(const WindowShape& shape, std::size_t in_channels)
        : ins(in_channels),
          data{shape, samples<In>(shape.input(), some_sample<In>),
               samples<Out>(shape.output(), some_sample<Out>)},
          weights(shape.written * taps() * shape.read),
          numbers(some_numbers<Out>(shape.written)) {}

    std::size_t taps() const {
        return data.shape.kernel_height * data.shape.kernel_width;
    }
    std::size_t weight_at(std::size_t out, std::size_t tap, std::size_t c) const {
        const std::size_t groups = data.shape.read / kGroup;
        return (((out / kChannelBlock * taps() + tap) * groups + c / kGroup) * kChannelBlock +
                out % kChannelBlock) * kGroup + c % kGroup;
    }
    // Sets the weights of an output, `weight` a product, and a bias that keeps the sums in 32 bits.
    template <class Make>
    void fill(std::size_t out, const Make& weight) {
        std::int64_t magnitude = 0;
        for (std::size_t tap = 0; tap < taps(); ++tap)
            for (std::size_t c = 0; c < ins; ++c) {
                const std::int64_t w = weight(tap * ins + c);
                weights[weight_at(out, tap, c)] = static_cast<Weight>(w);
                magnitude += std::abs(w) * kLargestSample<In>;
            }
        numbers.bias[out] = some_bias(magnitude);
    }
    std::string name() const {
        return "conv_" + type_name<In>() + "_" + type_name<Out>() + " " + data.shape.name();
    }
};

template <class In, class Out>
std::vector<Out> by_formulas(const IntegerCase<In, Out>& of) {
    const WindowShape& shape = of.data.shape;
    const Layout in = shape.input(), out = shape.output();
    auto results = sentinels<Out>(out.size());
    const auto at = [&](std::size_t y, std::size_t x, std::size_t channel) {
        std::int64_t a = of.numbers.bias[channel];
        for (std::size_t tap = 0; tap < of.taps(); ++tap) {
            const In* pixel = of.data.input.data() +
                              (y * shape.stride_y + tap / shape.kernel_width) * in.row +
                              (x * shape.stride_x + tap % shape.kernel_width) * in.pixel;
            for (std::size_t c = 0; c < of.ins; ++c)
                a += std::int64_t{pixel[c]} * of.weights[of.weight_at(channel, tap, c)];
        }
        const std::size_t i = y * out.row + x * out.pixel + channel;
        results[i] = static_cast<Out>(
            of.numbers.result(channel, a, shape.adds ? of.data.addend.data() + i : nullptr));
    };
    for (std::size_t y = 0; y < out.rows; ++y)
        for (std::size_t x = 0; x < out.columns; ++x)
            for (std::size_t c = 0; c < out.channels; ++c) at(y, x, c);
    return results;
}

template <class In, class Out>
void check_integer_case(const IntegerCase<In, Out>& of, Levels levels) {
    const Input<IntegerWeight<In>> weights(of.weights);
    const WindowShape& shape = of.data.shape;
    const IntegerConv<IntegerWeight<In>> conv{
        {of.ins, shape.written / kChannelBlock, shape.kernel_height, shape.kernel_width},
        weights.data(),
        of.numbers.epilogue()};
    const std::vector<Out> wanted = by_formulas(of);
    for (const KernelTable* table : levels)
        for (const Pieces pieces : {Pieces::whole, Pieces::some, Pieces::pixels}) {
            const std::string name = std::string(table->name) + " " + of.name();
            const auto got = written_by(of.data, pieces, name, [&](const auto& window) {
                integer_kernel<In, Out>(*table)(conv, window);
            });
            expect(same_bits(got, wanted), name + ": differs from the formulas");
        }
}

template <class In, class Out>
void check_random_integers(const WindowShape& swept, Levels levels) {
    WindowShape shape = swept;
    shape.read = IntegerCase<In, Out>::filled(swept.read);
    IntegerCase<In, Out> of(shape, swept.read);
    const std::size_t products = of.taps() * of.ins;
    const std::int64_t limit =
        weight_limit<IntegerWeight<In>>(kMaxSum, products, kLargestSample<In>);
    for (std::size_t out = 0; out < shape.written; ++out) {
        const bool extreme = flag();
        of.fill(out, [&](std::size_t) {
            return extreme ? (flag() ? limit : -limit) : integer_between(-limit, limit);
        });
    }
    check_integer_case(of, levels);
}

// Bytes of 255 with weights of -128 and 127, whose pairs and quadruples must not saturate, and sums of
// +-(2^31 - 1).
template <class Out>
void check_extreme_bytes(Levels levels) {
    for (const std::size_t ins : {1, 2, 3, 4, 8, 40})
        for (const bool adds : {false, true}) {
            const std::size_t read = IntegerCase<std::uint8_t, Out>::filled(ins);
            IntegerCase<std::uint8_t, Out> of({3, 3, 1, 1, 2, 13, read, 48, adds}, ins);
            of.data.input = Input<std::uint8_t>(std::vector<std::uint8_t>(
                of.data.shape.input().size(), std::uint8_t{255}));
            const std::int64_t signs[][2] = {{127, 127}, {-128, -128}, {127, -128}, {-128, 127}};
            for (std::size_t out = 0; out < 48; ++out) {
                const auto& pair = signs[out % 4];
                of.fill(out, [&](std::size_t i) { return pair[i % 2]; });
            }
            const auto all = static_cast<std::int64_t>(9 * ins);
            for (std::size_t out = 0; out < 48; out += 4) {
                of.numbers.bias[out] = static_cast<std::int32_t>(kMaxSum - all * 127 * 255);
                of.numbers.bias[out + 1] = static_cast<std::int32_t>(-kMaxSum + all * 128 * 255);
            }
            check_integer_case(of, levels);
        }
}

// Two products of the largest numbers of 16 bits, and a bias that leads to +-(2^31 - 1).
template <class Out>
void check_extreme_words(Levels levels) {
    for (const std::int16_t sample : {std::int16_t{-32768}, std::int16_t{32767}})
        for (std::size_t first = 0; first < 3; ++first) {
            IntegerCase<std::int16_t, Out> of({1, 1, 1, 1, 1, 9, 4, 32, flag()}, 4);
            of.data.input = Input<std::int16_t>(
                std::vector<std::int16_t>(of.data.shape.input().size(), sample));
            for (std::size_t out = 0; out < 32; ++out) {
                const std::int64_t weight = out % 2 == 0 ? 32767 : -32767;
                of.fill(out, [&](std::size_t i) {
                    return i == first || i == first + 1 ? weight : std::int64_t{0};
                });
                const std::int64_t sum = 2 * weight * sample;
                if (out % 4 < 2)
                    of.numbers.bias[out] =
                        static_cast<std::int32_t>(sum < 0 ? -kMaxSum - sum : kMaxSum - sum);
            }
            check_integer_case(of, levels);
        }
}

// Sums, as biases without products, that meet multipliers at halves and at the ends of 32 bits.
template <class In, class Out>
void check_epilogue(Levels levels) {
    const std::vector<std::int64_t> sums{0,       1,        -1,       2,           -2,
                                         3,       -3,       32768,    -32768,      98304,
                                         -98304,  1 << 30,  -(1 << 30), kMaxSum,   -kMaxSum,
                                         kMaxSum - 1, 65535, -65537};
    const std::vector<std::int64_t> multipliers{1 << 30, -(1 << 30), 1 << 16, -(1 << 16), kMaxSum,
                                                -kMaxSum, 1, -1, 0, 3 << 15, 1 << 24};
    const std::size_t channels =
        (sums.size() * multipliers.size() + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
    const std::size_t read = IntegerCase<In, Out>::filled(1);
    for (const bool adds : {false, true})
        for (std::size_t turn = 0; turn < 3; ++turn) {
            IntegerCase<In, Out> of({1, 1, 1, 1, 1, 17, read, channels, adds}, 1);
            for (std::size_t c = 0; c < channels; ++c) {
                of.numbers.bias[c] = static_cast<std::int32_t>(sums[c % sums.size()]);
                const std::size_t i = c / sums.size() % multipliers.size();
                of.numbers.multipliers[c] = static_cast<std::int32_t>(multipliers[i]);
                of.numbers.negative_multipliers[c] =
                    static_cast<std::int32_t>(multipliers[(i + turn) % multipliers.size()]);
            }
            check_integer_case(of, levels);
        }
}

struct ProductsCase {
    std::size_t ins;
    WindowData<std::int16_t, std::int32_t> data;
    std::vector<std::int16_t> weights;
    std::uint32_t shift;
};

void check_products_case(const ProductsCase& of, Levels levels) {
    const WindowShape& shape = of.data.shape;
    const Layout in = shape.input(), out = shape.output();
    const Input<std::int16_t> weights(of.weights);
    const IntegerProducts products{
        {of.ins, shape.written / kChannelBlock, 1, 1}, weights.data(), of.shift};
    auto wanted = sentinels<std::int32_t>(out.size());
    for (std::size_t x = 0; x < shape.width; ++x)
        for (std::size_t c = 0; c < shape.written; ++c) {
            std::int64_t sum = std::int64_t{1} << (of.shift - 1);
            for (std::size_t i = 0; i < of.ins; ++i) {
                const std::size_t row = c / kChannelBlock * shape.read / 2 + i / 2;
                sum += std::int64_t{of.data.input.data()[x * in.pixel + i]} *
                       of.weights[(row * kChannelBlock + c % kChannelBlock) * 2 + i % 2];
            }
            wanted[x * out.pixel + c] = static_cast<std::int32_t>(sum >> of.shift);
        }
    for (const KernelTable* table : levels)
        for (const Pieces pieces : {Pieces::whole, Pieces::some, Pieces::pixels}) {
            const std::string name = std::string(table->name) + " integer_products shift " +
                                     std::to_string(of.shift) + " " + shape.name();
            const auto got = written_by(of.data, pieces, name, [&](const auto& window) {
                table->integer_products(products, window);
            });
            expect(same_bits(got, wanted), name + ": differs from the formulas");
        }
}

// Weights at the limit of what keeps sums in 32 bits, for every shift; pairs of the largest numbers.
void check_integer_products(Levels levels) {
    for (std::uint32_t shift = 1; shift <= 24; ++shift)
        for (const std::size_t ins : {1, 2, 3, 16, 17, 64, 72}) {
            const std::size_t read = (ins + 1) / 2 * 2, outs = 16 * count_between(1, 5);
            const WindowShape shape{1, 1, 1, 1, 1, count_between(1, 60), read, outs, false};
            const std::int64_t most = kMaxSum - (std::int64_t{1} << (shift - 1));
            const std::int64_t limit = weight_limit<std::int16_t>(most, ins, 32768);
            ProductsCase of{ins,
                            {shape, samples<std::int16_t>(shape.input(), some_sample<std::int16_t>),
                             {}},
                            made<std::int16_t>(read * outs,
                                               [&] {
                                                   return static_cast<std::int16_t>(
                                                       flag() ? limit : -limit);
                                               }),
                            shift};
            for (std::size_t i = 0; ins % 2 == 1 && i < of.weights.size(); ++i)
                if (i / 2 / kChannelBlock % (read / 2) == ins / 2 && i % 2 == 1) of.weights[i] = 0;
            check_products_case(of, levels);
            if (ins != 2 || shift > 17) continue;
            of.weights.assign(of.weights.size(), 32767);
            of.data.input = Input<std::int16_t>(
                samples<std::int16_t>(shape.input(), [] { return std::int16_t{32767}; }));
            check_products_case(of, levels);
        }
}

template <class In, class Out>
void check_integer_kernel(Levels levels) {
    for_each_shape({several_channels(), {16, 32, 48, 64, 80}}, [&](const WindowShape& shape) {
        check_random_integers<In, Out>(shape, levels);
    });
    check_epilogue<In, Out>(levels);
}

void check_integer_convs(Levels levels) {
    check_integer_kernel<std::uint8_t, std::uint8_t>(levels);
    check_integer_kernel<std::uint8_t, std::int16_t>(levels);
    check_integer_kernel<std::int16_t, std::uint8_t>(levels);
    check_integer_kernel<std::int16_t, std::int16_t>(levels);
    check_extreme_bytes<std::uint8_t>(levels);
    check_extreme_bytes<std::int16_t>(levels);
    check_extreme_words<std::uint8_t>(levels);
    check_extreme_words<std::int16_t>(levels);
    check_integer_products(levels);
}

}  // namespace
}  // namespace nnr::checks
