#include "configuration_search.hpp"

#include <cmath>
#include <memory>

#include "../../dispatch/targets.hpp"

namespace nnr::nnc {
namespace {

// A configuration other than the first is sent with three bits.
constexpr std::uint64_t kSendingCost = 3 * 32768;

ContextBinCosts computed_costs() {
    ContextBinCosts costs{};
    for (int index = 0; index < 1024; ++index) {
        const int state = index - 512;
        const int sureness = std::min(std::abs(state), 511);
        const double of_lps = kCostOfBit + 400.79895 * (sureness + 0.5);
        const double of_mps = -kCostOfBit * std::log2(1 - std::exp2(-of_lps / kCostOfBit));
        const unsigned more_probable = state >= 0;
        const auto at = static_cast<std::size_t>(index);
        costs[more_probable][at] = static_cast<std::uint32_t>(std::lround(of_mps));
        costs[1 - more_probable][at] = static_cast<std::uint32_t>(std::lround(of_lps));
    }
    return costs;
}

// Bins of every context as they come, and what they cost from each configuration.
class Recorder {
public:
    explicit Recorder(std::size_t contexts)
        : bins_(std::make_unique_for_overwrite<std::uint8_t[]>(contexts * kBuffered)),
          counts_(contexts),
          trials_(contexts) {
        restart();
    }

    NNR_INLINE void bin(unsigned context, bool value) {
        std::uint32_t& count = counts_[context];
        bins_[context * kBuffered + count] = value;
        if (++count == kBuffered) [[unlikely]]
            evaluate(context);
    }
    void bypass(std::uint32_t, unsigned count) { bypassed_ += count; }

    // Contexts begin anew at every block row.
    void restart() {
        for (std::size_t i = 0; i < trials_.size(); ++i) {
            if (counts_[i] != 0) evaluate(i);
            for (std::size_t c = 0; c < kContextConfigurations; ++c) {
                trials_[i].fast[c] = kContextConfiguration[c].fast;
                trials_[i].slow[c] = kContextConfiguration[c].slow;
            }
        }
    }

    SearchResult result() {
        restart();
        SearchResult result;
        result.cost = bypassed_ * static_cast<std::uint64_t>(kCostOfBit);
        for (const ContextTrials& trials : trials_) {
            unsigned best = 0;
            std::uint64_t least = trials.costs[0];
            for (unsigned c = 1; c < kContextConfigurations; ++c)
                if (trials.costs[c] + kSendingCost < least) {
                    best = c;
                    least = trials.costs[c] + kSendingCost;
                }
            result.configurations.push_back(static_cast<std::uint8_t>(best));
            result.cost += least;
        }
        return result;
    }

private:
    static constexpr std::size_t kBuffered = 256;

    NNR_OUTLINE void evaluate(std::size_t context) {
        kernels_.context_costs(&bins_[context * kBuffered], counts_[context], costs_,
                               trials_[context]);
        counts_[context] = 0;
    }

    const KernelTable& kernels_ = kernels();
    const ContextBinCosts& costs_ = bin_costs();
    std::uint64_t bypassed_ = 0;
    std::unique_ptr<std::uint8_t[]> bins_;
    std::vector<std::uint32_t> counts_;
    std::vector<ContextTrials> trials_;
};

// Of the bins that say which contexts do not start from the first configuration.
std::uint64_t flags_cost(const Layer& layer, const LayerChoices& choices,
                         std::span<const std::uint8_t> configurations) {
    std::uint64_t cost = 0;
    Context context = Context::of(0);
    for_each_configured(layer, choices.with_history, at::kPrefixes, [&](unsigned index) {
        const bool differs = configurations[index] != 0;
        cost += bin_costs()[differs][static_cast<std::size_t>(512 + (context.state() >> 3))];
        context.update(differs);
    });
    return cost;
}

template <bool kPlain>
void record(Recorder& recorder, const Layer& layer, const LayerChoices& choices,
            const std::int32_t* levels, const SearchOptions& options) {
    bool first = true;
    const auto begin_block_row = [&](unsigned) {
        if (!first) recorder.restart();
        first = false;
    };
    const bool doubled = options.nncodec && layer.dq;
    walk_levels(layer, choices, levels, options.nncodec, begin_block_row,
                [&](std::uint64_t position, std::int32_t level, std::int32_t neighbour,
                    unsigned state) {
                    std::uint32_t magnitude = magnitude_of(level);
                    if (doubled && magnitude != 0) magnitude = 2 * magnitude - (state & 1);
                    write_level_of<kPlain>(recorder, layer, choices, position, magnitude, level < 0,
                                           neighbour, state);
                });
}

}  // namespace

const ContextBinCosts& bin_costs() {
    static const ContextBinCosts costs = computed_costs();
    return costs;
}

SearchResult search_configurations(const Layer& layer, const LayerChoices& choices,
                                   std::span<const std::int32_t> levels,
                                   const SearchOptions& options) {
    Recorder recorder(at::end(layer.greater_flags));
    if (layer.has_levels()) {
        if (is_plain(layer, choices))
            record<true>(recorder, layer, choices, levels.data(), options);
        else
            record<false>(recorder, layer, choices, levels.data(), options);
    }
    SearchResult result = recorder.result();
    result.cost += flags_cost(layer, choices, result.configurations);
    return result;
}

}  // namespace nnr::nnc
