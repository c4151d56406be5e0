// The coder of latents without Python: any latents come back, and of damaged code every one is
// refused that an encoder would not have written for what it gives.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../core/latent_coder.hpp"
#include "choices.hpp"

namespace {

using namespace nnr;
using checks::Numbers;
using Bytes = std::vector<std::uint8_t>;

constexpr unsigned kTables = 6, kCodesOfEach = 1500, kDamages = 6;
constexpr std::uint32_t kMostLatents = 40;

struct Latents {
    std::vector<std::int16_t> values, means, scales;
};

[[noreturn]] void fail(const char* what) {
    std::printf("FAILED %s\n", what);
    std::exit(1);
}

LatentTables random_tables(Numbers& numbers) {
    const std::size_t symbols = 2 + 2 * numbers.below(20);
    const std::size_t rows = LatentTables::kScales * LatentTables::kFractions;
    std::vector<std::uint16_t> counts(rows * symbols, 1);
    for (std::size_t row = 0; row < rows; ++row) {
        auto left = kCountSum - static_cast<std::uint32_t>(symbols);
        for (std::size_t i = 0; i < symbols; ++i) {
            const std::uint32_t more = i + 1 == symbols ? left : numbers.below(left / 2 + 1);
            counts[row * symbols + i] = static_cast<std::uint16_t>(1 + more);
            left -= more;
        }
    }
    std::vector<std::uint8_t> shifts(LatentTables::kScales);
    for (std::uint8_t& shift : shifts)
        shift = static_cast<std::uint8_t>(numbers.below(LatentTables::kMaxShift + 1));
    return {counts, shifts};
}

Latents random_latents(Numbers& numbers) {
    Latents latents;
    for (std::uint32_t left = numbers.below(kMostLatents); left > 0; --left) {
        const auto any = static_cast<int>(numbers.below(2 * kMaxLatent + 1)) - kMaxLatent;
        latents.values.push_back(static_cast<std::int16_t>(any));
        latents.means.push_back(static_cast<std::int16_t>(numbers.next()));
        latents.scales.push_back(static_cast<std::int16_t>(numbers.next()));
    }
    return latents;
}

std::vector<std::int16_t> decoded(const LatentTables& tables, const Bytes& code,
                                  const Latents& latents) {
    std::vector<std::int16_t> values(latents.values.size());
    LatentDecoder decoder(tables, code, 0);
    decoder.decode(latents.means, latents.scales, values);
    decoder.finish();
    return values;
}

Bytes damaged(Bytes code, Numbers& numbers) {
    const auto size = static_cast<std::uint32_t>(code.size());
    if (numbers.below(2) == 0) code.resize(numbers.below(size + 4));
    for (std::uint8_t& byte : code)
        if (numbers.below(4) == 0) byte = static_cast<std::uint8_t>(numbers.next());
    return code;
}

void check(const LatentTables& tables, Numbers& numbers) {
    const Latents latents = random_latents(numbers);
    const Bytes code = encode_latents(tables, latents.values, latents.means, latents.scales);
    if (decoded(tables, code, latents) != latents.values) fail("latents do not come back");
    for (unsigned i = 0; i < kDamages; ++i) {
        const Bytes other = damaged(code, numbers);
        try {
            const auto values = decoded(tables, other, latents);
            if (encode_latents(tables, values, latents.means, latents.scales) != other)
                fail("a code is taken that no encoder writes");
        } catch (const nnc::Fault& fault) {
            if (fault.byte_offset() > other.size()) fail("an error is beyond the code");
        }
    }
}

}  // namespace

int main() {
    Numbers numbers(1);
    for (unsigned i = 0; i < kTables; ++i) {
        const LatentTables tables = random_tables(numbers);
        for (unsigned j = 0; j < kCodesOfEach; ++j) check(tables, numbers);
    }
    std::printf("latent_check: %u codes, %u damaged ones\n", kTables * kCodesOfEach,
                kTables * kCodesOfEach * kDamages);
    return 0;
}
