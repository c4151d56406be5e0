// From tensors to data units.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "units.hpp"

namespace nnr::nnc {

struct EncodeOptions {
    bool dq = true;
    double rdo = 0;  // weight of the rate against the squared error; 1 is where they balance
    unsigned unary_length = 0;  // 0: the best of some
    unsigned scan_order = 0;
    bool row_skipping = true;
    bool optimize_contexts = true;
    bool codebook = false;
    bool raw = false;
    bool nncodec = false;  // decide as NNCodec does
};

struct EncodeTask {
    std::string name;
    std::vector<std::uint32_t> dimensions;
    // One of the two.
    std::span<const float> floats;
    std::span<const std::int32_t> integers;
    bool is_float = true;
    std::int32_t qp = 0;
    EncodeOptions options;
    NodeId node;
    std::optional<Parent> parent;
    std::span<const std::int32_t> base_levels;
    std::span<const std::uint8_t> history;

    // Where the integers before dequantisation go; null for raw values.
    std::int32_t* levels = nullptr;

    // Set by encoding.
    std::vector<std::uint8_t> unit;
    std::optional<Codebook> codebook;
    bool is_dependent = false;  // whether dependent quantisation was used
    std::string error;  // why it cannot be encoded; empty if it was
};

struct SeriesParameters {
    unsigned qp_density = 2;
    bool parent_signalling = false;
};

void encode_units(std::span<EncodeTask> tasks, const SeriesParameters& parameters, unsigned threads);

}  // namespace nnr::nnc
