#include "quantize.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "../dispatch/targets.hpp"
#include "channels.hpp"
#include "parallel.hpp"

namespace nnr {
namespace {

// The quantisers of all channels: parameters for a run, or for every element of a row.
class Quantizers {
public:
    Quantizers(const ChannelLayout& layout, std::span<const float> lo, std::span<const float> hi,
               unsigned bits)
        : layout_(layout), lo_(lo), hi_(hi), bits_(bits), row_length_(nnr::row_length(layout)) {
        if (layout.channels == 1) whole_ = make_quantizer(lo[0], hi[0], bits);
        for (auto* column : {&row_lo_, &row_hi_, &row_step_, &row_inv_step_})
            column->resize(row_length_);
        for (std::size_t place = 0; place < row_length_; ++place) {
            const QuantizerParameters parameters = of(channel_at(layout, place));
            row_lo_[place] = parameters.lo;
            row_hi_[place] = parameters.hi;
            row_step_[place] = parameters.step;
            row_inv_step_[place] = parameters.inv_step;
        }
    }

    // Calls run(begin, length, parameters) or row(begin, length, columns) for the stretches of
    // [begin, end) that these hold for.
    template <class Run, class Row>
    void apply(std::size_t begin, std::size_t end, const Run& run, const Row& row) const {
        if (row_length_ == 0)
            for_each_run(layout_, begin, end,
                         [&](std::size_t first, std::size_t length, std::size_t channel) {
                             run(first, length, of(channel));
                         });
        else
            for_each_row(row_length_, begin, end,
                         [&](std::size_t first, std::size_t length, std::size_t place) {
                             row(first, length, columns(place));
                         });
    }

private:
    QuantizerParameters of(std::size_t channel) const {
        return layout_.channels == 1 ? whole_ : make_quantizer(lo_[channel], hi_[channel], bits_);
    }

    QuantizerColumns columns(std::size_t place) const {
        return {row_lo_.data() + place, row_hi_.data() + place, row_step_.data() + place,
                row_inv_step_.data() + place, (1u << bits_) - 1u};
    }

    ChannelLayout layout_;
    std::span<const float> lo_;
    std::span<const float> hi_;
    unsigned bits_;
    std::size_t row_length_;
    QuantizerParameters whole_{};
    std::vector<float> row_lo_, row_hi_, row_step_, row_inv_step_;
};

// Codes of this width are their own packed form, and need no step in between.
constexpr unsigned kByteBits = 8;

// Calls work(begin, length, scratch) for every block, `scratch` being room for its codes. Where
// nothing has to be held in between, all that falls to a thread is one block.
template <class Work>
void for_each_code_block(std::size_t count, bool in_blocks, std::size_t threads,
                         const Work& work) {
    parallel_for(block_count(count), threads, [&](std::size_t first, std::size_t last) noexcept {
        alignas(64) std::uint16_t codes[kBlock];
        const std::size_t end = std::min(last * kBlock, count);
        const std::size_t step = in_blocks ? kBlock : end;
        for (std::size_t begin = first * kBlock, length; begin < end; begin += length) {
            length = std::min(step, end - begin);
            work(begin, length, static_cast<void*>(codes));
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
    const auto type = static_cast<std::size_t>(tensor.type);
    const auto code = static_cast<std::size_t>(code_type(bits));
    const std::size_t value_size = size_of(tensor.type), code_size = size_of(code_type(bits));
    const KernelTable& table = kernels();
    const std::size_t count = tensor.layout.count();
    const Quantizers quantizers(tensor.layout, lo, hi, bits);
    std::atomic<std::uint64_t> clipped{0};
    std::atomic<bool> finite{true};

    const auto quantize_block = [&](std::size_t block, std::size_t block_length, void* scratch) {
        BlockBuffer buffer;
        const auto* values = static_cast<const std::byte*>(
            read_elements(tensor, block, block_length, buffer));
        auto* codes = static_cast<std::byte*>(bits == kByteBits ? packed.data() + block : scratch);
        std::uint64_t clipped_here = 0;
        bool finite_here = true;
        const auto add = [&](const QuantizeResult& result) {
            clipped_here += result.clipped;
            finite_here &= result.finite;
        };
        quantizers.apply(
            block, block + block_length,
            [&](std::size_t begin, std::size_t length, const QuantizerParameters& parameters) {
                add(table.quantize[type][code](values + (begin - block) * value_size, length,
                                               parameters, codes + (begin - block) * code_size));
            },
            [&](std::size_t begin, std::size_t length, const QuantizerColumns& columns) {
                add(table.quantize_columns[type][code](values + (begin - block) * value_size,
                                                       length, columns,
                                                       codes + (begin - block) * code_size));
            });
        if (clipped_here > 0) clipped.fetch_add(clipped_here, std::memory_order_relaxed);
        if (!finite_here) finite.store(false, std::memory_order_relaxed);
        if (bits != kByteBits)
            table.pack[code](codes, block_length, bits, packed.data() + packed_bytes(block, bits));
    };
    for_each_code_block(count, bits != kByteBits || !tensor.axes.empty(),
                        resolve_threads(threads, count * value_size), quantize_block);
    return {clipped, finite ? std::nullopt : find_not_finite(tensor, table)};
}

void dequantize(std::span<const std::uint8_t> packed, std::span<const float> lo,
                std::span<const float> hi, unsigned bits, unsigned threads,
                const TensorView& tensor) {
    const auto type = static_cast<std::size_t>(tensor.type);
    const auto code = static_cast<std::size_t>(code_type(bits));
    const std::size_t value_size = size_of(tensor.type), code_size = size_of(code_type(bits));
    const KernelTable& table = kernels();
    const std::size_t count = tensor.layout.count();
    const Quantizers quantizers(tensor.layout, lo, hi, bits);
    auto* values = static_cast<std::byte*>(tensor.data);

    const auto dequantize_block = [&](std::size_t block, std::size_t block_length, void* scratch) {
        const auto* codes = reinterpret_cast<const std::byte*>(packed.data() + block);
        if (bits != kByteBits) {
            table.unpack[code](packed.data() + packed_bytes(block, bits), block_length, bits,
                               scratch);
            codes = static_cast<const std::byte*>(scratch);
        }
        quantizers.apply(
            block, block + block_length,
            [&](std::size_t begin, std::size_t length, const QuantizerParameters& parameters) {
                table.dequantize[type][code](codes + (begin - block) * code_size, length,
                                             parameters, values + begin * value_size);
            },
            [&](std::size_t begin, std::size_t length, const QuantizerColumns& columns) {
                table.dequantize_columns[type][code](codes + (begin - block) * code_size, length,
                                                     columns, values + begin * value_size);
            });
    };
    for_each_code_block(count, bits != kByteBits, resolve_threads(threads, count * value_size),
                        dequantize_block);
}

}  // namespace nnr
