// From data units to tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fault.hpp"
#include "units.hpp"

namespace nnr::nnc {

// One tensor of a data unit: where it goes, and what is known of it from earlier in its series.
struct TensorTask {
    // Levels are decoded here if it is given, else in place of the values.
    std::int32_t* levels = nullptr;
    // int32 of integers, double of a codebook, else float; null if only levels are wanted.
    void* values = nullptr;
    std::span<const std::int32_t> base_levels;
    std::span<const std::uint8_t> history;
    std::optional<std::int32_t> qp;  // set by decoding
};

struct UnitTask {
    const DataUnit* unit = nullptr;
    std::vector<CodedTensor> tensors;
    std::vector<TensorTask> tasks;  // one a tensor
    std::optional<Fault> fault;     // set by decoding
};

// Decodes every unit; those that fail have their fault set, and what they decoded is undefined.
void decode_units(std::span<const std::uint8_t> data, std::span<UnitTask> units, unsigned threads);

}  // namespace nnr::nnc
