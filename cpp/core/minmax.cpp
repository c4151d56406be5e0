#include "minmax.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "../dispatch/targets.hpp"
#include "parallel.hpp"

namespace nnr {
namespace {

// Small enough to be still in the cache nearest the core when the next step reads it again.
constexpr std::size_t kBlock = 16384;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

std::optional<std::size_t> find_not_finite(const ConstTensorView& tensor,
                                           const KernelTable& table) {
    // The kernel says which block holds one; halving that block finds it.
    const auto scan = table.minmax[static_cast<std::size_t>(tensor.type)];
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
    const KernelTable& table = kernels();
    const auto scan = table.minmax[static_cast<std::size_t>(tensor.type)];
    const std::size_t count = layout.count();
    const std::size_t blocks = (count + kBlock - 1) / kBlock;
    const std::size_t parts = std::clamp<std::size_t>(
        resolve_threads(threads, count * size_of(tensor.type)), 1, std::max<std::size_t>(blocks, 1));

    // Every part has ranges of its own. Minima and maxima may be merged in any order, so the cut
    // does not show in the result.
    std::vector<float> part_lo(parts * layout.channels, kInfinity);
    std::vector<float> part_hi(parts * layout.channels, -kInfinity);
    std::atomic<bool> finite{true};
    const auto scan_part = [&](std::size_t part) noexcept {
        float* own_lo = part_lo.data() + part * layout.channels;
        float* own_hi = part_hi.data() + part * layout.channels;
        const std::size_t first = part_begin(blocks, parts, part) * kBlock;
        const std::size_t last = std::min(part_begin(blocks, parts, part + 1) * kBlock, count);
        bool part_finite = true;
        for_each_run(layout, first, last,
                     [&](std::size_t begin, std::size_t length, std::size_t channel) {
                         const MinMax range = scan(element(tensor, begin), length);
                         own_lo[channel] = std::min(own_lo[channel], range.lo);
                         own_hi[channel] = std::max(own_hi[channel], range.hi);
                         part_finite = part_finite && range.finite;
                     });
        if (!part_finite) finite.store(false, std::memory_order_relaxed);
    };
    parallel_for(parts, parts, [&](std::size_t first, std::size_t last) noexcept {
        for (std::size_t part = first; part < last; ++part) scan_part(part);
    });

    std::ranges::fill(lo, kInfinity);
    std::ranges::fill(hi, -kInfinity);
    for (std::size_t i = 0; i < part_lo.size(); ++i) {
        const std::size_t channel = i % layout.channels;
        lo[channel] = std::min(lo[channel], part_lo[i]);
        hi[channel] = std::max(hi[channel], part_hi[i]);
    }
    return finite ? std::nullopt : find_not_finite(tensor, table);
}

}  // namespace nnr
