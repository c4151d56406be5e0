// Weights in the order in which the kernels read them.
#pragma once

#include <span>

#include "operations.hpp"

namespace nnr::network {

// By blocks of output channels and groups of input channels: see FloatConv.
template <class To, class From>
std::vector<To> pack_blocks(std::span<const From> weights, const WeightShape& shape,
                            std::size_t group);

// Output channel by output channel, and the channels of a pixel side by side.
template <class To, class From>
std::vector<To> pack_thin(std::span<const From> weights, const WeightShape& shape);

// Pixel by pixel, the channels side by side, from (channel, kernel row, kernel column).
template <class Weight>
std::vector<Weight> pack_depthwise(std::span<const Weight> weights, std::size_t channels,
                                   std::size_t taps);

// Transformed as kernels/winograd.hpp transforms its input; computed in float64, rounded once.
std::vector<float> pack_winograd(std::span<const float> weights, const WeightShape& shape);

// From (position, out channel, in channel).
std::vector<std::int16_t> pack_positions(std::span<const std::int16_t> weights, std::size_t outs,
                                         std::size_t ins);

}  // namespace nnr::network
