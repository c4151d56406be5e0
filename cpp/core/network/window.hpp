#pragma once

#include "geometry.hpp"

namespace nnr::network {

// The part of a value that a tile keeps in its arena: pixel after pixel, channels side by side.
struct Window {
    float* pixels;
    PerAxis<Interval> parts;
    PerAxis<Index> sizes;  // of the whole value
    std::size_t channels;
    std::size_t pixel_stride;

    Interval rows() const { return along(parts, Axis::rows); }
    Interval columns() const { return along(parts, Axis::columns); }
    // What of the part lies on the image; the rest holds zeros.
    Interval rows_inside() const { return inside(rows(), along(sizes, Axis::rows)); }
    Interval columns_inside() const { return inside(columns(), along(sizes, Axis::columns)); }

    std::size_t row_stride() const {
        return static_cast<std::size_t>(columns().length()) * pixel_stride;
    }
    float* at(Index row, Index column) const {
        return pixels + static_cast<std::size_t>(row - rows().begin) * row_stride() +
               static_cast<std::size_t>(column - columns().begin) * pixel_stride;
    }
};

}  // namespace nnr::network
