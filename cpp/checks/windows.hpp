// What the kernels of the network engine are given by the checks: pixels and rows further apart than
// they need be, buffers that end with the last pixel, NaNs or odd numbers in what must not be read,
// sentinels in what must not be written.
#pragma once

#include <limits>
#include <span>
#include <tuple>

#include "guarded.hpp"

namespace nnr::checks {
namespace {

using Levels = std::span<const KernelTable* const>;

std::int64_t integer_between(std::int64_t lo, std::int64_t hi) {
    const std::uint64_t wide = std::uint64_t{generator()} << 32 | generator();
    return lo + static_cast<std::int64_t>(wide % static_cast<std::uint64_t>(hi - lo + 1));
}

std::size_t count_between(std::size_t lo, std::size_t hi) {
    return static_cast<std::size_t>(
        integer_between(static_cast<std::int64_t>(lo), static_cast<std::int64_t>(hi)));
}

bool flag() { return (generator() >> 16 & 1) != 0; }

// In [-1, 1).
float number() {
    return static_cast<float>(static_cast<std::int32_t>(generator() >> 7)) * 0x1p-24f - 1.0f;
}

template <class T, class Make>
std::vector<T> made(std::size_t count, const Make& make) {
    std::vector<T> values(count);
    for (T& value : values) value = make();
    return values;
}

template <class T>
T unread() {
    if constexpr (std::is_same_v<T, float>) return std::numeric_limits<float>::quiet_NaN();
    else return static_cast<T>(0x5b5b);
}

struct Layout {
    std::size_t rows, columns, channels;
    std::size_t pixel = channels + 3;
    std::size_t row = columns * pixel + 2;

    std::size_t size() const {
        if (rows == 0 || columns == 0) return 0;
        return (rows - 1) * row + (columns - 1) * pixel + channels;
    }
    // Calls visit(index) for every sample.
    template <class Visit>
    void for_each(const Visit& visit) const {
        for (std::size_t y = 0; y < rows; ++y)
            for (std::size_t x = 0; x < columns; ++x)
                for (std::size_t c = 0; c < channels; ++c) visit(y * row + x * pixel + c);
    }
};

template <class T, class Make>
std::vector<T> samples(const Layout& layout, const Make& make) {
    std::vector<T> all(layout.size(), unread<T>());
    layout.for_each([&](std::size_t i) { all[i] = make(); });
    return all;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
std::vector<T> sentinels(std::size_t count) {
    T sentinel;
    std::memset(&sentinel, kSentinel, sizeof sentinel);
    return std::vector<T>(count, sentinel);
}

// Whether everything between the pixels is as it was.
template <class T>
bool kept_gaps(const Layout& layout, std::vector<T> values) {
    const std::vector<T> untouched = sentinels<T>(values.size());
    layout.for_each([&](std::size_t i) { values[i] = untouched[i]; });
    return same_bits(values, untouched);
}

struct WindowShape {
    std::size_t kernel_height, kernel_width, stride_y, stride_x;
    std::size_t height, width;  // of the output
    std::size_t read, written;  // channels of a pixel
    bool adds;

    Layout input() const {
        const auto length = [](std::size_t outputs, std::size_t stride, std::size_t kernel) {
            return outputs == 0 ? 0 : (outputs - 1) * stride + kernel;
        };
        return {length(height, stride_y, kernel_height), length(width, stride_x, kernel_width),
                read};
    }
    Layout output() const { return {height, width, written}; }
    std::string name() const {
        return std::to_string(kernel_height) + "x" + std::to_string(kernel_width) + " stride " +
               std::to_string(stride_y) + "x" + std::to_string(stride_x) + " of " +
               std::to_string(read) + " channels to " + std::to_string(written) + ", " +
               std::to_string(height) + "x" + std::to_string(width) + (adds ? " + addend" : "");
    }
};

template <class In, class Out>
struct WindowData {
    WindowShape shape;
    Input<In> input;
    Input<Out> addend;

    WindowData(const WindowShape& of, const std::vector<In>& inputs, const std::vector<Out>& added)
        : shape(of), input(inputs), addend(added) {}

    ConvWindow<In, Out> window(Out* output) const {
        const Layout in = shape.input(), out = shape.output();
        return {input.data(),
                in.pixel * shape.stride_x,
                in.row * shape.stride_y,
                in.pixel,
                in.row,
                output,
                out.pixel,
                out.row,
                shape.adds ? addend.data() : nullptr,
                out.pixel,
                out.row,
                shape.height,
                shape.width};
    }
};

// How a window is cut into calls.
enum class Pieces { whole, some, pixels };

template <class In, class Out, class Kernel>
void call_in_pieces(const ConvWindow<In, Out>& window, Pieces pieces, const Kernel& kernel) {
    if (pieces == Pieces::whole) return kernel(window);
    const std::size_t most = pieces == Pieces::pixels ? 1 : 9;
    for (std::size_t y = 0, height; y < window.height; y += height) {
        height = std::min(count_between(1, most), window.height - y);
        for (std::size_t x = 0, width; x < window.width; x += width) {
            width = std::min(count_between(1, most), window.width - x);
            ConvWindow<In, Out> piece = window;
            piece.input += y * window.input_row + x * window.input_pixel;
            piece.output += y * window.output_row + x * window.output_pixel;
            if (piece.addend != nullptr)
                piece.addend = static_cast<const Out*>(window.addend) + y * window.addend_row +
                               x * window.addend_pixel;
            piece.height = height;
            piece.width = width;
            kernel(piece);
        }
    }
}

// What the kernel writes, gaps included.
template <class In, class Out, class Kernel>
std::vector<Out> written_by(const WindowData<In, Out>& data, Pieces pieces,
                            const std::string& name, const Kernel& kernel) {
    GuardedBuffer<Out> output(data.shape.output().size());
    call_in_pieces(data.window(output.data()), pieces, kernel);
    std::vector<Out> values = output.values();
    expect(output.intact() && kept_gaps(data.shape.output(), values),
           name + ": wrote beside its pixels");
    return values;
}

// Channels and widths of every remainder that a vector or a block can leave, and some larger ones.
std::vector<std::size_t> several_channels() {
    std::vector<std::size_t> channels;
    for (std::size_t c = 1; c <= 40; ++c) channels.push_back(c);
    channels.insert(channels.end(), {64, 72});
    return channels;
}

std::vector<std::size_t> several_widths() {
    std::vector<std::size_t> widths;
    for (std::size_t width = 0; width <= 31; ++width) widths.push_back(width);
    widths.push_back(200);
    return widths;
}

template <class T>
const T& one_of(const std::vector<T>& values) {
    return values[count_between(0, values.size() - 1)];
}

// What is swept of a kind of kernel; everything beside is left to chance.
struct Sweep {
    std::vector<std::size_t> ins, outs;
};

// Calls check(kernel height, kernel width, stride y, stride x, in channels, out channels, height,
// width).
template <class Check>
void for_each_shape(const Sweep& sweep, const Check& check) {
    const auto small = [] { return count_between(1, 31); };
    for (std::size_t height = 1; height <= 5; ++height)
        for (std::size_t width = 1; width <= 5; ++width)
            for (std::size_t stride_y = 1; stride_y <= 3; ++stride_y)
                for (std::size_t stride_x = 1; stride_x <= 3; ++stride_x)
                    check(WindowShape{height, width, stride_y, stride_x, count_between(1, 3),
                                      small(), one_of(sweep.ins), one_of(sweep.outs), flag()});
    const auto side = [] { return count_between(1, 3); };
    for (const std::size_t outs : sweep.outs) {
        for (const std::size_t ins : sweep.ins)
            check(WindowShape{side(), side(), side(), side(), side(), small(), ins, outs, flag()});
        for (const std::size_t width : several_widths())
            check(WindowShape{side(), side(), 1, side(), count_between(0, 2), width,
                              one_of(sweep.ins), outs, flag()});
    }
}

}  // namespace
}  // namespace nnr::checks
