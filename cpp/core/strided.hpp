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
// they are: side by side and aligned to their size.
std::vector<Axis> merged(std::span<const Axis> axes, const void* data, std::size_t element_size);

// The same set of elements in the order in which they lie in memory, broadcast ones once: for passes
// that do not depend on the order. `data` becomes the lowest address.
std::vector<Axis> in_memory_order(std::span<const Axis> axes, const void*& data);

std::size_t element_count(std::span<const Axis> axes);

// Reads an array's elements side by side, in C order: where they are if there are no axes, else copied
// to a buffer. What was copied ahead serves the next calls, so reading goes forward.
class ElementReader {
public:
    // Nothing from element `end` on is read.
    ElementReader(const void* data, std::span<const Axis> axes, std::size_t element_size,
                  std::size_t end)
        : data_(static_cast<const std::byte*>(data)),
          axes_(axes),
          element_size_(element_size),
          end_(end) {}

    // Up to this many elements can be had at once; all where no copying is needed.
    std::size_t capacity() const { return axes_.empty() ? end_ : kBufferBytes / element_size_; }

    // Elements [begin, begin + length), valid until the next call.
    const std::byte* elements(std::size_t begin, std::size_t length);

private:
    // Holds some lines even of a wide matrix, so that a transposed one is read by whole cache lines.
    static constexpr std::size_t kBufferBytes = 1 << 17;

    void copy(std::size_t begin, std::size_t length);

    const std::byte* data_;
    std::span<const Axis> axes_;
    std::size_t element_size_;
    std::size_t end_;
    std::size_t copied_begin_ = 0;  // what the buffer holds
    std::size_t copied_end_ = 0;
    alignas(64) std::byte buffer_[kBufferBytes];
};

}  // namespace nnr
