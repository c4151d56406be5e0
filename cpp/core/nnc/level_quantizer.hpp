// From weights to levels: rounding, or the trellis of dependent quantisation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "layer.hpp"

namespace nnr::nnc {

// Levels whose multiple of the step would not fit into 32 bits are refused beyond this magnitude.
constexpr double kLargestLevel = 1 << 29;

// The first value that is not finite or too large for its step.
std::optional<std::size_t> first_unquantizable(std::span<const float> weights, float step);

void quantize_uniform(std::span<const float> weights, float step, std::int32_t* levels);

// The sequence of levels with the least squared error, over the scan order of the layer; rows in
// `skipped` hold zeros and keep them.
void quantize_trellis(const Layer& layer, std::span<const std::uint8_t> skipped,
                      std::span<const float> weights, float step, std::int32_t* levels);

}  // namespace nnr::nnc
