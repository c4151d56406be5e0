#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "thread_apart.hpp"

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
    std::vector<ThreadApart> others;
    others.reserve(parts - 1);
    std::size_t started = 1;
    try {
        for (; started < parts; ++started)
            others.emplace_back([&work, first = part_begin(count, parts, started),
                                 last = part_begin(count, parts, started + 1)] {
                work(first, last);
            });
    } catch (const std::system_error&) {
        work(part_begin(count, parts, started), count);
    }
    work(part_begin(count, parts, 0), part_begin(count, parts, 1));
}

// Where the threads of a team wait for each other. They spin, since what they wait for takes
// microseconds; where there are more threads than processors, they make way.
class Meeting {
public:
    explicit Meeting(std::size_t size = 1) : size_(size) {}
    // Before anyone waits.
    void expect(std::size_t size) { size_ = size; }

    void wait() {
        constexpr int kSpins = 2000;
        const std::size_t round = round_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins)
            if (spins > kSpins) std::this_thread::yield();
    }

private:
    std::size_t size_;
    std::atomic<std::size_t> arrived_{0};
    std::atomic<std::size_t> round_{0};
};

// Calls work(member, size, meeting) on up to `threads` threads at once (the calling one included;
// fewer where the system has no more to give): 0 <= member < size. All know the size before they
// begin, so that they can meet.
template <class Work>
void parallel_team(std::size_t threads, const Work& work) {
    static_assert(std::is_nothrow_invocable_v<const Work&, std::size_t, std::size_t, Meeting&>);
    std::atomic<std::size_t> size{0};
    Meeting meeting;
    std::vector<ThreadApart> others;
    others.reserve(threads - 1);
    try {
        for (std::size_t member = 1; member < threads; ++member)
            others.emplace_back([&, member] {
                size.wait(0);
                work(member, size.load(), meeting);
            });
    } catch (const std::system_error&) {
        // Those that are there do all of it.
    }
    meeting.expect(others.size() + 1);
    size = others.size() + 1;
    size.notify_all();
    work(0, size.load(), meeting);
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
