#include "statistics.hpp"

#include <cmath>
#include <limits>

namespace nnr::network {
namespace {

// Calls visit(sample, channel) for every sample of the part that lies on the image.
template <class Visit>
void for_each_sample(const Window& part, const Visit& visit) {
    const Interval rows = part.rows_inside(), columns = part.columns_inside();
    for (Index y = rows.begin; y < rows.end; ++y)
        for (Index x = columns.begin; x < columns.end; ++x) {
            const float* pixel = part.at<float>(y, x);
            for (std::size_t c = 0; c < part.channels(); ++c) visit(pixel[c], c);
        }
}

}  // namespace

std::vector<ChannelRanges> ranges_of(const Plan& plan, const float* input, Size size) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::vector<ChannelRanges> ranges(plan.value_count());
    observe(plan, input, size, [&](ValueId value, const Window& part) {
        ChannelRanges& range = ranges[value];
        range.smallest.resize(part.channels(), kInfinity);
        range.largest.resize(part.channels(), -kInfinity);
        range.sum.resize(part.channels(), 0.0);
        range.zeros.resize(part.channels(), 0.0);
        for_each_sample(part, [&](float x, std::size_t c) {
            range.smallest[c] = std::min(range.smallest[c], x);
            range.largest[c] = std::max(range.largest[c], x);
            range.sum[c] += static_cast<double>(x);
            range.zeros[c] += x == 0.0f ? 1.0 : 0.0;
            range.finite = range.finite && std::isfinite(x);
        });
    });
    return ranges;
}

std::vector<std::vector<double>> histograms_of(const Plan& plan, const float* input, Size size,
                                               std::span<const ChannelEnds> ends,
                                               std::size_t bins) {
    std::vector<std::vector<double>> histograms(plan.value_count());
    const auto most = static_cast<double>(bins - 1);
    observe(plan, input, size, [&](ValueId value, const Window& part) {
        std::vector<double>& counts = histograms[value];
        counts.resize(part.channels() * bins, 0.0);
        std::vector<double> bins_a_unit(part.channels());
        for (std::size_t c = 0; c < part.channels(); ++c) {
            const double width = ends[value].last[c] - ends[value].first[c];
            bins_a_unit[c] = width > 0.0 ? static_cast<double>(bins) / width : 0.0;
        }
        for_each_sample(part, [&](float x, std::size_t c) {
            const double place = (static_cast<double>(x) - ends[value].first[c]) * bins_a_unit[c];
            const double bin = place > 0.0 ? std::min(place, most) : 0.0;
            counts[c * bins + static_cast<std::size_t>(bin)] += 1.0;
        });
    });
    return histograms;
}

}  // namespace nnr::network
