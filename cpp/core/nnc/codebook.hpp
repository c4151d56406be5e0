// Codebooks: the few distinct multiples of the step that a tensor has, and levels that index them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "units.hpp"

namespace nnr::nnc {

// The codebook of all distinct values, with the most frequent of them as its zero; none where there
// are too many of them to gain anything.
std::optional<Codebook> codebook_of(std::span<const std::int32_t> multiples);

// For every value its index in the codebook, less that of the zero.
std::vector<std::int32_t> indices_of(std::span<const std::int32_t> multiples,
                                     const Codebook& codebook);

}  // namespace nnr::nnc
