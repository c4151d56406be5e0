// From levels to the values they stand for.
#pragma once

#include <cstddef>
#include <cstdint>

#include "units.hpp"

namespace nnr::nnc {

// float32 products of step and level; `values` may be where the levels are.
void reconstruct_floats(const std::int32_t* levels, std::uint64_t count, float step, void* values);

// float64 products of step and entry. The first level outside the codebook, else `count`.
std::uint64_t reconstruct_codebook(const std::int32_t* levels, std::uint64_t count, float step,
                                   const Codebook& codebook, double* values);

}  // namespace nnr::nnc
