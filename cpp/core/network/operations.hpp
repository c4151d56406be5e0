// What a layer of a network does. Rows and columns are treated alike, so that sizes and regions are
// computed along one axis at a time.
#pragma once

#include <array>
#include <cstddef>
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

// Stride 1; outside its input it reads zeros.
struct Conv {
    PerAxis<std::size_t> kernel;
    PerAxis<Margin> margins;
    std::size_t in_channels;
    std::size_t out_blocks;
    std::vector<float> weights;  // as ConvParameters has them
    std::vector<float> bias;
    std::vector<float> slopes;  // empty, or of an activation that follows
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
    float value;
};

using Operation = std::variant<Conv, Slope, Affine, Clip, Add, Mul, Concat, Slice, DepthToSpace,
                               SpaceToDepth, Pad>;

using ValueId = std::size_t;

struct Layer {
    std::string name;
    Operation operation;
    std::vector<ValueId> inputs;
    ValueId output;
};

}  // namespace nnr::network
