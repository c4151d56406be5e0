// Sizes and regions of values along one axis.
#pragma once

#include <algorithm>
#include <optional>

#include "operations.hpp"

namespace nnr::network {

// Positions begin to end - 1; empty where begin == end.
struct Interval {
    Index begin = 0;
    Index end = 0;

    Index length() const { return end - begin; }
    bool empty() const { return begin == end; }
};

// What of an interval lies on an image of this size.
inline Interval inside(const Interval& interval, Index size) {
    const Index begin = std::clamp<Index>(interval.begin, 0, size);
    return {begin, std::max(begin, std::min(interval.end, size))};
}

// The smallest interval that holds both.
inline Interval hull(const Interval& a, const Interval& b) {
    if (a.empty()) return b;
    if (b.empty()) return a;
    return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

// The size of a layer's output, or what is wrong with the size of its input.
struct SizeResult {
    Index size;
    std::string error;
};
SizeResult output_size(const Operation& operation, Axis axis, Index input_size);

// The part of the input from which this part of the output is computed. It may reach beyond the
// input only for a convolution, which expects zeros there. `output` is not empty.
Interval input_interval(const Operation& operation, Axis axis, const Interval& output,
                        Index input_size);

// The position whose sample a padded one repeats; none where it holds the constant.
std::optional<Index> pad_source(PadMode mode, Index position, Index size);

}  // namespace nnr::network
