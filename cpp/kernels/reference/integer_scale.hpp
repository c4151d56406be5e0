#pragma once

#include "conv.hpp"

namespace nnr::reference {
namespace {

template <class Input, class Output>
void integer_scale(const IntegerScale& scale, const ConvWindow<Input, Output>& window) {
    for_each_pixel(window, [&](const Input* input, Output* output, const AddendPixel& addend) {
        for (std::size_t c = 0; c < scale.channels; ++c) {
            const std::int64_t x = input[c] - scale.in_zeros[c];
            std::int64_t sum = 1 << 15;
            if (addend.samples == nullptr) {
                const auto* multipliers = x < 0 ? scale.second_multipliers : scale.multipliers;
                sum += x * multipliers[c] + scale.offsets[c];
            } else {
                const std::int64_t other = addend.integer(c) - scale.addend_zeros[c];
                sum += x * scale.multipliers[c] + other * scale.second_multipliers[c];
            }
            const std::int64_t result = (sum >> 16) + scale.zeros[c];
            output[c] = static_cast<Output>(
                std::clamp<std::int64_t>(result, scale.lo, scale.hi));
        }
    });
}

}  // namespace
}  // namespace nnr::reference
