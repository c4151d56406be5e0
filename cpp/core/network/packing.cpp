#include "packing.hpp"

#include <cmath>

#include "values.hpp"

namespace nnr::network {

template <class To, class From>
std::vector<To> pack_blocks(std::span<const From> weights, const WeightShape& shape,
                            std::size_t group) {
    const auto [outs, ins, height, width] = shape;
    const std::size_t taps = height * width;
    const std::size_t filled = round_up(ins, group);
    std::vector<To> packed(round_up(outs, kChannelBlock) * taps * filled);
    for (std::size_t out = 0; out < outs; ++out)
        for (std::size_t in = 0; in < ins; ++in)
            for (std::size_t tap = 0; tap < taps; ++tap) {
                const std::size_t row =
                    (out / kChannelBlock * taps + tap) * filled + in / group * group;
                packed[row * kChannelBlock + out % kChannelBlock * group + in % group] =
                    static_cast<To>(weights[(out * ins + in) * taps + tap]);
            }
    return packed;
}

template std::vector<float> pack_blocks(std::span<const float>, const WeightShape&, std::size_t);
template std::vector<std::int8_t> pack_blocks(std::span<const std::int16_t>, const WeightShape&,
                                              std::size_t);
template std::vector<std::int16_t> pack_blocks(std::span<const std::int16_t>, const WeightShape&,
                                               std::size_t);

template <class To, class From>
std::vector<To> pack_thin(std::span<const From> weights, const WeightShape& shape) {
    const auto [outs, ins, height, width] = shape;
    const std::size_t taps = height * width;
    std::vector<To> packed(weights.size());
    for (std::size_t out = 0; out < outs; ++out)
        for (std::size_t in = 0; in < ins; ++in)
            for (std::size_t tap = 0; tap < taps; ++tap)
                packed[(out * taps + tap) * ins + in] =
                    static_cast<To>(weights[(out * ins + in) * taps + tap]);
    return packed;
}

template std::vector<float> pack_thin(std::span<const float>, const WeightShape&);
template std::vector<std::int8_t> pack_thin(std::span<const std::int16_t>, const WeightShape&);
template std::vector<std::int16_t> pack_thin(std::span<const std::int16_t>, const WeightShape&);

template <class Weight>
std::vector<Weight> pack_depthwise(std::span<const Weight> weights, std::size_t channels,
                                   std::size_t taps) {
    const std::size_t filled = round_up(channels, kChannelBlock);
    std::vector<Weight> packed(taps * filled);
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t tap = 0; tap < taps; ++tap)
            packed[tap * filled + c] = weights[c * taps + tap];
    return packed;
}

template std::vector<float> pack_depthwise(std::span<const float>, std::size_t, std::size_t);
template std::vector<std::int16_t> pack_depthwise(std::span<const std::int16_t>, std::size_t,
                                                  std::size_t);

std::vector<float> pack_winograd(std::span<const float> weights, const WeightShape& shape) {
    const double root_half = std::sqrt(0.5), root_two = std::sqrt(2.0);
    // A kernel's value at each point, over what the input's transform is too large by.
    const double points[kWinogradInputs][3] = {
        {1.0, 0.0, 0.0},
        {-2.0 / 3, -2.0 / 3 * root_half, -1.0 / 3},
        {-2.0 / 3, 2.0 / 3 * root_half, -1.0 / 3},
        {1.0 / 6, root_two / 6, 1.0 / 3},
        {1.0 / 6, -root_two / 6, 1.0 / 3},
        {0.0, 0.0, 1.0},
    };
    const auto [outs, ins, height, width] = shape;
    std::vector<float> packed;
    std::vector<float> position(outs * ins);
    for (const auto& row : points)
        for (const auto& column : points) {
            for (std::size_t kernel = 0; kernel < outs * ins; ++kernel) {
                const float* weight = weights.data() + kernel * height * width;
                double sum = 0.0;
                for (std::size_t y = 0; y < 3; ++y)
                    for (std::size_t x = 0; x < 3; ++x)
                        sum += row[y] * column[x] * static_cast<double>(weight[y * 3 + x]);
                position[kernel] = static_cast<float>(sum);
            }
            const auto blocks =
                pack_blocks<float>(std::span<const float>(position), {outs, ins, 1, 1}, 1);
            packed.insert(packed.end(), blocks.begin(), blocks.end());
        }
    return packed;
}

std::vector<std::int16_t> pack_positions(std::span<const std::int16_t> weights, std::size_t outs,
                                         std::size_t ins) {
    std::vector<std::int16_t> packed;
    for (std::size_t position = 0; position < kWinogradPositions; ++position) {
        const auto blocks = pack_blocks<std::int16_t>(
            weights.subspan(position * outs * ins, outs * ins), {outs, ins, 1, 1}, 2);
        packed.insert(packed.end(), blocks.begin(), blocks.end());
    }
    return packed;
}

}  // namespace nnr::network
