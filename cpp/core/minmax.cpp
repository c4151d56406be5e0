#include "minmax.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <type_traits>
#include <vector>

#include "../dispatch/targets.hpp"
#include "channels.hpp"
#include "parallel.hpp"

namespace nnr {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Smallest and largest value at every place: of a row where the tensor is seen as rows, else of the
// channels.
struct Ranges {
    std::vector<float> lo;
    std::vector<float> hi;

    explicit Ranges(std::size_t places) : lo(places, kInfinity), hi(places, -kInfinity) {}

    void add(std::size_t place, float other_lo, float other_hi) {
        lo[place] = std::min(lo[place], other_lo);
        hi[place] = std::max(hi[place], other_hi);
    }
};

class Scan {
public:
    explicit Scan(const ConstTensorView& tensor, const KernelTable& table)
        : tensor_(tensor),
          minmax_(table.minmax[static_cast<std::size_t>(tensor.type)]),
          minmax_columns_(table.minmax_columns[static_cast<std::size_t>(tensor.type)]),
          row_length_(row_length(tensor.layout)) {
        // Ranges are held by channel in any case: a row of one element a channel is for nothing.
        if (row_length_ == 0 && tensor.layout.inner == 1 && tensor.layout.channels > 1)
            row_length_ = tensor.layout.channels;
    }

    std::size_t places() const { return row_length_ ? row_length_ : tensor_.layout.channels; }

    std::size_t channel_of(std::size_t place) const {
        return row_length_ ? channel_at(tensor_.layout, place) : place;
    }

    // Returns whether all are finite.
    bool elements(std::size_t begin, std::size_t end, Ranges& ranges) const noexcept {
        ElementReader reader = reader_of(tensor_, end);
        bool finite = true;
        for (std::size_t length; begin < end; begin += length) {
            length = std::min(reader.capacity(), end - begin);
            const std::byte* values = reader.elements(begin, length);
            finite &= row_length_ ? block_by_rows(values, begin, length, ranges)
                                  : block_by_runs(values, begin, length, ranges);
        }
        return finite;
    }

private:
    bool block_by_runs(const std::byte* values, std::size_t block, std::size_t length,
                       Ranges& ranges) const {
        bool finite = true;
        for_each_run(tensor_.layout, block, block + length,
                     [&](std::size_t begin, std::size_t run, std::size_t channel) {
                         const MinMax range =
                             minmax_(values + (begin - block) * size_of(tensor_.type), run);
                         ranges.add(channel, range.lo, range.hi);
                         finite &= range.finite;
                     });
        return finite;
    }

    // The rest of a row that has begun, whole rows at once, the beginning of another.
    bool block_by_rows(const std::byte* values, std::size_t begin, std::size_t length,
                       Ranges& ranges) const {
        const auto scan = [&](std::size_t rows, std::size_t columns, std::size_t place) {
            const bool finite = minmax_columns_(values, rows, columns, ranges.lo.data() + place,
                                                ranges.hi.data() + place);
            values += rows * columns * size_of(tensor_.type);
            length -= rows * columns;
            return finite;
        };
        const std::size_t place = begin % row_length_;
        bool finite = place == 0 || scan(1, std::min(row_length_ - place, length), place);
        finite &= scan(length / row_length_, row_length_, 0);
        return scan(1, length, 0) && finite;
    }

    const ConstTensorView& tensor_;
    std::remove_extent_t<decltype(KernelTable::minmax)> minmax_;
    std::remove_extent_t<decltype(KernelTable::minmax_columns)> minmax_columns_;
    std::size_t row_length_;
};

bool minmax_in_order(const ConstTensorView& tensor, unsigned threads, const KernelTable& table,
                     std::span<float> lo, std::span<float> hi) {
    const Scan scan(tensor, table);
    const std::size_t count = tensor.layout.count();
    const std::size_t blocks = block_count(count);
    // A part without many more elements than places would spend its time and memory on ranges.
    const std::size_t most = std::min(blocks, count / (4 * std::max<std::size_t>(scan.places(), 1)));
    const std::size_t parts =
        std::clamp<std::size_t>(resolve_threads(threads, count * size_of(tensor.type)), 1,
                                std::max<std::size_t>(most, 1));
    // Every part has ranges of its own. Minima and maxima may be merged in any order, so the cut
    // does not show in the result.
    std::vector<Ranges> ranges(parts, Ranges(scan.places()));
    std::atomic<bool> finite{true};
    parallel_for(parts, parts, [&](std::size_t first, std::size_t last) noexcept {
        for (std::size_t part = first; part < last; ++part) {
            const std::size_t begin = part_begin(blocks, parts, part) * kBlock;
            const std::size_t end = std::min(part_begin(blocks, parts, part + 1) * kBlock, count);
            if (!scan.elements(begin, end, ranges[part])) finite = false;
        }
    });

    std::ranges::fill(lo, kInfinity);
    std::ranges::fill(hi, -kInfinity);
    for (const Ranges& of_part : ranges)
        for (std::size_t place = 0; place < scan.places(); ++place) {
            const std::size_t channel = scan.channel_of(place);
            lo[channel] = std::min(lo[channel], of_part.lo[place]);
            hi[channel] = std::max(hi[channel], of_part.hi[place]);
        }
    return finite;
}

}  // namespace

std::optional<std::size_t> find_not_finite(const ConstTensorView& tensor,
                                           const KernelTable& table) {
    // The kernel says which block holds one; halving that block finds it.
    const auto scan = table.minmax[static_cast<std::size_t>(tensor.type)];
    const std::size_t count = tensor.layout.count();
    ElementReader reader = reader_of(tensor, count);
    for (std::size_t block = 0; block < count; block += kBlock) {
        std::size_t length = std::min(kBlock, count - block);
        const std::byte* values = reader.elements(block, length);
        if (scan(values, length).finite) continue;
        std::size_t begin = 0;
        while (length > 1) {
            const std::size_t half = length / 2;
            if (scan(values + begin * size_of(tensor.type), half).finite) {
                begin += half;
                length -= half;
            } else {
                length = half;
            }
        }
        return block + begin;
    }
    return std::nullopt;
}

std::optional<std::size_t> minmax(const ConstTensorView& tensor, unsigned threads,
                                  std::span<float> lo, std::span<float> hi) {
    const KernelTable& table = kernels();
    bool finite;
    if (tensor.layout.channels == 1 && !tensor.axes.empty()) {
        // One range depends neither on the order of the elements nor on how often one is seen.
        ConstTensorView set = tensor;
        const std::vector<Axis> in_order = in_memory_order(tensor.axes, set.data);
        const std::vector<Axis> axes = merged(in_order, set.data, size_of(tensor.type));
        set.layout = {1, 1, element_count(in_order)};
        set.axes = axes;
        finite = minmax_in_order(set, threads, table, lo, hi);
    } else {
        finite = minmax_in_order(tensor, threads, table, lo, hi);
    }
    return finite ? std::nullopt : find_not_finite(tensor, table);
}

}  // namespace nnr
