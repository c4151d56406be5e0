#include "minmax.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>

#include "../dispatch/targets.hpp"
#include "parallel.hpp"

namespace nnr {
namespace {

// Small enough to be still in the cache nearest the core when the next step reads it again.
constexpr std::size_t kBlock = 16384;
constexpr std::size_t kBytesPerThread = 1 << 20;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

std::optional<std::size_t> find_not_finite(const ConstTensorView& tensor) {
    // The kernel says which block holds one; halving that block finds it.
    const auto scan = kernels().minmax[static_cast<std::size_t>(tensor.type)];
    const std::size_t count = tensor.layout.count();
    for (std::size_t begin = 0; begin < count; begin += kBlock) {
        std::size_t length = std::min(kBlock, count - begin);
        if (scan(element(tensor, begin), length).finite) continue;
        while (length > 1) {
            const std::size_t half = length / 2;
            if (scan(element(tensor, begin), half).finite) {
                begin += half;
                length -= half;
            } else {
                length = half;
            }
        }
        return begin;
    }
    return std::nullopt;
}

std::optional<std::size_t> minmax(const ConstTensorView& tensor, unsigned threads,
                                  std::span<float> lo, std::span<float> hi) {
    const ChannelLayout& layout = tensor.layout;
    const auto scan = kernels().minmax[static_cast<std::size_t>(tensor.type)];
    std::ranges::fill(lo, kInfinity);
    std::ranges::fill(hi, -kInfinity);
    std::atomic<bool> finite{true};
    std::mutex merging;

    const std::size_t count = layout.count();
    const std::size_t bytes = count * size_of(tensor.type);
    threads = resolve_threads(threads, bytes, kBytesPerThread);
    // Minima and maxima may be merged in any order, so the cut between threads does not show.
    parallel_for((count + kBlock - 1) / kBlock, threads, [&](std::size_t first, std::size_t last) {
        std::vector<float> part_lo(layout.channels, kInfinity);
        std::vector<float> part_hi(layout.channels, -kInfinity);
        for_each_run(layout, first * kBlock, std::min(last * kBlock, count),
                     [&](std::size_t begin, std::size_t length, std::size_t channel) {
                         const MinMax range = scan(element(tensor, begin), length);
                         part_lo[channel] = std::min(part_lo[channel], range.lo);
                         part_hi[channel] = std::max(part_hi[channel], range.hi);
                         if (!range.finite) finite.store(false, std::memory_order_relaxed);
                     });
        const std::scoped_lock lock(merging);
        for (std::size_t channel = 0; channel < lo.size(); ++channel) {
            lo[channel] = std::min(lo[channel], part_lo[channel]);
            hi[channel] = std::max(hi[channel], part_hi[channel]);
        }
    });
    return finite ? std::nullopt : find_not_finite(tensor);
}

}  // namespace nnr
