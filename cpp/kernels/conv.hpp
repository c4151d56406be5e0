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

// Rows are cut into stretches of nearly equal length, so that no short one is left over.
template <class Products, class Output, class Epilogue>
void convolve_rows(const ConvBodies<Products, Output, Epilogue>& bodies, const ConvShape& shape,
                   const ConvWindow<typename Products::Input, Output>& window,
                   ConvBlock<Products, Output, typename Epilogue::Addend> block,
                   const Epilogue& epilogue) {
    const std::size_t stretches = (window.width + kMaxPixels - 1) / kMaxPixels;
    for (std::size_t y = 0; y < window.height; ++y) {
        auto stretch = block;
        for (std::size_t i = 0; i < stretches; ++i) {
            const std::size_t pixels = window.width / stretches + (i < window.width % stretches);
            bodies.of_pixels[pixels](shape, window, stretch, epilogue);
            stretch.input += pixels * window.input_pixel;
            stretch.output += pixels * window.output_pixel;
            stretch.addend += pixels * window.addend_pixel;
        }
        block.input += window.input_row;
        block.output += window.output_row;
        block.addend += window.addend_row;
    }
}

template <class Products, class Output, class Epilogue>
void convolve(const ConvShape& shape, const typename Products::Weight* weights,
              const ConvWindow<typename Products::Input, Output>& window,
              const Epilogue& epilogue) {
    using Bodies = ConvBodies<Products, Output, Epilogue>;
    static constexpr Bodies single = Bodies::template make<1>();
    static constexpr Bodies pair = Bodies::template make<kMaxBlocks>();
    for (std::size_t i = 0; i < shape.out_blocks;) {
        const bool paired = kMaxBlocks == 2 && i + 2 <= shape.out_blocks;
        const std::size_t channel = i * kChannelBlock;
        const auto* addend = static_cast<const typename Epilogue::Addend*>(window.addend);
        const typename Bodies::Block block{weights + i * block_size<Products>(shape), channel,
                                           window.input, window.output + channel,
                                           addend + channel};
        convolve_rows(paired ? pair : single, shape, window, block, epilogue);
        i += paired ? 2 : 1;
    }
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
        convolve<ProductsOf<Input>>(conv.shape, conv.weights, given, finish);
    });
}

void integer_products(const IntegerProducts& products,
                      const ConvWindow<std::int16_t, std::int32_t>& window) {
    convolve<WordProducts>(products.shape, products.weights, without_addend(window),
                           ShiftFinish{products.shift});
}

}  // namespace
}  // namespace nnr
