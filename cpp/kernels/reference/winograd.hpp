// Winograd's F(4x4, 3x3). Floats use the points 0, +-sqrt(1/2), +-sqrt(2), which round least;
// integers 0, +-1, +-2, whose matrices are integers.
#pragma once

#include "conv.hpp"

namespace nnr::reference {
namespace {

inline constexpr float kHalfRoot = 0.70710678118654752f;
inline constexpr float kRoot = 1.41421356237309505f;

// One row or column of six samples, `step` apart.
inline void transform_input(float* d, std::size_t step) {
    const float d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
                d5 = d[5 * step];
    const float inner = d4 - 2.0f * d2, inner_odd = d3 - 2.0f * d1;
    const float outer = d4 - 0.5f * d2, outer_odd = d3 - 0.5f * d1;
    d[0] = (d0 + d4) - 2.5f * d2;
    d[step] = inner + kHalfRoot * inner_odd;
    d[2 * step] = inner - kHalfRoot * inner_odd;
    d[3 * step] = outer + kRoot * outer_odd;
    d[4 * step] = outer - kRoot * outer_odd;
    d[5 * step] = (d1 + d5) - 2.5f * d3;
}

inline void transform_input(std::int16_t* d, std::size_t step) {
    const int d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
              d5 = d[5 * step];
    const auto set = [&](std::size_t i, int value) {
        d[i * step] = static_cast<std::int16_t>(value);
    };
    set(0, 4 * d0 - 5 * d2 + d4);
    set(1, -4 * d1 - 4 * d2 + d3 + d4);
    set(2, 4 * d1 - 4 * d2 - d3 + d4);
    set(3, -2 * d1 - d2 + 2 * d3 + d4);
    set(4, 2 * d1 - d2 - 2 * d3 + d4);
    set(5, 4 * d1 - 5 * d3 + d5);
}

// Six samples become four.
inline void transform_output(float* m, std::size_t step) {
    const float m0 = m[0], m5 = m[5 * step];
    const float sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
    const float outer_sum = m[3 * step] + m[4 * step];
    const float outer_difference = m[3 * step] - m[4 * step];
    m[0] = (m0 + sum) + outer_sum;
    m[step] = kHalfRoot * difference + kRoot * outer_difference;
    m[2 * step] = 0.5f * sum + 2.0f * outer_sum;
    m[3 * step] = (0.5f * kHalfRoot * difference + m5) + 2.0f * kRoot * outer_difference;
}

inline void transform_output(std::int32_t* m, std::size_t step) {
    const std::int32_t m0 = m[0], m5 = m[5 * step];
    const std::int32_t sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
    const std::int32_t outer_sum = m[3 * step] + m[4 * step];
    const std::int32_t outer_difference = m[3 * step] - m[4 * step];
    m[0] = m0 + sum + outer_sum;
    m[step] = difference + 2 * outer_difference;
    m[2 * step] = sum + 4 * outer_sum;
    m[3 * step] = difference + 8 * outer_difference + m5;
}

template <class Input, class Sample>
void winograd_input(const WinogradInput<Input>& input, const WinogradBlocks<Sample>& blocks) {
    for (std::size_t block = 0; block < input.blocks; ++block)
        for (std::size_t c = 0; c < input.channels; ++c) {
            Sample d[kWinogradPositions];
            const Input* first = input.input + block * kWinogradOutputs * input.pixel + c;
            for (std::size_t i = 0; i < kWinogradPositions; ++i) {
                const Input sample = first[i / kWinogradInputs * input.row +
                                           i % kWinogradInputs * input.pixel];
                if constexpr (sizeof(Input) == 1)
                    d[i] = static_cast<Sample>(sample - input.zeros[c]);
                else
                    d[i] = sample;
            }
            for (std::size_t i = 0; i < kWinogradInputs; ++i)
                transform_input(d + i, kWinogradInputs);
            for (std::size_t i = 0; i < kWinogradInputs; ++i)
                transform_input(d + i * kWinogradInputs, 1);
            for (std::size_t i = 0; i < kWinogradPositions; ++i)
                blocks.samples[i * blocks.position + block * blocks.block + c] = d[i];
        }
}

template <class Sum, class Output, class Epilogue>
void winograd_output(const Epilogue& epilogue, const WinogradBlocks<const Sum>& blocks,
                     const WinogradOutput<Output>& output) {
    for (std::size_t block = 0; block < output.blocks; ++block)
        for (std::size_t c = 0; c < output.out_blocks * kChannelBlock; ++c) {
            Sum m[kWinogradPositions];
            for (std::size_t i = 0; i < kWinogradPositions; ++i)
                m[i] = blocks.samples[i * blocks.position + block * blocks.block + c];
            for (std::size_t i = 0; i < kWinogradInputs; ++i)
                transform_output(m + i, kWinogradInputs);
            for (std::size_t y = 0; y < kWinogradOutputs; ++y)
                transform_output(m + y * kWinogradInputs, 1);
            for (std::size_t y = output.first_row; y < output.last_row; ++y)
                for (std::size_t i = 0; i < kWinogradOutputs; ++i) {
                    const std::size_t x = block * kWinogradOutputs + i;
                    if (x < output.first_column || x >= output.last_column) continue;
                    output.output[y * output.row + x * output.pixel + c] =
                        finished<Output>(epilogue, c, m[y * kWinogradInputs + i] + epilogue.bias[c],
                                         addend_at<Output>(output, y, x));
                }
        }
}

}  // namespace
}  // namespace nnr::reference
