#include "strided.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace nnr {
namespace {

// NumPy's limit too.
constexpr std::size_t kMaxAxes = 64;

template <class Word>
void copy_line(const std::byte* from, std::ptrdiff_t stride, std::size_t count, std::byte* to) {
    for (std::size_t i = 0; i < count; ++i, from += stride, to += sizeof(Word))
        std::memcpy(to, from, sizeof(Word));
}

void copy_line(const std::byte* from, std::ptrdiff_t stride, std::size_t element_size,
               std::size_t count, std::byte* to) {
    if (stride == static_cast<std::ptrdiff_t>(element_size)) {
        std::memcpy(to, from, count * element_size);
        return;
    }
    switch (element_size) {
        case 1: return copy_line<std::uint8_t>(from, stride, count, to);
        case 2: return copy_line<std::uint16_t>(from, stride, count, to);
        case 4: return copy_line<std::uint32_t>(from, stride, count, to);
        default: return copy_line<std::uint64_t>(from, stride, count, to);
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

const void* read_elements(const void* data, std::span<const Axis> axes, std::size_t element_size,
                          std::size_t begin, std::size_t length, std::byte* buffer) {
    const auto* base = static_cast<const std::byte*>(data);
    if (axes.empty()) return base + begin * element_size;

    // Where `begin` is along every axis.
    std::array<std::size_t, kMaxAxes> index;
    const std::byte* line = base;
    for (std::size_t a = axes.size(), rest = begin; a-- > 0; rest /= axes[a].size) {
        index[a] = rest % axes[a].size;
        line += static_cast<std::ptrdiff_t>(index[a]) * axes[a].stride;
    }

    const std::size_t last = axes.size() - 1;
    for (std::byte* to = buffer; length > 0;) {
        const std::size_t count = std::min(length, axes[last].size - index[last]);
        copy_line(line, axes[last].stride, element_size, count, to);
        to += count * element_size;
        length -= count;
        // To the next line: one step along the innermost axis that has one left.
        line += static_cast<std::ptrdiff_t>(count) * axes[last].stride;
        index[last] += count;
        for (std::size_t a = last; a > 0 && index[a] == axes[a].size; --a) {
            line -= static_cast<std::ptrdiff_t>(axes[a].size) * axes[a].stride;
            line += axes[a - 1].stride;
            index[a] = 0;
            ++index[a - 1];
        }
    }
    return buffer;
}

}  // namespace nnr
