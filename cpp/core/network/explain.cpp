#include "explain.hpp"

namespace nnr::network {
namespace {

// Of one output pixel.
struct Work {
    std::string kernel;
    double operations;  // of the direct convolution
    double products;
    std::size_t weight_bytes;
};

std::string shape_of(const ConvGeometry& geometry) {
    const auto pair = [](const PerAxis<std::size_t>& sides) {
        return std::to_string(sides[0]) + "x" + std::to_string(sides[1]);
    };
    const bool strided = geometry.stride != PerAxis<std::size_t>{1, 1};
    return pair(geometry.kernel) + (strided ? " stride " + pair(geometry.stride) : "");
}

double taps(const ConvGeometry& geometry) {
    return static_cast<double>(geometry.kernel[0] * geometry.kernel[1]);
}

template <class Weight>
std::size_t bytes_of(const std::vector<Weight>& weights) {
    return weights.size() * sizeof(Weight);
}

constexpr double kBlockSaving = static_cast<double>(kWinogradPositions) / (16.0 * 9.0);

struct Describe {
    double ins, outs;

    double dense(const ConvGeometry& geometry) const { return 2.0 * taps(geometry) * ins * outs; }

    Work operator()(const Conv& conv) const {
        const double operations = dense(conv.geometry);
        const char* methods[] = {"direct", "thin", "blocks of 4x4"};
        const bool blocks = conv.method == ConvMethod::blocks;
        return {"conv " + shape_of(conv.geometry) + " " +
                    methods[static_cast<std::size_t>(conv.method)],
                operations, operations / 2.0 * (blocks ? kBlockSaving : 1.0),
                bytes_of(conv.weights)};
    }
    Work operator()(const DepthwiseConv& conv) const {
        const double operations = 2.0 * taps(conv.geometry) * outs;
        return {"depthwise " + shape_of(conv.geometry), operations, operations / 2.0,
                bytes_of(conv.weights)};
    }
    Work operator()(const IntegerDirectConv& conv) const {
        const double operations = dense(conv.geometry);
        const bool thin = conv.method == ConvMethod::thin;
        return {"integer conv " + shape_of(conv.geometry) + (thin ? " thin" : " direct"), operations, operations / 2.0,
                bytes_of(conv.byte_weights) + bytes_of(conv.word_weights)};
    }
    Work operator()(const IntegerDepthwiseConv& conv) const {
        const double operations = 2.0 * taps(conv.geometry) * outs;
        return {"integer depthwise " + shape_of(conv.geometry), operations, operations / 2.0,
                bytes_of(conv.weights)};
    }
    Work operator()(const IntegerBlocks& blocks) const {
        const double operations = dense(blocks.geometry);
        return {"integer conv 3x3 blocks of 4x4", operations, operations / 2.0 * kBlockSaving,
                bytes_of(blocks.weights)};
    }
    Work operator()(const IntegerRescale& rescale) const {
        return plain(rescale.offsets.empty() ? "integer add" : "integer rescale");
    }
    Work operator()(const IntegerMultiply&) const { return plain("integer multiply"); }
    Work operator()(const Slope&) const { return plain("slope"); }
    Work operator()(const Affine&) const { return plain("affine"); }
    Work operator()(const Clip&) const { return plain("clip"); }
    Work operator()(const Add&) const { return plain("add"); }
    Work operator()(const Mul&) const { return plain("multiply"); }
    Work operator()(const Concat&) const { return plain("concat"); }
    Work operator()(const Slice&) const { return plain("slice"); }
    Work operator()(const Crop&) const { return plain("crop"); }
    Work operator()(const DepthToSpace&) const { return plain("depth to space"); }
    Work operator()(const SpaceToDepth&) const { return plain("space to depth"); }
    Work operator()(const Pad&) const { return plain("pad"); }

    static Work plain(std::string kernel) { return {std::move(kernel), 0.0, 0.0, 0}; }
};

std::string with_parts(const Layer& layer, std::string kernel) {
    if (conv_geometry(layer.operation) != nullptr && layer.inputs.size() > 1) kernel += " + add";
    const auto* conv = std::get_if<Conv>(&layer.operation);
    const auto* depthwise = std::get_if<DepthwiseConv>(&layer.operation);
    if ((conv != nullptr && !conv->slopes.empty()) ||
        (depthwise != nullptr && !depthwise->slopes.empty()))
        kernel += " + slope";
    return kernel;
}

}  // namespace

std::vector<LayerCost> explain(const Plan& plan, const Tiling& tiling) {
    std::vector<LayerCost> costs;
    for (const Layer& layer : plan.layers()) {
        const Value& input = plan.value(layer.inputs[0]);
        const Value& output = plan.value(layer.output);
        const Describe describe{static_cast<double>(input.channels),
                                static_cast<double>(output.channels)};
        const Work work = std::visit(describe, layer.operation);
        const Size size{tiling.size(layer.output, Axis::rows),
                        tiling.size(layer.output, Axis::columns)};
        const double pixels = static_cast<double>(size.height) * static_cast<double>(size.width);
        const double computed = tiling.computed_samples(layer);
        double bytes = computed * static_cast<double>(output.pixel_bytes());
        for (const ValueId value : layer.inputs)
            bytes += static_cast<double>(tiling.size(value, Axis::rows)) *
                     static_cast<double>(tiling.size(value, Axis::columns)) *
                     static_cast<double>(plan.value(value).pixel_bytes());
        costs.push_back({layer.name, with_parts(layer, work.kernel), input.channels,
                         output.channels, size, work.operations * pixels, computed / pixels,
                         work.products * computed, work.weight_bytes, bytes});
    }
    return costs;
}

}  // namespace nnr::network
