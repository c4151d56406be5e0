#include "bitpack.hpp"

#include <algorithm>
#include <atomic>

#include "../dispatch/targets.hpp"
#include "parallel.hpp"

namespace nnr {
namespace {

// A multiple of eight codes, so that every block begins at a whole byte.
constexpr std::size_t kBlock = 1 << 16;

// Calls work(begin, length) for one range of whole blocks a thread.
template <class Work>
void for_each_range(std::size_t count, CodeType type, unsigned threads, const Work& work) {
    parallel_for((count + kBlock - 1) / kBlock, resolve_threads(threads, count * size_of(type)),
                 [&](std::size_t first, std::size_t last) noexcept {
                     const std::size_t begin = first * kBlock;
                     if (first < last) work(begin, std::min(last * kBlock, count) - begin);
                 });
}

}  // namespace

bool pack(const void* codes, CodeType type, std::size_t count, unsigned bits, unsigned threads,
          std::span<std::uint8_t> packed) {
    const auto kernel = kernels().pack[static_cast<std::size_t>(type)];
    std::atomic<std::uint32_t> seen{0};
    for_each_range(count, type, threads, [&](std::size_t begin, std::size_t length) {
        const auto* from = static_cast<const std::byte*>(codes) + begin * size_of(type);
        seen.fetch_or(kernel(from, length, bits, packed.data() + packed_bytes(begin, bits)),
                      std::memory_order_relaxed);
    });
    return seen >> bits == 0;
}

void unpack(std::span<const std::uint8_t> packed, std::size_t count, unsigned bits,
            unsigned threads, CodeType type, void* codes) {
    const auto kernel = kernels().unpack[static_cast<std::size_t>(type)];
    for_each_range(count, type, threads, [&](std::size_t begin, std::size_t length) {
        auto* to = static_cast<std::byte*>(codes) + begin * size_of(type);
        kernel(packed.data() + packed_bytes(begin, bits), length, bits, to);
    });
}

}  // namespace nnr
