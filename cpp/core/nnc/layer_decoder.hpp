// From the arithmetic code to the levels of one tensor.
#pragma once

#include <cstdint>
#include <span>

#include "arithmetic_decoder.hpp"
#include "layer.hpp"

namespace nnr::nnc {

// Where a block row after the first begins, and what the decoder holds there.
struct EntryPoint {
    std::uint64_t bits;  // since the block row before
    std::uint8_t value;
    std::uint8_t dq_state;
};

struct LayerOptions {
    unsigned prefixes = at::kPrefixes;   // context ids sent for the remainder's prefix
    std::span<const EntryPoint> entries;  // empty: one block row after the other
    unsigned threads = 1;
};

// Decodes layer.rows * layer.columns levels in row-major order, for dependent quantisation already
// as multiples of the step, and leaves the decoder behind them. Whether the entry points are used,
// and by how many threads, makes no difference to the result.
void decode_layer(ArithmeticDecoder& decoder, const Layer& layer, const LayerOptions& options,
                  std::int32_t* levels);

}  // namespace nnr::nnc
