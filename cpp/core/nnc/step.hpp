// Quantisation steps on the standard's grid.
#pragma once

#include <cmath>
#include <cstdint>

namespace nnr::nnc {

// The step of a quantisation parameter: 2^density steps an octave, which lie evenly between powers
// of two. Not finite beyond the range of float32.
inline float step_size(std::int32_t qp, unsigned density) {
    const std::int32_t per_octave = 1 << density;
    const std::int32_t fraction = qp & (per_octave - 1);
    return static_cast<float>(
        std::ldexp(per_octave + fraction, (qp >> density) - static_cast<std::int32_t>(density)));
}

// The bits of a quantisation parameter in a data unit.
constexpr unsigned qp_bits(unsigned density) { return 6 + density; }

}  // namespace nnr::nnc
