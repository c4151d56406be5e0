#pragma once

#include <stdexcept>
#include <string>

#include "packing.hpp"

namespace nnr::network {

inline void require(bool condition, const std::string& name, const std::string& what) {
    if (!condition) throw std::invalid_argument(name + ": " + what);
}

inline constexpr std::size_t kMaxThinOutputs = 4;

// What holds for convolutions of any kind; `channels` are those that each output sees.
void check_conv(const std::string& name, const ConvGeometry& geometry, const WeightShape& shape,
                std::size_t weights, std::size_t biases, std::size_t channels);

}  // namespace nnr::network
