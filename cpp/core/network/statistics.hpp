// What the values of a network hold, channel by channel, gathered while one image is computed: only
// the rows at hand are ever in memory.
#pragma once

#include "execute.hpp"

namespace nnr::network {

struct ChannelRanges {
    std::vector<float> smallest, largest;
    std::vector<double> sum;
    std::vector<double> zeros;  // how many samples are 0
    bool finite = true;
};

// One a value of the plan, empty where the plan does not compute it.
std::vector<ChannelRanges> ranges_of(const Plan& plan, const float* input, Size size);

// How many samples lie in each of `bins` bins of equal width between two ends a channel; what lies
// beyond counts in the first or last.
struct ChannelEnds {
    std::span<const double> first, last;
};
std::vector<std::vector<double>> histograms_of(const Plan& plan, const float* input, Size size,
                                               std::span<const ChannelEnds> ends,
                                               std::size_t bins);

}  // namespace nnr::network
