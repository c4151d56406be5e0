// From the levels of one tensor to the arithmetic code.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "arithmetic_encoder.hpp"
#include "binarization.hpp"
#include "layer.hpp"

namespace nnr::nnc {

// What an encoder is free to choose about a layer.
struct LayerChoices {
    std::vector<std::uint8_t> skipped;         // one a row; empty where rows are not skipped
    bool with_history = false;
    std::vector<std::uint8_t> configurations;  // one a context of the store
};

struct EncodedEntry {
    std::uint64_t position;
    std::uint32_t low;
    std::uint8_t dq_state;
};

// One a row: whether all its levels are zero; empty where the syntax does not skip rows.
std::vector<std::uint8_t> zero_rows(const Layer& layer, std::span<const std::int32_t> levels);

// Levels as they are coded, before dependent quantisation makes multiples of the step of them.
// Appends to `entries` the beginning of every block row if there are several.
void encode_layer(ArithmeticEncoder& encoder, const Layer& layer, const LayerChoices& choices,
                  std::span<const std::int32_t> levels, std::vector<EncodedEntry>& entries);

// Visits all levels in their order: begin_block_row(state) before each block row, and
// level(position, level, neighbour, state) for those that are not skipped. NNCodec's search for
// configurations keeps the neighbour across block rows.
template <class BeginBlockRow, class Level>
NNR_INLINE void walk_levels(const Layer& layer, const LayerChoices& choices, const std::int32_t* levels,
                 bool keep_neighbour, const BeginBlockRow& begin_block_row, const Level& visit) {
    const Scan scan(layer);
    const std::uint8_t* const skipped = choices.skipped.empty() ? nullptr : choices.skipped.data();
    unsigned state = 0;
    std::int32_t neighbour = 0;
    for (std::uint64_t index = 0; index < scan.count(); ++index) {
        begin_block_row(state);
        if (!keep_neighbour) neighbour = 0;
        scan.block_row(index, [&](std::uint64_t row, std::uint64_t left, std::uint64_t length) {
            if (skipped != nullptr && skipped[row] != 0) {
                if (layer.dq) state = trellis::after_zeros(state, layer.columns);
                return;
            }
            const std::uint64_t first = row * layer.columns + left;
            for (std::uint64_t position = first; position < first + length; ++position) {
                const std::int32_t level = levels[position];
                visit(position, level, neighbour, state);
                neighbour = level;
                if (layer.dq) state = trellis::next(state, static_cast<std::uint32_t>(level));
            }
        });
    }
}

// Whether no level depends on anything but its neighbour and state.
inline bool is_plain(const Layer& layer, const LayerChoices& choices) {
    return !layer.is_temporal() && !choices.with_history && layer.limits().size == 0;
}

// Hands one level to a coder; compiled apart for plain layers, which are nearly all.
template <bool kPlain, class Coder>
NNR_INLINE void write_level_of(Coder& coder, const Layer& layer, const LayerChoices& choices,
                               std::uint64_t position, std::uint32_t magnitude, bool negative,
                               std::int32_t neighbour, unsigned state) {
    if constexpr (kPlain) {
        write_level(coder, layer, CodebookRange{}, {magnitude, negative, neighbour, state, 0, false});
    } else {
        const std::int32_t base = layer.is_temporal() ? layer.base_levels[position] : 0;
        const bool in_history = choices.with_history && layer.history[position] != 0;
        write_level(coder, layer, layer.limits(),
                    {magnitude, negative, neighbour, state, base, in_history});
    }
}

}  // namespace nnr::nnc
