#include "decode.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>

#include "../parallel.hpp"
#include "arithmetic_decoder.hpp"
#include "layer_decoder.hpp"
#include "reconstruct.hpp"
#include "step.hpp"

namespace nnr::nnc {
namespace {

// Edition 1 sends one context id more; some of its encoders do not.
constexpr unsigned kEdition1Prefixes = at::kPrefixes + 1;
// Code bytes that are worth a thread.
constexpr std::size_t kBytesPerThread = 16 << 10;

void check_end(const ArithmeticDecoder& decoder) {
    if (decoder.overran())
        throw Fault(FaultKind::truncated, "the arithmetic code ends too early", decoder.here());
    if (!decoder.terminate())
        throw Fault(FaultKind::corrupt, "no terminating bin after the last level", decoder.here());
    if (!decoder.ends_properly())
        throw Fault(FaultKind::corrupt, "the unit does not end with its arithmetic code",
                    decoder.here());
}

Layer layer_of(const DataUnit& unit, const CodedTensor& tensor, const TensorTask& task) {
    Layer layer;
    layer.rows = tensor.rows();
    layer.columns = tensor.columns();
    layer.dq = unit.dq;
    layer.greater_flags = unit.greater_flags;
    layer.scan_order = layer.is_matrix() ? unit.scan_order : 0;
    layer.edition = unit.parameters.edition;
    layer.has_parent = unit.parent.has_value();
    if (tensor.codebook != nullptr) layer.codebook = tensor.codebook->range();
    if (unit.parent && unit.parent->temporal_context_modeling && tensor.elements() != 0) {
        if (task.base_levels.empty())
            throw Fault(FaultKind::unsupported,
                        "tensor '" + tensor.name +
                            "' continues an earlier one of its series; give their model as base",
                        unit.offset);
        layer.base_levels = task.base_levels;
    }
    layer.history = task.history;
    return layer;
}

void decode_tensor(ArithmeticDecoder& decoder, const DataUnit& unit, const CodedTensor& tensor,
                   TensorTask& task, const LayerOptions& options) {
    float step = 1;
    if (unit.type != PayloadType::integers) {
        const unsigned bits = qp_bits(unit.parameters.qp_density);
        const std::uint32_t coded = decoder.bypass(bits);
        const auto delta = static_cast<std::int32_t>(coded << (32 - bits)) >> (32 - bits);
        task.qp = unit.parameters.qp + delta;
        step = step_size(*task.qp, unit.parameters.qp_density);
        if (!std::isfinite(step))
            throw Fault(FaultKind::corrupt, "a quantisation step beyond float32", decoder.here());
    }
    const std::uint64_t count = tensor.elements();
    std::unique_ptr<std::int32_t[]> own;
    std::int32_t* levels = task.levels;
    if (levels == nullptr) {
        if (tensor.codebook != nullptr) own = std::make_unique_for_overwrite<std::int32_t[]>(count);
        levels = own ? own.get() : static_cast<std::int32_t*>(task.values);
    }
    decode_layer(decoder, layer_of(unit, tensor, task), options, levels);
    if (task.values == nullptr) return;
    if (unit.type == PayloadType::integers) {
        if (levels != task.values) std::memcpy(task.values, levels, count * sizeof *levels);
    } else if (tensor.codebook != nullptr) {
        auto* const values = static_cast<double*>(task.values);
        if (reconstruct_codebook(levels, count, step, *tensor.codebook, values) != count)
            throw Fault(FaultKind::corrupt, "a level is outside the codebook", unit.offset);
    } else {
        reconstruct_floats(levels, count, step, task.values);
    }
}

void read_raw(std::span<const std::uint8_t> data, const DataUnit& unit, const CodedTensor& tensor,
              const TensorTask& task) {
    const std::uint64_t wanted = tensor.elements() * sizeof(float);
    const std::uint64_t given = unit.end() - unit.payload;
    if (given != wanted)
        throw Fault(given < wanted ? FaultKind::truncated : FaultKind::corrupt,
                    "raw values of another number of bytes than the dimensions say", unit.payload);
    if (task.values == nullptr || wanted == 0) return;
    auto* const out = static_cast<unsigned char*>(task.values);
    std::memcpy(out, data.data() + unit.payload, wanted);
    if constexpr (std::endian::native == std::endian::big)
        for (std::uint64_t i = 0; i < wanted; i += sizeof(float))
            std::reverse(out + i, out + i + sizeof(float));
}

void decode_coded(std::span<const std::uint8_t> data, UnitTask& task, unsigned prefixes,
                  unsigned threads) {
    const DataUnit& unit = *task.unit;
    ArithmeticDecoder decoder(data.subspan(unit.payload, unit.end() - unit.payload), unit.payload);
    for (std::size_t i = 0; i < task.tensors.size(); ++i) {
        const bool alone = (unit.parts & parts::kDecomposition) == 0;
        const bool has_entries = alone && task.tensors[i].role == Role::weight;
        const LayerOptions options{
            prefixes, has_entries ? std::span<const EntryPoint>(unit.entries)
                                  : std::span<const EntryPoint>{},
            threads};
        decode_tensor(decoder, unit, task.tensors[i], task.tasks[i], options);
    }
    check_end(decoder);
}

void decode_unit(std::span<const std::uint8_t> data, UnitTask& task, unsigned threads) {
    const DataUnit& unit = *task.unit;
    if (unit.type == PayloadType::raw_floats)
        return read_raw(data, unit, task.tensors[0], task.tasks[0]);
    if (unit.parameters.edition == 2) return decode_coded(data, task, at::kPrefixes, threads);
    try {
        decode_coded(data, task, kEdition1Prefixes, threads);
    } catch (const Fault& fault) {
        if (fault.kind() == FaultKind::unsupported) throw;
        decode_coded(data, task, at::kPrefixes, threads);
    }
}

void try_decode_unit(std::span<const std::uint8_t> data, UnitTask& task, unsigned threads) {
    try {
        decode_unit(data, task, threads);
    } catch (const Fault& fault) {
        task.fault = fault.in_unit(task.unit->number);
    }
}

}  // namespace

void decode_units(std::span<const std::uint8_t> data, std::span<UnitTask> units, unsigned threads) {
    // The longest first, so that no thread is left with one at the end.
    std::vector<std::size_t> order(units.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::size_t i) { return units[i].unit->size; });
    std::size_t total = 0;
    for (const UnitTask& task : units) total += task.unit->size;
    if (threads == 0)
        threads = static_cast<unsigned>(
            std::clamp<std::size_t>(total / kBytesPerThread, 1, default_threads()));

    // A unit of more than one thread's share keeps the others waiting, unless they share it.
    std::size_t shared = 0;
    for (; shared < order.size() && threads > 1; ++shared) {
        UnitTask& task = units[order[shared]];
        if (task.unit->entries.empty() || task.unit->size * threads < total) break;
        try_decode_unit(data, task, threads);
    }
    std::atomic<std::size_t> next{shared};
    std::atomic<bool> out_of_memory{false};
    const std::size_t workers = std::min<std::size_t>(threads, std::max<std::size_t>(order.size() - shared, 1));
    parallel_for(workers, workers, [&](std::size_t first, std::size_t last) noexcept {
        if (first == last) return;
        try {
            for (std::size_t i; (i = next.fetch_add(1)) < order.size();)
                try_decode_unit(data, units[order[i]], 1);
        } catch (const std::bad_alloc&) {
            out_of_memory = true;
        }
    });
    if (out_of_memory) throw std::bad_alloc();
}

}  // namespace nnr::nnc
