#pragma once

#include <functional>
#include <optional>
#include <span>

#include "images.hpp"
#include "plan.hpp"
#include "tiling.hpp"

namespace nnr::network {

// What a call may set. threads = 0 chooses; `cut` is for tests. The result depends on neither.
struct RunOptions {
    unsigned threads = 0;
    std::optional<Cut> cut;
};

// Images in C order (image, channel, row, column), of samples of the types of the plan's input and
// output; `output` has room for as many.
void run(const Plan& plan, const void* input, std::size_t images, Size size,
         const RunOptions& options, void* output);

// The same for a plan of integers and images of float32, through a scale a channel.
struct Scales {
    const double* input;
    const double* output;
};
void run_quantized(const Plan& plan, const float* input, std::size_t images, Size size,
                   const Scales& scales, const RunOptions& options, float* output);

// The planes of a picture, a view a channel, of samples 0 to `peak`, and the value of the input channels
// after theirs; `size` is what the network sees of the picture, continued to the size that
// `taken_size` says. The network must keep that size, and give a channel for each view of `output`.
template <class Sample>
struct PlaneFilter {
    std::span<const PlaneView<const Sample>> input;
    std::span<const PlaneView<Sample>> output;
    Size size;
    float peak;
    float side;
};
template <class Sample>
void filter_planes(const Plan& plan, const PlaneFilter<Sample>& filter, const RunOptions& options);

extern template void filter_planes(const Plan&, const PlaneFilter<std::uint8_t>&,
                                   const RunOptions&);
extern template void filter_planes(const Plan&, const PlaneFilter<std::uint16_t>&,
                                   const RunOptions&);

// Is shown every value of one image, sample by sample once, as parts of it are computed.
using Observer = std::function<void(ValueId value, const Window& part)>;
void observe(const Plan& plan, const float* input, Size size, const Observer& observer);

}  // namespace nnr::network
