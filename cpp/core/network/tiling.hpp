// How one image is cut. Columns are cut into strips; a strip is computed from top to bottom in steps
// of a few rows, each value keeping the rows that the next step still needs. What two strips both need
// is computed in each of them; rows are computed once, but for the first of a segment. Where there are fewer strips
// than threads, strips are cut into segments of rows, or threads share the rows of every layer.
#pragma once

#include "geometry.hpp"
#include "plan.hpp"

namespace nnr::network {

struct Size {
    Index height;
    Index width;

    bool operator==(const Size&) const = default;
};

// The size of the network's output for an image of this size. Here and below, a size that the
// network cannot take is a std::invalid_argument that names the layer.
Size output_size(const Plan& plan, Size image);

// The smallest size that the network takes, of those that are multiples of its phase and no smaller
// than the image. Where there is none, the smallest multiples.
Size taken_size(const Plan& plan, Size image);

// Threads that compute one item together: beyond, a step has no part for each of them.
inline constexpr std::size_t kMaxTeam = 16;

// Of the output: the width of a strip, the height of a step and of a segment.
struct Cut {
    Index strip;
    Index step;
    Index segment;

    bool operator==(const Cut&) const = default;
};

// The rows of a value in one step: those before `computed` are kept from the step before.
struct Rows {
    Interval kept_and_computed;
    Index computed;

    Interval all() const { return kept_and_computed; }
    bool keeps() const { return computed > kept_and_computed.begin; }
};

class Tiling {
public:
    // Cuts the first rows and columns of the output, as many as `part` has.
    Tiling(const Plan& plan, Size image, Size part, const Cut& cut);

    // The cut that takes the least time, of those whose arena is small.
    static Tiling choose(const Plan& plan, Size image, Size part, std::size_t images,
                         std::size_t threads);

    Index size(ValueId value, Axis axis) const { return along(sizes_, axis)[value]; }
    const Cut& cut() const { return cut_; }
    std::size_t strips() const { return columns_.size() / value_count_; }
    std::size_t segments() const { return segment_begins_.size() - 1; }
    // The steps of a segment are those from its first on, before the first of the next.
    std::size_t first_step(std::size_t segment) const { return segment_begins_[segment]; }

    const Interval& columns(std::size_t strip, ValueId value) const {
        return columns_[strip * value_count_ + value];
    }
    const Rows& rows(std::size_t step, ValueId value) const {
        return rows_[step * value_count_ + value];
    }

    std::size_t arena_bytes() const { return arena_bytes_; }
    // Where in the arena a value begins.
    std::size_t offset(ValueId value) const { return offsets_[value]; }
    // Samples of a layer's output that are computed, in all strips and steps.
    double computed_samples(const Layer& layer) const;

private:
    void cut_rows(const Plan& plan, Index height);
    void cut_columns(const Plan& plan, Index width);
    void lay_out(const Plan& plan);
    double time(const Plan& plan, std::size_t images, std::size_t threads) const;

    Cut cut_;
    std::size_t value_count_;
    PerAxis<std::vector<Index>> sizes_;         // [value]
    std::vector<Interval> columns_;             // [strip][value]
    std::vector<Rows> rows_;                    // [step][value]
    std::vector<std::size_t> segment_begins_;   // and the number of steps
    std::vector<std::size_t> offsets_;          // [value]
    std::size_t arena_bytes_ = 0;
};

}  // namespace nnr::network
