#pragma once

#include <span>

#include "window.hpp"

namespace nnr::network {

// Computes what of the output's window lies on the image. The inputs' windows hold what
// `input_interval` says.
void run_layer(const Operation& operation, const KernelTable& kernels,
               std::span<const Window> inputs, const Window& output);

// Sets to zero what of the window lies beside the image.
void clear_outside(const Window& window);

}  // namespace nnr::network
