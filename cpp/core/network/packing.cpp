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
    constexpr std::size_t kTaps = 3;
    const double root_half = std::sqrt(0.5), root_two = std::sqrt(2.0);
    // A kernel's value at each point, over what the input's transform is too large by.
    const double points[kWinogradInputs][kTaps] = {
        {1.0, 0.0, 0.0},
        {-2.0 / 3, -2.0 / 3 * root_half, -1.0 / 3},
        {-2.0 / 3, 2.0 / 3 * root_half, -1.0 / 3},
        {1.0 / 6, root_two / 6, 1.0 / 3},
        {1.0 / 6, -root_two / 6, 1.0 / 3},
        {0.0, 0.0, 1.0},
    };
    // The kernels of a block of output channels side by side, as they are packed.
    const std::size_t run = shape[1] * kChannelBlock;
    const std::size_t size = round_up(shape[0], kChannelBlock) * shape[1];
    const std::vector<float> taps = pack_blocks<float>(weights, shape, 1);
    std::vector<float> packed(kWinogradPositions * size);
    std::vector<double> rows(kTaps * run);
    for (std::size_t first = 0; first < size; first += run)
        for (std::size_t i = 0; i < kWinogradInputs; ++i) {
            const float* tap = taps.data() + first * kTaps * kTaps;
            for (std::size_t k = 0; k < kTaps * run; ++k)
                rows[k] = points[i][0] * static_cast<double>(tap[k]) +
                          points[i][1] * static_cast<double>(tap[kTaps * run + k]) +
                          points[i][2] * static_cast<double>(tap[2 * kTaps * run + k]);
            for (std::size_t j = 0; j < kWinogradInputs; ++j) {
                float* position = packed.data() + (i * kWinogradInputs + j) * size + first;
                for (std::size_t k = 0; k < run; ++k)
                    position[k] = static_cast<float>(points[j][0] * rows[k] +
                                                     points[j][1] * rows[run + k] +
                                                     points[j][2] * rows[2 * run + k]);
            }
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
