#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace nnr {

// Calls work(first, last) so that the ranges cover [0, count) once, on up to `threads` threads
// (the calling one included). What `work` computes must not depend on how the range is cut.
// `work` must not throw.
template <class Work>
void parallel_for(std::size_t count, unsigned threads, const Work& work) {
    const std::size_t parts = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(count, 1));
    const auto begin_of = [&](std::size_t part) { return count / parts * part +
                                                         std::min(part, count % parts); };
    std::vector<std::jthread> others;
    others.reserve(parts - 1);
    for (std::size_t part = 1; part < parts; ++part)
        others.emplace_back([&work, begin = begin_of(part), end = begin_of(part + 1)] {
            work(begin, end);
        });
    work(begin_of(0), begin_of(1));
}

// How many threads a call uses: what was asked for, or for 0 one a `bytes_per_thread` of work,
// at most one a core.
inline unsigned resolve_threads(unsigned asked, std::size_t bytes, std::size_t bytes_per_thread) {
    if (asked != 0) return asked;
    const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
    return static_cast<unsigned>(std::clamp<std::size_t>(bytes / bytes_per_thread, 1, cores));
}

}  // namespace nnr
