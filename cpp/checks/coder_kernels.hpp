// The kernels of the entropy coder at one level against the scalar reference.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../kernels/kernel_table.hpp"
#include "guarded.hpp"

namespace nnr::checks {
namespace {

// Any costs that the kernel can sum up, each entry another.
ContextBinCosts random_costs() {
    ContextBinCosts costs;
    for (auto& of_bin : costs)
        for (std::uint32_t& cost : of_bin) cost = static_cast<std::uint32_t>(generator() >> 14);
    return costs;
}

ContextTrials fresh_trials() {
    ContextTrials trials;
    for (std::size_t c = 0; c < kContextConfigurations; ++c) {
        trials.fast[c] = kContextConfiguration[c].fast;
        trials.slow[c] = kContextConfiguration[c].slow;
    }
    return trials;
}

bool same_trials(const ContextTrials& a, const ContextTrials& b) {
    for (std::size_t c = 0; c < kContextConfigurations; ++c)
        if (a.fast[c] != b.fast[c] || a.slow[c] != b.slow[c] || a.costs[c] != b.costs[c])
            return false;
    return true;
}

// One context coded in pieces of the given length: bins of which `ones` in 256 are 1.
void check_context_costs(const KernelTable& level, const ContextBinCosts& costs, std::size_t length,
                         std::uint32_t ones, std::size_t offset) {
    ContextTrials got = fresh_trials(), want = got;
    for (int piece = 0; piece < 3; ++piece) {
        std::vector<std::uint8_t> bins(length);
        for (std::uint8_t& bin : bins) bin = (generator() & 255) < ones;
        const Input input(bins, offset);
        level.context_costs(input.data(), length, costs, got);
        kScalarKernels.context_costs(input.data(), length, costs, want);
        expect(same_trials(got, want), std::string(level.name) + " context costs of " +
                                           std::to_string(length) + " bins, " +
                                           std::to_string(ones) + " of 256 ones");
    }
}

// Weights in steps: about zero, on and between the multiples, and as large as they may be.
std::vector<float> random_weights(std::size_t length, float step) {
    std::normal_distribution<float> normal{0, 3};
    std::vector<float> weights(length);
    for (std::size_t i = 0; i < length; ++i) {
        const float drawn = normal(generator);
        weights[i] = step * (i % 3 == 0 ? std::round(2 * drawn) / 2 : drawn);
    }
    if (length > 4) {
        weights[1] = -0.0f;
        weights[2] = step * 0x1p29f;
        weights[4] = step * -0x1p29f;
    }
    return weights;
}

void check_trellis(const KernelTable& level, std::size_t length, float step, std::size_t offset) {
    constexpr double kUnreached = std::numeric_limits<double>::max() / 2;
    std::vector<double> start(kTrellisStates, kUnreached);
    start[length % kTrellisStates] = 0;
    GuardedBuffer got_costs(start, offset), want_costs(start, offset);
    for (int piece = 0; piece < 2; ++piece) {
        const Input weights(random_weights(length, step), offset);
        GuardedBuffer<TrellisDecisions> got(length, offset), want(length, offset);
        level.trellis(weights.data(), length, 1.0 / double{step}, got_costs.data(), got.data());
        kScalarKernels.trellis(weights.data(), length, 1.0 / double{step}, want_costs.data(),
                               want.data());
        expect(got.equals(want.data()) && got_costs.equals(want_costs.data()) && got.intact() &&
                   got_costs.intact(),
               std::string(level.name) + " trellis of " + std::to_string(length) + " steps of " +
                   std::to_string(step));
    }
}

void check_coder_kernels(const KernelTable& level) {
    const ContextBinCosts costs = random_costs();
    for (std::size_t length = 0; length <= 70; ++length)
        for (const std::uint32_t ones : {0u, 3u, 128u, 250u, 256u})
            check_context_costs(level, costs, length, ones, length % 17);
    for (const std::size_t length : {255u, 256u, 4095u, 4096u, 4097u, 9001u})
        for (const std::uint32_t ones : {0u, 20u, 128u, 256u})
            check_context_costs(level, costs, length, ones, 1);
    for (const float step : {0.25f, 0x1p-32f, 1.25e-3f, 0x1p31f})
        for (std::size_t length = 0; length <= 70; ++length)
            check_trellis(level, length, step, 1 + length % 3);
    check_trellis(level, 5003, 0.75f, 1);
}

}  // namespace
}  // namespace nnr::checks
