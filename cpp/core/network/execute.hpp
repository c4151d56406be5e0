#pragma once

#include "images.hpp"
#include "plan.hpp"
#include "tiling.hpp"

namespace nnr::network {

// What a call may set. threads = 0 chooses; `tile` is for tests. The result depends on neither.
struct RunOptions {
    unsigned threads = 0;
    std::optional<Index> tile;
};

// The size of the network's output for an image of this size. Here and below, a size that the
// network cannot take is a std::invalid_argument that names the layer.
Size output_size(const Plan& plan, Size image);

// Images of float32 in C order (image, channel, row, column); `output` has room for as many.
void run(const Plan& plan, const float* input, std::size_t images, Size size,
         const RunOptions& options, float* output);

// A plane of samples 0 to `peak`, whose size need not be a multiple of the network's phase, and
// the value of the input channels after the first. The network must keep the size, and give one
// channel.
template <class Sample>
struct PlaneFilter {
    const Sample* input;
    Sample* output;
    Size size;
    float peak;
    float side;
};
template <class Sample>
void filter_plane(const Plan& plan, const PlaneFilter<Sample>& filter, const RunOptions& options);

extern template void filter_plane(const Plan&, const PlaneFilter<std::uint8_t>&,
                                  const RunOptions&);
extern template void filter_plane(const Plan&, const PlaneFilter<std::uint16_t>&,
                                  const RunOptions&);

}  // namespace nnr::network
