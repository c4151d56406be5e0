// What a program has allocated with `new`, at most and in the end. For the one translation unit of
// a check: it replaces the global operators.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace nnr::checks {

inline std::atomic<std::size_t> allocated{0}, most_allocated{0};

inline std::size_t size_of_allocation([[maybe_unused]] void* memory) {
#if defined(__GLIBC__)
    return malloc_usable_size(memory);
#else
    return 0;  // and nothing is measured
#endif
}

// The most that was allocated at a time since it began, beyond what there was before.
class AllocationMeter {
public:
    AllocationMeter() : before_(allocated) { most_allocated = before_; }
    std::size_t peak() const { return most_allocated - before_; }

private:
    std::size_t before_;
};

}  // namespace nnr::checks

// Inlined, GCC takes what pairs up here for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    using namespace nnr::checks;
    void* const memory = std::malloc(std::max<std::size_t>(size, 1));
    const std::size_t now = allocated += size_of_allocation(memory);
    for (std::size_t most = most_allocated; most < now;)
        if (most_allocated.compare_exchange_weak(most, now)) break;
    return memory;
}

[[gnu::noinline]] void* operator new(std::size_t size) {
    if (void* const memory = operator new(size, std::nothrow)) return memory;
    throw std::bad_alloc();
}

[[gnu::noinline]] void operator delete(void* memory) noexcept {
    nnr::checks::allocated -= nnr::checks::size_of_allocation(memory);
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }
