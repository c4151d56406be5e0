// Which configuration each context of a layer had better start from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layer_encoder.hpp"

namespace nnr::nnc {

// All costs are in parts of this.
inline constexpr double kCostOfBit = 32768;

struct SearchOptions {
    // As NNCodec searches: with dependent quantisation it takes the magnitudes of multiples of the
    // step where levels are coded, and it keeps the neighbour at block rows.
    bool nncodec = false;
};

struct SearchResult {
    std::vector<std::uint8_t> configurations;  // one a context of the store
    std::uint64_t cost = 0;  // of the levels and of what is sent before them, in 1/32768 bits
};

// Runs all nine configurations of every context over the bins that the levels give.
SearchResult search_configurations(const Layer& layer, const LayerChoices& choices,
                                   std::span<const std::int32_t> levels,
                                   const SearchOptions& options);

const ContextBinCosts& bin_costs();

}  // namespace nnr::nnc
