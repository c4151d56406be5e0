// What encoder and decoder have to agree on before the levels of one tensor: its shape as a matrix,
// the tools in use, and where in its store each context lies.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "../../kernels/trellis_tables.hpp"
#include "inline.hpp"
#include "probability.hpp"

namespace nnr::nnc {

// Levels of a codebook tensor are indices less the index of the zero.
struct CodebookRange {
    std::uint32_t size = 0;  // 0 where there is none
    std::uint32_t zero_offset = 0;

    bool is_constant() const { return size == 1; }
    // The largest magnitude of a level of this sign.
    std::uint32_t limit(bool negative) const {
        return negative ? zero_offset : size - 1 - zero_offset;
    }
    bool has_one_sign() const {
        return size != 0 && (zero_offset == 0 || zero_offset + 1 == size);
    }
    std::uint32_t largest() const { return std::max(limit(false), limit(true)); }
};

struct Layer {
    std::uint64_t rows = 0, columns = 0;
    bool dq = false;
    unsigned greater_flags = 10;  // cabac_unary_length
    unsigned scan_order = 0;
    unsigned edition = 2;
    bool has_parent = false;
    CodebookRange codebook;
    std::span<const std::int32_t> base_levels;  // of temporal context modelling; empty without
    std::span<const std::uint8_t> history;      // positions that were not zero before; empty without

    bool is_matrix() const { return rows > 1 && columns > 1; }
    bool is_temporal() const { return !base_levels.empty(); }
    bool has_levels() const { return !codebook.is_constant(); }
    // The part of the syntax that edition 1 does not have.
    bool has_row_syntax() const { return edition == 2 && is_matrix() && has_levels(); }
    CodebookRange limits() const { return edition == 2 ? codebook : CodebookRange{}; }
};

// The order in which positions are coded: blocks by block rows, in a block row by row. Row-major
// order is a single block.
struct Scan {
    std::uint64_t rows, columns, block_rows, block_columns;

    explicit Scan(const Layer& layer)
        : rows(layer.rows),
          columns(layer.columns),
          block_rows(layer.rows),
          block_columns(layer.columns) {
        if (layer.scan_order == 0 || !layer.is_matrix()) return;
        block_rows = block_columns = std::uint64_t{4} << layer.scan_order;
    }
    bool has_blocks() const { return block_rows != rows || block_columns != columns; }
    std::uint64_t count() const { return block_rows == 0 ? 0 : (rows + block_rows - 1) / block_rows; }

    // Calls segment(row, first column, length) for what lies together in memory.
    template <class Segment>
    NNR_INLINE void block_row(std::uint64_t index, const Segment& segment) const {
        const std::uint64_t top = index * block_rows;
        const std::uint64_t bottom = std::min(rows, top + block_rows);
        for (std::uint64_t left = 0; left < columns; left += block_columns)
            for (std::uint64_t row = top; row < bottom; ++row)
                segment(row, left, std::min(block_columns, columns - left));
    }
};

namespace trellis {

constexpr unsigned kStates = kTrellisStates;

constexpr unsigned next(unsigned state, std::uint32_t level) {
    return kTrellisNext[state][level & 1];
}

// The state after `count` zeros; four of them lead back to where they began.
constexpr unsigned after_zeros(unsigned state, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count % 4; ++i) state = next(state, 0);
    return state;
}

// The multiple of the step that a level stands for.
constexpr std::uint32_t multiple(std::uint32_t level, unsigned state) {
    const auto value = static_cast<std::int32_t>(level);
    const std::uint32_t odd = state & 1;
    return 2 * level - (value > 0 ? odd : value < 0 ? -odd : 0);
}

}  // namespace trellis

// Where contexts lie in the store.
namespace at {

constexpr unsigned kSignificance = 0, kSignificanceTemporal = 24, kSignificanceHistory = 40;
constexpr unsigned kSign = 48, kSignTemporal = 51, kGreater = 53;
constexpr unsigned kPrefixes = 31;

constexpr unsigned greater_temporal(unsigned greater_flags) { return kGreater + 2 * greater_flags; }
constexpr unsigned prefix(unsigned greater_flags) { return kGreater + 4 * greater_flags; }
constexpr unsigned configured(unsigned greater_flags) { return prefix(greater_flags) + 34; }
constexpr unsigned row_skip(unsigned greater_flags) { return prefix(greater_flags) + 36; }
constexpr unsigned end(unsigned greater_flags) { return prefix(greater_flags) + 37; }

}  // namespace at

// Of three contexts, the one for a neighbour of this sign.
constexpr unsigned sign_context(bool negative) { return negative ? 1 : 2; }
constexpr unsigned by_sign(std::int32_t neighbour) {
    return neighbour == 0 ? 0 : sign_context(neighbour < 0);
}

// The contexts whose configuration is sent, in the order in which it is. Edition 1 sends one prefix
// context more.
template <class Visit>
void for_each_configured(const Layer& layer, bool with_history, unsigned prefixes,
                         const Visit& visit) {
    const auto range = [&](unsigned first, unsigned count) {
        for (unsigned i = 0; i < count; ++i) visit(first + i);
    };
    const CodebookRange codebook = layer.limits();
    const unsigned states = layer.dq ? trellis::kStates : 1, flags = layer.greater_flags;
    const std::uint32_t largest = codebook.size != 0 ? codebook.largest() : UINT32_MAX / 4;
    const auto limited = [&](std::uint32_t by) {
        return static_cast<unsigned>(std::min<std::uint32_t>(2 * flags, 2 * by));
    };
    if (!codebook.is_constant()) {
        range(at::kSignificance, 3 * states);
        if (layer.is_temporal()) range(at::kSignificanceTemporal, 2 * states);
        if (with_history) range(at::kSignificanceHistory, states);
        if (!codebook.has_one_sign()) range(at::kSign, layer.is_temporal() ? 5 : 3);
    }
    range(at::kGreater, limited(largest));
    if (layer.is_temporal())
        range(at::greater_temporal(flags), limited(largest == 0 ? 0 : largest - 1));
    for (unsigned i = 0; i < prefixes; ++i)
        if (codebook.size == 0 || flags - 1 + ((std::uint64_t{2} << i) - 1) < largest)
            visit(at::prefix(flags) + i);
}

inline std::vector<Context> fresh_store(unsigned greater_flags) {
    return std::vector<Context>(at::end(greater_flags), Context::of(0));
}

}  // namespace nnr::nnc
