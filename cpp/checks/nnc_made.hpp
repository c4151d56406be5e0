// Bitstreams with everything that a decoder takes and our encoder does not write: blocks, factors,
// first editions, parents by hash, entry points beside any of them. Written by a plain second
// writer, which knows what has to come out.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "../core/nnc/bit_writer.hpp"
#include "../core/nnc/layer_encoder.hpp"
#include "../core/nnc/step.hpp"
#include "../core/nnc/units.hpp"
#include "choices.hpp"
#include "nnc_decoding.hpp"

namespace nnr::checks {

struct MadeUnit {
    DataUnit header;
    bool has_unary_length = true;
    Past past;
    std::vector<std::vector<std::int32_t>> levels;  // as the decoder gives them
    std::vector<std::int32_t> qps;
};

struct MadeStream {
    Parameters parameters;
    unsigned prefixes = at::kPrefixes;  // of edition 1 there are two kinds
    std::vector<MadeUnit> units;
    std::vector<std::uint8_t> bytes;
};

inline void write_node_id(BitWriter& bits, const NodeId& node, bool with_device) {
    if (with_device) bits.ue(node.device_id, 1);
    bits.ue(node.parameter_id, 5);
    bits.ue(node.put_node_depth, 4);
}

inline void write_parent(BitWriter& bits, const DataUnit& unit) {
    bits.flag(unit.parent.has_value());
    if (!unit.parent) return;
    bits.u(static_cast<std::uint8_t>(unit.parent->type), 2);
    bits.flag(unit.parent->temporal_context_modeling);
    for (const std::uint8_t byte : unit.parent->hash) bits.u(byte, 8);
    if (unit.parent->type != ParentIdType::node) return;
    bits.ue(unit.parent->node.device_id, 1);
    if (!unit.node) write_node_id(bits, unit.parent->node, false);
}

inline void write_entries(BitWriter& bits, const Codebook& codebook) {
    const auto size = static_cast<std::int64_t>(codebook.entries.size());
    const auto zero = static_cast<std::int64_t>(codebook.zero_offset);
    const auto gap = [&](std::int64_t i) {
        const auto at = codebook.entries.begin() + i;
        return static_cast<std::uint64_t>(std::int64_t{*at} - *(at - 1) - 1);
    };
    bits.u(codebook.egk, 4);
    bits.ue(static_cast<std::uint64_t>(size), 2);
    bits.ie(zero - size / 2, 2);
    bits.ie(codebook.entries[codebook.zero_offset], 7);
    for (std::int64_t i = zero; i > 0; --i) bits.ue(gap(i), codebook.egk);
    for (std::int64_t i = zero + 1; i < size; ++i) bits.ue(gap(i), codebook.egk);
}

inline void write_names(BitWriter& bits, const DataUnit& unit) {
    const bool several = unit.names.size() > 1;
    bits.u(static_cast<std::uint8_t>(unit.type), 5);
    bits.flag(several);
    bits.flag(unit.decompressed_format.has_value());
    bits.flag(true);
    if (several) {
        bits.ue(unit.names.size() - 2, 7);
        bits.byte_alignment();
    }
    for (const std::string& name : unit.names) bits.st(name);
}

inline std::uint64_t entry_count(std::uint64_t rows, unsigned scan_order) {
    const std::uint64_t block = std::uint64_t{4} << scan_order;
    return rows == 0 ? 0 : (rows + block - 1) / block - 1;
}

inline void write_scan_order(BitWriter& bits, const DataUnit& unit) {
    bits.u(unit.scan_order, 4);
    if (unit.scan_order == 0) return;
    std::uint64_t count = entry_count(unit.dimensions[0], unit.scan_order);
    if ((unit.parts & parts::kDecomposition) != 0)
        count = entry_count(unit.g_rows, unit.scan_order) +
                entry_count(unit.decomposition_rank, unit.scan_order);
    std::int64_t before = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        // Nothing is known of those that no decoder uses.
        const EntryPoint entry = i < unit.entries.size() ? unit.entries[i] : EntryPoint{};
        const auto length = static_cast<std::int64_t>(entry.bits);
        bits.u(entry.value, 8);
        if (unit.dq) bits.u(entry.dq_state, 3);
        if (i == 0)
            bits.ue(entry.bits, 11);
        else
            bits.ie(length - before, 7);
        before = length;
    }
}

inline std::vector<std::uint8_t> header_bytes(const MadeUnit& made) {
    const DataUnit& unit = made.header;
    const bool coded = unit.type != PayloadType::raw_floats;
    std::vector<std::uint8_t> bytes;
    BitWriter bits(bytes);
    write_names(bits, unit);
    if (unit.parameters.edition == 2) {
        bits.flag(unit.node.has_value());
        if (unit.node) write_node_id(bits, *unit.node, true);
        if (unit.parameters.parent_signalling) write_parent(bits, unit);
    }
    if (coded && unit.type != PayloadType::integers) {
        bits.flag(unit.codebook.has_value());
        if (unit.codebook) write_entries(bits, *unit.codebook);
    }
    if (coded) bits.flag(unit.dq);
    if (unit.decompressed_format) bits.u(*unit.decompressed_format, 7);
    bits.flag(true);
    bits.flag(made.has_unary_length);
    bits.u(unit.parts, 4);
    if ((unit.parts & parts::kDecomposition) != 0) {
        bits.ue(unit.decomposition_rank, 3);
        bits.ue(unit.g_rows, 3);
    }
    bits.ue(unit.dimensions.size(), 1);
    for (const std::uint32_t dimension : unit.dimensions) bits.ue(dimension, 7);
    if (made.has_unary_length) bits.u(unit.greater_flags - 1, 8);
    if (unit.second_codebook) write_entries(bits, *unit.second_codebook);
    if (unit.dimensions.size() > 1) {
        if (unit.parameters.edition == 2) bits.ue(unit.first_dimension_shift, 1);
        write_scan_order(bits, unit);
    }
    bits.byte_alignment();
    return bytes;
}

struct MadeCoder {
    ArithmeticEncoder& encoder;
    std::vector<Context> store;

    void bin(unsigned context, bool value) { encoder.bin(store[context], value); }
    void bypass(std::uint32_t value, unsigned count) { encoder.bypass(value, count); }
};

inline void write_choices(MadeCoder& coder, const Layer& layer, const LayerChoices& choices,
                          unsigned prefixes) {
    if (layer.has_row_syntax()) {
        if (layer.has_parent) coder.bypass(choices.with_history, 1);
        coder.bypass(!choices.skipped.empty(), 1);
        for (const std::uint8_t skipped : choices.skipped)
            coder.bin(at::row_skip(layer.greater_flags), skipped != 0);
    }
    for_each_configured(layer, choices.with_history, prefixes, [&](unsigned index) {
        const unsigned configuration = choices.configurations[index];
        coder.bin(at::configured(layer.greater_flags), configuration != 0);
        if (configuration != 0) coder.bypass(configuration - 1, 3);
        coder.store[index] = Context::of(configuration);
    });
}

// Codes one tensor, and makes of its levels what the decoder gives.
inline std::vector<EncodedEntry> write_layer(ArithmeticEncoder& encoder, const Layer& layer,
                                             const LayerChoices& choices, unsigned prefixes,
                                             std::vector<std::int32_t>& levels) {
    MadeCoder coder{encoder, fresh_store(layer.greater_flags)};
    write_choices(coder, layer, choices, prefixes);
    const std::vector<Context> fresh = coder.store;
    const bool restarts = Scan(layer).count() > 1 || (layer.edition == 1 && layer.scan_order != 0);
    std::vector<EncodedEntry> entries;
    std::vector<std::int32_t> multiples = levels;
    const auto begin_block_row = [&](unsigned state) {
        coder.store = fresh;
        if (!restarts) return;
        encoder.restart_range();
        entries.push_back(
            {encoder.position(), encoder.low(), static_cast<std::uint8_t>(state)});
    };
    walk_levels(layer, choices, levels.data(), false, begin_block_row,
                [&](std::uint64_t i, std::int32_t level, std::int32_t neighbour, unsigned state) {
                    write_level_of<false>(coder, layer, choices, i, magnitude_of(level), level < 0,
                                          neighbour, state);
                    if (layer.dq)
                        multiples[i] = static_cast<std::int32_t>(
                            trellis::multiple(static_cast<std::uint32_t>(level), state));
                });
    levels = std::move(multiples);
    return entries;
}

}  // namespace nnr::checks
