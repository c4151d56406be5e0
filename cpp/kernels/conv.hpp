// A register block holds the sums of several neighbouring pixels by one or two blocks of output
// channels: every weight that is loaded serves all of its pixels, every input all of its channels.
#pragma once

#include "epilogue.hpp"

namespace nnr {
namespace {

constexpr std::size_t kBlockVectors = kChannelBlock / simd::kLanes;
// Where a block is one vector, two of them share the inputs.
constexpr std::size_t kMaxBlocks = kBlockVectors == 1 ? 2 : 1;
// What is left beside the weights of one step and one input.
constexpr std::size_t kMaxPixels =
    (simd::kRegisters - kMaxBlocks * kBlockVectors - 1) / (kMaxBlocks * kBlockVectors);

// What one step of the sums takes: a group of input channels in every lane, the weights of a vector
// of output channels.
struct FloatProducts {
    using Input = float;
    using Weight = float;
    using Sum = simd::F32;
    static constexpr std::size_t kGroup = 1;
    static Sum splat(const Input* x) { return simd::splat(*x); }
    static Sum load(const Weight* weights) { return simd::load(weights); }
    static Sum add(Sum sum, Sum x, Sum weight) { return simd::mul_add(x, weight, sum); }
    static Sum nothing() { return simd::splat(0.0f); }
    static float reduced(Sum sum) { return simd::reduce_add(sum); }
};

template <class InputType, class WeightType>
struct IntegerGroups {
    using Input = InputType;
    using Weight = WeightType;
    using Sum = simd::I32;
    static constexpr std::size_t kGroup = sizeof(std::int32_t) / sizeof(Input);
    static Sum splat(const Input* x) {
        std::int32_t group;
        __builtin_memcpy(&group, x, sizeof group);
        return simd::splat_i32(group);
    }
    template <class Number>
    static Sum load(const Number* numbers) {
        return simd::load_i32(reinterpret_cast<const std::int32_t*>(numbers));
    }
    static Sum nothing() { return simd::splat_i32(0); }
    static std::int32_t reduced(Sum sum) { return simd::reduce_add_i32(sum); }
};
struct ByteProducts : IntegerGroups<std::uint8_t, std::int8_t> {
    static Sum add(Sum sum, Sum x, Sum weight) { return simd::dot_u8i8(sum, x, weight); }
};
struct WordProducts : IntegerGroups<std::int16_t, std::int16_t> {
    static Sum add(Sum sum, Sum x, Sum weight) { return simd::dot_i16(sum, x, weight); }
};

// Where one register block begins.
template <class Products, class Output, class Addend>
struct ConvBlock {
    const typename Products::Weight* weights;
    std::size_t channel;
    const typename Products::Input* input;
    Output* output;
    const Addend* addend;
};

template <class Products>
std::size_t block_size(const ConvShape& shape) {
    const std::size_t groups = (shape.in_channels + Products::kGroup - 1) / Products::kGroup;
    return shape.kernel_height * shape.kernel_width * groups * Products::kGroup * kChannelBlock;
}

template <class Products, std::size_t kBlocks, std::size_t kPixels, class Output, class Epilogue>
void convolve_block(const ConvShape& shape,
                    const ConvWindow<typename Products::Input, Output>& window,
                    const ConvBlock<Products, Output, typename Epilogue::Addend>& block,
                    const Epilogue& epilogue) {
    using Sum = typename Products::Sum;
    constexpr std::size_t kVectors = kBlocks * kBlockVectors;
    constexpr std::size_t kVectorWeights = simd::kLanes * Products::kGroup;
    const std::size_t next_block = block_size<Products>(shape);
    Sum sums[kPixels][kVectors];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) {
        const Sum start = epilogue.start(block.channel + v * simd::kLanes);
#pragma GCC unroll 16
        for (std::size_t p = 0; p < kPixels; ++p) sums[p][v] = start;
    }

    const auto* weights = block.weights;
    for (std::size_t ky = 0; ky < shape.kernel_height; ++ky)
        for (std::size_t kx = 0; kx < shape.kernel_width; ++kx) {
            const auto* input = block.input + ky * window.tap_row + kx * window.tap_pixel;
            for (std::size_t c = 0; c < shape.in_channels;
                 c += Products::kGroup, weights += kChannelBlock * Products::kGroup) {
                Sum weight[kVectors];
#pragma GCC unroll 16
                for (std::size_t v = 0; v < kVectors; ++v)
                    weight[v] = Products::load(weights + v / kBlockVectors * next_block +
                                               v % kBlockVectors * kVectorWeights);
#pragma GCC unroll 16
                for (std::size_t p = 0; p < kPixels; ++p) {
                    const Sum x = Products::splat(input + p * window.input_pixel + c);
#pragma GCC unroll 16
                    for (std::size_t v = 0; v < kVectors; ++v)
                        sums[p][v] = Products::add(sums[p][v], x, weight[v]);
                }
            }
        }

#pragma GCC unroll 16
    for (std::size_t v = 0; v < kVectors; ++v) {
        const auto channels = epilogue.channels(block.channel + v * simd::kLanes);
#pragma GCC unroll 16
        for (std::size_t p = 0; p < kPixels; ++p)
            channels.store(block.output + p * window.output_pixel + v * simd::kLanes, sums[p][v],
                           block.addend + p * window.addend_pixel + v * simd::kLanes);
    }
}

// One entry a number of pixels, index 0 unused.
template <class Products, class Output, class Epilogue>
struct ConvBodies {
    using Block = ConvBlock<Products, Output, typename Epilogue::Addend>;
    using Body = void (*)(const ConvShape&, const ConvWindow<typename Products::Input, Output>&,
                          const Block&, const Epilogue&);
    Body of_pixels[kMaxPixels + 1];

    template <std::size_t kBlocks, std::size_t kPixels = 1>
    constexpr void fill() {
        of_pixels[kPixels] = convolve_block<Products, kBlocks, kPixels, Output, Epilogue>;
        if constexpr (kPixels < kMaxPixels) fill<kBlocks, kPixels + 1>();
    }
    template <std::size_t kBlocks>
    static constexpr ConvBodies make() {
        ConvBodies bodies{};
        bodies.template fill<kBlocks>();
        return bodies;
    }
};

// Calls visit(row, first pixel, pixels) for stretches of rows of nearly equal length, so that no short
// one is left over.
template <class Window, class Visit>
void for_each_stretch(const Window& window, const Visit& visit) {
    const std::size_t stretches = (window.width + kMaxPixels - 1) / kMaxPixels;
    for (std::size_t y = 0; y < window.height; ++y)
        for (std::size_t i = 0, x = 0; i < stretches; ++i) {
            const std::size_t pixels = window.width / stretches + (i < window.width % stretches);
            visit(y, x, pixels);
            x += pixels;
        }
}

// Calls visit(first block of output channels, whether it and the next one go together).
template <class Visit>
void for_each_block(std::size_t out_blocks, const Visit& visit) {
    for (std::size_t i = 0; i < out_blocks;) {
        const bool pair = kMaxBlocks == 2 && i + 2 <= out_blocks;
        visit(i, pair);
        i += pair ? 2 : 1;
    }
}

template <class Products, class Output, class Epilogue>
constexpr auto kSingleBlocks =
    ConvBodies<Products, Output, Epilogue>::template make<1>();
template <class Products, class Output, class Epilogue>
constexpr auto kBlockPairs =
    ConvBodies<Products, Output, Epilogue>::template make<kMaxBlocks>();

template <class Products, class Output, class Epilogue>
void convolve(const ConvShape& shape, const typename Products::Weight* weights,
              const ConvWindow<typename Products::Input, Output>& window,
              const Epilogue& epilogue) {
    using Addend = typename Epilogue::Addend;
    const auto* addend = static_cast<const Addend*>(window.addend);
    for_each_block(shape.out_blocks, [&](std::size_t i, bool pair) {
        const auto& bodies = pair ? kBlockPairs<Products, Output, Epilogue>
                                  : kSingleBlocks<Products, Output, Epilogue>;
        const std::size_t channel = i * kChannelBlock;
        for_each_stretch(window, [&](std::size_t y, std::size_t x, std::size_t pixels) {
            const ConvBlock<Products, Output, Addend> block{
                weights + i * block_size<Products>(shape), channel,
                window.input + y * window.input_row + x * window.input_pixel,
                window.output + y * window.output_row + x * window.output_pixel + channel,
                addend + y * window.addend_row + x * window.addend_pixel + channel};
            bodies.of_pixels[pixels](shape, window, block, epilogue);
        });
    });
}

// The same where there are many kinds of epilogue: the sums of a register block lie in memory in
// between, so that each number of pixels is compiled once for all of them.
template <class Products, class Output, class Epilogue>
void convolve_apart(const ConvShape& shape, const typename Products::Weight* weights,
                    const ConvWindow<typename Products::Input, Output>& window,
                    const Epilogue& epilogue) {
    using Addend = typename Epilogue::Addend;
    using Sums = SumsFinish;
    const auto* addend = static_cast<const Addend*>(window.addend);
    std::int32_t sums[kMaxPixels * kMaxBlocks * kChannelBlock];
    ConvWindow<typename Products::Input, std::int32_t> given{};
    given.input_pixel = window.input_pixel;
    given.tap_pixel = window.tap_pixel;
    given.tap_row = window.tap_row;
    for_each_block(shape.out_blocks, [&](std::size_t i, bool pair) {
        const auto& bodies = pair ? kBlockPairs<Products, std::int32_t, Sums>
                                  : kSingleBlocks<Products, std::int32_t, Sums>;
        const std::size_t first = i * kChannelBlock;
        const std::size_t channels = (pair ? kMaxBlocks : 1) * kChannelBlock;
        given.output_pixel = channels;
        for_each_stretch(window, [&](std::size_t y, std::size_t x, std::size_t pixels) {
            const ConvBlock<Products, std::int32_t, std::int32_t> block{
                weights + i * block_size<Products>(shape), first,
                window.input + y * window.input_row + x * window.input_pixel, sums, sums};
            bodies.of_pixels[pixels](shape, given, block, Sums{epilogue.epilogue.bias});
            Output* output = window.output + y * window.output_row + x * window.output_pixel + first;
            const Addend* added =
                addend + y * window.addend_row + x * window.addend_pixel + first;
            for (std::size_t c = 0; c < channels; c += simd::kLanes) {
                const auto finish = epilogue.channels(first + c);
                for (std::size_t p = 0; p < pixels; ++p)
                    finish.store(output + p * window.output_pixel + c,
                                 simd::load_i32(sums + p * channels + c),
                                 added + p * window.addend_pixel + c);
            }
        });
    });
}

void conv(const FloatConv& conv, const ConvWindow<float, float>& window) {
    with_finish(conv.epilogue, window, [&](const auto& finish, const auto& given) {
        convolve<FloatProducts>(conv.shape, conv.weights, given, finish);
    });
}

template <class Input>
using ProductsOf = std::conditional_t<sizeof(Input) == 1, ByteProducts, WordProducts>;

template <class Input, class Output, class Weight>
void integer_conv(const IntegerConv<Weight>& conv, const ConvWindow<Input, Output>& window) {
    with_finish(conv.epilogue, window, [&](const auto& finish, const auto& given) {
        convolve_apart<ProductsOf<Input>>(conv.shape, conv.weights, given, finish);
    });
}

void integer_products(const IntegerProducts& products,
                      const ConvWindow<std::int16_t, std::int32_t>& window) {
    convolve<WordProducts>(products.shape, products.weights, without_addend(window),
                           ShiftFinish{products.shift});
}

}  // namespace
}  // namespace nnr
