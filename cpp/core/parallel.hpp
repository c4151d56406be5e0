#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

namespace nnr {

// Where part `part` of `parts` nearly equal parts of [0, count) begins.
constexpr std::size_t part_begin(std::size_t count, std::size_t parts, std::size_t part) {
    return count / parts * part + std::min(part, count % parts);
}

// Calls work(first, last) so that the ranges cover [0, count) once, on up to `threads` threads
// (the calling one included; fewer where the system has no more to give). What `work` computes must
// not depend on how the range is cut. An exception in a thread would end the process, so `work` is
// noexcept and whatever it allocates is allocated before.
template <class Work>
void parallel_for(std::size_t count, std::size_t threads, const Work& work) {
    static_assert(std::is_nothrow_invocable_v<const Work&, std::size_t, std::size_t>);
    const std::size_t parts = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(count, 1));
    std::vector<std::jthread> others;
    others.reserve(parts - 1);
    std::size_t started = 1;
    try {
        for (; started < parts; ++started)
            others.emplace_back(std::cref(work), part_begin(count, parts, started),
                                part_begin(count, parts, started + 1));
    } catch (const std::system_error&) {
        work(part_begin(count, parts, started), count);
    }
    work(part_begin(count, parts, 0), part_begin(count, parts, 1));
}

// Asked once, since the system answers by reading files.
inline unsigned default_threads() {
    static const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
    return processors;
}

// How many threads a pass over memory uses: what was asked for, or for 0 one a megabyte, since less
// work than that is done before another thread has started; at most one a core, and no more than
// suffice to saturate the memory.
inline std::size_t resolve_threads(std::size_t asked, std::size_t bytes) {
    constexpr std::size_t kBytesPerThread = 1 << 20;
    constexpr unsigned kMaxUseful = 8;
    if (asked != 0) return asked;
    return std::clamp<std::size_t>(bytes / kBytesPerThread, 1,
                                   std::min(default_threads(), kMaxUseful));
}

}  // namespace nnr
