// The direct convolutions of floats, against float64 and the bound that the kernel table states.
#pragma once

#include "windows.hpp"

namespace nnr::checks {
namespace {

enum class FloatKernel { conv, thin, depthwise };

struct FloatCase {
    FloatKernel kernel;
    WindowShape shape;
    bool activated;

    std::size_t blocks() const { return (shape.written + kChannelBlock - 1) / kChannelBlock; }
    std::size_t taps() const { return shape.kernel_height * shape.kernel_width; }
    // Input channels that each output sees.
    std::size_t seen() const { return kernel == FloatKernel::depthwise ? 1 : shape.read; }
    std::size_t weight_at(std::size_t out, std::size_t tap, std::size_t c) const {
        if (kernel == FloatKernel::thin) return (out * taps() + tap) * shape.read + c;
        if (kernel == FloatKernel::depthwise) return tap * shape.written + out;
        return ((out / kChannelBlock * taps() + tap) * shape.read + c) * kChannelBlock +
               out % kChannelBlock;
    }
    std::string name() const {
        const char* names[] = {"conv ", "thin_conv ", "depthwise_conv "};
        return names[static_cast<std::size_t>(kernel)] + shape.name() +
               (activated ? " + slopes" : "");
    }
};

constexpr float kSlopes[] = {0.0f, -0.0f, 0.25f, 1.0f, -2.0f, 1e30f};

struct FloatData {
    WindowData<float, float> window;
    Input<float> weights;
    std::vector<float> bias, slopes;

    explicit FloatData(const FloatCase& of)
        : window{of.shape, samples<float>(of.shape.input(), number),
                 samples<float>(of.shape.output(), number)},
          weights(made<float>(of.shape.written * of.taps() * of.seen(), number)),
          bias(made<float>(of.blocks() * kChannelBlock, number)),
          slopes(made<float>(bias.size(),
                             [] { return kSlopes[count_between(0, std::size(kSlopes) - 1)]; })) {}

    FloatEpilogue epilogue(bool activated) const {
        return {bias.data(), activated ? slopes.data() : nullptr};
    }
};

void call(const KernelTable& table, const FloatCase& of, const FloatData& data,
          const ConvWindow<float, float>& window) {
    const FloatConv conv{
        {of.shape.read, of.blocks(), of.shape.kernel_height, of.shape.kernel_width},
        data.weights.data(),
        data.epilogue(of.activated)};
    if (of.kernel == FloatKernel::thin) return table.thin_conv(conv, window, of.shape.written);
    if (of.kernel == FloatKernel::depthwise) return table.depthwise_conv(conv, window);
    table.conv(conv, window);
}

// A result as real numbers give it, and how far from it one of floats may be.
struct Exact {
    double value, bound;
};

// g(k) of the kernel table.
double growth(std::size_t roundings) {
    const double u = static_cast<double>(roundings) * 0x1p-24;
    return u / (1.0 - u);
}

Exact finished_exactly(double sum, double magnitude, std::size_t products, const float* slope) {
    const double value = slope != nullptr && sum < 0.0 ? sum * static_cast<double>(*slope) : sum;
    const double factor =
        slope == nullptr ? 1.0 : std::max(1.0, std::abs(static_cast<double>(*slope)));
    return {value, growth(products + 4) * magnitude * factor};
}

// One a sample of the output, as its layout has them.
std::vector<Exact> exact_results(const FloatCase& of, const FloatData& data) {
    const Layout in = of.shape.input(), out = of.shape.output();
    const std::size_t seen = of.seen();
    std::vector<Exact> results(out.size());
    const auto at = [&](std::size_t y, std::size_t x, std::size_t channel) {
        const std::size_t index = y * out.row + x * out.pixel + channel;
        double sum = static_cast<double>(data.bias[channel]), magnitude = std::abs(sum);
        const auto add = [&](double term) {
            sum += term;
            magnitude += std::abs(term);
        };
        for (std::size_t tap = 0; tap < of.taps(); ++tap) {
            const std::size_t row = y * of.shape.stride_y + tap / of.shape.kernel_width;
            const std::size_t column = x * of.shape.stride_x + tap % of.shape.kernel_width;
            const float* pixel = data.window.input.data() + row * in.row + column * in.pixel;
            if (of.kernel == FloatKernel::depthwise) pixel += channel;
            const float* weights = data.weights.data();
            for (std::size_t c = 0; c < seen; ++c)
                add(static_cast<double>(pixel[c]) *
                    static_cast<double>(weights[of.weight_at(channel, tap, c)]));
        }
        if (of.shape.adds) add(static_cast<double>(data.window.addend.data()[index]));
        results[index] = finished_exactly(sum, magnitude, of.taps() * seen,
                                          of.activated ? &data.slopes[channel] : nullptr);
    };
    for (std::size_t y = 0; y < out.rows; ++y)
        for (std::size_t x = 0; x < out.columns; ++x)
            for (std::size_t c = 0; c < out.channels; ++c) at(y, x, c);
    return results;
}

void check_float_case(const FloatCase& of, Levels levels) {
    const FloatData data(of);
    const std::vector<Exact> exact = exact_results(of, data);
    for (const KernelTable* table : levels) {
        const std::string name = std::string(table->name) + " " + of.name();
        const auto kernel = [&](const ConvWindow<float, float>& window) {
            call(*table, of, data, window);
        };
        const auto whole = written_by(data.window, Pieces::whole, name, kernel);
        bool near = true;
        of.shape.output().for_each([&](std::size_t i) {
            near = near && std::abs(static_cast<double>(whole[i]) - exact[i].value) <= exact[i].bound;
        });
        expect(near, name + ": is further from the exact result than stated");
        for (const Pieces pieces : {Pieces::some, Pieces::pixels})
            expect(same_bits(written_by(data.window, pieces, name, kernel), whole),
                   name + ": depends on the cut");
    }
}

// Calls check(value, slope, result) with a value a pixel and a slope a channel, the value being what
// the epilogue gets: as the one product, or as the addend of a sum of 0.
template <class Check>
void for_each_activation(const KernelTable& table, FloatKernel kernel, bool adds,
                         const Check& check) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kMax = std::numeric_limits<float>::max();
    const std::vector<float> values{-kInfinity, -kMax, -1.0f, -1e-40f, -0.0f, 0.0f,
                                    1e-40f,     1.0f,  kMax,  kInfinity, unread<float>()};
    const std::size_t read = kernel == FloatKernel::conv ? 1 : kChannelBlock;
    const std::size_t outs = kernel == FloatKernel::thin ? 4 : kChannelBlock;
    const FloatCase of{kernel, {1, 1, 1, 1, 1, values.size(), read, outs, adds}, true};
    FloatData data(of);
    const std::size_t weights = outs * of.seen();
    std::vector<float> ones(weights, 0.0f);
    for (std::size_t out = 0; out < outs; ++out) ones[of.weight_at(out, 0, 0)] = 1.0f;
    data.weights = Input<float>(ones);
    data.bias.assign(data.bias.size(), 0.0f);
    for (std::size_t first = 0; first < std::size(kSlopes); first += outs) {
        for (std::size_t c = 0; c < outs; ++c)
            data.slopes[c] = kSlopes[(first + c) % std::size(kSlopes)];
        std::size_t i = 0, j = 0;
        const auto inputs = samples<float>(of.shape.input(), [&] {
            const std::size_t at = i++;
            const bool unseen = kernel != FloatKernel::depthwise && at % read != 0;
            return adds || unseen ? 0.0f : values[at / read];
        });
        const auto added = samples<float>(of.shape.output(), [&] { return values[j++ / outs]; });
        data.window.input = Input<float>(inputs);
        data.window.addend = Input<float>(added);
        const auto results = written_by(data.window, Pieces::whole, table.name,
                                        [&](const auto& window) { call(table, of, data, window); });
        for (std::size_t x = 0; x < values.size(); ++x)
            for (std::size_t c = 0; c < outs; ++c)
                check(values[x], data.slopes[c], results[x * of.shape.output().pixel + c]);
    }
}

void check_activation(float value, float slope, float result, const std::string& name) {
    const float below = slope == 0.0f ? 0.0f : slope * value;
    const float wanted = value < 0.0f ? below : value;
    expect(std::isnan(wanted) ? std::isnan(result) : result == wanted,
           name + ": activation of " + std::to_string(value) + " with slope " +
               std::to_string(slope) + " gives " + std::to_string(result));
}

void check_float_convs(Levels levels) {
    const auto sweep = [&](FloatKernel kernel, const Sweep& shapes) {
        for_each_shape(shapes, [&](const WindowShape& shape) {
            WindowShape of = shape;
            if (kernel == FloatKernel::depthwise) of.read = of.written;
            check_float_case({kernel, of, flag()}, levels);
        });
        for (const KernelTable* table : levels)
            for (const bool adds : {false, true})
                for_each_activation(*table, kernel, adds, [&](float x, float slope, float result) {
                    check_activation(x, slope, result,
                                     std::string(table->name) + (adds ? " addend" : " product"));
                });
    };
    sweep(FloatKernel::conv, {several_channels(), {16, 32, 48, 64, 80}});
    sweep(FloatKernel::thin, {{16, 32, 48, 64, 80}, {1, 2, 3, 4}});
    sweep(FloatKernel::depthwise, {{16}, {16, 32, 48, 64, 80}});
}

}  // namespace
}  // namespace nnr::checks
