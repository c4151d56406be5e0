// A plan in words: what each layer takes at one size of image.
#pragma once

#include <span>

#include "tiling.hpp"

namespace nnr::network {

struct LayerCost {
    std::string name;
    std::string kernel;     // such as "conv 3x3 blocks"
    std::size_t in_channels;
    std::size_t out_channels;
    Size size;              // of the output
    double operations;      // a product and a sum each, as the direct convolution counts them
    double computed;        // samples computed over those of the output: what strips compute twice
    double products;        // really formed
    std::size_t weight_bytes;
    double value_bytes;     // read and written
};

std::vector<LayerCost> explain(const Plan& plan, const Tiling& tiling);

}  // namespace nnr::network
