#include "units.hpp"

#include "bit_reader.hpp"
#include "bit_writer.hpp"

namespace nnr::nnc {
namespace {

constexpr std::size_t kShortSizeField = 2, kLongSizeField = 4;
constexpr std::size_t kShortSizeLimit = 1 << 15;
constexpr std::uint64_t kLongSizeLimit = std::uint64_t{1} << 31;
constexpr unsigned kUniform = 1, kCodebooks = 2;

const char* name_of(std::uint8_t type) {
    constexpr std::array<const char*, 7> kNames{
        "start unit",        "model parameter set",  "layer parameter set", "topology unit",
        "quantization unit", "compressed data unit", "aggregate unit"};
    return type < kNames.size() ? kNames[type] : "unit of unknown type";
}

std::string described(const Unit& unit) {
    return "unit " + std::to_string(unit.number) + " (" + name_of(unit.type) + ")";
}

BitReader payload_reader(std::span<const std::uint8_t> data, const Unit& unit) {
    return {data, unit.payload, unit.end()};
}

void expect_end(const BitReader& bits, const Unit& unit) {
    if (bits.byte_offset() != unit.end())
        bits.fail(FaultKind::corrupt, described(unit) + " is longer than what it holds");
}

// Density and QP, which both parameter sets may carry.
void parse_quantization(BitReader& bits, std::uint64_t method, Parameters& parameters) {
    if ((method & (kUniform | kCodebooks)) == 0) return;
    parameters.qp_density = static_cast<unsigned>(bits.u(3));
    parameters.qp = static_cast<std::int32_t>(bits.i(13));
}

void parse_start(std::span<const std::uint8_t> data, const Unit& unit, Parameters& parameters) {
    BitReader bits = payload_reader(data, unit);
    const std::uint64_t profile = bits.u(8);
    if (profile > 1)
        throw Fault(FaultKind::unsupported,
                    described(unit) + ": general_profile_idc " + std::to_string(profile) +
                        " is not known, only 0 and 1",
                    unit.payload);
    parameters.edition = profile == 0 ? 1 : 2;
    expect_end(bits, unit);
}

void parse_model_parameter_set(std::span<const std::uint8_t> data, const Unit& unit,
                               Parameters& parameters) {
    BitReader bits = payload_reader(data, unit);
    bits.u(1);  // topology_carriage_flag
    const std::uint64_t maps = bits.u(4);
    const std::uint64_t method = bits.u(3);
    parameters.indexed_names = bits.flag();
    bool has_base_model = false, has_performance = false, has_metric = false;
    if (parameters.edition == 2) {
        has_base_model = bits.flag();
        has_performance = bits.flag();
        has_metric = bits.flag();
        parameters.parent_signalling = bits.flag();
        parameters.pre_signalled = bits.flag() && parameters.parent_signalling;
        bits.u(2);
        if (has_base_model) bits.st();
        if (has_performance || has_metric) bits.st();
    } else {
        bits.u(7);
    }
    parse_quantization(bits, method, parameters);
    if (maps != 0)
        bits.fail(FaultKind::unsupported, described(unit) + ": performance maps are not supported");
    if (has_performance) bits.flt();
    bits.byte_alignment();
    expect_end(bits, unit);
}

void parse_layer_parameter_set(std::span<const std::uint8_t> data, const Unit& unit,
                               Parameters& parameters) {
    BitReader bits = payload_reader(data, unit);
    bits.u(9);  // lps_self_contained_flag and reserved bits
    const std::uint64_t maps = bits.u(3);
    const std::uint64_t method = bits.u(3);
    bits.u(1);
    parse_quantization(bits, method, parameters);
    if (maps != 0)
        bits.fail(FaultKind::unsupported, described(unit) + ": performance maps are not supported");
    bits.byte_alignment();
    expect_end(bits, unit);
}

TopologyUnit parse_topology(std::span<const std::uint8_t> data, const Unit& unit) {
    BitReader bits = payload_reader(data, unit);
    TopologyUnit topology;
    topology.storage_format = static_cast<std::uint8_t>(bits.u(8));
    topology.compression_format = static_cast<std::uint8_t>(bits.u(8));
    topology.data_offset = bits.byte_offset();
    topology.data_size = unit.end() - topology.data_offset;
    return topology;
}

// What is known before the units after it are read.
struct Progress {
    bool has_model_parameters = false;
};

void parse_next(std::span<const std::uint8_t> data, const Unit& unit, Stream& stream,
                Progress& progress) {
    switch (static_cast<UnitType>(unit.type)) {
        case UnitType::start:
            parse_start(data, unit, stream.parameters);
            return;
        case UnitType::model_parameter_set:
            if (progress.has_model_parameters)
                throw Fault(FaultKind::corrupt, described(unit) + " is the second one", unit.offset);
            progress.has_model_parameters = true;
            parse_model_parameter_set(data, unit, stream.parameters);
            return;
        case UnitType::layer_parameter_set:
            parse_layer_parameter_set(data, unit, stream.parameters);
            return;
        case UnitType::topology:
            stream.topologies.push_back(parse_topology(data, unit));
            return;
        case UnitType::compressed_data:
            if (!progress.has_model_parameters)
                throw Fault(FaultKind::corrupt, described(unit) + " before a model parameter set",
                            unit.offset);
            stream.data_units.push_back(parse_data_unit(data, unit, stream.parameters));
            return;
        case UnitType::quantization:
        case UnitType::aggregate:
            throw Fault(FaultKind::unsupported, described(unit) + " is not supported", unit.offset);
    }
    stream.notes.push_back("unit " + std::to_string(unit.number) + " at byte " +
                           std::to_string(unit.offset) + " is of unknown type " +
                           std::to_string(unit.type) + " and was skipped");
}

}  // namespace

Unit parse_unit(std::span<const std::uint8_t> data, std::size_t offset, std::size_t number) {
    BitReader bits(data, offset, data.size());
    Unit unit;
    unit.number = number;
    unit.offset = offset;
    const bool is_long = bits.flag();
    unit.size = static_cast<std::size_t>(bits.u(is_long ? 31 : 15));
    unit.type = static_cast<std::uint8_t>(bits.u(6));
    bits.u(1);  // independently_decodable_flag
    const bool has_counter = bits.flag();
    unit.payload = bits.byte_offset();
    if (offset + unit.size < unit.payload)
        throw Fault(FaultKind::corrupt, described(unit) + " is shorter than its header", offset);
    if (unit.size > data.size() - offset)
        throw Fault(FaultKind::truncated, described(unit) + " goes on beyond the end", offset);
    const bool known = unit.type <= static_cast<std::uint8_t>(UnitType::aggregate);
    if (has_counter && known)
        throw Fault(FaultKind::unsupported,
                    described(unit) + ": a partial data counter is not supported", offset);
    return unit;
}

Stream parse(std::span<const std::uint8_t> data) {
    if (data.empty()) throw Fault(FaultKind::truncated, "no units", 0);
    Stream stream;
    Progress progress;
    for (std::size_t offset = 0; offset < data.size();) {
        const std::size_t number = stream.units.size();
        try {
            const Unit unit = parse_unit(data, offset, number);
            if (offset == 0 && !unit.is(UnitType::start))
                throw Fault(FaultKind::corrupt, "the first unit is no start unit", 0);
            parse_next(data, unit, stream, progress);
            stream.units.push_back(unit);
            offset = unit.end();
        } catch (const Fault& fault) {
            throw fault.in_unit(number);
        }
    }
    return stream;
}

void append_unit(std::vector<std::uint8_t>& out, UnitType type,
                 std::span<const std::uint8_t> body) {
    BitWriter bits(out);
    const std::uint64_t short_size = kShortSizeField + 1 + body.size();
    if (short_size < kShortSizeLimit) {
        bits.u(short_size, 16);
    } else {
        const std::uint64_t size = kLongSizeField + 1 + body.size();
        if (size >= kLongSizeLimit) throw std::length_error("a unit holds at most 2 GiB");
        bits.flag(true);
        bits.u(size, 31);
    }
    bits.u(static_cast<std::uint8_t>(type), 6);
    bits.u(0b10, 2);  // independently decodable, no partial data counter
    out.insert(out.end(), body.begin(), body.end());
}

void write_start(std::vector<std::uint8_t>& out, unsigned edition) {
    const std::array<std::uint8_t, 1> body{static_cast<std::uint8_t>(edition - 1)};
    append_unit(out, UnitType::start, body);
}

void write_model_parameter_set(std::vector<std::uint8_t>& out, const Parameters& parameters,
                               bool with_codebooks) {
    std::vector<std::uint8_t> body;
    BitWriter bits(body);
    bits.flag(true);  // topology_carriage_flag
    bits.u(0, 4);     // no performance maps
    bits.u(kUniform | (with_codebooks ? kCodebooks : 0), 3);
    bits.u(0, 4);  // names in full; no base model, performance or metric
    bits.flag(parameters.parent_signalling);
    bits.flag(parameters.pre_signalled);
    bits.u(0, 2);
    bits.u(parameters.qp_density, 3);
    bits.i(parameters.qp, 13);
    bits.byte_alignment();
    append_unit(out, UnitType::model_parameter_set, body);
}

}  // namespace nnr::nnc
