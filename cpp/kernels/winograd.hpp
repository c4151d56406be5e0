// Winograd's F(4x4, 3x3): a quarter of the products of a convolution of 3x3, for two transforms. The
// matrices stand in reference/winograd.hpp; here they are written out with shared terms.
#pragma once

#include "epilogue.hpp"

namespace nnr {
namespace {

constexpr float kHalfRoot = 0.70710678118654752f;
constexpr float kRoot = 1.41421356237309505f;

// The vectors that a transform takes: of floats, or of integers in 16 (before the products) and 32
// bits (after them).
struct FloatTransform {
    using Vector = simd::F32;
    static constexpr std::size_t kLanes = simd::kLanes;

    static void input(const Vector (&d)[kWinogradInputs], Vector (&t)[kWinogradInputs]) {
        const Vector inner = simd::mul_add(simd::splat(-2.0f), d[2], d[4]);
        const Vector inner_odd = simd::mul_add(simd::splat(-2.0f), d[1], d[3]);
        const Vector outer = simd::mul_add(simd::splat(-0.5f), d[2], d[4]);
        const Vector outer_odd = simd::mul_add(simd::splat(-0.5f), d[1], d[3]);
        t[0] = simd::mul_add(simd::splat(-2.5f), d[2], simd::add(d[0], d[4]));
        t[1] = simd::mul_add(simd::splat(kHalfRoot), inner_odd, inner);
        t[2] = simd::mul_add(simd::splat(-kHalfRoot), inner_odd, inner);
        t[3] = simd::mul_add(simd::splat(kRoot), outer_odd, outer);
        t[4] = simd::mul_add(simd::splat(-kRoot), outer_odd, outer);
        t[5] = simd::mul_add(simd::splat(-2.5f), d[3], simd::add(d[1], d[5]));
    }
    static void output(const Vector (&m)[kWinogradInputs], Vector (&y)[kWinogradOutputs]) {
        const Vector sum = simd::add(m[1], m[2]), difference = simd::sub(m[1], m[2]);
        const Vector outer_sum = simd::add(m[3], m[4]);
        const Vector outer_difference = simd::sub(m[3], m[4]);
        y[0] = simd::add(simd::add(m[0], sum), outer_sum);
        y[1] = simd::mul_add(simd::splat(kRoot), outer_difference,
                             simd::mul(simd::splat(kHalfRoot), difference));
        y[2] = simd::mul_add(simd::splat(2.0f), outer_sum, simd::mul(simd::splat(0.5f), sum));
        y[3] = simd::mul_add(simd::splat(2.0f * kRoot), outer_difference,
                             simd::mul_add(simd::splat(0.5f * kHalfRoot), difference, m[5]));
    }
    static Vector load(const float* p) { return simd::load(p); }
    static void store(float* p, Vector x) { simd::store(p, x); }
    static Vector add(Vector a, Vector b) { return simd::add(a, b); }
};

struct WordTransform {
    using Vector = simd::I16;
    static constexpr std::size_t kLanes = 16;

    static void input(const Vector (&d)[kWinogradInputs], Vector (&t)[kWinogradInputs]) {
        const Vector near = simd::sub(d[4], simd::shift_left<2>(d[2]));
        const Vector near_odd = simd::sub(d[3], simd::shift_left<2>(d[1]));
        const Vector far = simd::sub(d[4], d[2]);
        const Vector far_odd = simd::shift_left<1>(simd::sub(d[3], d[1]));
        t[0] = simd::add(simd::shift_left<2>(simd::sub(d[0], d[2])), far);
        t[1] = simd::add(near, near_odd);
        t[2] = simd::sub(near, near_odd);
        t[3] = simd::add(far, far_odd);
        t[4] = simd::sub(far, far_odd);
        t[5] = simd::sub(simd::sub(d[5], d[3]), simd::shift_left<1>(far_odd));
    }
    static Vector load(const std::uint8_t* p) { return simd::load_widen_i16(p); }
    static void store(std::int16_t* p, const Vector& x) { simd::store_i16(p, x); }
};

struct IntegerTransform {
    using Vector = simd::I32;
    static constexpr std::size_t kLanes = simd::kLanes;

    static void output(const Vector (&m)[kWinogradInputs], Vector (&y)[kWinogradOutputs]) {
        const Vector sum = simd::add_i32(m[1], m[2]), difference = simd::sub_i32(m[1], m[2]);
        const Vector outer_sum = simd::add_i32(m[3], m[4]);
        const Vector outer_difference = simd::sub_i32(m[3], m[4]);
        y[0] = simd::add_i32(simd::add_i32(m[0], sum), outer_sum);
        y[1] = simd::add_i32(difference, simd::shift_left_i32<1>(outer_difference));
        y[2] = simd::add_i32(sum, simd::shift_left_i32<2>(outer_sum));
        y[3] = simd::add_i32(simd::add_i32(difference, m[5]),
                             simd::shift_left_i32<3>(outer_difference));
    }
    static Vector load(const std::int32_t* p) { return simd::load_i32(p); }
    static Vector add(Vector a, Vector b) { return simd::add_i32(a, b); }
};

// Columns are transformed first, rows as they are complete.
template <class Transform, class Input, class Sample>
void transform_block(const Input* input, const WinogradInput<Input>& geometry, Sample* samples,
                     std::size_t position, [[maybe_unused]] const std::int16_t* zeros) {
    using Vector = typename Transform::Vector;
    Vector columns[kWinogradInputs][kWinogradInputs];  // [row][column]
#pragma GCC unroll 6
    for (std::size_t x = 0; x < kWinogradInputs; ++x) {
        Vector d[kWinogradInputs], t[kWinogradInputs];
#pragma GCC unroll 6
        for (std::size_t y = 0; y < kWinogradInputs; ++y) {
            d[y] = Transform::load(input + y * geometry.row + x * geometry.pixel);
            if constexpr (sizeof(Input) == 1) d[y] = simd::sub(d[y], simd::load_i16(zeros));
        }
        Transform::input(d, t);
#pragma GCC unroll 6
        for (std::size_t y = 0; y < kWinogradInputs; ++y) columns[y][x] = t[y];
    }
#pragma GCC unroll 6
    for (std::size_t y = 0; y < kWinogradInputs; ++y) {
        Vector t[kWinogradInputs];
        Transform::input(columns[y], t);
#pragma GCC unroll 6
        for (std::size_t x = 0; x < kWinogradInputs; ++x)
            Transform::store(samples + (y * kWinogradInputs + x) * position, t[x]);
    }
}

template <class Transform, class Input, class Sample>
void winograd_input_of(const WinogradInput<Input>& input, const WinogradBlocks<Sample>& blocks) {
    for (std::size_t block = 0; block < input.blocks; ++block)
        for (std::size_t c = 0; c < input.channels; c += Transform::kLanes)
            transform_block<Transform>(
                input.input + block * kWinogradOutputs * input.pixel + c, input,
                blocks.samples + block * blocks.block + c, blocks.position,
                input.zeros == nullptr ? nullptr : input.zeros + c);
}

// Which rows and columns of a block are stored.
struct Stored {
    std::size_t first_row, last_row, first_column, last_column;
};

template <class Transform, class Sum, class Output, class Epilogue>
void untransform_block(const Sum* sums, std::size_t position, const Epilogue& epilogue,
                       std::size_t channel, const WinogradOutput<Output>& geometry, Output* output,
                       const typename Epilogue::Addend* addend, const Stored& stored) {
    using Vector = typename Transform::Vector;
    Vector rows[kWinogradOutputs][kWinogradInputs];
#pragma GCC unroll 6
    for (std::size_t x = 0; x < kWinogradInputs; ++x) {
        Vector m[kWinogradInputs], y[kWinogradOutputs];
#pragma GCC unroll 6
        for (std::size_t i = 0; i < kWinogradInputs; ++i)
            m[i] = Transform::load(sums + (i * kWinogradInputs + x) * position);
        Transform::output(m, y);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kWinogradOutputs; ++i) rows[i][x] = y[i];
    }
    const Vector bias = epilogue.start(channel);
    const auto channels = epilogue.channels(channel);
#pragma GCC unroll 4
    for (std::size_t y = 0; y < kWinogradOutputs; ++y) {
        if (y < stored.first_row || y >= stored.last_row) continue;
        Vector results[kWinogradOutputs];
        Transform::output(rows[y], results);
#pragma GCC unroll 4
        for (std::size_t x = 0; x < kWinogradOutputs; ++x)
            if (x >= stored.first_column && x < stored.last_column)
                channels.store(output + y * geometry.row + x * geometry.pixel,
                               Transform::add(results[x], bias),
                               addend + y * geometry.addend_row + x * geometry.addend_pixel);
    }
}

template <class Transform, class Sum, class Output, class Epilogue>
void winograd_output_of(const Epilogue& epilogue, const WinogradBlocks<const Sum>& blocks,
                        const WinogradOutput<Output>& output) {
    const auto clamped = [](std::size_t column, std::size_t first) {
        return column < first ? 0 : column - first;
    };
    const auto* addend = static_cast<const typename Epilogue::Addend*>(output.addend);
    for (std::size_t block = 0; block < output.blocks; ++block) {
        const std::size_t column = block * kWinogradOutputs;
        const Stored stored{output.first_row, output.last_row,
                            clamped(output.first_column, column),
                            clamped(output.last_column, column)};
        for (std::size_t c = 0; c < output.out_blocks * kChannelBlock; c += Transform::kLanes)
            untransform_block<Transform>(blocks.samples + block * blocks.block + c,
                                         blocks.position, epilogue, c, output,
                                         output.output + column * output.pixel + c,
                                         addend + column * output.addend_pixel + c, stored);
    }
}

void winograd_input(const WinogradInput<float>& input, const WinogradBlocks<float>& blocks) {
    winograd_input_of<FloatTransform>(input, blocks);
}

void winograd_input(const WinogradInput<std::uint8_t>& input,
                    const WinogradBlocks<std::int16_t>& blocks) {
    winograd_input_of<WordTransform>(input, blocks);
}

void winograd_output(const FloatEpilogue& epilogue, const WinogradBlocks<const float>& blocks,
                     const WinogradOutput<float>& output) {
    with_finish(epilogue, output, [&](const auto& finish, const auto& given) {
        winograd_output_of<FloatTransform>(finish, blocks, given);
    });
}

template <class Output>
void winograd_output(const IntegerEpilogue& epilogue,
                     const WinogradBlocks<const std::int32_t>& blocks,
                     const WinogradOutput<Output>& output) {
    with_finish(epilogue, output, [&](const auto& finish, const auto& given) {
        winograd_output_of<IntegerTransform>(finish, blocks, given);
    });
}

}  // namespace
}  // namespace nnr
