// The trellis at the vector levels: the plain loop, but where a level has a body of its own.
#pragma once

#if defined(NNR_LEVEL_AVX512)
#include "trellis_avx512.hpp"
#else
#include "reference/trellis.hpp"

namespace nnr {
namespace {
using reference::trellis;
}
}  // namespace nnr
#endif
