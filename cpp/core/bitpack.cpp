#include "bitpack.hpp"

#include <algorithm>
#include <atomic>

#include "../dispatch/targets.hpp"
#include "parallel.hpp"

namespace nnr {

bool pack(const ConstCodesView& codes, unsigned bits, unsigned threads,
          std::span<std::uint8_t> packed) {
    const auto pack_codes = kernels().pack[static_cast<std::size_t>(codes.type)];
    std::atomic<std::uint32_t> seen{0};
    parallel_for(
        block_count(codes.count), resolve_threads(threads, codes.count * size_of(codes.type)),
        [&](std::size_t first, std::size_t last) noexcept {
            const std::size_t end = std::min(last * kBlock, codes.count);
            ElementReader reader = reader_of(codes, end);
            // Whole blocks, so that each begins at a whole byte.
            const std::size_t step = std::max(reader.capacity() / kBlock, std::size_t{1}) * kBlock;
            for (std::size_t begin = first * kBlock, length; begin < end; begin += length) {
                length = std::min(step, end - begin);
                const std::byte* from = reader.elements(begin, length);
                seen.fetch_or(
                    pack_codes(from, length, bits, packed.data() + packed_bytes(begin, bits)),
                    std::memory_order_relaxed);
            }
        });
    return seen >> bits == 0;
}

void unpack(std::span<const std::uint8_t> packed, std::size_t count, unsigned bits,
            unsigned threads, CodeType type, void* codes) {
    const auto unpack_codes = kernels().unpack[static_cast<std::size_t>(type)];
    parallel_for(block_count(count), resolve_threads(threads, count * size_of(type)),
                 [&](std::size_t first, std::size_t last) noexcept {
                     const std::size_t begin = first * kBlock, end = std::min(last * kBlock, count);
                     if (begin >= end) return;
                     auto* to = static_cast<std::byte*>(codes) + begin * size_of(type);
                     unpack_codes(packed.data() + packed_bytes(begin, bits), end - begin, bits, to);
                 });
}

}  // namespace nnr
