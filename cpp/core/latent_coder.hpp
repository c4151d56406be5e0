// The entropy coder of an auto-encoder's latents: integers, each coded with counts that its
// predicted mean and scale choose. docs/autoencoder.md defines the code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "range_coder.hpp"

namespace nnr {

// A latent is at most as large as this.
constexpr int kMaxLatent = 2047;

// Counts of the symbols for every scale and every fraction of the mean.
class LatentTables {
public:
    static constexpr std::size_t kScales = 64, kFractions = 16;
    static constexpr unsigned kMaxShift = 12;

    // `counts` has kScales * kFractions rows of one length, even and at least 2; each row sums to
    // kCountSum, none is 0. `shifts`: low bits that are coded raw, one a scale. Throws
    // std::invalid_argument.
    LatentTables(std::span<const std::uint16_t> counts, std::span<const std::uint8_t> shifts);

    // Where the prediction puts a latent: what it is coded relative to, and the row of its counts.
    struct Context {
        int base;
        std::size_t row;
        unsigned shift;
    };
    // `mean` in sixteenths, `scale` as 8 log2 of it.
    Context context(std::int16_t mean, std::int16_t scale) const;

    std::size_t symbols() const { return symbols_; }
    // Residuals whose upper part is within -limit..limit have a symbol; the last one is the escape.
    int limit() const { return static_cast<int>(symbols_ - 2) / 2; }
    std::size_t escape() const { return symbols_ - 1; }
    // For each symbol the counts before it, and kCountSum after the last.
    std::span<const std::uint16_t> sums(std::size_t row) const {
        return std::span(sums_).subspan(row * (symbols_ + 1), symbols_ + 1);
    }

private:
    std::size_t symbols_;
    std::vector<std::uint16_t> sums_;
    std::vector<std::uint8_t> shifts_;
};

// `means` and `scales` as the prior gives them, one each of the `values`, which are within
// -kMaxLatent..kMaxLatent.
std::vector<std::uint8_t> encode_latents(const LatentTables& tables,
                                         std::span<const std::int16_t> values,
                                         std::span<const std::int16_t> means,
                                         std::span<const std::int16_t> scales);

// Decodes stage by stage; throws nnc::Fault for what encode_latents would not have written.
class LatentDecoder {
public:
    LatentDecoder(const LatentTables& tables, std::span<const std::uint8_t> code, std::size_t base)
        : tables_(tables), coder_(code, base) {}

    void decode(std::span<const std::int16_t> means, std::span<const std::int16_t> scales,
                std::span<std::int16_t> values);
    void finish() const { coder_.finish(); }

private:
    const LatentTables& tables_;
    RangeDecoder coder_;
};

// Of the integer nearest to each target and the next one towards its mean, the one with the smaller
// (target - value)^2 + rate_weight * bits; the nearest where they are alike. `bits`: what each
// symbol costs, laid out as the counts.
void choose_latents(const LatentTables& tables, std::span<const float> bits,
                    std::span<const float> targets, std::span<const std::int16_t> means,
                    std::span<const std::int16_t> scales, float rate_weight,
                    std::span<std::int16_t> values);

}  // namespace nnr
