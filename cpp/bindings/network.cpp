// Plans of the network engine: sizes, running, statistics, and what a plan costs.
#include <map>
#include <optional>

#include "../core/network/execute.hpp"
#include "../core/network/explain.hpp"
#include "../core/network/layers.hpp"
#include "../core/network/statistics.hpp"
#include "../core/parallel.hpp"
#include "network_arguments.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

using namespace nnr::network;

// Width of a strip, height of a step, height of a segment.
using CutArgument = std::optional<std::tuple<Index, Index, Index>>;

Size size_of(const py::array& array) {
    require(array.ndim() >= 2, "array must have rows and columns");
    const Size size{array.shape(array.ndim() - 2), array.shape(array.ndim() - 1)};
    require(size.height > 0 && size.width > 0, "array must not be empty");
    return size;
}

RunOptions options_of(unsigned threads, const CutArgument& cut) {
    if (!cut) return {threads, std::nullopt};
    const auto [strip, step, segment] = *cut;
    require(strip > 0 && step > 0 && segment > 0, "cut must be positive");
    return {threads, Cut{strip, step, segment}};
}

// Calls work(images, size) once the arrays fit the plan, without the GIL.
template <class Input, class Output, class Work>
void with_images(const Plan& plan, const Array<Input>& input, const Array<Output>& out,
                 const Work& work) {
    require(input.ndim() == 4 && out.ndim() == 4, "arrays must have four dimensions");
    const auto images = static_cast<std::size_t>(input.shape(0));
    const Size size = size_of(input), given = size_of(out);
    const Size wanted = output_size(plan, size);
    require(static_cast<std::size_t>(input.shape(1)) == plan.value(Plan::input()).channels,
            "channels");
    require(out.shape(0) == input.shape(0) && given.height == wanted.height &&
                given.width == wanted.width &&
                static_cast<std::size_t>(out.shape(1)) == plan.value(plan.output()).channels,
            "output shape");
    const py::gil_scoped_release unlocked;
    work(images, size);
}

template <class Input, class Output>
void py_run(const Plan& plan, const Array<Input>& input, Array<Output> out, unsigned threads,
            const CutArgument& cut) {
    require(sample_size(plan.value(Plan::input()).type) == sizeof(Input) &&
                sample_size(plan.value(plan.output()).type) == sizeof(Output),
            "array types");
    const RunOptions options = options_of(threads, cut);
    const Input* from = view(input).data();
    Output* to = mutable_view(out).data();
    with_images(plan, input, out, [&](std::size_t images, Size size) {
        run(plan, from, images, size, options, to);
    });
}

void py_run_quantized(const Plan& plan, const Array<float>& input, Array<float> out,
                      const Array<double>& input_scales, const Array<double>& output_scales,
                      unsigned threads) {
    const Value& first = plan.value(Plan::input());
    const Value& last = plan.value(plan.output());
    require(first.type != SampleType::f32 && last.type != SampleType::f32, "plan of floats");
    const Scales scales{view(input_scales).data(), view(output_scales).data()};
    require(static_cast<std::size_t>(input_scales.size()) == first.channels &&
                static_cast<std::size_t>(output_scales.size()) == last.channels,
            "one scale a channel");
    const RunOptions options = options_of(threads, std::nullopt);
    const float* from = view(input).data();
    float* to = mutable_view(out).data();
    with_images(plan, input, out, [&](std::size_t images, Size size) {
        run_quantized(plan, from, images, size, scales, options, to);
    });
}

// One plane, or luma and two planes of chroma of half its size, rounded up.
template <class Sample>
using Planes = std::vector<Array<Sample>>;

// The four phases of the luma of a frame are channels of their own, row by row, then Cb and Cr; a plane
// alone is one channel.
template <class Sample>
std::vector<PlaneView<Sample>> channels_of(const std::vector<Sample*>& samples,
                                           const std::vector<Size>& sizes) {
    if (samples.size() == 1) return {{samples[0], sizes[0]}};
    std::vector<PlaneView<Sample>> channels;
    for (const Index row : {0, 1})
        for (const Index column : {0, 1})
            channels.push_back({samples[0], sizes[0], 2, row, column});
    for (const std::size_t chroma : {1, 2})
        channels.push_back({samples[chroma], sizes[chroma]});
    return channels;
}

template <class Sample>
std::vector<Size> sizes_of(const Planes<Sample>& planes) {
    require(planes.size() == 1 || planes.size() == 3, "one plane or three");
    std::vector<Size> sizes;
    for (const auto& plane : planes) {
        require(plane.ndim() == 2, "planes must have two dimensions");
        sizes.push_back(size_of(plane));
    }
    const Size luma = sizes[0];
    for (std::size_t chroma = 1; chroma < sizes.size(); ++chroma)
        require(sizes[chroma].height == (luma.height + 1) / 2 &&
                    sizes[chroma].width == (luma.width + 1) / 2,
                "chroma size");
    return sizes;
}

template <class Sample>
void py_filter_planes(const Plan& plan, const Planes<Sample>& planes, Planes<Sample> out, float peak,
                      float side, unsigned threads, const CutArgument& cut) {
    const std::vector<Size> sizes = sizes_of(planes), given = sizes_of(out);
    require(given.size() == sizes.size() && given[0].height == sizes[0].height &&
                given[0].width == sizes[0].width,
            "output shape");
    std::vector<const Sample*> from;
    for (const auto& plane : planes) from.push_back(view(plane).data());
    std::vector<Sample*> to;
    for (auto& plane : out) to.push_back(mutable_view(plane).data());
    const auto input = channels_of<const Sample>(from, sizes);
    const auto output = channels_of<Sample>(to, sizes);
    require(plan.value(Plan::input()).channels >= input.size() &&
                plan.value(plan.output()).channels == output.size(),
            "channels");
    const RunOptions options = options_of(threads, cut);
    const py::gil_scoped_release unlocked;
    filter_planes(plan, PlaneFilter<Sample>{input, output, sizes.back(), peak, side}, options);
}

std::pair<Index, Index> py_output_size(const Plan& plan, Index height, Index width) {
    require(height > 0 && width > 0, "size must be positive");
    const Size size = output_size(plan, {height, width});
    return {size.height, size.width};
}

const float* image_of(const Plan& plan, const Array<float>& image) {
    require(image.ndim() == 3, "image must have three dimensions");
    require(static_cast<std::size_t>(image.shape(0)) == plan.value(Plan::input()).channels,
            "channels");
    return view(image).data();
}

// One (smallest, largest, sum, zeros) a value, and whether all are finite.
py::list py_ranges(const Plan& plan, const Array<float>& image) {
    const float* samples = image_of(plan, image);
    const Size size = size_of(image);
    std::vector<ChannelRanges> ranges;
    {
        const py::gil_scoped_release unlocked;
        ranges = ranges_of(plan, samples, size);
    }
    py::list result;
    for (const ChannelRanges& range : ranges)
        result.append(py::make_tuple(py::cast(range.smallest), py::cast(range.largest),
                                     py::cast(range.sum), py::cast(range.zeros), range.finite));
    return result;
}

std::vector<std::vector<double>> py_histograms(
    const Plan& plan, const Array<float>& image,
    const std::vector<std::pair<Array<double>, Array<double>>>& ends, std::size_t bins) {
    const float* samples = image_of(plan, image);
    require(bins > 0, "bins must be positive");
    require(ends.size() == plan.value_count(), "ends");
    std::vector<ChannelEnds> views;
    for (std::size_t value = 0; value < ends.size(); ++value) {
        views.push_back({view(ends[value].first), view(ends[value].second)});
        const std::size_t channels = plan.value(value).channels;
        require(views[value].first.size() == channels && views[value].last.size() == channels,
                "ends");
    }
    const Size size = size_of(image);
    const py::gil_scoped_release unlocked;
    return histograms_of(plan, samples, size, views, bins);
}

py::dict py_explain(const Plan& plan, Index height, Index width, unsigned threads,
                    const CutArgument& cut) {
    require(height > 0 && width > 0, "size must be positive");
    const Size image = taken_size(plan, {height, width});
    const RunOptions options = options_of(threads, cut);
    const std::size_t asked = threads != 0 ? threads : default_threads();
    const Size part = output_size(plan, image);
    const Tiling tiling = options.cut ? Tiling(plan, image, part, *options.cut)
                                      : Tiling::choose(plan, image, part, 1, asked);
    py::list layers;
    for (const LayerCost& cost : explain(plan, tiling)) {
        using namespace py::literals;
        layers.append(py::dict(
            "name"_a = cost.name, "kernel"_a = cost.kernel, "in_channels"_a = cost.in_channels,
            "out_channels"_a = cost.out_channels, "height"_a = cost.size.height,
            "width"_a = cost.size.width, "operations"_a = cost.operations,
            "computed"_a = cost.computed, "products"_a = cost.products,
            "weight_bytes"_a = cost.weight_bytes, "value_bytes"_a = cost.value_bytes));
    }
    using namespace py::literals;
    return py::dict("layers"_a = layers, "strip"_a = tiling.cut().strip,
                    "step"_a = tiling.cut().step, "segment"_a = tiling.cut().segment,
                    "strips"_a = tiling.strips(), "segments"_a = tiling.segments(),
                    "arena_bytes"_a = tiling.arena_bytes() + scratch_bytes(plan));
}

// For each value, where a grid of blocks that ends with it begins, modulo 4.
std::vector<std::pair<Index, Index>> py_block_phases(const Plan& plan) {
    std::vector<std::pair<Index, Index>> phases;
    for (const Phase& phase :
         end_phases(plan.layers(), plan.value_count(), plan.output(), plan.phase()))
        phases.emplace_back(phase[0], phase[1]);
    return phases;
}

// Which values are computed by blocks, and where those begin, modulo 4. A plan that is not fused has
// the numbers of the builder.
std::map<ValueId, std::pair<Index, Index>> py_blocks(const Plan& plan) {
    std::map<ValueId, std::pair<Index, Index>> blocks;
    for (const Layer& layer : plan.layers())
        if (const Phase* phase = block_phase(layer.operation))
            blocks[layer.output] = {(*phase)[0], (*phase)[1]};
    return blocks;
}

const char* type_name(SampleType type) {
    return type == SampleType::f32 ? "float32" : type == SampleType::u8 ? "uint8" : "int16";
}

}  // namespace

void register_network(py::module_& module) {
    using py::arg;
    py::class_<Plan> plan(module, "NetworkPlan");
    plan.def_property_readonly("in_channels",
                               [](const Plan& of) { return of.value(Plan::input()).channels; })
        .def_property_readonly("out_channels",
                               [](const Plan& of) { return of.value(of.output()).channels; })
        .def_property_readonly(
            "input_type", [](const Plan& of) { return type_name(of.value(Plan::input()).type); })
        .def_property_readonly(
            "output_type", [](const Plan& of) { return type_name(of.value(of.output()).type); })
        .def_property_readonly("phase", &Plan::phase)
        .def_property_readonly("block_phases", py_block_phases)
        .def_property_readonly("blocks", py_blocks)
        .def("output_size", py_output_size, arg("height"), arg("width"))
        .def("explain", py_explain, arg("height"), arg("width"), arg("threads"),
             arg("cut"))
        .def("ranges", py_ranges, arg("image").noconvert())
        .def("histograms", py_histograms, arg("image").noconvert(), arg("ends"), arg("bins"))
        .def("run", py_run<float, float>, arg("input").noconvert(), arg("out").noconvert(),
             arg("threads"), arg("cut"))
        .def("run", py_run<std::int16_t, std::int16_t>, arg("input").noconvert(),
             arg("out").noconvert(), arg("threads"), arg("cut"))
        .def("run", py_run<std::int16_t, std::uint8_t>, arg("input").noconvert(),
             arg("out").noconvert(), arg("threads"), arg("cut"))
        .def("run", py_run<std::uint8_t, std::int16_t>, arg("input").noconvert(),
             arg("out").noconvert(), arg("threads"), arg("cut"))
        .def("run", py_run<std::uint8_t, std::uint8_t>, arg("input").noconvert(),
             arg("out").noconvert(), arg("threads"), arg("cut"))
        .def("run_quantized", py_run_quantized, arg("input").noconvert(), arg("out").noconvert(),
             arg("input_scales").noconvert(), arg("output_scales").noconvert(), arg("threads"))
        .def("filter_planes", py_filter_planes<std::uint8_t>, arg("planes").noconvert(),
             arg("out").noconvert(), arg("peak"), arg("side"), arg("threads"), arg("cut"))
        .def("filter_planes", py_filter_planes<std::uint16_t>, arg("planes").noconvert(),
             arg("out").noconvert(), arg("peak"), arg("side"), arg("threads"), arg("cut"));
    register_network_builder(module);
    register_integer_network_builder(module);
}

}  // namespace nnr::bindings
