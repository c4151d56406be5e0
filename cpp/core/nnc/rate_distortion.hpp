// Levels that weigh what they cost in bits against the error that they leave.
#pragma once

#include <cstdint>
#include <span>

#include "layer_encoder.hpp"

namespace nnr::nnc {

// For layers whose levels depend on nothing but neighbour and state. `choices` says which rows are
// skipped and where contexts start; `weight` is in squared steps a bit. Rates are those of contexts
// that adapt as the coder's will.
void quantize_rate_distortion(const Layer& layer, const LayerChoices& choices,
                              std::span<const float> weights, float step, double weight,
                              std::int32_t* levels);

}  // namespace nnr::nnc
