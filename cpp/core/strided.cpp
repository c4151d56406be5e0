#include "strided.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace nnr {
namespace {

// NumPy's limit too.
constexpr std::size_t kMaxAxes = 64;

// A few axes of an array and where their copy goes, side by side in C order.
struct Lines {
    const std::byte* from;
    Axis along;   // a line
    Axis across;  // from line to line
    std::byte* to;
};

// Every kSize bytes from one distance to another.
template <std::size_t kSize>
void copy_steps(const std::byte* from, std::ptrdiff_t from_step, std::byte* to,
                std::size_t to_step, std::size_t count) {
    for (; count > 0; --count, from += from_step, to += to_step) std::memcpy(to, from, kSize);
}

template <std::size_t kSize>
void copy_lines(const Lines& lines) {
    auto [from, along, across, to] = lines;
    // Where neighbours across share cache lines, all lines advance together.
    const bool together = std::abs(across.stride) < std::abs(along.stride) && across.size > 1;
    const std::size_t line_bytes = along.size * kSize;
    if (together) {
        for (std::size_t i = 0; i < along.size; ++i, from += along.stride, to += kSize)
            copy_steps<kSize>(from, across.stride, to, line_bytes, across.size);
        return;
    }
    for (std::size_t line = 0; line < across.size; ++line, from += across.stride, to += line_bytes)
        if (along.stride == static_cast<std::ptrdiff_t>(kSize))
            std::memcpy(to, from, line_bytes);
        else
            copy_steps<kSize>(from, along.stride, to, kSize, along.size);
}

void copy_lines(const Lines& lines, std::size_t element_size) {
    switch (element_size) {
        case 1: return copy_lines<1>(lines);
        case 2: return copy_lines<2>(lines);
        case 4: return copy_lines<4>(lines);
        default: return copy_lines<8>(lines);
    }
}

}  // namespace

std::vector<Axis> merged(std::span<const Axis> axes, const void* data, std::size_t element_size) {
    std::vector<Axis> result;
    for (const Axis& axis : axes) {
        if (axis.size == 1) continue;
        const bool continues =
            !result.empty() &&
            result.back().stride == axis.stride * static_cast<std::ptrdiff_t>(axis.size);
        if (continues)
            result.back() = {result.back().size * axis.size, axis.stride};
        else
            result.push_back(axis);
    }
    if (result.empty()) result.push_back({1, static_cast<std::ptrdiff_t>(element_size)});
    const bool side_by_side =
        result.size() == 1 && result[0].stride == static_cast<std::ptrdiff_t>(element_size);
    const bool aligned = reinterpret_cast<std::uintptr_t>(data) % element_size == 0;
    if (side_by_side && aligned) result.clear();
    return result;
}

std::vector<Axis> in_memory_order(std::span<const Axis> axes, const void*& data) {
    std::vector<Axis> result;
    for (Axis axis : axes) {
        if (axis.stride == 0) continue;
        if (axis.stride < 0) {
            data = static_cast<const std::byte*>(data) +
                   axis.stride * static_cast<std::ptrdiff_t>(axis.size - 1);
            axis.stride = -axis.stride;
        }
        result.push_back(axis);
    }
    std::ranges::sort(result, std::ranges::greater{}, &Axis::stride);
    return result;
}

std::size_t element_count(std::span<const Axis> axes) {
    std::size_t count = 1;
    for (const Axis& axis : axes) count *= axis.size;
    return count;
}

const std::byte* ElementReader::elements(std::size_t begin, std::size_t length) {
    if (axes_.empty()) return data_ + begin * element_size_;
    if (begin < copied_begin_ || begin + length > copied_end_) {
        copied_begin_ = begin;
        copied_end_ = std::min(begin + capacity(), end_);
        copy(begin, copied_end_ - begin);
    }
    return buffer_ + (begin - copied_begin_) * element_size_;
}

void ElementReader::copy(std::size_t begin, std::size_t length) {
    // Where `begin` is along every axis.
    std::array<std::size_t, kMaxAxes> index;
    const std::byte* from = data_;
    for (std::size_t a = axes_.size(), rest = begin; a-- > 0; rest /= axes_[a].size) {
        index[a] = rest % axes_[a].size;
        from += static_cast<std::ptrdiff_t>(index[a]) * axes_[a].stride;
    }

    const std::size_t last = axes_.size() - 1;
    for (std::byte* to = buffer_; length > 0;) {
        // The rest of a line, or as many whole lines as lie at equal distances.
        Lines lines{from, {std::min(length, axes_[last].size - index[last]), axes_[last].stride},
                    {1, 0}, to};
        if (last > 0 && lines.along.size == axes_[last].size)
            lines.across = {std::min(length / axes_[last].size,
                                     axes_[last - 1].size - index[last - 1]),
                            axes_[last - 1].stride};
        copy_lines(lines, element_size_);

        const std::size_t count = lines.along.size * lines.across.size;
        to += count * element_size_;
        length -= count;
        // On to what follows: steps along the innermost axis that has one left.
        if (lines.across.size > 1) {
            index[last - 1] += lines.across.size;
            from += static_cast<std::ptrdiff_t>(lines.across.size) * axes_[last - 1].stride;
        } else {
            index[last] += lines.along.size;
            from += static_cast<std::ptrdiff_t>(lines.along.size) * axes_[last].stride;
        }
        for (std::size_t a = last; a > 0; --a) {
            if (index[a] < axes_[a].size) continue;
            from -= static_cast<std::ptrdiff_t>(axes_[a].size) * axes_[a].stride;
            from += axes_[a - 1].stride;
            index[a] = 0;
            ++index[a - 1];
        }
    }
}

}  // namespace nnr
