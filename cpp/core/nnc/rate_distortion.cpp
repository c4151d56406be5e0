#include "rate_distortion.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <vector>

#include "configuration_search.hpp"
#include "trellis_search.hpp"

namespace nnr::nnc {
namespace {

// Levels after which the contexts are brought up to date with the best path so far.
constexpr std::size_t kRefresh = 128;

double cost_of(const Context& context, bool bin) {
    return bin_costs()[bin][static_cast<std::size_t>(512 + (context.state() >> 3))];
}

// Moves contexts as coding would.
struct ContextUpdater {
    Context* contexts;
    NNR_INLINE void bin(unsigned context, bool value) { contexts[context].update(value); }
    NNR_INLINE void bypass(std::uint32_t, unsigned) {}
};

// The weighted rates of levels in the contexts' present states.
class Rates {
public:
    Rates(const Layer& layer, double weight)
        : flags_(layer.greater_flags), weight_(weight / kCostOfBit) {
        for (auto& of_sign : magnitudes_) of_sign.resize(flags_ + 2);
    }

    void refresh(const Context* contexts) {
        for (unsigned state = 0; state < trellis::kStates; ++state)
            for (unsigned sign = 0; sign < 3; ++sign)
                for (const bool bin : {false, true})
                    significance_[state][sign][bin] =
                        weight_ * cost_of(contexts[at::kSignificance + 3 * state + sign], bin);
        for (unsigned sign = 0; sign < 3; ++sign)
            for (const bool negative : {false, true})
                sign_[sign][negative] = weight_ * cost_of(contexts[at::kSign + sign], negative);
        for (const bool negative : {false, true}) {
            double longer = 0;
            for (unsigned flag = 0; flag < flags_; ++flag) {
                const Context& context = contexts[at::kGreater + 2 * flag + negative];
                magnitudes_[negative][flag + 1] = longer + weight_ * cost_of(context, false);
                longer += weight_ * cost_of(context, true);
            }
            magnitudes_[negative][flags_ + 1] = longer;
        }
        double longer = 0;
        for (unsigned length = 0; length < at::kPrefixes; ++length) {
            const Context& context = contexts[at::prefix(flags_) + length];
            remainders_[length] = longer + weight_ * (cost_of(context, false) + length * kCostOfBit);
            longer += weight_ * cost_of(context, true);
        }
        remainders_[at::kPrefixes] = longer + weight_ * at::kPrefixes * kCostOfBit;
    }

    double significance(unsigned state, unsigned sign, bool bin) const {
        return significance_[state][sign][bin];
    }

    // Of what follows a significance of one.
    NNR_INLINE double magnitude(std::uint32_t level, bool negative, unsigned sign) const {
        const double rate = sign_[sign][negative];
        if (level <= flags_) return rate + magnitudes_[negative][level];
        const std::uint32_t remainder = level - flags_;  // at least 1
        const auto length = static_cast<unsigned>(std::bit_width(remainder)) - 1;
        return rate + magnitudes_[negative][flags_ + 1] + remainders_[length];
    }

private:
    unsigned flags_;
    double weight_;
    std::array<std::array<std::array<double, 2>, 3>, trellis::kStates> significance_;
    std::array<std::array<double, 2>, 3> sign_;
    std::array<std::vector<double>, 2> magnitudes_;
    std::array<double, at::kPrefixes + 1> remainders_;
};

// The way to a state that costs least, and the sign of the last level on it.
struct Survivor {
    double cost;
    unsigned sign;
};
using Survivors = std::array<Survivor, trellis::kStates>;

class Search {
public:
    Search(const Layer& layer, const LayerChoices& choices, std::span<const float> weights,
           float step, double weight)
        : layer_(layer),
          choices_(choices),
          weights_(weights),
          inverse_(1.0 / double{step}),
          rates_(layer, weight),
          decisions_(weights.size()),
          contexts_(choices.configurations.size()) {
        survivors_.fill({std::numeric_limits<double>::max() / 2, 0});
        survivors_[0].cost = 0;
    }

    void run(std::int32_t* levels) {
        const std::vector<Segment> segments = segments_of(layer_, choices_.skipped);
        for (const Segment& segment : segments) {
            if (segment.begins_block_row) begin_block_row();
            if (segment.skipped)
                skip();
            else
                pass(segment, levels);
        }
        unsigned state = best();
        for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
            if (segment->skipped) {
                state = before_skipped(state, layer_.columns);
                std::fill_n(levels + segment->first, segment->length, 0);
            } else {
                state = trace_back(segment->first, segment->first + segment->length, state, levels);
            }
        }
    }

private:
    void begin_block_row() {
        for (std::size_t i = 0; i < contexts_.size(); ++i)
            contexts_[i] = Context::of(choices_.configurations[i]);
        rates_.refresh(contexts_.data());
        for (Survivor& survivor : survivors_) survivor.sign = 0;
        neighbour_ = 0;
    }

    void skip() {
        Survivors next;
        for (unsigned from = 0; from < trellis::kStates; ++from)
            next[trellis::after_zeros(from, layer_.columns)] = survivors_[from];
        survivors_ = next;
    }

    // A piece at a time; after each, the contexts move on along what is the best path at its end.
    void pass(const Segment& segment, std::int32_t* levels) {
        const std::uint64_t end = segment.first + segment.length;
        for (std::uint64_t first = segment.first; first < end; first += kRefresh) {
            const std::uint64_t last = std::min<std::uint64_t>(end, first + kRefresh);
            for (std::uint64_t i = first; i < last; ++i) advance(i);
            const unsigned state = trace_back(first, last, best(), levels);
            follow(first, last, state, levels);
            rates_.refresh(contexts_.data());
        }
    }

    void advance(std::uint64_t i) {
        const float weight = weights_[i];
        const bool negative = weight < 0;
        const double scaled = std::fabs(double{weight}) * inverse_;
        const std::uint32_t lowest = lowest_multiple(scaled);
        const unsigned sign_after = sign_context(negative);
        // By remainder and by the neighbour's sign.
        std::array<std::array<double, 3>, 4> coded;
        for (unsigned multiple = lowest; multiple < lowest + 4; ++multiple) {
            const double difference = scaled - multiple;
            for (unsigned sign = 0; sign < 3; ++sign)
                coded[multiple & 3][sign] = difference * difference +
                                            rates_.magnitude((multiple + 1) / 2, negative, sign);
        }
        const double zero_distance = scaled * scaled;
        Survivors next;
        unsigned decisions = 0;
        for (unsigned state = 0; state < trellis::kStates; ++state) {
            const auto [even_from, odd_from] = kTrellisArrivals[state];
            const Survivor &even = survivors_[even_from], &odd = survivors_[odd_from];
            const double even_cost = even.cost + coded[even_remainder(even_from)][even.sign] +
                                     rates_.significance(even_from, even.sign, true);
            const double zero_cost = even.cost + zero_distance +
                                     rates_.significance(even_from, even.sign, false);
            const double odd_cost = odd.cost + coded[odd_remainder(odd_from)][odd.sign] +
                                    rates_.significance(odd_from, odd.sign, true);
            const bool zero_won = zero_cost < even_cost;
            const double of_even = zero_won ? zero_cost : even_cost;
            const bool odd_won = odd_cost < of_even;
            next[state] = {odd_won ? odd_cost : of_even, !odd_won && zero_won ? 0 : sign_after};
            decisions |= ((odd_won ? kOddWon : 0) | (zero_won ? kZeroWon : 0)) << (2 * state);
        }
        survivors_ = next;
        decisions_[i] = static_cast<TrellisDecisions>(decisions);
    }

    unsigned best() const {
        return static_cast<unsigned>(
            std::ranges::min_element(survivors_, {}, &Survivor::cost) - survivors_.begin());
    }

    unsigned trace_back(std::uint64_t first, std::uint64_t last, unsigned state,
                        std::int32_t* levels) const {
        for (std::uint64_t i = last; i-- > first;) {
            const Step step = step_back(decisions_[i], state, weights_[i], inverse_);
            levels[i] = step.level;
            state = step.from;
        }
        return state;
    }

    void follow(std::uint64_t first, std::uint64_t last, unsigned state,
                const std::int32_t* levels) {
        ContextUpdater updater{contexts_.data()};
        for (std::uint64_t i = first; i < last; ++i) {
            const std::int32_t level = levels[i];
            write_level_of<true>(updater, layer_, choices_, i, magnitude_of(level), level < 0,
                                 neighbour_, state);
            neighbour_ = level;
            state = trellis::next(state, static_cast<std::uint32_t>(level));
        }
    }

    const Layer& layer_;
    const LayerChoices& choices_;
    std::span<const float> weights_;
    double inverse_;
    Rates rates_;
    std::vector<TrellisDecisions> decisions_;
    std::vector<Context> contexts_;
    Survivors survivors_;
    std::int32_t neighbour_ = 0;
};

}  // namespace

void quantize_rate_distortion(const Layer& layer, const LayerChoices& choices,
                              std::span<const float> weights, float step, double weight,
                              std::int32_t* levels) {
    Search(layer, choices, weights, step, weight).run(levels);
}

}  // namespace nnr::nnc
