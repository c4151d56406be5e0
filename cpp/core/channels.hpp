// How the elements of a tensor fall to its channels. Where a channel's elements lie in long runs, a
// kernel is called for each run. Where the runs are short, the tensor is seen as rows of a whole
// period instead: element i of any row belongs to the same channel, so kernels with one parameter an
// element serve all rows.
#pragma once

#include <algorithm>
#include <cstddef>

#include "tensor_view.hpp"

namespace nnr {

// Calls visit(begin, length, channel) for the runs of one channel within [begin, end).
template <class Visit>
void for_each_run(const ChannelLayout& layout, std::size_t begin, std::size_t end,
                  const Visit& visit) {
    if (begin >= end) return;
    std::size_t channel = begin / layout.inner % layout.channels;
    std::size_t left = layout.inner - begin % layout.inner;
    while (begin < end) {
        const std::size_t length = std::min(left, end - begin);
        visit(begin, length, channel);
        begin += length;
        left = layout.inner;
        if (++channel == layout.channels) channel = 0;
    }
}

// The length of a row, a multiple of a period that is worth a kernel's call; 0 where runs are long or
// parameters for a whole row would take more memory than some blocks.
inline std::size_t row_length(const ChannelLayout& layout) {
    constexpr std::size_t kLongRun = 64;
    constexpr std::size_t kMaxPeriod = 1 << 15;
    const std::size_t period = layout.channels * layout.inner;
    if (layout.channels == 1 || layout.inner >= kLongRun || period > kMaxPeriod || period == 0)
        return 0;
    return (kLongRun + period - 1) / period * period;
}

// The channel of the element at this place of a row.
inline std::size_t channel_at(const ChannelLayout& layout, std::size_t place) {
    return place / layout.inner % layout.channels;
}

// Calls visit(begin, length, place) for the stretches of [begin, end) that lie within one row.
template <class Visit>
void for_each_row(std::size_t row_length, std::size_t begin, std::size_t end, const Visit& visit) {
    for (std::size_t length; begin < end; begin += length) {
        const std::size_t place = begin % row_length;
        length = std::min(row_length - place, end - begin);
        visit(begin, length, place);
    }
}

}  // namespace nnr
