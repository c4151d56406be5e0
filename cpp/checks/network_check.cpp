// The convolution kernel and the network engine, without Python, at every level this CPU runs: the
// kernel against the scalar reference and its stated bound, the engine against itself with other
// tiles and threads.
//
//     network_check           check every level and print which ones ran
#include <cmath>
#include <cstdio>
#include <iterator>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "../core/network/execute.hpp"
#include "../dispatch/targets.hpp"

namespace {

using namespace nnr;
using namespace nnr::network;

int failures = 0;

void expect(bool condition, const std::string& what) {
    if (condition) return;
    ++failures;
    std::printf("FAILED %s\n", what.c_str());
}

class Random {
public:
    float number() { return uniform_(engine_); }

    std::vector<float> numbers(std::size_t count) {
        std::vector<float> values(count);
        for (float& value : values) value = number();
        return values;
    }

private:
    std::mt19937 engine_{1};
    std::uniform_real_distribution<float> uniform_{-1.0f, 1.0f};
};

constexpr float kSentinel = 12345.0f;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// One convolution: a window whose pixels are further apart than they need be. What must not be
// read is NaN, what must not be written a sentinel; both buffers end with the last pixel.
struct ConvCase {
    PerAxis<std::size_t> kernel;
    std::size_t in_channels, out_blocks, height, width;
    bool activated;

    std::size_t input_pixel() const { return in_channels + 3; }
    std::size_t input_row() const { return (width + kernel[1] - 1) * input_pixel() + 2; }
    std::size_t output_pixel() const { return out_blocks * kChannelBlock + 5; }
    std::size_t output_row() const { return width * output_pixel() + 1; }
    std::size_t products() const { return kernel[0] * kernel[1] * in_channels; }

    std::string name() const {
        return "conv " + std::to_string(kernel[0]) + "x" + std::to_string(kernel[1]) + " of " +
               std::to_string(in_channels) + " channels to " + std::to_string(out_blocks) +
               " blocks, " + std::to_string(height) + "x" + std::to_string(width);
    }
};

struct ConvData {
    std::vector<float> input, weights, bias, slopes;

    ConvData(const ConvCase& conv, Random& random)
        : weights(random.numbers(conv.out_blocks * conv.products() * kChannelBlock)),
          bias(random.numbers(conv.out_blocks * kChannelBlock)),
          slopes(random.numbers(bias.size())) {
        const std::size_t rows = conv.height + conv.kernel[0] - 1;
        const std::size_t columns = conv.width + conv.kernel[1] - 1;
        input.assign((rows - 1) * conv.input_row() + (columns - 1) * conv.input_pixel() +
                         conv.in_channels,
                     kNan);
        for (std::size_t y = 0; y < rows; ++y)
            for (std::size_t x = 0; x < columns; ++x)
                for (std::size_t c = 0; c < conv.in_channels; ++c)
                    input[y * conv.input_row() + x * conv.input_pixel() + c] = random.number();
    }
};

// With `cut`, every output pixel is a call of its own.
std::vector<float> convolve(const ConvCase& conv, const ConvData& data, const KernelTable& table,
                            bool cut) {
    std::vector<float> output((conv.height - 1) * conv.output_row() +
                                  (conv.width - 1) * conv.output_pixel() +
                                  conv.out_blocks * kChannelBlock,
                              kSentinel);
    const ConvParameters parameters{data.weights.data(),
                                    data.bias.data(),
                                    conv.activated ? data.slopes.data() : nullptr,
                                    conv.in_channels,
                                    conv.out_blocks,
                                    conv.kernel[0],
                                    conv.kernel[1]};
    ConvWindow window{data.input.data(),   conv.input_pixel(), conv.input_row(), output.data(),
                      conv.output_pixel(), conv.output_row(),  conv.height,      conv.width};
    if (!cut) {
        table.conv(parameters, window);
        return output;
    }
    window.height = window.width = 1;
    for (std::size_t y = 0; y < conv.height; ++y)
        for (std::size_t x = 0; x < conv.width; ++x) {
            window.input = data.input.data() + y * conv.input_row() + x * conv.input_pixel();
            window.output = output.data() + y * conv.output_row() + x * conv.output_pixel();
            table.conv(parameters, window);
        }
    return output;
}

// Twice the bound that the kernel table states for one level, with inputs, weights and biases of
// at most 1 and slopes too.
float bound_between_levels(const ConvCase& conv) {
    const auto terms = static_cast<float>(conv.products() + 3);
    return 2.1f * terms * 0x1p-24f * static_cast<float>(conv.products() + 1);
}

void check_conv(const ConvCase& conv, const KernelTable& table, Random& random) {
    const std::string name = std::string(table.name) + " " + conv.name();
    const ConvData data(conv, random);
    const auto wanted = convolve(conv, data, kScalarKernels, false);
    const auto result = convolve(conv, data, table, false);
    for (std::size_t i = 0; i < result.size(); ++i) {
        if (wanted[i] == kSentinel)
            expect(result[i] == kSentinel, name + ": wrote between pixels");
        else
            expect(std::abs(result[i] - wanted[i]) <= bound_between_levels(conv),
                   name + ": differs from the reference");
    }
    expect(convolve(conv, data, table, true) == result, name + ": depends on the cut");
}

void check_conv_kernel(const KernelTable& table) {
    Random random;
    const PerAxis<std::size_t> kernels[] = {{1, 1}, {3, 3}, {5, 5}, {1, 3}, {5, 1}, {3, 5}};
    for (const auto& kernel : kernels)
        for (std::size_t channels = 1; channels <= 40; channels += channels < 4 ? 1 : 9)
            for (std::size_t blocks = 1; blocks <= 3; ++blocks)
                for (std::size_t width = 1; width <= 31; width += width < 9 ? 1 : 5)
                    check_conv({kernel, channels, blocks, 1 + width % 3, width, width % 2 == 0},
                               table, random);
    check_conv({{3, 3}, 4, 2, 1, 200, true}, table, random);
}

// A value a pixel and a slope a channel, with the sum of one product.
void check_activation(const KernelTable& table) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kMax = std::numeric_limits<float>::max();
    const float values[] = {-kInfinity, -kMax, -1.0f, -1e-40f, -0.0f, 0.0f,
                            1e-40f,     1.0f,  kMax,  kInfinity, kNan};
    const float slopes[kChannelBlock] = {0.0f, -0.0f, 0.25f, 1.0f, -2.0f, kMax};
    const ConvCase conv{{1, 1}, 1, 1, 1, std::size(values), true};
    Random random;
    ConvData data(conv, random);
    data.weights.assign(kChannelBlock, 1.0f);
    data.bias.assign(kChannelBlock, 0.0f);
    data.slopes.assign(std::begin(slopes), std::end(slopes));
    for (std::size_t x = 0; x < conv.width; ++x) data.input[x * conv.input_pixel()] = values[x];
    const auto result = convolve(conv, data, table, false);
    for (std::size_t x = 0; x < conv.width; ++x)
        for (std::size_t c = 0; c < kChannelBlock; ++c) {
            const float value = values[x], below = slopes[c] == 0.0f ? 0.0f : slopes[c] * value;
            const float wanted = value < 0.0f ? below : value;
            const float got = result[x * conv.output_pixel() + c];
            expect(std::isnan(wanted) ? std::isnan(got) : got == wanted,
                   std::string(table.name) + " activation of " + std::to_string(value) +
                       " with slope " + std::to_string(slopes[c]) + ": " + std::to_string(got));
        }
}

ValueId add_conv(PlanBuilder& builder, Random& random, ValueId input, std::size_t ins,
                 std::size_t outs, PerAxis<std::size_t> kernel, const PerAxis<Margin>& margins) {
    std::vector<float> weights = random.numbers(outs * ins * kernel[0] * kernel[1]);
    for (float& weight : weights) weight /= static_cast<float>(ins * kernel[0]);
    const std::vector<float> bias = random.numbers(outs);
    return builder.conv("conv", input, {weights, {outs, ins, kernel[0], kernel[1]}, bias}, margins);
}

// Every operation once, two resolutions, and a result of the size of the input.
Plan make_plan() {
    Random random;
    PlanBuilder builder(2);
    const ValueId phases = builder.space_to_depth("gather", Plan::input(), 2);
    ValueId head = add_conv(builder, random, phases, 8, 20, {3, 5},
                            {Margin{1, 1}, Margin{2, 2}});
    head = builder.slope("relu", head, std::vector<float>{0.0f});
    const ValueId framed =
        builder.pad("mirror", head, {Margin{2, 1}, Margin{0, 1}}, PadMode::reflect, 0.0f);
    const ValueId widened =
        builder.pad("repeat", framed, {Margin{0, 1}, Margin{3, 0}}, PadMode::edge, 0.0f);
    ValueId body = add_conv(builder, random, widened, 20, 17, {5, 5}, {});
    body = builder.slope("prelu", body, random.numbers(17));
    const ValueId joined = builder.concat("join", {body, head, body});
    const ValueId some = builder.slice("slice", joined, 5, 21);
    const ValueId scaled =
        builder.affine("affine", some, random.numbers(16), std::vector<float>{0.25f});
    const ValueId product = builder.mul("mul", scaled, some);
    const ValueId clipped = builder.clip("clip", product, -1.0f, 1.0f);
    const ValueId mixed = add_conv(builder, random, clipped, 16, 4, {1, 1}, {});
    const ValueId residual =
        builder.depth_to_space("spread", mixed, 2, DepthOrder::channel_major);
    const ValueId luma = builder.slice("luma", Plan::input(), 0, 1);
    const ValueId edged =
        builder.pad("zeros", residual, {Margin{1, 1}, Margin{1, 1}}, PadMode::constant, 0.5f);
    return builder.build(
        builder.add("add", luma, add_conv(builder, random, edged, 1, 1, {3, 3}, {})));
}

void check_images(const Plan& plan, Size size) {
    Random random;
    const auto pixels = static_cast<std::size_t>(size.height * size.width);
    const std::vector<float> input = random.numbers(2 * 2 * pixels);
    const auto run_with = [&](RunOptions options) {
        std::vector<float> output(2 * pixels, kNan);
        run(plan, input.data(), 2, size, options, output.data());
        return output;
    };
    const std::vector<float> whole = run_with({1, 1000});
    for (const float value : whole) expect(std::isfinite(value), "an output was not computed");
    for (const Index tile : {1, 3, 8, 17})
        expect(run_with({2, tile}) == whole, "images depend on a tile of " + std::to_string(tile));
    expect(run_with({}) == whole, "images depend on the choice of tiles");
}

template <class Sample>
void check_plane(const Plan& plan, Size size, float peak) {
    Random random;
    std::vector<Sample> input(static_cast<std::size_t>(size.height * size.width));
    for (Sample& sample : input)
        sample = static_cast<Sample>(std::abs(random.number()) * peak);
    const auto filter_with = [&](RunOptions options) {
        std::vector<Sample> output(input.size());
        filter_plane(plan, PlaneFilter<Sample>{input.data(), output.data(), size, peak, 0.5f},
                     options);
        return output;
    };
    const std::vector<Sample> whole = filter_with({1, 1000});
    for (const Index tile : {1, 5, 12})
        expect(filter_with({3, tile}) == whole,
               "plane depends on a tile of " + std::to_string(tile));
}

void check_refusals(const Plan& plan) {
    const auto refuses = [](const auto& action) {
        try {
            action();
        } catch (const std::invalid_argument&) {
            return true;
        }
        return false;
    };
    expect(refuses([&] { output_size(plan, {5, 6}); }), "an odd size was taken");
    expect(refuses([&] { output_size(plan, {2, 2}); }), "a size too small to reflect was taken");
    constexpr Index kHuge = Index{1} << 62;
    expect(refuses([&] { output_size(plan, {kHuge, 6}); }), "a size that would overflow was taken");
    expect(refuses([] { PlanBuilder(65537); }), "more than 65536 input channels");
    PlanBuilder builder(3);
    for (const Margin margin : {Margin{-1, 0}, Margin{0, 65537}, Margin{kHuge, kHuge}})
        expect(refuses([&] { builder.pad("pad", 0, {Margin{}, margin}, PadMode::edge, 0.0f); }),
               "margins of " + std::to_string(margin.before) + std::to_string(margin.after));
    const std::vector<float> two{1.0f, 2.0f};
    expect(refuses([&] { builder.slope("slope", 0, two); }), "two slopes for three channels");
    expect(refuses([&] { builder.slice("slice", 0, 2, 4); }), "a slice beyond the channels");
    expect(refuses([&] { builder.add("add", 0, 1); }), "a value that is not there");
    expect(refuses([&] { builder.build(1); }), "an output that is not there");
}

// The part of the input that a part of a padded output needs, against every sample's source.
void check_pad_intervals() {
    for (const PadMode mode : {PadMode::constant, PadMode::edge, PadMode::reflect}) {
        const Pad pad{{Margin{4, 3}, Margin{}}, mode, 0.0f};
        const Index size = 5, padded = size + 7;
        for (Index begin = 0; begin < padded; ++begin)
            for (Index end = begin + 1; end <= padded; ++end) {
                Interval wanted;
                for (Index i = begin; i < end; ++i)
                    if (const auto source = pad_source(mode, i - 4, size))
                        wanted = hull(wanted, {*source, *source + 1});
                const Interval got = input_interval(pad, Axis::rows, {begin, end}, size);
                expect(got.begin == wanted.begin && got.end == wanted.end,
                       "padded samples " + std::to_string(begin) + " to " + std::to_string(end));
            }
    }
}

void check_taken_sizes(const Plan& plan) {
    const auto takes = [&](Size image, Size wanted) {
        const Size got = taken_size(plan, image);
        expect(got.height == wanted.height && got.width == wanted.width,
               "size taken for " + std::to_string(image.height) + "x" +
                   std::to_string(image.width));
    };
    takes({1, 1}, {6, 4});
    takes({5, 3}, {6, 4});
    takes({6, 5}, {6, 6});
    takes({2000, 1999}, {2000, 2000});
}

void check_engine() {
    const Plan plan = make_plan();
    expect(plan.phase() == 2, "phase");
    for (const Size size : {Size{6, 6}, Size{6, 40}, Size{34, 8}, Size{46, 62}})
        check_images(plan, size);
    for (const Size size : {Size{1, 1}, Size{2, 9}, Size{5, 6}, Size{7, 33}, Size{45, 29}}) {
        check_plane<std::uint8_t>(plan, size, 255.0f);
        check_plane<std::uint16_t>(plan, size, 1023.0f);
        check_plane<std::uint16_t>(plan, size, 65535.0f);
    }
    check_taken_sizes(plan);
    check_pad_intervals();
    check_refusals(plan);
}

}  // namespace

int main() {
    for (const std::string_view name : runnable_targets()) {
        const int before = failures;
        use_target(name);
        check_conv_kernel(kernels());
        check_activation(kernels());
        check_engine();
        std::printf("%-8s %s\n", std::string(name).c_str(), failures == before ? "ok" : "FAILED");
    }
    return failures == 0 ? 0 : 1;
}
