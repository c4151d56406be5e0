#include "layer_decoder.hpp"

#include <atomic>
#include <cstring>
#include <vector>

#include "../parallel.hpp"

namespace nnr::nnc {
namespace {

// What goes on from one level to the next: the neighbour's sign as contexts see it, known before its
// magnitude is, and the state of the trellis.
struct Running {
    unsigned sign = by_sign(0);
    unsigned state = 0;
};

// What is signalled before the levels.
struct LayerStart {
    std::vector<Context> contexts;
    std::vector<std::uint8_t> skipped;  // one a row; empty where no row is
    bool with_history = false;
};

LayerStart read_start(ArithmeticDecoder& decoder, const Layer& layer, unsigned prefixes) {
    LayerStart start{fresh_store(layer.greater_flags), {}, false};
    if (layer.has_row_syntax()) {
        if (layer.has_parent) start.with_history = decoder.bypass() != 0;
        if (start.with_history && layer.history.empty())
            throw Fault(FaultKind::unsupported,
                        "the tensor depends on earlier ones of its series; give their model as base",
                        decoder.here());
        if (decoder.bypass() != 0) {
            Context& context = start.contexts[at::row_skip(layer.greater_flags)];
            start.skipped.resize(layer.rows);
            for (std::uint8_t& row : start.skipped)
                row = static_cast<std::uint8_t>(decoder.bin(context));
        }
    }
    for_each_configured(layer, start.with_history, prefixes, [&](unsigned index) {
        if (decoder.bin(start.contexts[at::configured(layer.greater_flags)]) == 0) return;
        const unsigned configuration = 1 + decoder.bypass(3);
        start.contexts[index] = Context::of(configuration);
    });
    return start;
}

// Continues a magnitude that passed all greater-than flags; `limit` is that of a codebook.
template <bool kLimited>
NNR_INLINE std::uint32_t read_remainder(ArithmeticDecoder& decoder, Context* prefix,
                                        std::uint32_t magnitude, std::uint32_t limit) {
    unsigned length = 0;
    while (length < at::kPrefixes && (!kLimited || limit >= magnitude + (1u << length))) {
        if (decoder.branching_bin(prefix[length]) == 0) break;
        magnitude += 1u << length;
        ++length;
    }
    return length != 0 ? magnitude + decoder.bypass(length) : magnitude;
}

// Levels without temporal context, history or codebook: nearly all there are.
template <bool kDq>
class PlainLevels {
public:
    PlainLevels(const Layer& layer, const LayerStart&) : flags_(layer.greater_flags) {}

    NNR_INLINE std::int32_t read(ArithmeticDecoder& decoder, Context* contexts,
                                 Running& running, std::uint64_t) const {
        const unsigned sign = running.sign;
        running.sign = by_sign(0);
        const unsigned state = kDq ? running.state : 0;
        if (decoder.bin(contexts[at::kSignificance + 3 * state + sign]) == 0) return 0;
        const unsigned negative = decoder.bin(contexts[at::kSign + sign]);
        running.sign = sign_context(negative != 0);
        Context* const greater = contexts + at::kGreater + negative;
        std::uint32_t magnitude = 1;
        while (magnitude <= flags_ && decoder.branching_bin(greater[2 * (magnitude - 1)]) != 0) ++magnitude;
        if (magnitude > flags_)
            magnitude = read_remainder<false>(decoder, contexts + at::prefix(flags_), magnitude, 0);
        return static_cast<std::int32_t>(negative != 0 ? 0 - magnitude : magnitude);
    }

private:
    unsigned flags_;
};

// Levels with all that there is.
class AnyLevels {
public:
    AnyLevels(const Layer& layer, const LayerStart& start)
        : layer_(layer),
          codebook_(layer.limits()),
          history_(start.with_history ? layer.history.data() : nullptr) {}

    std::int32_t read(ArithmeticDecoder& decoder, Context* contexts, Running& running,
                      std::uint64_t position) const {
        const unsigned sign = running.sign;
        running.sign = by_sign(0);
        if (codebook_.is_constant()) return 0;
        const unsigned flags = layer_.greater_flags;
        const std::int32_t base = layer_.is_temporal() ? layer_.base_levels[position] : 0;
        const std::uint32_t base_magnitude = magnitude_of(base);

        unsigned significance = at::kSignificance + 3 * running.state + sign;
        if (base != 0) significance = at::kSignificanceTemporal + 2 * running.state + (base_magnitude > 1);
        if (history_ != nullptr && history_[position] != 0)
            significance = at::kSignificanceHistory + running.state;
        if (decoder.bin(contexts[significance]) == 0) return 0;

        bool negative = codebook_.zero_offset != 0;
        if (!codebook_.has_one_sign())
            negative = decoder.bin(contexts[base != 0 ? at::kSignTemporal + (base > 0)
                                                      : at::kSign + sign]) != 0;
        running.sign = sign_context(negative != 0);

        const std::uint32_t limit = codebook_.size != 0 ? codebook_.limit(negative) : UINT32_MAX;
        std::uint32_t magnitude = 1;
        unsigned flag = 0;
        for (; flag < flags && magnitude < limit; ++flag, ++magnitude) {
            const unsigned greater =
                base != 0 ? at::greater_temporal(flags) + 2 * flag + (base_magnitude < flag)
                          : at::kGreater + 2 * flag + negative;
            if (decoder.bin(contexts[greater]) == 0) break;
        }
        if (flag == flags && magnitude < limit) {
            Context* const prefix = contexts + at::prefix(flags);
            magnitude = codebook_.size != 0
                            ? read_remainder<true>(decoder, prefix, magnitude, limit)
                            : read_remainder<false>(decoder, prefix, magnitude, limit);
        }
        if (codebook_.size != 0 && magnitude > limit)
            throw Fault(FaultKind::corrupt, "a level is outside the codebook", decoder.here());
        return static_cast<std::int32_t>(negative ? 0 - magnitude : magnitude);
    }

private:
    static std::uint32_t magnitude_of(std::int32_t level) {
        return level < 0 ? 0 - static_cast<std::uint32_t>(level) : static_cast<std::uint32_t>(level);
    }

    const Layer& layer_;
    CodebookRange codebook_;
    const std::uint8_t* history_;
};

struct BlockRows {
    const Layer& layer;
    const LayerStart& start;
    Scan scan;
    std::int32_t* levels;
};

// What is read of a block row so far. The decoder's copy for a segment lives in registers: stores of
// levels could otherwise alias it.
struct Progress {
    ArithmeticDecoder& decoder;
    Context* contexts;
    Running running;
};

template <bool kDq, class Levels>
void read_segment(const Levels& reader, Progress& progress, std::int32_t* levels,
                  std::uint64_t first, std::uint64_t length) {
    ArithmeticDecoder decoder = progress.decoder;
    Running running = progress.running;
    Context* const contexts = progress.contexts;
    for (std::uint64_t position = first; position < first + length; ++position) {
        const std::int32_t level = reader.read(decoder, contexts, running, position);
        if constexpr (kDq) {
            const auto bits = static_cast<std::uint32_t>(level);
            levels[position] = static_cast<std::int32_t>(trellis::multiple(bits, running.state));
            running.state = trellis::next(running.state, bits);
        } else {
            levels[position] = level;
        }
    }
    progress.decoder = decoder;
    progress.running = running;
}

template <bool kDq, class Levels>
void read_block_row(const BlockRows& rows, std::uint64_t index, ArithmeticDecoder& decoder,
                    std::span<Context> contexts, unsigned& state) {
    const Levels reader(rows.layer, rows.start);
    Progress progress{decoder, contexts.data(), {0, state}};
    const std::vector<std::uint8_t>& skipped = rows.start.skipped;
    const std::uint64_t columns = rows.layer.columns;
    rows.scan.block_row(index, [&](std::uint64_t row, std::uint64_t left, std::uint64_t length) {
        const std::uint64_t first = row * columns + left;
        if (!skipped.empty() && skipped[row] != 0) {
            std::memset(rows.levels + first, 0, length * sizeof *rows.levels);
            if (kDq) progress.running.state = trellis::after_zeros(progress.running.state, columns);
            return;
        }
        read_segment<kDq>(reader, progress, rows.levels, first, length);
    });
    state = progress.running.state;
}

using ReadBlockRow = void (*)(const BlockRows&, std::uint64_t, ArithmeticDecoder&,
                              std::span<Context>, unsigned&);

ReadBlockRow reader_of(const Layer& layer, const LayerStart& start) {
    const bool plain =
        !layer.is_temporal() && !start.with_history && layer.limits().size == 0;
    if (plain) return layer.dq ? read_block_row<true, PlainLevels<true>>
                               : read_block_row<false, PlainLevels<false>>;
    return layer.dq ? read_block_row<true, AnyLevels> : read_block_row<false, AnyLevels>;
}

void read_in_sequence(const BlockRows& rows, ReadBlockRow read, ArithmeticDecoder& decoder) {
    const std::uint64_t count = rows.scan.count();
    const bool restarts =
        count > 1 || (rows.layer.edition == 1 && rows.layer.is_matrix() && rows.layer.scan_order != 0);
    std::vector<Context> contexts = rows.start.contexts;
    unsigned state = 0;
    for (std::uint64_t index = 0; index < count; ++index) {
        if (restarts) {
            decoder.restart_range();
            contexts = rows.start.contexts;
        }
        read(rows, index, decoder, contexts, state);
    }
}

// A block row as a thread took it up and left it.
struct Stretch {
    ArithmeticDecoder decoder;
    unsigned state;
    std::uint64_t position;
    unsigned value;
    unsigned end_state = 0;
    bool failed = false;
};

std::vector<Stretch> stretches_of(const ArithmeticDecoder& decoder,
                                  std::span<const EntryPoint> entries) {
    std::vector<Stretch> stretches;
    stretches.reserve(entries.size() + 1);
    std::uint64_t position = decoder.position();
    stretches.push_back({decoder, 0, position, decoder.value()});
    for (const EntryPoint& entry : entries) {
        position += entry.bits;
        stretches.push_back({decoder, entry.dq_state, position, entry.value});
    }
    return stretches;
}

bool lead_into_each_other(std::span<const Stretch> stretches) {
    for (std::size_t i = 0; i < stretches.size(); ++i) {
        if (stretches[i].failed) return false;
        if (i == 0) continue;
        const Stretch& before = stretches[i - 1];
        if (before.decoder.position() != stretches[i].position ||
            before.decoder.value() != stretches[i].value || before.end_state != stretches[i].state)
            return false;
    }
    return true;
}

// False where the entry points do not fit what is coded; then nothing is decoded yet.
bool read_in_parallel(const BlockRows& rows, ReadBlockRow read, ArithmeticDecoder& decoder,
                      const LayerOptions& options) {
    std::vector<Stretch> stretches = stretches_of(decoder, options.entries);
    std::atomic<std::size_t> next{0};
    parallel_for(options.threads, options.threads, [&](std::size_t first, std::size_t last) noexcept {
        if (first == last) return;
        for (std::size_t i; (i = next.fetch_add(1)) < stretches.size();) {
            Stretch& stretch = stretches[i];
            try {
                std::vector<Context> contexts = rows.start.contexts;
                stretch.decoder.resume(stretch.position, stretch.value);
                stretch.decoder.restart_range();
                stretch.end_state = stretch.state;
                read(rows, i, stretch.decoder, contexts, stretch.end_state);
            } catch (const std::exception&) {
                stretch.failed = true;
            }
        }
    });
    if (!lead_into_each_other(stretches)) return false;
    decoder = stretches.back().decoder;
    return true;
}

}  // namespace

void decode_layer(ArithmeticDecoder& decoder, const Layer& layer, const LayerOptions& options,
                  std::int32_t* levels) {
    const LayerStart start = read_start(decoder, layer, options.prefixes);
    const BlockRows rows{layer, start, Scan(layer), levels};
    const ReadBlockRow read = reader_of(layer, start);
    const bool in_parallel = options.threads > 1 && rows.scan.count() > 1 &&
                             options.entries.size() + 1 == rows.scan.count();
    if (in_parallel && read_in_parallel(rows, read, decoder, options)) return;
    read_in_sequence(rows, read, decoder);
}

}  // namespace nnr::nnc
