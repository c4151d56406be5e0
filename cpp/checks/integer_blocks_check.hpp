// A convolution of 3x3 integers by blocks: each step at the largest numbers that it can meet, and all
// together against the matrices of docs/integer.md.
#pragma once

#include <array>

#include "integer_formulas.hpp"
#include "winograd_check.hpp"

namespace nnr::checks {
namespace {

constexpr std::int64_t kB[6][6] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                   {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
constexpr std::int64_t kA[4][6] = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

// matrix * d * matrix', d being of 6x6.
template <std::size_t kRows>
std::array<std::int64_t, kRows * kRows> between(const std::int64_t (&matrix)[kRows][6],
                                                const std::array<std::int64_t, 36>& d) {
    std::array<std::int64_t, kRows * kRows> result{};
    for (std::size_t i = 0; i < kRows; ++i)
        for (std::size_t j = 0; j < kRows; ++j)
            for (std::size_t p = 0; p < 36; ++p)
                result[i * kRows + j] += matrix[i][p / 6] * d[p] * matrix[j][p % 6];
    return result;
}

std::vector<std::int16_t> transformed_by_formulas(const BlockCase& of,
                                                  const std::vector<std::uint8_t>& input,
                                                  const std::vector<std::int16_t>& zeros) {
    const Layout in = of.input(), out = of.blocks_of(of.channels());
    auto blocks = sentinels<std::int16_t>(out.size());
    for (std::size_t block = 0; block < of.blocks; ++block)
        for (std::size_t c = 0; c < of.channels(); ++c) {
            std::array<std::int64_t, 36> d;
            for (std::size_t i = 0; i < 36; ++i)
                d[i] = input[i / 6 * in.row + (block * 4 + i % 6) * in.pixel + c] - zeros[c];
            const auto v = between(kB, d);
            for (std::size_t i = 0; i < 36; ++i)
                blocks[i * out.row + block * out.pixel + c] = static_cast<std::int16_t>(v[i]);
        }
    return blocks;
}

void check_input_case(const BlockCase& of, const std::vector<std::uint8_t>& input,
                      const std::vector<std::int16_t>& zeros, Levels levels) {
    const auto wanted = transformed_by_formulas(of, input, zeros);
    const Input<std::uint8_t> guarded(input);
    for (const KernelTable* table : levels) {
        const std::string name = std::string(table->name) + " winograd_input_u8 " + of.name();
        const auto got = transformed<std::uint8_t, std::int16_t>(of, guarded.data(), zeros.data(),
                                                                 name, table->winograd_input_u8);
        expect(same_bits(got, wanted), name + ": differs from the formulas");
    }
}

std::vector<std::int16_t> some_zeros(std::size_t channels) {
    return made<std::int16_t>(channels,
                              [] { return std::int16_t{some_sample<std::uint8_t>()}; });
}

// For each position and both signs, the samples that lead to the largest V.
void check_integer_inputs(Levels levels) {
    for (const std::size_t channels : {16, 32, 48, 80})
        for (std::size_t blocks = 0; blocks <= 6; ++blocks) {
            const BlockCase of{channels, 1, blocks, false, false};
            check_input_case(of, samples<std::uint8_t>(of.input(), some_sample<std::uint8_t>),
                             some_zeros(channels), levels);
        }
    const BlockCase of{36, 1, 1, false, false};
    for (const std::uint8_t high : {std::uint8_t{255}, std::uint8_t{0}})
        for (const std::uint8_t zero : {std::uint8_t{0}, std::uint8_t{128}, std::uint8_t{255}}) {
            std::size_t i = 0;
            const auto input = samples<std::uint8_t>(of.input(), [&] {
                const std::size_t channel = i % of.channels() % 36, place = i / of.channels();
                ++i;
                const std::int64_t factor =
                    kB[channel / 6][place / 6] * kB[channel % 6][place % 6];
                return factor > 0 ? high : static_cast<std::uint8_t>(255 - high);
            });
            check_input_case(of, input, std::vector<std::int16_t>(of.channels(), zero), levels);
        }
}

template <class Out>
auto output_kernel(const KernelTable& table) {
    if constexpr (sizeof(Out) == 1) return table.winograd_output_u8;
    else return table.winograd_output_i16;
}

template <class Out>
std::vector<Out> untransformed_by_formulas(const BlockCase& of, const IntegerNumbers& numbers,
                                           const std::vector<std::int32_t>& sums,
                                           const std::vector<Out>& addend) {
    const Layout in = of.blocks_of(of.outs()), out = of.output();
    auto results = sentinels<Out>(out.size());
    for (std::size_t block = 0; block < of.blocks; ++block)
        for (std::size_t c = 0; c < of.outs(); ++c) {
            std::array<std::int64_t, 36> m;
            for (std::size_t i = 0; i < 36; ++i)
                m[i] = sums[i * in.row + block * in.pixel + c];
            const auto y = between(kA, m);
            for (std::size_t i = 0; i < 16; ++i) {
                const std::size_t at = i / 4 * out.row + (block * 4 + i % 4) * out.pixel + c;
                results[at] = static_cast<Out>(numbers.result(
                    c, numbers.bias[c] + y[i], of.adds ? addend.data() + at : nullptr));
            }
        }
    return results;
}

template <class Out>
void check_output_case(const BlockCase& of, const IntegerNumbers& numbers,
                       const std::vector<std::int32_t>& sums, Levels levels) {
    const auto addend = samples<Out>(of.output(), some_sample<Out>);
    const Input<Out> added(addend);
    const Input<std::int32_t> guarded(sums);
    const auto wanted = untransformed_by_formulas<Out>(of, numbers, sums, addend);
    for (const KernelTable* table : levels) {
        const std::string name =
            std::string(table->name) + " winograd_output_" + type_name<Out>() + " " + of.name();
        const auto run = [&](const Clip& clip) {
            return untransformed<Out, std::int32_t>(of, numbers.epilogue(), guarded.data(),
                                                    added.data(), clip, name,
                                                    output_kernel<Out>(*table));
        };
        expect(same_bits(run(unclipped(of)), wanted), name + ": differs from the formulas");
        if (of.blocks == 2 && of.out_blocks == 1) check_clips<Out>(of, name, run);
    }
}

// M of any size, and for each of the 16 outputs and both signs the M that lead to the largest sums.
template <class Out>
void check_integer_outputs(Levels levels) {
    constexpr std::int64_t kFactors = 19 * 19;  // of the last output of a block
    for (std::size_t out_blocks = 1; out_blocks <= 5; ++out_blocks)
        for (const std::size_t blocks : {0, 1, 2, 5})
            for (const bool adds : {false, true}) {
                const BlockCase of{1, out_blocks, blocks, adds, false};
                const std::int64_t most = (kMaxSum >> count_between(1, 22)) / kFactors;
                IntegerNumbers numbers = some_numbers<Out>(of.outs());
                for (std::int32_t& bias : numbers.bias) bias = some_bias(most * kFactors);
                const auto sums = samples<std::int32_t>(of.blocks_of(of.outs()), [&] {
                    return static_cast<std::int32_t>(integer_between(-most, most));
                });
                check_output_case<Out>(of, numbers, sums, levels);
            }
    for (const bool negative : {false, true})
        for (const bool adds : {false, true}) {
            const BlockCase of{1, 2, 1, adds, false};  // an output of the block a channel, twice
            IntegerNumbers numbers = some_numbers<Out>(of.outs());
            std::size_t i = 0;
            const std::int64_t most = kMaxSum / kFactors;
            for (std::int32_t& bias : numbers.bias)
                bias = static_cast<std::int32_t>((kMaxSum - most * kFactors) * (negative ? -1 : 1));
            const auto sums = samples<std::int32_t>(of.blocks_of(of.outs()), [&] {
                const std::size_t output = i % of.outs() % 16, position = i / of.outs();
                ++i;
                const std::int64_t factor =
                    kA[output / 4][position / 6] * kA[output % 4][position % 6];
                const std::int64_t sign = (factor > 0) - (factor < 0);
                return static_cast<std::int32_t>(negative ? -sign * most : sign * most);
            });
            check_output_case<Out>(of, numbers, sums, levels);
        }
}

// U, V and k as the compiler chooses them: within the bounds, and as large as they allow.
struct Chain {
    std::vector<std::uint8_t> input;
    std::vector<std::int16_t> zeros;
    std::vector<std::int16_t> weights;  // [position][out block][group][out][2]
    std::array<std::uint32_t, 36> shifts;

    std::size_t weight_at(const BlockCase& of, std::size_t position, std::size_t out,
                          std::size_t c) const {
        const std::size_t groups = (of.ins + 1) / 2;
        return (((position * of.out_blocks + out / kChannelBlock) * groups + c / 2) *
                    kChannelBlock + out % kChannelBlock) * 2 + c % 2;
    }
};

Chain some_chain(const BlockCase& of) {
    constexpr std::int64_t kLargestV = 100 * 255;  // the squared sum of the magnitudes of a row of B
    Chain chain{samples<std::uint8_t>(of.input(), some_sample<std::uint8_t>),
                some_zeros(of.channels()),
                std::vector<std::int16_t>(36 * of.outs() * ((of.ins + 1) / 2 * 2)),
                {}};
    for (std::size_t position = 0; position < 36; ++position) {
        // What is left of 31 bits after the shift must hold 19 * 19 of them.
        const auto shift = static_cast<std::uint32_t>(count_between(9, 24));
        chain.shifts[position] = shift;
        const std::int64_t most = kMaxSum - (std::int64_t{1} << (shift - 1));
        const std::int64_t limit = weight_limit<std::int16_t>(most / 2, of.ins, kLargestV);
        for (std::size_t out = 0; out < of.outs(); ++out)
            for (std::size_t c = 0; c < of.ins; ++c)
                chain.weights[chain.weight_at(of, position, out, c)] =
                    static_cast<std::int16_t>(integer_between(-limit, limit));
    }
    return chain;
}

std::vector<std::int32_t> products_by_formulas(const BlockCase& of, const Chain& chain,
                                               const std::vector<std::int16_t>& v) {
    const Layout in = of.blocks_of(of.channels()), out = of.blocks_of(of.outs());
    std::vector<std::int32_t> sums(out.size());
    for (std::size_t position = 0; position < 36; ++position)
        for (std::size_t block = 0; block < of.blocks; ++block)
            for (std::size_t o = 0; o < of.outs(); ++o) {
                std::int64_t sum = std::int64_t{1} << (chain.shifts[position] - 1);
                for (std::size_t c = 0; c < of.ins; ++c)
                    sum += std::int64_t{chain.weights[chain.weight_at(of, position, o, c)]} *
                           v[position * in.row + block * in.pixel + c];
                sums[position * out.row + block * out.pixel + o] =
                    static_cast<std::int32_t>(sum >> chain.shifts[position]);
            }
    return sums;
}

template <class Out>
std::vector<Out> chained(const BlockCase& of, const Chain& chain, const IntegerNumbers& numbers,
                         const std::vector<Out>& addend, const KernelTable& table) {
    const Layout in = of.blocks_of(of.channels()), out = of.blocks_of(of.outs());
    const auto v = transformed<std::uint8_t, std::int16_t>(
        of, chain.input.data(), chain.zeros.data(), table.name, table.winograd_input_u8);
    std::vector<std::int32_t> sums(out.size());
    const std::size_t size = chain.weights.size() / 36;
    for (std::size_t position = 0; position < 36; ++position)
        table.integer_products({{of.ins, of.out_blocks, 1, 1},
                                chain.weights.data() + position * size,
                                chain.shifts[position]},
                               {v.data() + position * in.row, in.pixel, 0, 0, 0,
                                sums.data() + position * out.row, out.pixel, 0, nullptr, 0, 0, 1,
                                of.blocks});
    return untransformed<Out, std::int32_t>(of, numbers.epilogue(), sums.data(), addend.data(),
                                            unclipped(of), table.name, output_kernel<Out>(table));
}

template <class Out>
void check_integer_chain(Levels levels) {
    for (const std::size_t ins : {1, 2, 3, 15, 16, 17, 33, 64, 72}) {
        const BlockCase of{ins, count_between(1, 3), count_between(1, 4), flag(), false};
        const Chain chain = some_chain(of);
        const auto addend = samples<Out>(of.output(), some_sample<Out>);
        const auto v = transformed_by_formulas(of, chain.input, chain.zeros);
        const auto sums = products_by_formulas(of, chain, v);
        IntegerNumbers numbers = some_numbers<Out>(of.outs());
        for (std::int32_t& bias : numbers.bias)
            bias = some_bias((std::int64_t{1} << 22) * 19 * 19);
        const auto wanted = untransformed_by_formulas<Out>(of, numbers, sums, addend);
        for (const KernelTable* table : levels)
            expect(same_bits(chained(of, chain, numbers, addend, *table), wanted),
                   std::string(table->name) + " chain of " + of.name() +
                       ": differs from the formulas");
    }
}

void check_integer_blocks(Levels levels) {
    check_integer_inputs(levels);
    check_integer_outputs<std::uint8_t>(levels);
    check_integer_outputs<std::int16_t>(levels);
    check_integer_chain<std::uint8_t>(levels);
    check_integer_chain<std::int16_t>(levels);
}

}  // namespace
}  // namespace nnr::checks
