#include "encode.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "../parallel.hpp"
#include "codebook.hpp"
#include "configuration_search.hpp"
#include "layer_encoder.hpp"
#include "level_quantizer.hpp"
#include "rate_distortion.hpp"
#include "step.hpp"

namespace nnr::nnc {
namespace {

constexpr unsigned kDefaultUnaryLength = 11;
// Every flag more has contexts whose configurations are sent: small tensors may do without.
constexpr std::array<unsigned, 3> kTriedUnaryLengths{2, 5, kDefaultUnaryLength};
constexpr std::size_t kTriedElements = 16 << 10;
// For so few the least is best without trying.
constexpr std::size_t kFewElements = 128;
// Squared steps that a bit is worth: what a finer step would gain by it, which is less where most
// levels are zero. Measured on networks of 0.5 to 8 bits a level, from the bits that a level takes.
constexpr double kLeastWorth = 0.07, kWorthPerBit = 0.1, kMostWorth = 0.35;
// Elements that are worth a thread.
constexpr std::size_t kElementsPerThread = 8 << 10;
// Rows of nothing larger than this part of a step are zero however the trellis goes.
constexpr double kNegligible = 0.5;

std::uint64_t count_of(const EncodeTask& task) {
    return task.is_float ? task.floats.size() : task.integers.size();
}

Layer layer_of(const EncodeTask& task) {
    Layer layer;
    layer.rows = task.dimensions.empty() ? 1 : task.dimensions[0];
    layer.columns = layer.rows == 0 ? 0 : count_of(task) / layer.rows;
    layer.dq = task.is_float && task.options.dq;
    layer.greater_flags =
        task.options.unary_length != 0 ? task.options.unary_length : kDefaultUnaryLength;
    layer.scan_order = layer.is_matrix() ? task.options.scan_order : 0;
    layer.has_parent = task.parent.has_value();
    if (task.parent && task.parent->temporal_context_modeling) layer.base_levels = task.base_levels;
    layer.history = task.history;
    return layer;
}

// Rows to skip before the trellis runs: in a scan by blocks a skipped row moves its state as a whole
// row of zeros would, which is not what the zeros themselves do.
std::vector<std::uint8_t> negligible_rows(const Layer& layer, std::span<const float> weights,
                                          float step) {
    std::vector<std::uint8_t> rows(layer.rows);
    bool any = false;
    const double limit = kNegligible * double{step};
    for (std::uint64_t row = 0; row < layer.rows; ++row) {
        const auto of_row = weights.subspan(row * layer.columns, layer.columns);
        rows[row] = std::ranges::all_of(of_row, [&](float w) { return std::fabs(double{w}) < limit; });
        any |= rows[row] != 0;
    }
    return any ? rows : std::vector<std::uint8_t>{};
}

// What is coded of one tensor: levels before they become multiples of the step, and the choices.
struct CodedLayer {
    Layer layer;
    LayerChoices choices;
    std::vector<std::int32_t> levels;
};

SearchResult search(const CodedLayer& coded, const EncodeOptions& options) {
    return search_configurations(coded.layer, coded.choices, coded.levels, {options.nncodec});
}

void choose_configurations(CodedLayer& coded, const EncodeOptions& options) {
    if (options.optimize_contexts)
        coded.choices.configurations = search(coded, options).configurations;
    else
        coded.choices.configurations.assign(at::end(coded.layer.greater_flags), 0);
}

// The levels of least error.
void quantize(const EncodeTask& task, float step, CodedLayer& coded) {
    const Layer& layer = coded.layer;
    if (!layer.dq) {
        quantize_uniform(task.floats, step, coded.levels.data());
        return;
    }
    const bool skips = task.options.row_skipping && layer.has_row_syntax();
    if (layer.scan_order != 0 && skips)
        coded.choices.skipped = negligible_rows(layer, task.floats, step);
    quantize_trellis(layer, coded.choices.skipped, task.floats, step, coded.levels.data());
}

// Levels whose error is worth what it saves. Where contexts start depends on the levels and the
// levels on where contexts start, so this begins from the levels of least error.
void weigh_rate(const EncodeTask& task, float step, CodedLayer& coded) {
    if (task.options.rdo == 0 || !coded.layer.dq || !is_plain(coded.layer, coded.choices)) return;
    if (coded.levels.empty()) return;
    SearchResult found = search(coded, task.options);
    const double bits = static_cast<double>(found.cost) / kCostOfBit /
                        static_cast<double>(coded.levels.size());
    const double worth = std::min(kMostWorth, kLeastWorth + kWorthPerBit * bits);
    if (!task.options.optimize_contexts) std::ranges::fill(found.configurations, 0);
    coded.choices.configurations = std::move(found.configurations);
    quantize_rate_distortion(coded.layer, coded.choices, task.floats, step,
                             task.options.rdo * worth, coded.levels.data());
}

void choose_unary_length(const EncodeTask& task, CodedLayer& coded) {
    const bool tries = task.options.unary_length == 0 && task.options.optimize_contexts &&
                       coded.levels.size() <= kTriedElements;
    if (!tries) return;
    if (coded.levels.size() <= kFewElements) {
        coded.layer.greater_flags = kTriedUnaryLengths.front();
        return;
    }
    std::uint64_t least = UINT64_MAX;
    unsigned best = kDefaultUnaryLength;
    for (const unsigned length : kTriedUnaryLengths) {
        coded.layer.greater_flags = length;
        const std::uint64_t cost =
            search_configurations(coded.layer, coded.choices, coded.levels, {}).cost;
        if (cost < least) {
            least = cost;
            best = length;
        }
    }
    coded.layer.greater_flags = best;
}

void choose_skipped_rows(const EncodeTask& task, CodedLayer& coded) {
    if (!task.options.row_skipping || (coded.layer.dq && coded.layer.scan_order != 0)) return;
    coded.choices.skipped = zero_rows(coded.layer, coded.levels);
    // NNCodec sends the flag of every row whether or not any is set.
    const bool none = std::ranges::find(coded.choices.skipped, 1) == coded.choices.skipped.end();
    if (none && !task.options.nncodec) coded.choices.skipped.clear();
}

// Levels as the decoder will have them before it multiplies by the step.
void store_multiples(const CodedLayer& coded, std::int32_t* out) {
    std::ranges::copy(coded.levels, out);
    if (!coded.layer.dq) return;
    walk_levels(coded.layer, coded.choices, coded.levels.data(), false, [](unsigned) {},
                [&](std::uint64_t position, std::int32_t level, std::int32_t, unsigned state) {
                    out[position] = static_cast<std::int32_t>(
                        trellis::multiple(static_cast<std::uint32_t>(level), state));
                });
}

struct Code {
    std::vector<std::uint8_t> bytes;
    std::vector<EntryPoint> entries;
};

Code code_of(const EncodeTask& task, const CodedLayer& coded, unsigned density) {
    Code code;
    code.bytes.reserve(coded.levels.size() + 64);
    ArithmeticEncoder encoder(code.bytes);
    if (task.is_float)
        encoder.bypass(static_cast<std::uint32_t>(task.qp) & ((1u << qp_bits(density)) - 1),
                       qp_bits(density));
    std::vector<EncodedEntry> entries;
    encode_layer(encoder, coded.layer, coded.choices, coded.levels, entries);
    encoder.finish();
    for (std::size_t i = 1; i < entries.size(); ++i)
        code.entries.push_back({entries[i].position - entries[i - 1].position,
                                entry_value(code.bytes, entries[i].position, entries[i].low),
                                entries[i].dq_state});
    return code;
}

Code best_code(const EncodeTask& task, CodedLayer& coded, unsigned density) {
    choose_configurations(coded, task.options);
    Code code = code_of(task, coded, density);
    if (!coded.layer.has_parent || coded.layer.history.empty() || !coded.layer.has_row_syntax())
        return code;
    CodedLayer with_history = coded;
    with_history.choices.with_history = true;
    choose_configurations(with_history, task.options);
    Code other = code_of(task, with_history, density);
    return other.bytes.size() < code.bytes.size() ? other : code;
}

// A finished unit and what is in it.
struct EncodedUnit {
    std::vector<std::uint8_t> bytes;
    CodedLayer coded;
    std::optional<Codebook> codebook;
};

DataUnit header_of(const EncodeTask& task, const SeriesParameters& parameters,
                   const EncodedUnit& encoded) {
    DataUnit unit;
    unit.parameters.parent_signalling = parameters.parent_signalling;
    unit.type = !task.is_float     ? PayloadType::integers
                : task.options.raw ? PayloadType::raw_floats
                                   : PayloadType::floats;
    unit.names = {task.name};
    unit.node = task.node;
    if (parameters.parent_signalling) unit.parent = task.parent;
    unit.codebook = encoded.codebook;
    unit.dq = encoded.coded.layer.dq && !task.options.raw;
    unit.dimensions = task.dimensions;
    unit.greater_flags = encoded.coded.layer.greater_flags;
    unit.scan_order = task.options.raw ? 0 : encoded.coded.layer.scan_order;
    return unit;
}

void write_raw(const EncodeTask& task, std::vector<std::uint8_t>& body) {
    const std::size_t begin = body.size();
    body.resize(begin + task.floats.size_bytes());
    if (!task.floats.empty())
        std::memcpy(body.data() + begin, task.floats.data(), task.floats.size_bytes());
    if constexpr (std::endian::native == std::endian::big)
        for (std::size_t i = begin; i < body.size(); i += 4)
            std::reverse(body.data() + i, body.data() + i + 4);
}

void write_unit(const EncodeTask& task, const SeriesParameters& parameters, EncodedUnit& encoded) {
    std::vector<std::uint8_t> body;
    if (task.options.raw && task.is_float) {
        write_data_unit_header(body, header_of(task, parameters, encoded));
        write_raw(task, body);
    } else {
        const Code code = best_code(task, encoded.coded, parameters.qp_density);
        DataUnit header = header_of(task, parameters, encoded);
        header.entries = code.entries;
        write_data_unit_header(body, header);
        body.insert(body.end(), code.bytes.begin(), code.bytes.end());
    }
    append_unit(encoded.bytes, UnitType::compressed_data, body);
}

EncodedUnit plainly_encoded(const EncodeTask& task, const SeriesParameters& parameters) {
    EncodedUnit encoded{{}, {layer_of(task), {}, {}}, std::nullopt};
    CodedLayer& coded = encoded.coded;
    if (!task.options.raw) {
        if (task.is_float) {
            const float step = step_size(task.qp, parameters.qp_density);
            coded.levels.resize(task.floats.size());
            quantize(task, step, coded);
            choose_unary_length(task, coded);
            weigh_rate(task, step, coded);
        } else {
            coded.levels.assign(task.integers.begin(), task.integers.end());
            choose_unary_length(task, coded);
        }
        choose_skipped_rows(task, coded);
    }
    write_unit(task, parameters, encoded);
    return encoded;
}

// Indices into a codebook of what rounding gives; none where that is too many values.
std::optional<EncodedUnit> indexed(const EncodeTask& task, const SeriesParameters& parameters,
                                   const Layer& layer) {
    std::vector<std::int32_t> levels(task.floats.size());
    quantize_uniform(task.floats, step_size(task.qp, parameters.qp_density), levels.data());
    EncodedUnit encoded{{}, {layer, {}, {}}, codebook_of(levels)};
    if (!encoded.codebook) return std::nullopt;
    encoded.coded.layer.dq = false;
    encoded.coded.layer.codebook = encoded.codebook->range();
    encoded.coded.levels = indices_of(levels, *encoded.codebook);
    choose_skipped_rows(task, encoded.coded);
    write_unit(task, parameters, encoded);
    return encoded;
}

EncodedUnit shortest(const EncodeTask& task, const SeriesParameters& parameters) {
    EncodedUnit plain = plainly_encoded(task, parameters);
    if (!task.options.codebook || !task.is_float || task.options.raw) return plain;
    auto with_codebook = indexed(task, parameters, plain.coded.layer);
    const bool shorter = with_codebook && with_codebook->bytes.size() < plain.bytes.size();
    return shorter ? std::move(*with_codebook) : std::move(plain);
}

std::string unquantizable(float value, std::size_t index, float step) {
    std::array<char, 160> text{};
    const auto print = [&](const char* format, auto... values) {
        std::snprintf(text.data(), text.size(), format, values...);
    };
    if (std::isfinite(value))
        print("element %zu, %g, is too large for a step of %g; the setting raw keeps a tensor as it is",
              index, double{value}, double{step});
    else
        print("element %zu is %g, which has no level", index, double{value});
    return text.data();
}

void encode_unit(EncodeTask& task, const SeriesParameters& parameters) {
    task.options.raw &= task.is_float;
    if (task.is_float && !task.options.raw) {
        const float step = step_size(task.qp, parameters.qp_density);
        if (const auto at = first_unquantizable(task.floats, step)) {
            task.error = unquantizable(task.floats[*at], *at, step);
            return;
        }
    }
    EncodedUnit encoded = shortest(task, parameters);
    if (task.levels != nullptr) store_multiples(encoded.coded, task.levels);
    task.unit = std::move(encoded.bytes);
    task.is_dependent = encoded.coded.layer.dq && !task.options.raw;
    task.codebook = std::move(encoded.codebook);
}

}  // namespace

void encode_units(std::span<EncodeTask> tasks, const SeriesParameters& parameters,
                  unsigned threads) {
    std::vector<std::size_t> order(tasks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater{},
                             [&](std::size_t i) { return count_of(tasks[i]); });
    std::size_t total = 0;
    for (const EncodeTask& task : tasks) total += count_of(task);
    if (threads == 0)
        threads = static_cast<unsigned>(
            std::clamp<std::size_t>(total / kElementsPerThread, 1, default_threads()));
    std::atomic<std::size_t> next{0};
    std::atomic<bool> out_of_memory{false};
    const std::size_t workers = std::min<std::size_t>(threads, std::max<std::size_t>(tasks.size(), 1));
    parallel_for(workers, workers, [&](std::size_t first, std::size_t last) noexcept {
        if (first == last) return;
        for (std::size_t i; (i = next.fetch_add(1)) < order.size();) {
            try {
                encode_unit(tasks[order[i]], parameters);
            } catch (const std::bad_alloc&) {
                out_of_memory = true;
            } catch (const std::exception& error) {
                tasks[order[i]].error = error.what();
            }
        }
    });
    if (out_of_memory) throw std::bad_alloc();
}

}  // namespace nnr::nnc
