#pragma once

#include <optional>
#include <span>

#include "tensor_view.hpp"

namespace nnr {

// The affine uniform quantiser of `bits` bits over [lo, hi]: step = (hi - lo) / (2^bits - 1), at
// least the smallest normal float32 so that 1 / step is finite too; 0 for a range of one value.
// Needs lo <= hi and a width that is finite in float32.
QuantizerParameters make_quantizer(float lo, float hi, unsigned bits);

// The first channel whose range the arithmetic cannot hold: its width, or the value of its last code,
// overflows float32.
std::optional<std::size_t> first_overflowing(std::span<const float> lo, std::span<const float> hi,
                                             unsigned bits);

struct QuantizeOutcome {
    std::uint64_t clipped;
    std::optional<std::size_t> not_finite;  // where it is set, the codes are unspecified
};

// Quantises and packs: `lo` and `hi` hold layout.channels values, `packed` has
// packed_bytes(count, bits) bytes. threads = 0 chooses; the result does not depend on it.
QuantizeOutcome quantize(const ConstTensorView& tensor, std::span<const float> lo,
                         std::span<const float> hi, unsigned bits, unsigned threads,
                         std::span<std::uint8_t> packed);

// Unpacks and dequantises; the arguments mirror `quantize`. Memory that the system has yet to provide
// (`is_new`) comes to the cache when it is first touched.
void dequantize(std::span<const std::uint8_t> packed, std::span<const float> lo,
                std::span<const float> hi, unsigned bits, unsigned threads,
                const TensorView& tensor, bool is_new);

}  // namespace nnr
