// A convolution of 3x3 floats by blocks, transforms and products together, against float64.
#pragma once

#include "../core/network/packing.hpp"
#include "conv_check.hpp"

namespace nnr::checks {
namespace {

// How far a result may be from the exact one: so many times the bound of a direct convolution, were
// all samples that its block sees as large as the largest of their channel. The largest error in
// thousands of random blocks was 1.3 times that of 1 channel, 0.07 of 8, 0.005 of 64. The engine
// computes blocks from 8 channels on.
constexpr double kBlockError = 2.0;
constexpr double kBlockErrorFrom8 = 0.15;

// The root of the mean squared error at 64 channels, over that of the direct convolution, which adds
// its 576 products one after the other.
constexpr double kErrorOverDirect = 2.0;

// One row of blocks. Channels of the input are filled up with NaNs, which nothing may make use of.
struct BlockCase {
    std::size_t ins, out_blocks, blocks;
    bool adds, activated;

    std::size_t channels() const {
        return (ins + kChannelBlock - 1) / kChannelBlock * kChannelBlock;
    }
    std::size_t outs() const { return out_blocks * kChannelBlock; }
    Layout input() const { return {kWinogradInputs, kWinogradOutputs * blocks + 2, channels()}; }
    Layout output() const { return {kWinogradOutputs, kWinogradOutputs * blocks, outs()}; }
    // Blocks of samples, or of sums: a row a position.
    Layout blocks_of(std::size_t width) const { return {kWinogradPositions, blocks, width}; }
    std::string name() const {
        return "blocks of " + std::to_string(ins) + " channels to " + std::to_string(outs()) +
               ", " + std::to_string(blocks) + " blocks" + (adds ? " + addend" : "") +
               (activated ? " + slopes" : "");
    }
};

// Rows and columns that are stored.
struct Clip {
    std::size_t first_row, last_row, first_column, last_column;
};

Clip unclipped(const BlockCase& of) {
    return {0, kWinogradOutputs, 0, kWinogradOutputs * of.blocks};
}

template <class In, class Sample>
std::vector<Sample> transformed(const BlockCase& of, const In* input, const std::int16_t* zeros,
                                const std::string& name,
                                void (*kernel)(const WinogradInput<In>&,
                                               const WinogradBlocks<Sample>&)) {
    const Layout in = of.input(), out = of.blocks_of(of.channels());
    GuardedBuffer<Sample> blocks(out.size());
    kernel({input, in.pixel, in.row, of.channels(), of.blocks, zeros},
           {blocks.data(), out.row, out.pixel});
    expect(blocks.intact() && kept_gaps(out, blocks.values()), name + ": wrote beside its blocks");
    return blocks.values();
}

template <class Out, class Sum, class Epilogue>
std::vector<Out> untransformed(const BlockCase& of, const Epilogue& epilogue, const Sum* sums,
                               const Out* addend, const Clip& clip, const std::string& name,
                               void (*kernel)(const Epilogue&, const WinogradBlocks<const Sum>&,
                                              const WinogradOutput<Out>&)) {
    const Layout in = of.blocks_of(of.outs()), out = of.output();
    GuardedBuffer<Out> output(out.size());
    kernel(epilogue, {sums, in.row, in.pixel},
           {output.data(), out.pixel, out.row, of.adds ? addend : nullptr, out.pixel, out.row,
            of.out_blocks, of.blocks, clip.first_row, clip.last_row, clip.first_column,
            clip.last_column});
    expect(output.intact(), name + ": wrote beside its buffer");
    return output.values();
}

struct BlockData {
    std::vector<float> input, plain_weights, addend, bias, slopes;
    std::vector<float> weights;

    explicit BlockData(const BlockCase& of)
        : plain_weights(made<float>(of.outs() * of.ins * 9, number)),
          addend(samples<float>(of.output(), number)),
          bias(made<float>(of.outs(), number)),
          slopes(made<float>(of.outs(),
                             [] { return kSlopes[count_between(0, std::size(kSlopes) - 1)]; })),
          weights(network::pack_winograd(plain_weights, {of.outs(), of.ins, 3, 3})) {
        std::size_t i = 0;
        input = samples<float>(of.input(), [&] {
            return i++ % of.channels() < of.ins ? number() : unread<float>();
        });
    }
};

std::vector<float> products_of(const BlockCase& of, const KernelTable& table,
                               const std::vector<float>& weights,
                               const std::vector<float>& blocks) {
    const Layout in = of.blocks_of(of.channels()), out = of.blocks_of(of.outs());
    const std::vector<float> no_bias(of.outs(), 0.0f);
    GuardedBuffer<float> sums(out.size());
    const std::size_t size = of.ins * of.outs();
    for (std::size_t position = 0; position < kWinogradPositions; ++position)
        table.conv({{of.ins, of.out_blocks, 1, 1},
                    weights.data() + position * size,
                    {no_bias.data(), nullptr}},
                   {blocks.data() + position * in.row, in.pixel, 0, 0, 0,
                    sums.data() + position * out.row, out.pixel, 0, nullptr, 0, 0, 1, of.blocks});
    return sums.values();
}

std::vector<float> by_blocks(const BlockCase& of, const BlockData& data, const KernelTable& table,
                             const Clip& clip) {
    const std::string name = std::string(table.name) + " " + of.name();
    const Input<float> input(data.input), addend(data.addend);
    const auto blocks =
        transformed<float, float>(of, input.data(), nullptr, name, table.winograd_input);
    const Input<float> sums(products_of(of, table, data.weights, blocks));
    const FloatEpilogue epilogue{data.bias.data(), of.activated ? data.slopes.data() : nullptr};
    return untransformed<float, float>(of, epilogue, sums.data(), addend.data(), clip, name,
                                       table.winograd_output);
}

// The exact result of one output sample, and the direct bound of the largest samples of its block.
Exact exact_of_block(const BlockCase& of, const BlockData& data, std::size_t y, std::size_t x,
                     std::size_t channel) {
    const Layout in = of.input(), out = of.output();
    double sum = static_cast<double>(data.bias[channel]), magnitude = std::abs(sum);
    for (std::size_t c = 0; c < of.ins; ++c) {
        const float* kernel = data.plain_weights.data() + (channel * of.ins + c) * 9;
        double weights = 0.0, largest = 0.0;
        for (std::size_t tap = 0; tap < 9; ++tap) {
            const double weight = static_cast<double>(kernel[tap]);
            weights += std::abs(weight);
            sum += weight * static_cast<double>(
                                data.input[(y + tap / 3) * in.row + (x + tap % 3) * in.pixel + c]);
        }
        const std::size_t first = x / kWinogradOutputs * kWinogradOutputs;
        for (std::size_t i = 0; i < kWinogradPositions; ++i)
            largest = std::max(
                largest, std::abs(static_cast<double>(
                             data.input[i / kWinogradInputs * in.row +
                                        (first + i % kWinogradInputs) * in.pixel + c])));
        magnitude += weights * largest;
    }
    if (of.adds) {
        const double term = static_cast<double>(data.addend[y * out.row + x * out.pixel + channel]);
        sum += term;
        magnitude += std::abs(term);
    }
    return finished_exactly(sum, magnitude, 9 * of.ins,
                            of.activated ? &data.slopes[channel] : nullptr);
}

// Returns the largest error as a multiple of the bound.
double check_block_case(const BlockCase& of, Levels levels) {
    const BlockData data(of);
    const Layout out = of.output();
    std::vector<std::vector<float>> results;
    for (const KernelTable* table : levels)
        results.push_back(by_blocks(of, data, *table, unclipped(of)));
    double worst = 0.0;
    for (std::size_t y = 0; y < out.rows; ++y)
        for (std::size_t x = 0; x < out.columns; ++x)
            for (std::size_t c = 0; c < out.channels; ++c) {
                const Exact exact = exact_of_block(of, data, y, x, c);
                for (const auto& result : results) {
                    const auto got = static_cast<double>(result[y * out.row + x * out.pixel + c]);
                    const double error = std::abs(got - exact.value) / exact.bound;
                    worst = std::max(worst, std::isnan(error) ? 1e30 : error);
                }
            }
    expect(worst <= (of.ins < 8 ? kBlockError : kBlockErrorFrom8), of.name() + ": error of " + std::to_string(worst) + " bounds");
    for (std::size_t i = 0; i < levels.size(); ++i)
        expect(kept_gaps(out, results[i]), std::string(levels[i]->name) + " " + of.name() +
                                               ": wrote beside its pixels");
    return worst;
}

// What is stored of some rows and columns is what is stored of all; calls visit for every clip.
template <class Out, class Run>
void check_clips(const BlockCase& of, const std::string& name, const Run& run) {
    const Layout layout = of.output();
    const std::vector<Out> all = run(unclipped(of));
    for (std::size_t first_row = 0; first_row <= kWinogradOutputs; ++first_row)
        for (std::size_t last_row = first_row; last_row <= kWinogradOutputs; ++last_row)
            for (std::size_t first = 0; first <= layout.columns; ++first)
                for (std::size_t last = first; last <= layout.columns; ++last) {
                    auto wanted = sentinels<Out>(layout.size());
                    for (std::size_t y = first_row; y < last_row; ++y)
                        for (std::size_t x = first; x < last; ++x) {
                            const std::size_t pixel = y * layout.row + x * layout.pixel;
                            std::copy_n(all.data() + pixel, layout.channels,
                                        wanted.data() + pixel);
                        }
                    expect(same_bits(run({first_row, last_row, first, last}), wanted),
                           name + ": rows " + std::to_string(first_row) + " to " +
                               std::to_string(last_row) + ", columns " + std::to_string(first) +
                               " to " + std::to_string(last));
                }
}

// A row of blocks is what its blocks are one by one.
void check_block_cut(const BlockCase& of, const KernelTable& table) {
    const BlockData data(of);
    const auto whole = by_blocks(of, data, table, unclipped(of));
    const BlockCase single{of.ins, of.out_blocks, 1, of.adds, of.activated};
    for (std::size_t block = 0; block < of.blocks; ++block) {
        BlockData part = data;
        const auto cut = [block](const Layout& from, const Layout& to,
                                 const std::vector<float>& values) {
            std::vector<float> piece(to.size());
            for (std::size_t y = 0; y < to.rows; ++y)
                for (std::size_t x = 0; x < to.columns; ++x)
                    std::copy_n(values.data() + y * from.row +
                                    (x + block * kWinogradOutputs) * from.pixel,
                                to.channels, piece.data() + y * to.row + x * to.pixel);
            return piece;
        };
        part.input = cut(of.input(), single.input(), data.input);
        part.addend = cut(of.output(), single.output(), data.addend);
        auto result = by_blocks(single, part, table, unclipped(single));
        auto wanted = cut(of.output(), single.output(), whole);
        bool same = true;
        single.output().for_each(
            [&](std::size_t i) { same = same && std::memcmp(&result[i], &wanted[i], 4) == 0; });
        expect(same, std::string(table.name) + " " + of.name() + ": depends on the cut");
    }
}

// The sums of a block are 0, so that the bias or the addend is what is activated.
void check_block_activation(const KernelTable& table) {
    const std::vector<float> values{-std::numeric_limits<float>::infinity(), -1.0f, -1e-40f, -0.0f,
                                    0.0f, 1.0f, std::numeric_limits<float>::infinity(),
                                    unread<float>()};
    for (const bool adds : {false, true})
        for (const float slope : kSlopes) {
            const BlockCase of{1, 1, 1, adds, true};
            std::vector<float> bias(of.outs(), 0.0f);
            const std::vector<float> slopes(of.outs(), slope);
            const std::vector<float> sums(of.blocks_of(of.outs()).size(), 0.0f);
            std::copy(values.begin(), values.end(), bias.begin());
            std::vector<float> added(of.output().size());
            of.output().for_each([&](std::size_t i) {
                added[i] = bias[i % of.output().row % of.output().pixel];
            });
            const std::vector<float> none(of.outs(), 0.0f);
            const FloatEpilogue epilogue{adds ? none.data() : bias.data(), slopes.data()};
            const auto results =
                untransformed<float, float>(of, epilogue, sums.data(), added.data(), unclipped(of),
                                            table.name, table.winograd_output);
            for (std::size_t c = 0; c < of.outs(); ++c)
                check_activation(bias[c], slope, results[of.output().pixel + c],
                                 std::string(table.name) + " block");
        }
}

// The same samples and weights, convolved directly.
std::vector<float> directly(const BlockCase& of, const BlockData& data, const KernelTable& table) {
    const auto weights = network::pack_blocks<float>(std::span<const float>(data.plain_weights),
                                                     {of.outs(), of.ins, 3, 3}, 1);
    const Layout in = of.input(), out = of.output();
    std::vector<float> output(out.size());
    table.conv({{of.ins, of.out_blocks, 3, 3}, weights.data(), {data.bias.data(), nullptr}},
               {data.input.data(), in.pixel, in.row, in.pixel, in.row, output.data(), out.pixel,
                out.row, nullptr, 0, 0, out.rows, out.columns});
    return output;
}

double error_over_direct(const KernelTable& table) {
    const BlockCase of{64, 4, 6, false, false};
    const BlockData data(of);
    const auto blocks = by_blocks(of, data, table, unclipped(of));
    const auto direct = directly(of, data, table);
    const Layout out = of.output();
    double block_error = 0.0, direct_error = 0.0;
    for (std::size_t y = 0; y < out.rows; ++y)
        for (std::size_t x = 0; x < out.columns; ++x)
            for (std::size_t c = 0; c < out.channels; ++c) {
                const double exact = exact_of_block(of, data, y, x, c).value;
                const std::size_t i = y * out.row + x * out.pixel + c;
                block_error += std::pow(static_cast<double>(blocks[i]) - exact, 2);
                direct_error += std::pow(static_cast<double>(direct[i]) - exact, 2);
            }
    return std::sqrt(block_error / direct_error);
}

void check_float_blocks(Levels levels) {
    double worst = 0.0, of_many = 0.0;
    for (const std::size_t ins : several_channels())
        for (std::size_t blocks = 1; blocks <= 3; ++blocks) {
            const BlockCase of{ins, count_between(1, 3), blocks, flag(), flag()};
            const double error = check_block_case(of, levels);
            worst = std::max(worst, error);
            if (ins >= 8) of_many = std::max(of_many, error);
        }
    worst = std::max(worst, check_block_case({16, 5, 14, true, true}, levels));
    for (const KernelTable* table : levels) {
        check_block_cut({17, 2, 5, true, true}, *table);
        check_block_activation(*table);
        const double over_direct = error_over_direct(*table);
        std::printf("%s: error of 64 channels %.2f times that of the direct convolution\n",
                    table->name, over_direct);
        expect(over_direct <= kErrorOverDirect, std::string(table->name) + ": blocks round more");
        const BlockCase clipped{8, 1, 2, true, false};
        const BlockData data(clipped);
        check_clips<float>(clipped, std::string(table->name) + " " + clipped.name(),
                           [&](const Clip& clip) { return by_blocks(clipped, data, *table, clip); });
    }
    std::printf("largest error: %.3f bounds, from 8 channels on %.3f\n", worst, of_many);
}

}  // namespace
}  // namespace nnr::checks
