#pragma once

#include "tiling.hpp"

namespace nnr::network {

// The size of every value along one axis; a std::invalid_argument where there is none.
std::vector<Index> checked_sizes(const Plan& plan, Axis axis, Index length);

}  // namespace nnr::network
