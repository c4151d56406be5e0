#include "quantize.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "../dispatch/targets.hpp"
#include "parallel.hpp"

namespace nnr {
namespace {

// A block's codes stay in the nearest cache between the two steps. Being a multiple of eight
// codes, a block begins at a whole byte of the packed stream, so threads never share one.
constexpr std::size_t kBlock = 8192;

std::vector<QuantizerParameters> make_quantizers(std::span<const float> lo,
                                                 std::span<const float> hi, unsigned bits) {
    std::vector<QuantizerParameters> quantizers(lo.size());
    for (std::size_t i = 0; i < lo.size(); ++i) quantizers[i] = make_quantizer(lo[i], hi[i], bits);
    return quantizers;
}

// Codes of this width are their own packed form, and need no step in between.
constexpr unsigned kByteBits = 8;

// Calls work(begin, length, scratch) for every block, `scratch` being room for kBlock codes.
template <class Work>
void for_each_code_block(std::size_t count, unsigned threads, std::size_t element_size,
                    const Work& work) {
    parallel_for((count + kBlock - 1) / kBlock, resolve_threads(threads, count * element_size),
                 [&](std::size_t first, std::size_t last) noexcept {
                     std::uint16_t codes[kBlock];
                     for (std::size_t block = first; block < last; ++block) {
                         const std::size_t begin = block * kBlock;
                         work(begin, std::min(kBlock, count - begin), static_cast<void*>(codes));
                     }
                 });
}

}  // namespace

QuantizerParameters make_quantizer(float lo, float hi, unsigned bits) {
    const std::uint32_t max_code = (1u << bits) - 1u;
    if (lo == hi) return {lo, hi, 0.0f, 0.0f, max_code};
    const double width = static_cast<double>(hi) - static_cast<double>(lo);
    const float step = std::max(static_cast<float>(width / max_code),
                                std::numeric_limits<float>::min());
    return {lo, hi, step, static_cast<float>(1.0 / static_cast<double>(step)), max_code};
}

std::optional<std::size_t> first_overflowing(std::span<const float> lo, std::span<const float> hi,
                                             unsigned bits) {
    for (std::size_t channel = 0; channel < lo.size(); ++channel) {
        const QuantizerParameters quantizer = make_quantizer(lo[channel], hi[channel], bits);
        const float offset = static_cast<float>(quantizer.max_code) * quantizer.step;
        if (!std::isfinite(hi[channel] - lo[channel]) || !std::isfinite(lo[channel] + offset))
            return channel;
    }
    return std::nullopt;
}

QuantizeOutcome quantize(const ConstTensorView& tensor, std::span<const float> lo,
                         std::span<const float> hi, unsigned bits, unsigned threads,
                         std::span<std::uint8_t> packed) {
    const auto code = static_cast<std::size_t>(code_type(bits));
    const KernelTable& table = kernels();
    const auto quantize_run = table.quantize[static_cast<std::size_t>(tensor.type)][code];
    const auto pack_block = table.pack[code];
    const auto quantizers = make_quantizers(lo, hi, bits);
    std::atomic<std::uint64_t> clipped{0};
    std::atomic<bool> finite{true};

    for_each_code_block(
        tensor.layout.count(), threads, size_of(tensor.type),
        [&](std::size_t block, std::size_t block_length, void* scratch) {
            void* codes = bits == kByteBits ? packed.data() + block : scratch;
            QuantizeResult of_block{0, true};
            for_each_run(tensor.layout, block, block + block_length,
                         [&](std::size_t begin, std::size_t length, std::size_t channel) {
                             void* run = static_cast<std::byte*>(codes) +
                                         (begin - block) * size_of(code_type(bits));
                             const QuantizeResult result = quantize_run(
                                 element(tensor, begin), length, quantizers[channel], run);
                             of_block.clipped += result.clipped;
                             of_block.finite = of_block.finite && result.finite;
                         });
            clipped.fetch_add(of_block.clipped, std::memory_order_relaxed);
            if (!of_block.finite) finite.store(false, std::memory_order_relaxed);
            if (bits != kByteBits)
                pack_block(codes, block_length, bits, packed.data() + packed_bytes(block, bits));
        });
    return {clipped, finite ? std::nullopt : find_not_finite(tensor, table)};
}

void dequantize(std::span<const std::uint8_t> packed, std::span<const float> lo,
                std::span<const float> hi, unsigned bits, unsigned threads,
                const TensorView& tensor) {
    const auto code = static_cast<std::size_t>(code_type(bits));
    const KernelTable& table = kernels();
    const auto dequantize_run = table.dequantize[static_cast<std::size_t>(tensor.type)][code];
    const auto unpack_block = table.unpack[code];
    const auto quantizers = make_quantizers(lo, hi, bits);

    for_each_code_block(
        tensor.layout.count(), threads, size_of(tensor.type),
        [&](std::size_t block, std::size_t block_length, void* scratch) {
            const void* codes = packed.data() + block;
            if (bits != kByteBits) {
                unpack_block(packed.data() + packed_bytes(block, bits), block_length, bits, scratch);
                codes = scratch;
            }
            for_each_run(tensor.layout, block, block + block_length,
                         [&](std::size_t begin, std::size_t length, std::size_t channel) {
                             const void* run = static_cast<const std::byte*>(codes) +
                                               (begin - block) * size_of(code_type(bits));
                             dequantize_run(run, length, quantizers[channel],
                                            element(tensor, begin));
                         });
        });
}

}  // namespace nnr
