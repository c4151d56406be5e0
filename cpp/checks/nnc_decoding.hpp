// What must hold of any bytes that are read as a bitstream: they are decoded, or end in a fault
// that says where; alike with values and without, on one thread and on several.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../core/nnc/decode.hpp"
#include "allocations.hpp"
#include "choices.hpp"

namespace nnr::checks {

using namespace nnr::nnc;

struct Wrong : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline void require(bool condition, const std::string& what) {
    if (!condition) throw Wrong(what);
}

// The bounds that docs/bitstream.md states.
inline constexpr std::size_t kHeaderBytesPerByte = 256, kHeaderBytes = 4 << 10;
inline constexpr std::size_t kDecodingBytesPerByte = 16, kDecodingBytes = 128 << 10;

// The past that a unit of a series asks for.
struct Past {
    std::vector<std::int32_t> levels;
    std::vector<std::uint8_t> history;

    bool empty() const { return levels.empty(); }
};

inline Past past_of(std::vector<std::int32_t> levels) {
    Past past{std::move(levels), {}};
    for (const std::int32_t level : past.levels) past.history.push_back(level != 0);
    return past;
}

inline Past made_up_past(std::size_t count) {
    constexpr std::int32_t kLevels[]{0, 1, 0, -1, 2, 0, -3, INT32_MIN, 0, INT32_MAX, 12};
    std::vector<std::int32_t> levels(count);
    for (std::size_t i = 0; i < count; ++i) levels[i] = kLevels[i % std::size(kLevels)];
    return past_of(std::move(levels));
}

struct Wanted {
    bool levels = true, values = true;
    unsigned threads = 1;
};

// One tensor's arrays, each of exactly its size.
struct TensorArrays {
    std::unique_ptr<std::int32_t[]> levels;
    std::unique_ptr<std::uint8_t[]> values;
    std::size_t count = 0, value_bytes = 0;
};

struct DecodedStream {
    std::vector<UnitTask> units;
    std::vector<std::vector<TensorArrays>> arrays;
};

inline std::size_t value_size(const DataUnit& unit, const CodedTensor& tensor) {
    return unit.type != PayloadType::integers && tensor.codebook != nullptr ? 8 : 4;
}

inline TensorArrays arrays_for(const DataUnit& unit, const CodedTensor& tensor,
                               const Wanted& wanted) {
    TensorArrays arrays;
    arrays.count = tensor.elements();
    const bool raw = unit.type == PayloadType::raw_floats;
    if (wanted.levels && !raw)
        arrays.levels = std::make_unique_for_overwrite<std::int32_t[]>(arrays.count);
    if (!wanted.values && !raw) return arrays;
    arrays.value_bytes = arrays.count * value_size(unit, tensor);
    arrays.values = std::make_unique_for_overwrite<std::uint8_t[]>(arrays.value_bytes);
    return arrays;
}

// `pasts` has one entry a data unit, for its last tensor.
inline DecodedStream decoded(std::span<const std::uint8_t> data, const Stream& stream,
                             std::span<const Past> pasts, const Wanted& wanted) {
    DecodedStream result;
    std::size_t elements = 0;
    for (std::size_t i = 0; i < stream.data_units.size(); ++i) {
        UnitTask& task = result.units.emplace_back();
        task.unit = &stream.data_units[i];
        task.tensors = coded_tensors(*task.unit);
        std::vector<TensorArrays>& arrays = result.arrays.emplace_back();
        for (const CodedTensor& tensor : task.tensors) {
            arrays.push_back(arrays_for(*task.unit, tensor, wanted));
            TensorTask& into = task.tasks.emplace_back();
            into.levels = arrays.back().levels.get();
            into.values = arrays.back().values.get();
            elements += tensor.elements();
            if (i >= pasts.size() || pasts[i].levels.size() != tensor.elements()) continue;
            into.base_levels = pasts[i].levels;
            into.history = pasts[i].history;
        }
    }
    const AllocationMeter meter;
    decode_units(data, result.units, wanted.threads);
    if (wanted.threads == 1)
        require(meter.peak() <= kDecodingBytes + kDecodingBytesPerByte * data.size() + 5 * elements,
                "decoding allocates " + std::to_string(meter.peak()) + " bytes");
    return result;
}

inline void require_place(const Fault& fault, std::span<const std::uint8_t> data) {
    require(fault.byte_offset() <= data.size(), "a fault beyond the end");
    require(fault.unit().has_value() || data.empty(), "a fault without its unit");
}

inline std::optional<Stream> parsed(std::span<const std::uint8_t> data) {
    const AllocationMeter meter;
    std::optional<Stream> stream;
    try {
        stream = parse(data);
    } catch (const Fault& fault) {
        require_place(fault, data);
    }
    require(meter.peak() <= kHeaderBytes + kHeaderBytesPerByte * data.size(),
            "headers allocate " + std::to_string(meter.peak()) + " bytes");
    return stream;
}

inline bool same(const TensorArrays& a, const TensorArrays& b) {
    const auto equal = [](const void* x, const void* y, std::size_t bytes) {
        return x == nullptr || y == nullptr || bytes == 0 || std::memcmp(x, y, bytes) == 0;
    };
    return equal(a.levels.get(), b.levels.get(), a.count * 4) &&
           equal(a.values.get(), b.values.get(), std::min(a.value_bytes, b.value_bytes));
}

inline void require_same(const DecodedStream& a, const DecodedStream& b, const std::string& what) {
    for (std::size_t i = 0; i < a.units.size(); ++i) {
        const std::string where = what + ", data unit " + std::to_string(i);
        const std::optional<Fault>&fault = a.units[i].fault, &other = b.units[i].fault;
        require(fault.has_value() == other.has_value(), "a fault in one only: " + where);
        if (fault) {
            require(fault->kind() == other->kind() && fault->byte_offset() == other->byte_offset(),
                    "other faults: " + where + ": " + fault->what() + ", " + other->what());
            continue;
        }
        for (std::size_t j = 0; j < a.arrays[i].size(); ++j) {
            require(same(a.arrays[i][j], b.arrays[i][j]), "other results: " + where);
            require(a.units[i].tasks[j].qp == b.units[i].tasks[j].qp, "another QP: " + where);
        }
    }
}

// For units that continue a series, the levels of a tensor of the same size before them.
inline std::vector<Past> pasts_of(const DecodedStream& decoded) {
    std::vector<Past> pasts(decoded.units.size());
    for (std::size_t i = 0; i < pasts.size(); ++i) {
        if (!decoded.units[i].unit->parent) continue;
        const std::size_t count = decoded.arrays[i].back().count;
        pasts[i] = made_up_past(count);
        for (std::size_t j = 0; j < i; ++j) {
            const TensorArrays& before = decoded.arrays[j].back();
            if (decoded.units[j].fault || before.count != count || !before.levels) continue;
            pasts[i] = past_of({before.levels.get(), before.levels.get() + count});
        }
    }
    return pasts;
}

inline std::uint64_t elements_of(const Stream& stream) {
    std::uint64_t elements = 0;
    for (const DataUnit& unit : stream.data_units)
        for (const CodedTensor& tensor : coded_tensors(unit)) {
            elements += tensor.elements();
            if (elements > UINT32_MAX) return elements;
        }
    return elements;
}

// Throws `Wrong` if anything but a fault or a decode comes of `data`. More than `max_elements` are
// not decoded.
inline void check_decoding(std::span<const std::uint8_t> data, std::uint64_t max_elements) {
    // An allocation that ends with the bitstream.
    const auto copy = std::make_unique<std::uint8_t[]>(data.size());
    std::ranges::copy(data, copy.get());
    const std::span<const std::uint8_t> bytes(copy.get(), data.size());
    const std::optional<Stream> stream = parsed(bytes);
    if (!stream || elements_of(*stream) > max_elements) return;

    DecodedStream first = decoded(bytes, *stream, {}, {});
    const std::vector<Past> pasts = pasts_of(first);
    if (!std::ranges::all_of(pasts, &Past::empty)) first = decoded(bytes, *stream, pasts, {});
    for (const UnitTask& unit : first.units)
        if (unit.fault) require_place(*unit.fault, bytes);
    require_same(first, decoded(bytes, *stream, pasts, {false, true, 1}), "values alone");
    require_same(first, decoded(bytes, *stream, pasts, {true, true, 3}), "three threads");
}

}  // namespace nnr::checks
