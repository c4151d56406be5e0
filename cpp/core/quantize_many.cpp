#include "quantize_many.hpp"

#include <algorithm>
#include <atomic>
#include <new>

#include "minmax.hpp"
#include "parallel.hpp"
#include "quantize.hpp"

namespace nnr {
namespace {

// From here on the threads share one tensor; smaller ones are dealt out whole.
constexpr std::size_t kSharedBytes = 4 << 20;

std::size_t bytes_of(const QuantizeTask& task) {
    return task.tensor.layout.count() * size_of(task.tensor.type);
}

void quantize_one(QuantizeTask& task, unsigned bits, unsigned threads) {
    if (task.tensor.layout.count() == 0) {
        std::ranges::fill(task.lo, 0.0f);
        std::ranges::fill(task.hi, 0.0f);
        return;
    }
    task.not_finite = minmax(task.tensor, threads, task.lo, task.hi);
    if (task.not_finite) return;
    task.overflowing = first_overflowing(task.lo, task.hi, bits);
    if (task.overflowing) return;
    task.not_finite =
        quantize(task.tensor, task.lo, task.hi, bits, threads, task.packed).not_finite;
}

}  // namespace

void quantize_many(std::span<QuantizeTask> tasks, unsigned bits, unsigned threads) {
    std::size_t dealt_bytes = 0;
    for (QuantizeTask& task : tasks) {
        if (bytes_of(task) >= kSharedBytes)
            quantize_one(task, bits, threads);
        else
            dealt_bytes += bytes_of(task);
    }
    if (tasks.size() == 1 && dealt_bytes > 0) return quantize_one(tasks[0], bits, threads);
    std::atomic<std::size_t> next{0};
    std::atomic<bool> out_of_memory{false};
    const std::size_t workers =
        std::min(resolve_threads(threads, dealt_bytes), std::max<std::size_t>(tasks.size(), 1));
    parallel_for(workers, workers, [&](std::size_t first, std::size_t last) noexcept {
        if (first == last) return;
        try {
            for (std::size_t i; (i = next.fetch_add(1)) < tasks.size();)
                if (bytes_of(tasks[i]) < kSharedBytes) quantize_one(tasks[i], bits, 1);
        } catch (const std::bad_alloc&) {
            out_of_memory = true;
        }
    });
    if (out_of_memory) throw std::bad_alloc();
}

}  // namespace nnr
