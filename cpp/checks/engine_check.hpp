// The engine: results depend neither on how an image is cut nor on threads; those of integers not on
// the level either.
#pragma once

#include "../core/network/execute.hpp"
#include "../dispatch/targets.hpp"
#include "network_making.hpp"

namespace nnr::checks {
namespace {

std::string text(Size size) {
    return std::to_string(size.height) + "x" + std::to_string(size.width);
}

constexpr Cut kWhole{1 << 20, 1 << 20, 1 << 20};

template <class In, class Out>
std::vector<Out> run_plan(const Plan& plan, const std::vector<In>& input, std::size_t images,
                          Size size, const RunOptions& options) {
    const Size result = output_size(plan, size);
    const Input<In> guarded(input);
    GuardedBuffer<Out> output(images * plan.value(plan.output()).channels *
                              static_cast<std::size_t>(result.height * result.width));
    run(plan, guarded.data(), images, size, options, output.data());
    expect(output.intact(), "wrote beside the images");
    return output.values();
}

// Cuts of many sizes: strips of single columns alone where the image is small, since each computes
// all that it sees.
std::vector<Cut> several_cuts(Size size) {
    std::vector<Cut> cuts{{8, 3, 11}, {17, 4, 1 << 20}, {1 << 20, 1, 1 << 20}, {13, 5, 5},
                          {1 << 20, 7, 9}, {6, 1 << 20, 1 << 20}, {3, 2, 16}};
    const Index pixels = size.height * size.width;
    if (pixels <= 1200) cuts.insert(cuts.end(), {{1, 2, 1 << 20}, {2, 1, 7}});
    if (pixels <= 300) cuts.push_back({1, 1, 1});
    return cuts;
}

template <class T>
std::vector<T> some_images(const Plan& plan, std::size_t images, Size size) {
    const std::size_t count = images * plan.value(Plan::input()).channels *
                              static_cast<std::size_t>(size.height * size.width);
    if constexpr (std::is_same_v<T, float>) return made<float>(count, number);
    else return made<T>(count, some_sample<T>);
}

// Returns what the whole image at once gives.
template <class In, class Out>
std::vector<Out> check_cuts(const Plan& plan, const std::string& network, Size size,
                            const std::vector<In>& input, std::size_t images) {
    const std::string name =
        std::string(kernels().name) + " " + network + " of " + text(size);
    const auto run_with = [&](const RunOptions& options) {
        return run_plan<In, Out>(plan, input, images, size, options);
    };
    const auto whole = run_with({1, kWhole});
    unsigned threads = 1;
    for (const Cut& cut : several_cuts(size)) {
        threads = threads % 3 + 1;
        expect(same_bits(run_with({threads, cut}), whole),
               name + ": depends on strips of " + std::to_string(cut.strip) + ", steps of " +
                   std::to_string(cut.step) + ", segments of " + std::to_string(cut.segment));
    }
    for (const unsigned many : {1u, 2u, 5u})
        expect(same_bits(run_with({many, {}}), whole),
               name + ": depends on the cut chosen for " + std::to_string(many) + " threads");
    return whole;
}

void check_float_network(PlanBuilder (*make)(ValueId&), const char* name,
                         const std::vector<Size>& sizes) {
    ValueId output = 0;
    PlanBuilder builder = make(output), again = builder;
    const Plan plan = builder.build(output), plain = again.build(output, false);
    expect(plan.layers().size() < plain.layers().size(), std::string(name) + ": nothing is fused");
    for (const Size size : sizes) {
        const auto input = some_images<float>(plan, 2, size);
        const auto whole = check_cuts<float, float>(plan, name, size, input, 2);
        for (const float value : whole)
            if (!std::isfinite(value)) return expect(false, std::string(name) + ": not finite");
        expect(same_bits(run_plan<float, float>(plain, input, 2, size, {}), whole),
               std::string(name) + ": depends on what is fused");
    }
}

// Every level gives the same integers.
template <class In>
void check_integer_network(SampleType type, Levels levels, const std::vector<Size>& sizes) {
    ValueId output = 0;
    PlanBuilder builder = integer_network(type, 2, output);
    const Plan plan = builder.build(output);
    for (const Size size : sizes) {
        const auto input = some_images<In>(plan, 2, size);
        std::vector<std::int16_t> first;
        for (const KernelTable* level : levels) {
            use_target(level->name);
            const auto whole =
                check_cuts<In, std::int16_t>(plan, "integers", size, input, 2);
            if (first.empty()) first = whole;
            expect(same_bits(whole, first), std::string(level->name) + ": integers differ");
        }
        const auto [lo, hi] = std::minmax_element(first.begin(), first.end());
        expect(*lo != *hi, "integers are all alike");
    }
}

std::vector<Size> several_small_sizes() {
    std::vector<Size> sizes;
    for (const Index height : {1, 2, 3, 4, 5, 7, 9})
        for (const Index width : {1, 2, 3, 4, 6, 9}) sizes.push_back({height, width});
    return sizes;
}

// The plane as the network sees it: what filter_planes continues, continued here.
template <class Sample, class In>
std::vector<In> continued(const std::vector<Sample>& plane, Size size, Size taken, float peak,
                          float side) {
    const auto pixels = static_cast<std::size_t>(taken.height * taken.width);
    std::vector<In> input(2 * pixels, static_cast<In>(side));
    for (Index y = 0; y < taken.height; ++y)
        for (Index x = 0; x < taken.width; ++x) {
            const Sample sample = plane[static_cast<std::size_t>(
                std::min(y, size.height - 1) * size.width + std::min(x, size.width - 1))];
            In& to = input[static_cast<std::size_t>(y * taken.width + x)];
            if constexpr (std::is_same_v<In, float>) to = static_cast<float>(sample) / peak;
            else to = static_cast<In>(sample);
        }
    return input;
}

template <class Sample, class T>
void check_plane(const Plan& plan, Size size, float peak, float side) {
    const std::string name = std::string(kernels().name) + " plane of " + text(size);
    const auto plane = made<Sample>(static_cast<std::size_t>(size.height * size.width), [&] {
        return static_cast<Sample>(std::abs(number()) * peak);
    });
    const Size taken = taken_size(plan, size);
    const auto whole = run_plan<T, T>(
        plan, continued<Sample, T>(plane, size, taken, peak, side), 1, taken, {1, kWhole});
    std::vector<Sample> wanted;
    for (Index y = 0; y < size.height; ++y)
        for (Index x = 0; x < size.width; ++x) {
            const auto value =
                static_cast<float>(whole[static_cast<std::size_t>(y * taken.width + x)]);
            if constexpr (std::is_same_v<T, float>)
                wanted.push_back(static_cast<Sample>(
                    std::clamp(std::nearbyint(value * peak), 0.0f, peak)));
            else wanted.push_back(static_cast<Sample>(value));
        }
    const std::vector<Cut> cuts{{8, 3, 11}, {17, 4, 1 << 20}, {1 << 20, 5, 9}, {6, 7, 1 << 20}};
    const Input<Sample> input(plane);
    for (std::size_t i = 0; i <= cuts.size(); ++i) {
        GuardedBuffer<Sample> output(plane.size());
        RunOptions options{static_cast<unsigned>(i % 3 + 1), {}};
        if (i < cuts.size()) options.cut = cuts[i];
        const PlaneView<const Sample> from{input.data(), size};
        const PlaneView<Sample> to{output.data(), size};
        filter_planes(plan, PlaneFilter<Sample>{{&from, 1}, {&to, 1}, size, peak, side}, options);
        expect(output.intact() && output.equals(wanted.data()),
               name + ": differs from the image, cut " + std::to_string(i));
    }
}

// One phase of a plane is filtered as a plane of its own, which goes on as the whole one does, and the other
// phases are left alone.
void check_phase(const Plan& plan, Size size) {
    const Size phase_size{(size.height + 1) / 2, (size.width + 1) / 2};
    const Size taken = taken_size(plan, phase_size);
    const auto plane = made<std::uint8_t>(static_cast<std::size_t>(size.height * size.width), [&] {
        return static_cast<std::uint8_t>(std::abs(number()) * 255);
    });
    const auto at = [&](Index row, Index column) {
        return static_cast<std::size_t>(row * size.width + column);
    };
    for (const Index row : {0, 1})
        for (const Index column : {0, 1}) {
            std::vector<std::uint8_t> phase;
            for (Index y = 0; y < taken.height; ++y)
                for (Index x = 0; x < taken.width; ++x)
                    phase.push_back(plane[at(std::min(2 * y + row, size.height - 1),
                                             std::min(2 * x + column, size.width - 1))]);
            const auto filtered = [&](const PlaneView<const std::uint8_t>& from,
                                      const PlaneView<std::uint8_t>& to, Size seen) {
                filter_planes(plan,
                              PlaneFilter<std::uint8_t>{{&from, 1}, {&to, 1}, seen, 255, 0.5f},
                              {2, Cut{8, 3, 11}});
            };
            std::vector<std::uint8_t> alone(phase.size()), wanted(plane.size(), 7);
            filtered({phase.data(), taken}, {alone.data(), taken}, taken);
            for (Index y = 0; 2 * y + row < size.height; ++y)
                for (Index x = 0; 2 * x + column < size.width; ++x)
                    wanted[at(2 * y + row, 2 * x + column)] =
                        alone[static_cast<std::size_t>(y * taken.width + x)];
            const Input<std::uint8_t> input(plane);
            GuardedBuffer<std::uint8_t> output(plane.size());
            std::fill_n(output.data(), plane.size(), std::uint8_t{7});
            filtered({input.data(), size, 2, row, column}, {output.data(), size, 2, row, column},
                     phase_size);
            expect(output.intact() && output.equals(wanted.data()),
                   "phase of a plane of " + text(size));
        }
}

void check_planes(const Plan& floats, const Plan& integers) {
    for (const Size size : {Size{1, 1}, Size{16, 9}, Size{33, 34}}) check_phase(floats, size);
    for (const Size size : {Size{1, 1}, Size{17, 9}, Size{7, 33}}) {
        check_plane<std::uint8_t, float>(floats, size, 255.0f, 0.5f);
        check_plane<std::uint16_t, float>(floats, size, 1023.0f, -1.0f);
        check_plane<std::uint16_t, float>(floats, size, 65535.0f, 0.0f);
        check_plane<std::uint8_t, std::int16_t>(integers, size, 255.0f, 37.0f);
        check_plane<std::uint16_t, std::int16_t>(integers, size, 1023.0f, 22.0f);
    }
}

// The largest arena of a filter like the bundled one stays small, whatever the size of the image.
void check_memory() {
    constexpr std::size_t kMost = std::size_t{8} << 20;
    const Plan plan = seven_convolutions();
    for (const Size size : {Size{64, 64}, Size{1080, 1920}, Size{4320, 7680}, Size{8, 16384}})
        for (const std::size_t threads : {1, 2, 16, 64}) {
            const Tiling tiling = Tiling::choose(plan, size, size, 1, threads);
            expect(tiling.arena_bytes() <= kMost,
                   text(size) + " takes " + std::to_string(tiling.arena_bytes()) + " bytes");
        }
}

void check_engine(Levels levels) {
    ValueId float_output = 0, integer_output = 0;
    const Plan floats = float_network(float_output).build(float_output);
    const Plan integers =
        integer_network(SampleType::i16, 2, integer_output).build(integer_output);
    expect(floats.phase() == 4 && integers.phase() == 2, "phase");
    for (const KernelTable* level : levels) {
        use_target(level->name);
        check_float_network(float_network, "floats", {{16, 16}, {16, 40}, {36, 20}});
        check_float_network(any_size_network, "any size", several_small_sizes());
        check_float_network(any_size_network, "any size", {{33, 70}});
        check_float_network(scaling_network, "scaling", {{6, 6}, {12, 18}, {30, 42}});
        check_float_network(mirroring_network, "mirrors", {{7, 7}, {9, 31}, {40, 12}});
        check_planes(floats, integers);
    }
    check_integer_network<std::uint8_t>(SampleType::u8, levels, {{8, 8}, {8, 34}, {26, 40}});
    check_integer_network<std::int16_t>(SampleType::i16, levels, {{8, 8}, {12, 30}, {40, 18}});
    check_memory();
}

}  // namespace
}  // namespace nnr::checks
