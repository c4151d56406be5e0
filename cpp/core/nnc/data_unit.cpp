// The header of a compressed data unit: read and written in the order of the syntax.
#include <numeric>

#include "bit_reader.hpp"
#include "bit_writer.hpp"
#include "units.hpp"

namespace nnr::nnc {
namespace {

// NumPy has no more.
constexpr std::size_t kMaxDimensions = 32;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 48;
constexpr unsigned kHashBits256 = 256, kHashBits512 = 512;

bool has_part(const DataUnit& unit, unsigned part) { return (unit.parts & part) != 0; }

// The tensors of a block in the order of their names in the header.
std::vector<Role> roles_of(const DataUnit& unit) {
    std::vector<Role> roles{Role::weight};
    if (has_part(unit, parts::kDecomposition)) roles = {Role::g, Role::h};
    if (has_part(unit, parts::kLocalScaling)) roles.push_back(Role::local_scaling);
    if (has_part(unit, parts::kBatchNorm))
        for (const Role role : {Role::beta, Role::gamma, Role::mean, Role::variance})
            roles.push_back(role);
    if (has_part(unit, parts::kBias)) roles.push_back(Role::bias);
    return roles;
}

// Where a role comes in the payload.
int payload_order(Role role) {
    switch (role) {
        case Role::local_scaling: return 0;
        case Role::bias: return 1;
        case Role::beta: return 2;
        case Role::gamma: return 3;
        case Role::mean: return 4;
        case Role::variance: return 5;
        default: return 6;
    }
}

void parse_names(BitReader& bits, DataUnit& unit, bool several) {
    if (unit.parameters.indexed_names)
        bits.fail(FaultKind::unsupported, "tensors named by an index into the topology");
    if (!several) {
        unit.names.push_back(bits.st());
        return;
    }
    const std::uint64_t count = std::uint64_t{bits.ue(7)} + 2;
    bits.byte_alignment();
    for (std::uint64_t i = 0; i < count; ++i) unit.names.push_back(bits.st());
}

NodeId parse_node(BitReader& bits, bool with_device) {
    NodeId node;
    if (with_device) node.device_id = bits.ue(1);
    node.parameter_id = bits.ue(5);
    node.put_node_depth = bits.ue(4);
    return node;
}

Parent parse_parent(BitReader& bits, bool has_node) {
    Parent parent;
    const std::uint64_t type = bits.u(2);
    if (type > 2) bits.fail(FaultKind::unsupported, "parent_node_id_type 3 is not known");
    parent.type = static_cast<ParentIdType>(type);
    parent.temporal_context_modeling = bits.flag();
    if (parent.type == ParentIdType::node) {
        const std::uint32_t device = bits.ue(1);
        if (!has_node) parent.node = parse_node(bits, false);
        parent.node.device_id = device;
        return parent;
    }
    const unsigned length = parent.type == ParentIdType::sha256 ? kHashBits256 : kHashBits512;
    for (unsigned i = 0; i < length; i += 8)
        parent.hash.push_back(static_cast<std::uint8_t>(bits.u(8)));
    return parent;
}

Codebook parse_codebook(BitReader& bits) {
    Codebook codebook;
    codebook.egk = static_cast<unsigned>(bits.u(4));
    const std::int64_t size = bits.ue(2);
    const std::int64_t zero = size / 2 + bits.ie(2);
    if (zero < 0 || zero >= size) bits.fail(FaultKind::corrupt, "a codebook without its zero");
    const std::int64_t centre = bits.ie(7);
    std::vector<std::int32_t> left, right;
    const auto fill = [&](std::vector<std::int32_t>& entries, std::int64_t count, int direction) {
        std::int64_t entry = centre;
        for (std::int64_t i = 0; i < count; ++i) {
            entry += direction * (std::int64_t{bits.ue(codebook.egk)} + 1);
            if (entry < INT32_MIN || entry > INT32_MAX)
                bits.fail(FaultKind::corrupt, "a codebook entry does not fit into 32 bits");
            entries.push_back(static_cast<std::int32_t>(entry));
        }
    };
    if (centre < INT32_MIN || centre > INT32_MAX)
        bits.fail(FaultKind::corrupt, "a codebook entry does not fit into 32 bits");
    fill(left, zero, -1);
    fill(right, size - 1 - zero, 1);
    codebook.zero_offset = static_cast<std::uint32_t>(zero);
    codebook.entries.assign(left.rbegin(), left.rend());
    codebook.entries.push_back(static_cast<std::int32_t>(centre));
    codebook.entries.insert(codebook.entries.end(), right.begin(), right.end());
    return codebook;
}

void parse_dimensions(BitReader& bits, DataUnit& unit) {
    const std::uint32_t count = bits.ue(1);
    if (count > kMaxDimensions)
        bits.fail(FaultKind::unsupported, std::to_string(count) + " dimensions, more than 32");
    // Also the extents beside a zero: NumPy multiplies them all.
    std::uint64_t elements = 1, extents = 1;
    for (std::uint32_t i = 0; i < count; ++i) {
        unit.dimensions.push_back(bits.ue(7));
        const std::uint64_t dimension = unit.dimensions.back(), extent = dimension + (dimension == 0);
        if (extents > kMaxElements / extent)
            bits.fail(FaultKind::unsupported, "a tensor of more than 2^48 elements");
        extents *= extent;
        elements *= dimension;
    }
    if (!has_part(unit, parts::kDecomposition)) return;
    const bool fits = unit.decomposition_rank != 0 && unit.g_rows != 0 &&
                      elements % unit.g_rows == 0 &&
                      std::uint64_t{unit.g_rows} * unit.decomposition_rank <= kMaxElements &&
                      elements / unit.g_rows <= kMaxElements / unit.decomposition_rank;
    if (!fits) bits.fail(FaultKind::corrupt, "a decomposition that does not fit its tensor");
}

std::uint64_t entry_count(std::uint64_t rows, unsigned scan_order) {
    const std::uint64_t block = std::uint64_t{4} << scan_order;
    return rows == 0 ? 0 : (rows + block - 1) / block - 1;
}

std::uint64_t entry_count(const DataUnit& unit) {
    if (!has_part(unit, parts::kDecomposition))
        return entry_count(unit.dimensions[0], unit.scan_order);
    return entry_count(unit.g_rows, unit.scan_order) +
           entry_count(unit.decomposition_rank, unit.scan_order);
}

void parse_scan(BitReader& bits, DataUnit& unit) {
    unit.scan_order = static_cast<unsigned>(bits.u(4));
    if (unit.scan_order > 4)
        bits.fail(FaultKind::unsupported,
                  "scan order " + std::to_string(unit.scan_order) + " is not known, only 0 to 4");
    if (unit.scan_order == 0) return;
    std::int64_t length = 0;
    for (std::uint64_t i = 0, count = entry_count(unit); i < count; ++i) {
        EntryPoint entry{};
        entry.value = static_cast<std::uint8_t>(bits.u(8));
        if (unit.dq) entry.dq_state = static_cast<std::uint8_t>(bits.u(3));
        length = i == 0 ? std::int64_t{bits.ue(11)} : length + bits.ie(7);
        if (length < 0 || length > UINT32_MAX)
            bits.fail(FaultKind::corrupt, "an entry point outside its unit");
        entry.bits = static_cast<std::uint64_t>(length);
        unit.entries.push_back(entry);
    }
}

void parse_input_parameters(BitReader& bits, DataUnit& unit, bool present) {
    const bool has_dimensions = present && bits.flag();
    const bool has_unary_length = present && bits.flag();
    if (!has_dimensions)
        bits.fail(FaultKind::unsupported, "a tensor whose dimensions only the topology knows");
    unit.parts = static_cast<unsigned>(bits.u(4));
    if (unit.parts != 0 && unit.type != PayloadType::block)
        bits.fail(FaultKind::corrupt, "parts of a block in a unit that is none");
    if (has_part(unit, parts::kDecomposition)) {
        unit.decomposition_rank = bits.ue(3);
        unit.g_rows = bits.ue(3);
    }
    parse_dimensions(bits, unit);
    if (unit.dimensions.empty() && unit.type == PayloadType::block)
        bits.fail(FaultKind::corrupt, "a block without dimensions");
    if (has_unary_length) unit.greater_flags = static_cast<unsigned>(bits.u(8)) + 1;
    if (has_part(unit, parts::kDecomposition) && unit.codebook)
        unit.second_codebook = parse_codebook(bits);
    if (unit.dimensions.size() > 1) {
        if (unit.parameters.edition == 2) unit.first_dimension_shift = bits.ue(1);
        parse_scan(bits, unit);
    }
}

void write_node(BitWriter& bits, const NodeId& node) {
    bits.ue(node.device_id, 1);
    bits.ue(node.parameter_id, 5);
    bits.ue(node.put_node_depth, 4);
}

void write_codebook(BitWriter& bits, const Codebook& codebook) {
    const auto size = static_cast<std::int64_t>(codebook.entries.size());
    const std::int64_t zero = codebook.zero_offset;
    const auto entry = [&](std::int64_t index) {
        return std::int64_t{codebook.entries[static_cast<std::size_t>(index)]};
    };
    bits.u(codebook.egk, 4);
    bits.ue(static_cast<std::uint64_t>(size), 2);
    bits.ie(zero - size / 2, 2);
    bits.ie(entry(zero), 7);
    for (std::int64_t i = zero; i > 0; --i)
        bits.ue(static_cast<std::uint64_t>(entry(i) - entry(i - 1) - 1), codebook.egk);
    for (std::int64_t i = zero + 1; i < size; ++i)
        bits.ue(static_cast<std::uint64_t>(entry(i) - entry(i - 1) - 1), codebook.egk);
}

void write_scan(BitWriter& bits, const DataUnit& unit) {
    bits.u(unit.scan_order, 4);
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < unit.entries.size(); ++i) {
        const EntryPoint& entry = unit.entries[i];
        bits.u(entry.value, 8);
        if (unit.dq) bits.u(entry.dq_state, 3);
        if (i == 0)
            bits.ue(entry.bits, 11);
        else
            bits.ie(static_cast<std::int64_t>(entry.bits) - static_cast<std::int64_t>(before), 7);
        before = entry.bits;
    }
}

}  // namespace

std::uint64_t CodedTensor::columns() const {
    return std::accumulate(dimensions.begin() + (dimensions.empty() ? 0 : 1), dimensions.end(),
                           std::uint64_t{1}, std::multiplies<>());
}

std::vector<CodedTensor> coded_tensors(const DataUnit& unit) {
    const std::vector<Role> roles = roles_of(unit);
    const std::vector<std::uint64_t> whole(unit.dimensions.begin(), unit.dimensions.end());
    std::vector<CodedTensor> tensors;
    for (std::size_t i = 0; i < roles.size(); ++i) {
        CodedTensor tensor{unit.names[i], roles[i], whole, nullptr};
        const Codebook* first = unit.codebook ? &*unit.codebook : nullptr;
        if (roles[i] == Role::weight) {
            tensor.codebook = first;
        } else if (roles[i] == Role::g) {
            tensor.codebook = first;
            tensor.dimensions = {unit.g_rows, unit.decomposition_rank};
        } else if (roles[i] == Role::h) {
            tensor.codebook = unit.second_codebook ? &*unit.second_codebook : nullptr;
            const CodedTensor weight{"", Role::weight, whole, nullptr};
            tensor.dimensions = {unit.decomposition_rank, weight.elements() / unit.g_rows};
        } else {
            tensor.dimensions.resize(1);
        }
        tensors.push_back(std::move(tensor));
    }
    std::ranges::stable_sort(tensors, {}, [](const CodedTensor& t) { return payload_order(t.role); });
    return tensors;
}

DataUnit parse_data_unit(std::span<const std::uint8_t> data, const Unit& unit,
                         const Parameters& parameters) {
    BitReader bits(data, unit.payload, unit.end());
    DataUnit parsed;
    parsed.number = unit.number;
    parsed.offset = unit.offset;
    parsed.size = unit.size;
    parsed.parameters = parameters;
    const std::uint64_t type = bits.u(5);
    if (type > 3)
        bits.fail(FaultKind::unsupported, "payload type " + std::to_string(type) + " is not known");
    parsed.type = static_cast<PayloadType>(type);
    const bool several = bits.flag(), has_format = bits.flag(), has_input = bits.flag();
    if (several && parsed.type != PayloadType::block)
        bits.fail(FaultKind::corrupt, "several tensors in a unit that is no block");
    parse_names(bits, parsed, several);
    if (parameters.edition == 2) {
        if (bits.flag()) parsed.node = parse_node(bits, true);
        if (parameters.parent_signalling && bits.flag())
            parsed.parent = parse_parent(bits, parsed.node.has_value());
    }
    const bool floats = parsed.type == PayloadType::floats || parsed.type == PayloadType::block;
    if (floats && bits.flag()) parsed.codebook = parse_codebook(bits);
    if (parsed.type != PayloadType::raw_floats) parsed.dq = bits.flag();
    if (has_format) parsed.decompressed_format = static_cast<unsigned>(bits.u(7));
    parse_input_parameters(bits, parsed, has_input);
    bits.byte_alignment();
    parsed.payload = bits.byte_offset();
    if (roles_of(parsed).size() != parsed.names.size())
        bits.fail(FaultKind::corrupt, "a block has another number of names than of tensors");
    return parsed;
}

void write_data_unit_header(std::vector<std::uint8_t>& body, const DataUnit& unit) {
    BitWriter bits(body);
    const bool several = unit.names.size() > 1;
    bits.u(static_cast<std::uint8_t>(unit.type), 5);
    bits.flag(several);
    bits.flag(false);  // nnr_decompressed_data_format_present_flag
    bits.flag(true);   // input_parameters_present_flag
    if (several) {
        bits.ue(unit.names.size() - 2, 7);
        bits.byte_alignment();
    }
    for (const std::string& name : unit.names) bits.st(name);
    bits.flag(unit.node.has_value());
    if (unit.node) write_node(bits, *unit.node);
    if (unit.parameters.parent_signalling) {
        bits.flag(unit.parent.has_value());
        if (unit.parent) {
            bits.u(static_cast<std::uint8_t>(ParentIdType::node), 2);
            bits.flag(unit.parent->temporal_context_modeling);
            bits.ue(unit.parent->node.device_id, 1);
        }
    }
    if (unit.type == PayloadType::floats || unit.type == PayloadType::block) {
        bits.flag(unit.codebook.has_value());
        if (unit.codebook) write_codebook(bits, *unit.codebook);
    }
    if (unit.type != PayloadType::raw_floats) bits.flag(unit.dq);
    bits.u(0b11, 2);  // dimensions and unary length are present
    bits.u(unit.parts, 4);
    bits.ue(unit.dimensions.size(), 1);
    for (const std::uint32_t dimension : unit.dimensions) bits.ue(dimension, 7);
    bits.u(unit.greater_flags - 1, 8);
    if (unit.dimensions.size() > 1) {
        bits.ue(unit.first_dimension_shift, 1);
        write_scan(bits, unit);
    }
    bits.byte_alignment();
}

}  // namespace nnr::nnc
