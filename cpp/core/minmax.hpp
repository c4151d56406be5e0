#pragma once

#include <optional>
#include <span>

#include "tensor_view.hpp"

namespace nnr {

// The range of every channel, in float32; `lo` and `hi` hold layout.channels values. An empty
// channel gets +infinity and -infinity. Returns the index of the first value that is not finite;
// then the ranges are unspecified. threads = 0 chooses.
std::optional<std::size_t> minmax(const ConstTensorView& tensor, unsigned threads,
                                  std::span<float> lo, std::span<float> hi);

}  // namespace nnr
