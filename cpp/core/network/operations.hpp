// What a layer of a network does. Rows and columns are treated alike, so that sizes and regions are
// computed along one axis at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "../../kernels/kernel_table.hpp"

namespace nnr::network {

// Positions along an axis; negative ones lie before the image.
using Index = std::ptrdiff_t;

enum class Axis : std::size_t { rows, columns };

template <class T>
using PerAxis = std::array<T, 2>;

template <class T>
const T& along(const PerAxis<T>& values, Axis axis) {
    return values[static_cast<std::size_t>(axis)];
}

template <class T>
T& along(PerAxis<T>& values, Axis axis) {
    return values[static_cast<std::size_t>(axis)];
}

struct Margin {
    Index before = 0;
    Index after = 0;
};

// (out channel, in channel, kernel row, kernel column)
using WeightShape = std::array<std::size_t, 4>;

// What a convolution sees; outside its input it reads zeros.
struct ConvGeometry {
    PerAxis<std::size_t> kernel;
    PerAxis<Margin> margins;
    PerAxis<std::size_t> stride;
};

// `direct` forms every product, `thin` does so for few outputs, `blocks` is Winograd's way.
enum class ConvMethod { direct, thin, blocks };

// Where the blocks of a convolution begin: at rows and columns that are equal to this modulo 4.
using Phase = PerAxis<Index>;

// Where there are two inputs, the second is added before the activation.
struct Conv {
    ConvGeometry geometry;
    ConvMethod method;
    std::size_t in_channels;
    std::size_t out_channels;
    std::size_t out_blocks;
    std::vector<float> weights;  // as the method's kernel has them; of blocks, a position after the other
    std::vector<float> bias;
    std::vector<float> slopes;  // empty, or of an activation that follows
    Phase phase{};
};

struct DepthwiseConv {
    ConvGeometry geometry;
    std::size_t out_blocks;
    std::vector<float> weights;
    std::vector<float> bias;
    std::vector<float> slopes;
};

// x < 0 ? slope * x : x, a slope a channel; a slope of 0 gives 0 for minus infinity too.
struct Slope {
    std::vector<float> slopes;
};

// x * scale + offset, both a channel.
struct Affine {
    std::vector<float> scales;
    std::vector<float> offsets;
};

struct Clip {
    float lo;
    float hi;
};

struct Add {};

struct Mul {};

struct Concat {};

struct Slice {
    std::size_t first_channel;
};

// Rows and columns that are left out.
struct Crop {
    PerAxis<Margin> margins;
};

enum class DepthOrder { block_major, channel_major };  // ONNX: DCR, CRD

struct DepthToSpace {
    std::size_t block;
    DepthOrder order;
};

struct SpaceToDepth {
    std::size_t block;
};

enum class PadMode { constant, edge, reflect };

struct Pad {
    PerAxis<Margin> margins;
    PadMode mode;
    std::vector<std::byte> pixel;  // of the mode `constant`
};

// Integer networks: docs/integer.md. All have one number a channel, filled up to whole blocks.
struct IntegerScaling {
    std::vector<std::int32_t> bias;
    std::vector<std::int32_t> multipliers;
    std::vector<std::int32_t> negative_multipliers;
    std::vector<std::int32_t> zeros;
    std::vector<std::int32_t> addend_multipliers;
    std::vector<std::int32_t> addend_zeros;
    std::int32_t lo;
    std::int32_t hi;
};

struct IntegerDirectConv {
    ConvGeometry geometry;
    ConvMethod method;  // direct or thin
    std::size_t in_channels;
    std::size_t out_channels;
    std::size_t out_blocks;
    std::vector<std::int8_t> byte_weights;   // of an input of u8
    std::vector<std::int16_t> word_weights;  // of one of i16
    IntegerScaling scaling;
};

struct IntegerDepthwiseConv {
    ConvGeometry geometry;
    std::vector<std::int16_t> weights;  // [kernel row][kernel column][channel]
    IntegerScaling scaling;
};

struct IntegerBlocks {
    ConvGeometry geometry;
    std::size_t in_channels;
    std::size_t out_blocks;
    std::vector<std::int16_t> weights;  // as IntegerProducts has them, a position after the other
    std::vector<std::int16_t> in_zeros;
    std::array<std::uint32_t, kWinogradPositions> shifts;
    IntegerScaling scaling;
    Phase phase;
};

// Element by element: a rescaling of one value, or the sum of two.
struct IntegerRescale {
    std::vector<std::int32_t> multipliers;
    std::vector<std::int32_t> second_multipliers;  // of negative numbers, or of the second value
    std::vector<std::int32_t> offsets;             // of a rescaling
    std::vector<std::int32_t> in_zeros;
    std::vector<std::int32_t> second_zeros;  // of a sum
    std::vector<std::int32_t> zeros;
    std::int32_t lo;
    std::int32_t hi;
};

struct IntegerMultiply {
    std::vector<std::int32_t> multipliers;
    std::vector<std::int32_t> zeros;
    std::int32_t lo;
    std::int32_t hi;
};

using Operation =
    std::variant<Conv, DepthwiseConv, Slope, Affine, Clip, Add, Mul, Concat, Slice, Crop,
                 DepthToSpace, SpaceToDepth, Pad, IntegerDirectConv, IntegerDepthwiseConv,
                 IntegerBlocks, IntegerRescale, IntegerMultiply>;

using ValueId = std::size_t;

struct Layer {
    std::string name;
    Operation operation;
    std::vector<ValueId> inputs;
    ValueId output;
};

// Where the layer computes whole blocks: the place of their grid.
inline const Phase* block_phase(const Operation& operation) {
    if (const auto* conv = std::get_if<Conv>(&operation))
        return conv->method == ConvMethod::blocks ? &conv->phase : nullptr;
    if (const auto* blocks = std::get_if<IntegerBlocks>(&operation)) return &blocks->phase;
    return nullptr;
}

// What a convolution of any kind sees; null for other layers.
inline const ConvGeometry* conv_geometry(const Operation& operation) {
    return std::visit(
        [](const auto& known) -> const ConvGeometry* {
            if constexpr (requires { known.geometry; })
                return &known.geometry;
            else
                return nullptr;
        },
        operation);
}

}  // namespace nnr::network
