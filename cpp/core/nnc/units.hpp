// The units of a bitstream and what their headers say (ISO/IEC 15938-17).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layer.hpp"
#include "layer_decoder.hpp"

namespace nnr::nnc {

enum class UnitType : std::uint8_t {
    start = 0,
    model_parameter_set = 1,
    layer_parameter_set = 2,
    topology = 3,
    quantization = 4,
    compressed_data = 5,
    aggregate = 6,
};

struct Unit {
    std::size_t number = 0;
    std::size_t offset = 0, size = 0;
    std::size_t payload = 0;  // offset of what follows the unit header
    std::uint8_t type = 0;

    std::size_t end() const { return offset + size; }
    bool is(UnitType wanted) const { return type == static_cast<std::uint8_t>(wanted); }
};

// What start unit and parameter sets say about the units after them.
struct Parameters {
    unsigned edition = 2;
    bool parent_signalling = false, pre_signalled = false;
    bool indexed_names = false;
    unsigned qp_density = 2;
    std::int32_t qp = 0;
};

struct TopologyUnit {
    std::uint8_t storage_format = 0, compression_format = 0;
    std::size_t data_offset = 0, data_size = 0;
};

enum class PayloadType : std::uint8_t { integers = 0, floats = 1, raw_floats = 2, block = 3 };

struct NodeId {
    std::uint32_t device_id = 0, parameter_id = 0, put_node_depth = 0;
};

enum class ParentIdType : std::uint8_t { node = 0, sha256 = 1, sha512 = 2 };

struct Parent {
    ParentIdType type = ParentIdType::node;
    bool temporal_context_modeling = false;
    NodeId node;  // only the device where the unit has a node id itself
    std::vector<std::uint8_t> hash;
};

struct Codebook {
    unsigned egk = 0;
    std::uint32_t zero_offset = 0;
    std::vector<std::int32_t> entries;

    CodebookRange range() const {
        return {static_cast<std::uint32_t>(entries.size()), zero_offset};
    }
};

// compressed_parameter_types
namespace parts {
constexpr unsigned kDecomposition = 1, kLocalScaling = 2, kBatchNorm = 4, kBias = 8;
}

// The header of a compressed data unit.
struct DataUnit {
    std::size_t number = 0, offset = 0, size = 0, payload = 0;
    Parameters parameters;
    PayloadType type = PayloadType::floats;
    std::vector<std::string> names;
    std::optional<NodeId> node;
    std::optional<Parent> parent;
    std::optional<Codebook> codebook, second_codebook;
    bool dq = false;
    std::optional<unsigned> decompressed_format;
    std::vector<std::uint32_t> dimensions;
    unsigned parts = 0;
    std::uint32_t decomposition_rank = 0, g_rows = 0;
    unsigned greater_flags = 10;
    std::uint32_t first_dimension_shift = 0;
    unsigned scan_order = 0;
    std::vector<EntryPoint> entries;

    std::size_t end() const { return offset + size; }
};

enum class Role : std::uint8_t { weight, g, h, local_scaling, beta, gamma, mean, variance, bias };

// One tensor of a data unit, in the order of the payload.
struct CodedTensor {
    std::string name;
    Role role = Role::weight;
    std::vector<std::uint64_t> dimensions;
    const Codebook* codebook = nullptr;

    std::uint64_t rows() const { return dimensions.empty() ? 1 : dimensions[0]; }
    std::uint64_t columns() const;
    std::uint64_t elements() const { return rows() * columns(); }
};

// The tensors of a unit; the header has been checked so that their sizes do not overflow.
std::vector<CodedTensor> coded_tensors(const DataUnit& unit);

struct Stream {
    std::vector<Unit> units;
    Parameters parameters;
    std::vector<TopologyUnit> topologies;
    std::vector<DataUnit> data_units;
    std::vector<std::string> notes;
};

// Walks all units and reads all headers, and nothing of what is entropy coded.
Stream parse(std::span<const std::uint8_t> data);

// One unit: its framing, from which the rest can be read or skipped.
Unit parse_unit(std::span<const std::uint8_t> data, std::size_t offset, std::size_t number);
DataUnit parse_data_unit(std::span<const std::uint8_t> data, const Unit& unit,
                         const Parameters& parameters);

// Bytes of the unit header (after the size field) are not part of `body`.
void append_unit(std::vector<std::uint8_t>& out, UnitType type, std::span<const std::uint8_t> body);
void write_start(std::vector<std::uint8_t>& out, unsigned edition);
void write_model_parameter_set(std::vector<std::uint8_t>& out, const Parameters& parameters,
                               bool with_codebooks);
// Header elements of a data unit after its unit header, byte aligned at the end.
void write_data_unit_header(std::vector<std::uint8_t>& body, const DataUnit& unit);

}  // namespace nnr::nnc
