#include "quantize.hpp"

#include <algorithm>
#include <array>
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
        for (auto* column : {&row_.lo, &row_.hi, &row_.step, &row_.inv_step})
            column->resize(row_length_);
        for (std::size_t place = 0; place < row_length_; ++place)
            row_.set(place, of(channel_at(layout, place)));
    }

    // Calls run(begin, length, parameters) or row(begin, length, columns) for the stretches of
    // [begin, end) that these hold for.
    template <class Run, class Row>
    void apply(std::size_t begin, std::size_t end, const Run& run, const Row& row) const {
        if (row_length_ > 0)
            for_each_row(row_length_, begin, end,
                         [&](std::size_t first, std::size_t length, std::size_t place) {
                             row(first, length, columns(row_, place));
                         });
        else if (layout_.inner >= kWorthwhileRun)
            for_each_run(layout_, begin, end,
                         [&](std::size_t first, std::size_t length, std::size_t channel) {
                             run(first, length, of(channel));
                         });
        else
            apply_by_blocks(begin, end, row);
    }

private:
    // One value an element.
    template <class Floats>
    struct Columns {
        Floats lo, hi, step, inv_step;

        void set(std::size_t place, const QuantizerParameters& parameters) {
            lo[place] = parameters.lo;
            hi[place] = parameters.hi;
            step[place] = parameters.step;
            inv_step[place] = parameters.inv_step;
        }
    };

    // Below this a run is done sooner with its parameters laid out than by a call of its own.
    static constexpr std::size_t kWorthwhileRun = 16;

    // Short runs whose period is too long to be laid out whole.
    template <class Row>
    void apply_by_blocks(std::size_t begin, std::size_t end, const Row& row) const {
        Columns<std::array<float, kBlock>> block;
        for (std::size_t length; begin < end; begin += length) {
            length = std::min(kBlock, end - begin);
            for_each_run(layout_, begin, begin + length,
                         [&](std::size_t first, std::size_t run, std::size_t channel) {
                             const QuantizerParameters parameters = of(channel);
                             for (std::size_t i = 0; i < run; ++i)
                                 block.set(first - begin + i, parameters);
                         });
            row(begin, length, columns(block, 0));
        }
    }

    QuantizerParameters of(std::size_t channel) const {
        return layout_.channels == 1 ? whole_ : make_quantizer(lo_[channel], hi_[channel], bits_);
    }

    template <class Floats>
    QuantizerColumns columns(const Columns<Floats>& of, std::size_t place) const {
        return {of.lo.data() + place, of.hi.data() + place, of.step.data() + place,
                of.inv_step.data() + place, (1u << bits_) - 1u};
    }

    ChannelLayout layout_;
    std::span<const float> lo_;
    std::span<const float> hi_;
    unsigned bits_;
    std::size_t row_length_;
    QuantizerParameters whole_{};
    Columns<std::vector<float>> row_;
};

// Codes of this width are their own packed form, and need no step in between.
constexpr unsigned kByteBits = 8;

// From here on a result would push itself out of a core's cache before it is read.
constexpr std::size_t kLargerThanCache = 4 << 20;

// Room for the codes of a block between two steps.
struct CodeBlock {
    alignas(64) std::byte codes[kBlock * sizeof(std::uint16_t)];
};

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
    // Nothing overflows below a quarter of the largest float.
    constexpr float kSafe = std::numeric_limits<float>::max() / 4;
    for (std::size_t channel = 0; channel < lo.size(); ++channel) {
        if (std::abs(lo[channel]) < kSafe && std::abs(hi[channel]) < kSafe) continue;
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

    const auto quantize_blocks = [&](std::size_t first, std::size_t last) noexcept {
        const std::size_t end = std::min(last * kBlock, count);
        ElementReader reader = reader_of(tensor, end);
        CodeBlock scratch;
        QuantizeResult result{0, true};
        const auto add = [&](const QuantizeResult& of_run) {
            result.clipped += of_run.clipped;
            result.finite &= of_run.finite;
        };
        // Byte codes need no packing, so all values that can be had at once are one block.
        const std::size_t step = bits == kByteBits ? reader.capacity() : kBlock;
        for (std::size_t block = first * kBlock, block_length; block < end; block += block_length) {
            block_length = std::min(step, end - block);
            const std::byte* values = reader.elements(block, block_length);
            auto* codes = bits == kByteBits ? reinterpret_cast<std::byte*>(packed.data() + block)
                                            : scratch.codes;
            quantizers.apply(
                block, block + block_length,
                [&](std::size_t begin, std::size_t length, const QuantizerParameters& parameters) {
                    add(table.quantize[type][code](values + (begin - block) * value_size, length,
                                                   parameters,
                                                   codes + (begin - block) * code_size));
                },
                [&](std::size_t begin, std::size_t length, const QuantizerColumns& columns) {
                    add(table.quantize_columns[type][code](values + (begin - block) * value_size,
                                                           length, columns,
                                                           codes + (begin - block) * code_size));
                });
            if (bits != kByteBits)
                table.pack[code](codes, block_length, bits,
                                 packed.data() + packed_bytes(block, bits));
        }
        clipped.fetch_add(result.clipped, std::memory_order_relaxed);
        if (!result.finite) finite.store(false, std::memory_order_relaxed);
    };
    parallel_for(block_count(count), resolve_threads(threads, count * value_size),
                 quantize_blocks);
    return {clipped, finite ? std::nullopt : find_not_finite(tensor, table)};
}

void dequantize(std::span<const std::uint8_t> packed, std::span<const float> lo,
                std::span<const float> hi, unsigned bits, unsigned threads,
                const TensorView& tensor, bool is_new) {
    const auto type = static_cast<std::size_t>(tensor.type);
    const auto code = static_cast<std::size_t>(code_type(bits));
    const std::size_t value_size = size_of(tensor.type), code_size = size_of(code_type(bits));
    const KernelTable& table = kernels();
    const std::size_t count = tensor.layout.count();
    const Quantizers quantizers(tensor.layout, lo, hi, bits);
    auto* values = static_cast<std::byte*>(tensor.data);
    const Stores stores =
        count * value_size >= kLargerThanCache && !is_new ? Stores::past_cache : Stores::cached;

    const auto dequantize_blocks = [&](std::size_t first, std::size_t last) noexcept {
        const std::size_t end = std::min(last * kBlock, count);
        CodeBlock scratch;
        const std::size_t step = bits == kByteBits ? end : kBlock;
        for (std::size_t block = first * kBlock, block_length; block < end; block += block_length) {
            block_length = std::min(step, end - block);
            const auto* codes = reinterpret_cast<const std::byte*>(packed.data() + block);
            if (bits != kByteBits) {
                table.unpack[code](packed.data() + packed_bytes(block, bits), block_length, bits,
                                   scratch.codes);
                codes = scratch.codes;
            }
            quantizers.apply(
                block, block + block_length,
                [&](std::size_t begin, std::size_t length, const QuantizerParameters& parameters) {
                    table.dequantize[type][code](codes + (begin - block) * code_size, length,
                                                 parameters, values + begin * value_size,
                                                 length >= kBlock ? stores : Stores::cached);
                },
                [&](std::size_t begin, std::size_t length, const QuantizerColumns& columns) {
                    table.dequantize_columns[type][code](codes + (begin - block) * code_size,
                                                         length, columns,
                                                         values + begin * value_size);
                });
        }
        if (stores == Stores::past_cache) std::atomic_thread_fence(std::memory_order_seq_cst);
    };
    parallel_for(block_count(count), resolve_threads(threads, count * value_size),
                 dequantize_blocks);
}

}  // namespace nnr
