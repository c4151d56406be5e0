#include "layer_encoder.hpp"

#include <algorithm>

namespace nnr::nnc {
namespace {

struct StoreCoder {
    ArithmeticEncoder encoder;
    Context* store;

    NNR_INLINE void bin(unsigned context, bool value) { encoder.bin(store[context], value); }
    NNR_INLINE void bypass(std::uint32_t value, unsigned count) { encoder.bypass(value, count); }
};

void write_start(StoreCoder& coder, const Layer& layer, const LayerChoices& choices) {
    if (layer.has_row_syntax()) {
        if (layer.has_parent) coder.bypass(choices.with_history, 1);
        coder.bypass(!choices.skipped.empty(), 1);
        for (const std::uint8_t skipped : choices.skipped)
            coder.bin(at::row_skip(layer.greater_flags), skipped != 0);
    }
    for_each_configured(layer, choices.with_history, at::kPrefixes, [&](unsigned index) {
        const unsigned configuration = choices.configurations[index];
        coder.bin(at::configured(layer.greater_flags), configuration != 0);
        if (configuration != 0) coder.bypass(configuration - 1, 3);
    });
}

template <bool kPlain>
void write_levels(StoreCoder& shared_coder, const Layer& layer, const LayerChoices& choices,
                  const std::int32_t* levels, std::vector<EncodedEntry>& entries) {
    const bool restarts = Scan(layer).count() > 1;
    StoreCoder coder = shared_coder;  // in registers
    const std::size_t contexts = choices.configurations.size();
    const auto begin_block_row = [&](unsigned state) {
        for (std::size_t i = 0; i < contexts; ++i)
            coder.store[i] = Context::of(choices.configurations[i]);
        if (!restarts) return;
        coder.encoder.restart_range();
        entries.push_back({coder.encoder.position(), coder.encoder.low(),
                           static_cast<std::uint8_t>(state)});
    };
    walk_levels(layer, choices, levels, false, begin_block_row,
                [&](std::uint64_t position, std::int32_t level, std::int32_t neighbour,
                    unsigned state) {
                    write_level_of<kPlain>(coder, layer, choices, position, magnitude_of(level),
                                           level < 0, neighbour, state);
                });
    shared_coder = coder;
}

}  // namespace

std::vector<std::uint8_t> zero_rows(const Layer& layer, std::span<const std::int32_t> levels) {
    if (!layer.has_row_syntax()) return {};
    std::vector<std::uint8_t> rows(layer.rows);
    for (std::uint64_t row = 0; row < layer.rows; ++row) {
        const auto of_row = levels.subspan(row * layer.columns, layer.columns);
        rows[row] = std::ranges::all_of(of_row, [](std::int32_t level) { return level == 0; });
    }
    return rows;
}

void encode_layer(ArithmeticEncoder& encoder, const Layer& layer, const LayerChoices& choices,
                  std::span<const std::int32_t> levels, std::vector<EncodedEntry>& entries) {
    std::vector<Context> store = fresh_store(layer.greater_flags);
    StoreCoder coder{encoder, store.data()};
    write_start(coder, layer, choices);
    if (is_plain(layer, choices))
        write_levels<true>(coder, layer, choices, levels.data(), entries);
    else
        write_levels<false>(coder, layer, choices, levels.data(), entries);
    encoder = coder.encoder;
}

}  // namespace nnr::nnc
