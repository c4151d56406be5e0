// Arrays whose elements do not lie side by side in C order: transposed, sliced, broadcast, reversed,
// or not aligned.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace nnr {

// Outermost first.
struct Axis {
    std::size_t size;
    std::ptrdiff_t stride;  // in bytes
};

// The same elements in the same order over as few axes as possible; none where they can be used where
// they are: side by side and aligned.
std::vector<Axis> merged(std::span<const Axis> axes, const void* data, std::size_t element_size);

// The same set of elements in the order in which they lie in memory, each once: for passes that do
// not depend on the order. `data` becomes the lowest address.
std::vector<Axis> in_memory_order(std::span<const Axis> axes, const void*& data);

std::size_t element_count(std::span<const Axis> axes);

// Elements [begin, begin + length): where they are if there are no axes, else copied to `buffer`.
const void* read_elements(const void* data, std::span<const Axis> axes, std::size_t element_size,
                          std::size_t begin, std::size_t length, std::byte* buffer);

}  // namespace nnr
