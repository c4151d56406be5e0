// A convolution of 3x3 by blocks: transform, products, transform back, so many blocks at a time that
// what lies between stays in the cache.
#pragma once

#include "layer_kinds.hpp"

namespace nnr::network {

// What the blocks at hand are transformed to, and their products.
class BlockScratch {
public:
    static constexpr std::size_t kMaxBlocks = 52;

    BlockScratch(std::size_t in_stride, std::size_t out_stride, std::size_t sample_bytes)
        : in_position_(position(in_stride, sample_bytes)),
          out_position_(position(out_stride, kSumBytes)),
          in_bytes_(kWinogradPositions * in_position_ * sample_bytes),
          out_bytes_(kWinogradPositions * out_position_ * kSumBytes) {}

    std::size_t bytes() const { return in_bytes_ + out_bytes_; }
    std::size_t in_bytes() const { return in_bytes_; }
    std::size_t in_position() const { return in_position_; }
    std::size_t out_position() const { return out_position_; }

private:
    static constexpr std::size_t kSumBytes = 4;
    // A cache line more than a multiple of one, so that positions do not share the same few sets.
    static std::size_t position(std::size_t stride, std::size_t sample_bytes) {
        constexpr std::size_t kLine = 64;
        return kMaxBlocks * stride + kLine / sample_bytes;
    }

    std::size_t in_position_, out_position_;
    std::size_t in_bytes_, out_bytes_;
};

// `transform(WinogradInput, WinogradBlocks)`, `multiply(position, ConvWindow)` and
// `untransform(WinogradBlocks, WinogradOutput)` are the kernels of the three steps.
template <class Input, class Sample, class Sum, class Output, class Transform, class Multiply,
          class Untransform>
void run_blocks(const Context& context, const ConvGeometry& geometry, const Phase& phase,
                std::size_t out_blocks, const std::int16_t* zeros, const Transform& transform,
                const Multiply& multiply, const Untransform& untransform) {
    constexpr auto kSide = static_cast<Index>(kWinogradOutputs);
    const Window& input = context.inputs[0];
    const Window& output = context.output;
    const std::size_t in_stride = input.pixel_stride(), out_stride = output.pixel_stride();
    const BlockScratch scratch(in_stride, out_stride, sizeof(Sample));
    auto* samples = reinterpret_cast<Sample*>(context.scratch);
    auto* sums = reinterpret_cast<Sum*>(context.scratch + scratch.in_bytes());

    const auto first_block = [&](Axis axis, const Interval& inside) {
        const Index place = (inside.begin - along(phase, axis)) % kSide;
        return inside.begin - (place < 0 ? place + kSide : place);
    };
    const Interval rows = output.rows_inside(), columns = output.columns_inside();
    const Index top = first_block(Axis::rows, rows), left = first_block(Axis::columns, columns);
    const Index blocks_a_row = (columns.end - left + kSide - 1) / kSide;
    const Index count = (rows.end - top + kSide - 1) / kSide * blocks_a_row;
    const Index pad_top = along(geometry.margins, Axis::rows).before;
    const Index pad_left = along(geometry.margins, Axis::columns).before;

    // Calls visit(block of those at hand, row, column, number) for stretches of blocks in one row.
    const auto for_each_stretch = [&](Index begin, Index end, const auto& visit) {
        for (Index block = begin; block < end;) {
            const Index column = block % blocks_a_row;
            const Index number = std::min(end - block, blocks_a_row - column);
            visit(static_cast<std::size_t>(block - begin), top + block / blocks_a_row * kSide,
                  left + column * kSide, static_cast<std::size_t>(number));
            block += number;
        }
    };
    const auto clipped = [](Index position, Index begin, Index most) {
        return static_cast<std::size_t>(std::clamp<Index>(position - begin, 0, most));
    };
    const auto at_hand = static_cast<Index>(BlockScratch::kMaxBlocks);
    for (Index begin = 0; begin < count; begin += at_hand) {
        const Index end = std::min(begin + at_hand, count);
        for_each_stretch(begin, end, [&](std::size_t block, Index row, Index column,
                                         std::size_t number) {
            transform({input.at<Input>(row - pad_top, column - pad_left), in_stride,
                       input.row_stride(), in_stride, number, zeros},
                      {samples + block * in_stride, scratch.in_position(), in_stride});
        });
        for (std::size_t position = 0; position < kWinogradPositions; ++position)
            multiply(position,
                     ConvWindow<Sample, Sum>{samples + position * scratch.in_position(), in_stride,
                                             0, 0, 0, sums + position * scratch.out_position(),
                                             out_stride, 0, nullptr, 0, 0, 1,
                                             static_cast<std::size_t>(end - begin)});
        for_each_stretch(begin, end, [&](std::size_t block, Index row, Index column,
                                         std::size_t number) {
            const Window* addend = context.inputs.size() > 1 ? &context.inputs[1] : nullptr;
            const Index width = static_cast<Index>(number) * kSide;
            untransform({sums + block * out_stride, scratch.out_position(), out_stride},
                        {output.at<Output>(row, column), out_stride, output.row_stride(),
                         addend == nullptr ? nullptr : addend->byte_at(row, column),
                         addend == nullptr ? 0 : addend->pixel_stride(),
                         addend == nullptr ? 0 : addend->row_stride(), out_blocks, number,
                         clipped(rows.begin, row, kSide), clipped(rows.end, row, kSide),
                         clipped(columns.begin, column, width),
                         clipped(columns.end, column, width),
                         addend != nullptr && addend->value->type == SampleType::u8});
        });
    }
}

}  // namespace nnr::network
