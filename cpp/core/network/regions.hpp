// Which part of every value a sequence of cuts of the output needs, along one axis.
#pragma once

#include "tiling.hpp"

namespace nnr::network {

// What of its output a layer computes for this part of it: where it computes blocks, all of those that
// the part touches, even where they reach beyond the image.
Interval whole_blocks(const Layer& layer, Axis axis, const Interval& part);

// Of consecutive parts of the output, computed one after the other: for each, [cut][value], what of a
// value is kept from the cut before and what is computed.
std::vector<Rows> needed_regions(const Plan& plan, Axis axis, const std::vector<Index>& sizes,
                                 const std::vector<Interval>& outputs);

}  // namespace nnr::network
