#include "codebook.hpp"

#include <algorithm>
#include <bit>

namespace nnr::nnc {
namespace {

// More distinct values than this cost more to list than indexing them saves.
constexpr std::size_t kMostEntries = 4096;
constexpr unsigned kOrders = 16;

// Bits of an Exp-Golomb number of order k.
unsigned length_of(std::uint64_t value, unsigned k) {
    unsigned bits = 1 + k;
    for (; value >= std::uint64_t{1} << k; ++k) {
        value -= std::uint64_t{1} << k;
        bits += 2;
    }
    return bits;
}

// The order of Exp-Golomb in which the gaps between entries are shortest.
unsigned shortest_order(std::span<const std::int32_t> entries) {
    unsigned best = 0;
    std::uint64_t least = UINT64_MAX;
    for (unsigned k = 0; k < kOrders; ++k) {
        std::uint64_t bits = 0;
        for (std::size_t i = 1; i < entries.size(); ++i)
            bits += length_of(
                static_cast<std::uint64_t>(std::int64_t{entries[i]} - entries[i - 1] - 1), k);
        if (bits < least) {
            least = bits;
            best = k;
        }
    }
    return best;
}

}  // namespace

std::optional<Codebook> codebook_of(std::span<const std::int32_t> multiples) {
    if (multiples.empty()) return std::nullopt;
    std::vector<std::int32_t> sorted(multiples.begin(), multiples.end());
    std::ranges::sort(sorted);
    Codebook codebook;
    std::size_t most = 0;
    for (std::size_t i = 0; i < sorted.size();) {
        std::size_t after = i;
        while (after < sorted.size() && sorted[after] == sorted[i]) ++after;
        if (after - i > most) {
            most = after - i;
            codebook.zero_offset = static_cast<std::uint32_t>(codebook.entries.size());
        }
        codebook.entries.push_back(sorted[i]);
        if (codebook.entries.size() > kMostEntries) return std::nullopt;
        i = after;
    }
    codebook.egk = shortest_order(codebook.entries);
    return codebook;
}

std::vector<std::int32_t> indices_of(std::span<const std::int32_t> multiples,
                                     const Codebook& codebook) {
    std::vector<std::int32_t> indices(multiples.size());
    for (std::size_t i = 0; i < multiples.size(); ++i) {
        const auto found = std::ranges::lower_bound(codebook.entries, multiples[i]);
        indices[i] = static_cast<std::int32_t>(found - codebook.entries.begin()) -
                     static_cast<std::int32_t>(codebook.zero_offset);
    }
    return indices;
}

}  // namespace nnr::nnc
