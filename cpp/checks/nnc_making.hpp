// Chooses what `nnc_made.hpp` writes, and holds the decoder to it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "nnc_made.hpp"

namespace nnr::checks {

inline constexpr std::size_t kMadeCount = 1500;

inline Codebook chosen_codebook(Choices& choices) {
    Codebook codebook;
    codebook.egk = choices.below(16);
    const unsigned size = 1 + choices.below(40), gap = 1 + choices.below(1000);
    std::int32_t entry = static_cast<std::int32_t>(choices.word()) / 4;
    for (unsigned i = 0; i < size; ++i) {
        codebook.entries.push_back(entry);
        entry += static_cast<std::int32_t>(1 + choices.byte() % gap);
    }
    codebook.zero_offset = choices.below(size);
    return codebook;
}

inline void choose_shape(Choices& choices, DataUnit& unit) {
    const bool block = unit.type == PayloadType::block;
    const unsigned rank = block ? 1 + choices.below(4) : choices.below(5);
    std::size_t room = kMadeCount;
    for (unsigned i = 0; i < rank; ++i) {
        const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(room, 200));
        std::uint32_t dimension = choices.below(most + 1);
        if (dimension == 0 && choices.below(8) != 0) dimension = 1;
        unit.dimensions.push_back(dimension);
        room /= std::max(dimension, 1u);
    }
    if (rank > 1) unit.scan_order = choices.below(5);
    if (!block) return;
    unit.parts = choices.below(16);
    if (unit.parts == 0) unit.parts = parts::kBias;
    if ((unit.parts & parts::kDecomposition) == 0) return;
    unit.decomposition_rank = 1 + choices.below(7);
    unit.g_rows = std::max(unit.dimensions[0], 1u);
    if (unit.codebook) unit.second_codebook = chosen_codebook(choices);
}

inline void choose_relations(Choices& choices, DataUnit& unit) {
    const unsigned kind = choices.byte();
    if ((kind & 1) != 0) unit.node = {choices.byte(), choices.word(), choices.byte()};
    if ((kind & 2) != 0) unit.decompressed_format = choices.below(128);
    if (!unit.parameters.parent_signalling || (kind & 4) == 0) return;
    Parent& parent = unit.parent.emplace();
    parent.type = static_cast<ParentIdType>(choices.below(3));
    parent.temporal_context_modeling = (kind & 8) != 0 && unit.type != PayloadType::block;
    if (parent.type != ParentIdType::node)
        parent.hash.assign(parent.type == ParentIdType::sha256 ? 32 : 64, choices.byte());
    else
        parent.node = {choices.byte(), unit.node ? 0 : choices.word(), 0};
}

inline void choose_names(Choices& choices, DataUnit& unit, std::size_t number) {
    std::size_t count = 1;
    if (unit.type == PayloadType::block) {
        const auto has = [&](unsigned part) -> std::size_t { return (unit.parts & part) != 0; };
        count += has(parts::kDecomposition) + has(parts::kLocalScaling) +
                 4 * has(parts::kBatchNorm) + has(parts::kBias);
    }
    for (std::size_t i = 0; i < count; ++i)
        unit.names.push_back(std::to_string(number) + std::string(choices.below(3), 'n') +
                             std::to_string(i));
}

inline MadeUnit chosen_unit(Choices& choices, const Parameters& parameters, std::size_t number) {
    MadeUnit made;
    DataUnit& unit = made.header;
    unit.parameters = parameters;
    unit.type = static_cast<PayloadType>(choices.below(4));
    const bool floats = unit.type == PayloadType::floats || unit.type == PayloadType::block;
    if (floats && choices.below(3) == 0) unit.codebook = chosen_codebook(choices);
    if (unit.type != PayloadType::raw_floats && !unit.codebook) unit.dq = choices.flag();
    choose_shape(choices, unit);
    choose_relations(choices, unit);
    choose_names(choices, unit, number);
    made.has_unary_length = choices.below(8) != 0;
    if (made.has_unary_length) unit.greater_flags = 1 + choices.byte();
    unit.first_dimension_shift = choices.byte();
    return made;
}

// Levels that the tensor's codebook has, if it has one.
inline std::vector<std::int32_t> chosen_levels(Choices& choices, const CodedTensor& tensor) {
    std::vector<std::int32_t> levels = chosen_integers(choices, tensor.elements());
    if (tensor.codebook == nullptr) return levels;
    const auto size = static_cast<std::int64_t>(tensor.codebook->entries.size());
    for (std::int32_t& level : levels)
        level = static_cast<std::int32_t>(((std::int64_t{level} % size) + size) % size -
                                          tensor.codebook->zero_offset);
    return levels;
}

inline LayerChoices chosen_tools(Choices& choices, const Layer& layer,
                                 std::vector<std::int32_t>& levels) {
    LayerChoices tools;
    const bool can_have_history =
        layer.has_parent && !layer.history.empty() && layer.has_row_syntax();
    tools.with_history = can_have_history && choices.flag();
    Numbers numbers(choices.word());
    const bool configured = choices.flag();
    for (unsigned i = 0; i < at::end(layer.greater_flags); ++i)
        tools.configurations.push_back(
            static_cast<std::uint8_t>(configured ? numbers.below(std::uint32_t{kContextConfigurations}) : 0));
    if (!layer.has_row_syntax() || !choices.flag()) return tools;
    for (std::uint64_t row = 0; row < layer.rows; ++row) {
        tools.skipped.push_back(numbers.below(2) != 0);
        if (tools.skipped.back() != 0)
            std::fill_n(levels.begin() + static_cast<std::ptrdiff_t>(row * layer.columns),
                        layer.columns, 0);
    }
    return tools;
}

inline Layer layer_of(const MadeUnit& made, const CodedTensor& tensor) {
    const DataUnit& unit = made.header;
    Layer layer;
    layer.rows = tensor.rows();
    layer.columns = tensor.columns();
    layer.dq = unit.dq;
    layer.greater_flags = unit.greater_flags;
    layer.scan_order = layer.is_matrix() ? unit.scan_order : 0;
    layer.edition = unit.parameters.edition;
    layer.has_parent = unit.parent.has_value();
    if (tensor.codebook != nullptr) layer.codebook = tensor.codebook->range();
    if (unit.parent && unit.parent->temporal_context_modeling) layer.base_levels = made.past.levels;
    if (made.past.levels.size() == tensor.elements()) layer.history = made.past.history;
    return layer;
}

// The standard's order, which is not that of the names.
inline int place_in_payload(const CodedTensor& tensor) {
    constexpr Role kOrder[]{Role::local_scaling, Role::bias, Role::beta,     Role::gamma,
                            Role::mean,          Role::variance, Role::weight, Role::g, Role::h};
    return static_cast<int>(std::ranges::find(kOrder, tensor.role) - std::begin(kOrder));
}

// The arithmetic code of a unit; sets levels, QPs and entry points.
inline std::vector<std::uint8_t> code_of(Choices& choices, MadeUnit& made, unsigned prefixes) {
    DataUnit& unit = made.header;
    std::vector<std::uint8_t> code;
    ArithmeticEncoder encoder(code);
    std::vector<EncodedEntry> entries;
    const std::vector<CodedTensor> tensors = coded_tensors(unit);
    require(std::ranges::is_sorted(tensors, {}, place_in_payload), "tensors in another order");
    if (unit.parent) made.past = made_up_past(tensors.back().elements());
    for (const CodedTensor& tensor : tensors) {
        const unsigned bits = qp_bits(unit.parameters.qp_density);
        made.qps.push_back(0);
        if (unit.type != PayloadType::integers) {
            const std::uint32_t coded = choices.below(1u << bits);
            made.qps.back() = unit.parameters.qp +
                              (static_cast<std::int32_t>(coded << (32 - bits)) >> (32 - bits));
            encoder.bypass(coded, bits);
        }
        const Layer layer = layer_of(made, tensor);
        made.levels.push_back(chosen_levels(choices, tensor));
        std::vector<std::int32_t>& levels = made.levels.back();
        const LayerChoices tools = chosen_tools(choices, layer, levels);
        entries = write_layer(encoder, layer, tools, prefixes, levels);
    }
    encoder.finish();
    if ((unit.parts & parts::kDecomposition) != 0) entries.clear();
    for (std::size_t i = 1; i < entries.size(); ++i)
        unit.entries.push_back({entries[i].position - entries[i - 1].position,
                                entry_value(code, entries[i].position, entries[i].low),
                                entries[i].dq_state});
    return code;
}

inline void append_made(Choices& choices, MadeStream& stream) {
    MadeUnit made = chosen_unit(choices, stream.parameters, stream.units.size());
    std::vector<std::uint8_t> payload;
    if (made.header.type == PayloadType::raw_floats) {
        payload.assign(coded_tensors(made.header)[0].elements() * 4, choices.byte());
        made.levels.emplace_back();
    } else {
        payload = code_of(choices, made, stream.prefixes);
    }
    std::vector<std::uint8_t> body = header_bytes(made);
    body.insert(body.end(), payload.begin(), payload.end());
    append_unit(stream.bytes, UnitType::compressed_data, body);
    stream.units.push_back(std::move(made));
}

inline void append_parameters(Choices& choices, MadeStream& stream) {
    Parameters& parameters = stream.parameters;
    parameters.edition = 1 + choices.below(2);
    parameters.qp_density = choices.below(8);
    parameters.qp = static_cast<std::int32_t>(choices.below(64)) - 32;
    parameters.parent_signalling = parameters.edition == 2 && choices.flag();
    stream.prefixes += parameters.edition == 1 && choices.flag();
    write_start(stream.bytes, parameters.edition);
    // Of edition 1 the flags are reserved bits.
    write_model_parameter_set(stream.bytes, parameters, choices.flag());
    for (unsigned i = choices.below(4); i > 1; --i) {
        const std::vector<std::uint8_t> body(i, choices.byte());
        append_unit(stream.bytes, static_cast<UnitType>(i == 2 ? 3 : 7 + choices.below(57)), body);
    }
}

inline MadeStream made_stream(Choices& choices) {
    MadeStream stream;
    append_parameters(choices, stream);
    for (unsigned i = 1 + choices.below(3); i > 0; --i) append_made(choices, stream);
    return stream;
}

// A short unit of edition 1 may by chance be read as if it had the other number of prefixes.
inline void require_made(const MadeUnit& made, unsigned prefixes, const UnitTask& unit,
                         std::span<const TensorArrays> arrays) {
    require(!unit.fault, unit.fault ? "does not decode: " + std::string(unit.fault->what()) : "");
    require(unit.unit->names == made.header.names && arrays.size() == made.levels.size(),
            "another header");
    const bool ambiguous = unit.unit->parameters.edition == 1 && prefixes == at::kPrefixes;
    if (made.header.type == PayloadType::raw_floats || ambiguous) return;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        require(std::equal(made.levels[i].begin(), made.levels[i].end(), arrays[i].levels.get()),
                "other levels of tensor " + std::to_string(i));
        require(!unit.tasks[i].qp || *unit.tasks[i].qp == made.qps[i], "another QP");
    }
}

// Throws `Wrong` if a bitstream made from `choices` is not decoded to what was put into it.
inline void check_made(Choices& choices) {
    const MadeStream made = made_stream(choices);
    std::vector<Past> pasts;
    for (const MadeUnit& unit : made.units) pasts.push_back(unit.past);
    std::optional<Stream> stream;
    try {
        stream = parse(made.bytes);
    } catch (const Fault& fault) {
        throw Wrong("the headers do not parse: " + std::string(fault.what()));
    }
    require(stream->data_units.size() == made.units.size(), "another number of units");
    for (const unsigned threads : {1u, 3u}) {
        const DecodedStream result = decoded(made.bytes, *stream, pasts, {true, true, threads});
        for (std::size_t i = 0; i < made.units.size(); ++i)
            require_made(made.units[i], made.prefixes, result.units[i], result.arrays[i]);
    }
}

}  // namespace nnr::checks
