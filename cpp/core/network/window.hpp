#pragma once

#include "geometry.hpp"
#include "values.hpp"

namespace nnr::network {

// The part of a value that a strip keeps in its arena: pixel after pixel, channels side by side.
struct Window {
    std::byte* pixels;
    PerAxis<Interval> parts;
    PerAxis<Index> sizes;  // of the whole value
    const Value* value;

    std::size_t channels() const { return value->channels; }
    std::size_t pixel_stride() const { return value->pixel_stride(); }
    Interval rows() const { return along(parts, Axis::rows); }
    Interval columns() const { return along(parts, Axis::columns); }
    // What of the part lies on the image; the rest holds zeros.
    Interval rows_inside() const { return inside(rows(), along(sizes, Axis::rows)); }
    Interval columns_inside() const { return inside(columns(), along(sizes, Axis::columns)); }

    std::size_t row_stride() const {
        return static_cast<std::size_t>(columns().length()) * pixel_stride();
    }
    std::byte* byte_at(Index row, Index column) const {
        const Index pixel = (row - rows().begin) * columns().length() + column - columns().begin;
        return pixels + pixel * static_cast<Index>(value->pixel_bytes());
    }
    template <class Sample = float>
    Sample* at(Index row, Index column) const {
        return reinterpret_cast<Sample*>(byte_at(row, column));
    }

    // The window's rows from `first` on.
    Window from_row(Index first) const {
        Window rest = *this;
        rest.pixels = byte_at(first, columns().begin);
        along(rest.parts, Axis::rows).begin = first;
        return rest;
    }
};

}  // namespace nnr::network
