#include "latent_coder.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

namespace nnr {
namespace {

using Context = LatentTables::Context;

constexpr int kScaleOffset = 24;
constexpr unsigned kGolombOrder = 2;
// Residuals are below 2^12 in magnitude, so that the number of an escape is below 2^13.
constexpr unsigned kMaxGolombPrefix = 11;

struct Symbol {
    std::size_t index;
    std::uint32_t excess;  // of the escape: how far beyond the limit, and on which side
};

Symbol symbol_of(const LatentTables& tables, int upper) {
    const int limit = tables.limit();
    if (upper > limit)
        return {tables.escape(), static_cast<std::uint32_t>(2 * (upper - limit - 1))};
    if (upper < -limit)
        return {tables.escape(), static_cast<std::uint32_t>(2 * (-limit - 1 - upper) + 1)};
    return {static_cast<std::size_t>(upper + limit), 0};
}

// Exp-Golomb codes: of a number plus 2^order, as many zeros as it has more bits than that, then it.
unsigned golomb_prefix(std::uint32_t number) {
    return static_cast<unsigned>(std::bit_width(number + (1u << kGolombOrder))) - kGolombOrder - 1;
}

unsigned golomb_bits(std::uint32_t number) {
    return 2 * golomb_prefix(number) + kGolombOrder + 1;
}

void encode_golomb(RangeEncoder& coder, std::uint32_t number) {
    const unsigned prefix = golomb_prefix(number);
    for (unsigned i = 0; i < prefix; ++i) coder.encode_bits(0, 1);
    coder.encode_bits(1, 1);
    const unsigned rest = prefix + kGolombOrder;
    coder.encode_bits(number + (1u << kGolombOrder) - (1u << rest), rest);
}

std::uint32_t decode_golomb(RangeDecoder& coder) {
    unsigned prefix = 0;
    for (; coder.decode_bits(1) == 0; ++prefix)
        if (prefix == kMaxGolombPrefix)
            coder.fail(nnc::FaultKind::corrupt, "an escaped number is too large");
    const unsigned rest = prefix + kGolombOrder;
    return coder.decode_bits(rest) + (1u << rest) - (1u << kGolombOrder);
}

int upper_of(const LatentTables& tables, std::size_t index, RangeDecoder& coder) {
    const int limit = tables.limit();
    if (index != tables.escape()) return static_cast<int>(index) - limit;
    const auto excess = static_cast<int>(decode_golomb(coder));
    const int beyond = excess / 2 + limit + 1;
    return excess % 2 == 0 ? beyond : -beyond;
}

std::int16_t decode_one(const LatentTables& tables, const Context& context, RangeDecoder& coder) {
    const auto sums = tables.sums(context.row);
    const auto above = std::upper_bound(sums.begin(), sums.end(), coder.count());
    const auto index = static_cast<std::size_t>(above - sums.begin()) - 1;
    coder.consume(sums[index], static_cast<std::uint32_t>(sums[index + 1] - sums[index]));
    const int upper = upper_of(tables, index, coder);
    const int residual = upper * (1 << context.shift) +
                         static_cast<int>(context.shift ? coder.decode_bits(context.shift) : 0);
    const int value = context.base + residual;
    if (value < -kMaxLatent || value > kMaxLatent)
        coder.fail(nnc::FaultKind::corrupt, "a latent is out of its range");
    return static_cast<std::int16_t>(value);
}

float bits_of(const LatentTables& tables, std::span<const float> bits, const Context& context,
              int value) {
    const Symbol symbol = symbol_of(tables, (value - context.base) >> context.shift);
    unsigned raw = context.shift;
    if (symbol.index == tables.escape()) raw += golomb_bits(symbol.excess);
    return bits[context.row * tables.symbols() + symbol.index] + static_cast<float>(raw);
}

}  // namespace

LatentTables::LatentTables(std::span<const std::uint16_t> counts,
                           std::span<const std::uint8_t> shifts)
    : symbols_(counts.size() / (kScales * kFractions)), shifts_(shifts.begin(), shifts.end()) {
    if (symbols_ < 2 || symbols_ % 2 != 0 || symbols_ * kScales * kFractions != counts.size())
        throw std::invalid_argument("frequencies must be 64 x 16 rows, even in length");
    if (shifts.size() != kScales || std::ranges::max(shifts) > kMaxShift)
        throw std::invalid_argument("shifts must be 64 numbers of at most 12");
    sums_.reserve((symbols_ + 1) * kScales * kFractions);
    for (std::size_t row = 0; row < kScales * kFractions; ++row) {
        std::uint32_t sum = 0;
        for (const std::uint16_t count : counts.subspan(row * symbols_, symbols_)) {
            sums_.push_back(static_cast<std::uint16_t>(sum));
            sum += count;
            if (count == 0 || sum > kCountSum)
                throw std::invalid_argument("frequencies must be at least 1 and sum to 32768");
        }
        if (sum != kCountSum)
            throw std::invalid_argument("frequencies must be at least 1 and sum to 32768");
        sums_.push_back(static_cast<std::uint16_t>(sum));
    }
}

LatentTables::Context LatentTables::context(std::int16_t mean, std::int16_t scale) const {
    const int base = (mean + 8) >> 4;
    const auto fraction = static_cast<std::size_t>(mean + 8 - 16 * base);
    const auto index = static_cast<std::size_t>(
        std::clamp(scale + kScaleOffset, 0, static_cast<int>(kScales) - 1));
    return {base, index * kFractions + fraction, shifts_[index]};
}

std::vector<std::uint8_t> encode_latents(const LatentTables& tables,
                                         std::span<const std::int16_t> values,
                                         std::span<const std::int16_t> means,
                                         std::span<const std::int16_t> scales) {
    RangeEncoder coder;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Context context = tables.context(means[i], scales[i]);
        const int residual = values[i] - context.base;
        const Symbol symbol = symbol_of(tables, residual >> context.shift);
        const auto sums = tables.sums(context.row);
        coder.encode(sums[symbol.index],
                     static_cast<std::uint32_t>(sums[symbol.index + 1] - sums[symbol.index]));
        if (symbol.index == tables.escape()) encode_golomb(coder, symbol.excess);
        if (context.shift != 0)
            coder.encode_bits(static_cast<std::uint32_t>(residual) & ((1u << context.shift) - 1),
                              context.shift);
    }
    return coder.finish();
}

void LatentDecoder::decode(std::span<const std::int16_t> means,
                           std::span<const std::int16_t> scales, std::span<std::int16_t> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = decode_one(tables_, tables_.context(means[i], scales[i]), coder_);
}

void choose_latents(const LatentTables& tables, std::span<const float> bits,
                    std::span<const float> targets, std::span<const std::int16_t> means,
                    std::span<const std::int16_t> scales, float rate_weight,
                    std::span<std::int16_t> values) {
    constexpr auto kMost = static_cast<float>(kMaxLatent);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Context context = tables.context(means[i], scales[i]);
        const float target = std::clamp(targets[i], -kMost, kMost);
        const auto nearest = static_cast<int>(std::nearbyint(target));
        // A latent at the base costs least already.
        const int towards = nearest - (nearest > context.base) + (nearest < context.base);
        const auto cost = [&](int value) {
            const float error = target - static_cast<float>(value);
            return error * error + rate_weight * bits_of(tables, bits, context, value);
        };
        values[i] = static_cast<std::int16_t>(cost(towards) < cost(nearest) ? towards : nearest);
    }
}

}  // namespace nnr
