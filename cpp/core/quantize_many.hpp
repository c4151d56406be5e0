#pragma once

#include <optional>
#include <span>

#include "tensor_view.hpp"

namespace nnr {

// A tensor to be quantised over its own range: what goes in and what comes out.
struct QuantizeTask {
    ConstTensorView tensor;
    std::span<float> lo;  // layout.channels values; 0 for a tensor without elements
    std::span<float> hi;
    std::span<std::uint8_t> packed;  // packed_bytes(layout.count(), bits) bytes

    // Where one of these is set, the codes are unspecified.
    std::optional<std::size_t> not_finite;   // the first such element
    std::optional<std::size_t> overflowing;  // see first_overflowing
};

// Two passes over every tensor, its range and its codes. threads = 0 chooses; no result depends on it.
void quantize_many(std::span<QuantizeTask> tasks, unsigned bits, unsigned threads);

}  // namespace nnr
