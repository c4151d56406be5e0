// How one image is cut: which part of every value each tile of the output needs, and where in a
// thread's arena it lies. A tile is the product of a row and a column of tiles, so regions are
// found along each axis on its own.
#pragma once

#include "geometry.hpp"
#include "plan.hpp"

namespace nnr::network {

struct Size {
    Index height;
    Index width;
};

// The size of the network's output for an image of this size. Here and below, a size that the
// network cannot take is a std::invalid_argument that names the layer.
Size output_size(const Plan& plan, Size image);

// The smallest size that the network takes, of those that are multiples of its phase and no smaller
// than the image. Where there is none, the smallest multiples.
Size taken_size(const Plan& plan, Size image);

class Tiling {
public:
    // Cuts the first rows and columns of the output, as many as `part` has, into tiles; those of
    // the last row and column may be smaller.
    Tiling(const Plan& plan, Size image, Size part, Size tile);

    // The tiles that take the least time, of those whose arena is small.
    static Tiling choose(const Plan& plan, Size image, Size part, std::size_t images,
                         std::size_t threads);

    Index size(ValueId value, Axis axis) const { return along(sizes_, axis)[value]; }
    std::size_t tile_count() const { return tiles_[0] * tiles_[1]; }
    std::size_t arena_floats() const { return arena_floats_; }
    // Where in the arena a value begins.
    std::size_t offset(ValueId value) const { return offsets_[value]; }
    // The part of a value that a tile keeps; outside of the image it holds zeros. Values that are
    // not needed have empty parts.
    Interval interval(std::size_t tile, ValueId value, Axis axis) const {
        const std::size_t column_count = along(tiles_, Axis::columns);
        const std::size_t cut = axis == Axis::rows ? tile / column_count : tile % column_count;
        return part(axis, cut, value);
    }

private:
    std::size_t value_count() const { return sizes_[0].size(); }
    const Interval& part(Axis axis, std::size_t cut, ValueId value) const {
        return along(intervals_, axis)[cut * value_count() + value];
    }
    void cut_axis(const Plan& plan, Axis axis, Index length, Index tile_length);
    void lay_out(const Plan& plan);
    double time(const Plan& plan, std::size_t images, std::size_t threads) const;

    PerAxis<std::vector<Index>> sizes_;         // [value]
    PerAxis<std::size_t> tiles_{};
    PerAxis<std::vector<Interval>> intervals_;  // [cut][value]
    std::vector<std::size_t> offsets_;          // [value]
    std::size_t arena_floats_ = 0;
};

}  // namespace nnr::network
