// What must hold of tensors that are encoded with any options: they are refused with a reason, or
// the decoder gives exactly the levels that the encoder reported.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "../core/nnc/encode.hpp"
#include "../core/nnc/reconstruct.hpp"
#include "../core/nnc/step.hpp"
#include "choices.hpp"
#include "nnc_decoding.hpp"

namespace nnr::checks {

// Elements of most tensors, and of some.
inline constexpr std::size_t kUsualCount = 600, kMaxCount = 4096;

// A tensor and its options, and what they need to stay where they are.
struct ChosenTensor {
    EncodeTask task;
    std::vector<float> floats;
    std::vector<std::int32_t> integers, levels;
    Past past;
};

struct ChosenStream {
    SeriesParameters parameters;
    std::vector<ChosenTensor> tensors;
};

inline std::vector<std::uint32_t> chosen_dimensions(Choices& choices) {
    const std::size_t most = choices.below(16) == 15 ? kMaxCount : kUsualCount;
    std::vector<std::uint32_t> dimensions(choices.below(6));
    std::size_t count = 1;
    for (std::uint32_t& dimension : dimensions) {
        const std::size_t room = std::min<std::size_t>(most / std::max<std::size_t>(count, 1), 300);
        dimension = choices.below(static_cast<std::uint32_t>(room) + 1);
        count *= dimension;
    }
    return dimensions;
}

inline EncodeOptions chosen_options(Choices& choices) {
    constexpr double kRdo[]{0, 0, 0.25, 1, 5};
    constexpr unsigned kUnaryLengths[]{0, 0, 1, 2, 10, 41, 255, 256};
    EncodeOptions options;
    const unsigned flags = choices.byte();
    options.dq = (flags & 1) != 0;
    options.row_skipping = (flags & 2) != 0;
    options.optimize_contexts = (flags & 4) != 0;
    options.codebook = (flags & 8) != 0;
    options.nncodec = (flags & 16) != 0;
    options.raw = (flags & 0xE0) == 0xE0;
    options.rdo = kRdo[choices.below(std::size(kRdo))];
    options.scan_order = choices.below(5);
    options.unary_length = kUnaryLengths[choices.below(std::size(kUnaryLengths))];
    return options;
}

// Floats anywhere, some of them not finite.
inline std::vector<float> chosen_floats(Choices& choices, std::size_t count, float step) {
    std::vector<float> floats(count);
    const unsigned kind = choices.below(8);
    if (kind == 0) {
        Numbers numbers(choices.word());
        for (float& value : floats)
            value = std::bit_cast<float>(static_cast<std::uint32_t>(numbers.next()));
        return floats;
    }
    const std::vector<double> multiples = chosen_multiples(choices, count);
    for (std::size_t i = 0; i < count; ++i)
        floats[i] = static_cast<float>(multiples[i] * double{step});
    if (kind == 1 && count > 0) floats[count / 2] = std::numeric_limits<float>::quiet_NaN();
    return floats;
}

inline std::vector<std::int32_t> chosen_past(Choices& choices, std::size_t count) {
    std::vector<std::int32_t> levels = chosen_integers(choices, count);
    if (choices.flag())
        for (std::int32_t& level : levels) level %= 4;
    return levels;
}

inline void choose_past(Choices& choices, ChosenTensor& tensor, std::size_t count) {
    const unsigned kind = choices.below(4);
    if (kind == 0) return;
    tensor.task.parent.emplace();
    tensor.task.parent->node.device_id = choices.byte();
    tensor.past = past_of(chosen_past(choices, count));
    tensor.task.parent->temporal_context_modeling = (kind & 1) != 0 && count != 0;
    if ((kind & 2) != 0) tensor.task.history = tensor.past.history;
    if ((kind & 1) != 0) tensor.task.base_levels = tensor.past.levels;
}

inline void choose_tensor(Choices& choices, const SeriesParameters& parameters,
                          ChosenTensor& tensor) {
    EncodeTask& task = tensor.task;
    task.name.assign(choices.below(3), 'w');
    task.options = chosen_options(choices);
    task.dimensions = chosen_dimensions(choices);
    std::size_t count = 1;
    for (const std::uint32_t dimension : task.dimensions) count *= dimension;
    task.is_float = choices.below(4) != 0;
    const unsigned bits = qp_bits(parameters.qp_density);
    task.qp = static_cast<std::int32_t>(choices.below(1u << bits)) - (1 << (bits - 1));
    task.node = {choices.byte(), choices.word(), choices.byte()};
    if (parameters.parent_signalling) choose_past(choices, tensor, count);
    if (task.is_float)
        tensor.floats = chosen_floats(choices, count, step_size(task.qp, parameters.qp_density));
    else
        tensor.integers = chosen_integers(choices, count);
    task.floats = tensor.floats;
    task.integers = tensor.integers;
    tensor.levels.resize(count);
    if (!(task.is_float && task.options.raw)) task.levels = tensor.levels.data();
}

inline ChosenStream chosen_stream(Choices& choices) {
    ChosenStream stream;
    stream.parameters = {choices.below(8), choices.flag()};
    stream.tensors.resize(1 + choices.below(3));
    for (ChosenTensor& tensor : stream.tensors)
        choose_tensor(choices, stream.parameters, tensor);
    return stream;
}

inline std::vector<std::uint8_t> bytes_of(const SeriesParameters& parameters,
                                          std::span<const EncodeTask> tasks) {
    Parameters written;
    written.qp_density = parameters.qp_density;
    written.parent_signalling = parameters.parent_signalling;
    std::vector<std::uint8_t> bytes;
    write_start(bytes, written.edition);
    write_model_parameter_set(bytes, written, true);
    for (const EncodeTask& task : tasks)
        bytes.insert(bytes.end(), task.unit.begin(), task.unit.end());
    return bytes;
}

// A tensor may be refused only for its values.
inline void require_reason(const ChosenTensor& tensor, const EncodeTask& task, float step) {
    const bool raw = task.options.raw;
    require(task.is_float && !raw, "refused without a reason: " + task.error);
    require(std::ranges::any_of(tensor.floats,
                                [&](float value) {
                                    return !(std::fabs(double{value}) <= 0x1p29 * double{step});
                                }),
            "refused though all values fit: " + task.error);
}

inline std::vector<std::uint8_t> expected_values(const ChosenTensor& tensor, const EncodeTask& task,
                                                 float step) {
    const std::size_t count = tensor.levels.size();
    std::vector<std::uint8_t> values(count * (task.codebook ? 8 : 4));
    if (values.empty()) return values;
    if (task.is_float && task.options.raw) {
        std::memcpy(values.data(), tensor.floats.data(), values.size());
    } else if (!task.is_float) {
        std::memcpy(values.data(), tensor.integers.data(), values.size());
    } else if (task.codebook) {
        std::vector<double> doubles(count);
        require(reconstruct_codebook(tensor.levels.data(), count, step, *task.codebook,
                                     doubles.data()) == count,
                "a reported level outside the codebook");
        std::memcpy(values.data(), doubles.data(), values.size());
    } else {
        reconstruct_floats(tensor.levels.data(), count, step, values.data());
    }
    return values;
}

inline void require_reported(const ChosenTensor& tensor, const EncodeTask& task, float step,
                             const UnitTask& unit, const TensorArrays& arrays) {
    require(!unit.fault, unit.fault ? "does not decode: " + std::string(unit.fault->what()) : "");
    require(unit.unit->names == std::vector{task.name}, "another name");
    require(unit.unit->dimensions == task.dimensions, "another shape");
    require(unit.unit->node && unit.unit->node->parameter_id == task.node.parameter_id,
            "another node");
    if (task.levels != nullptr)
        require(std::equal(tensor.levels.begin(), tensor.levels.end(), arrays.levels.get()),
                "other levels than the encoder reported");
    if (!task.is_float) require(tensor.levels == tensor.integers, "integers that are not exact");
    const std::vector<std::uint8_t> expected = expected_values(tensor, task, step);
    require(arrays.value_bytes == expected.size() &&
                std::equal(expected.begin(), expected.end(), arrays.values.get()),
            "other values than the encoder reported");
}

inline void require_round_trip(const ChosenStream& chosen, std::span<const EncodeTask> tasks,
                               std::span<const std::uint8_t> bytes) {
    std::optional<Stream> stream;
    try {
        stream = parse(bytes);
    } catch (const Fault& fault) {
        throw Wrong("the headers do not parse: " + std::string(fault.what()));
    }
    require(stream->data_units.size() == tasks.size(), "another number of units");
    std::vector<Past> pasts;
    for (const ChosenTensor& tensor : chosen.tensors) pasts.push_back(tensor.past);
    for (const unsigned threads : {1u, 3u}) {
        const DecodedStream result = decoded(bytes, *stream, pasts, {true, true, threads});
        for (std::size_t i = 0; i < tasks.size(); ++i)
            require_reported(chosen.tensors[i], tasks[i],
                             step_size(tasks[i].qp, chosen.parameters.qp_density), result.units[i],
                             result.arrays[i].back());
    }
}

// Throws `Wrong` if tensors and options made from `choices` do not come back as the encoder says;
// returns the bitstream, which is empty if it was refused.
inline std::vector<std::uint8_t> check_encoding(Choices& choices) {
    ChosenStream chosen = chosen_stream(choices);
    std::vector<EncodeTask> tasks;
    for (const ChosenTensor& tensor : chosen.tensors) tasks.push_back(tensor.task);
    encode_units(tasks, chosen.parameters, 1);
    std::vector<std::uint8_t> bytes = bytes_of(chosen.parameters, tasks);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (tasks[i].error.empty()) continue;
        require_reason(chosen.tensors[i], tasks[i],
                       step_size(tasks[i].qp, chosen.parameters.qp_density));
        bytes.clear();
    }
    if (!bytes.empty()) require_round_trip(chosen, tasks, bytes);
    return bytes;
}

}  // namespace nnr::checks
