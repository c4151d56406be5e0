// The size of every value for an image of some size.
#include <stdexcept>
#include <utility>

#include "sizes.hpp"

namespace nnr::network {
namespace {

// Beyond it, sums of sizes could overflow.
constexpr Index kMaxLength = Index{1} << 48;

struct ValueSizes {
    std::vector<Index> of_value;
    std::string error;
};

ValueSizes value_sizes(const Plan& plan, Axis axis, Index length) {
    ValueSizes sizes{std::vector<Index>(plan.value_count(), 0), {}};
    if (length > kMaxLength) return {{}, "input: is too large"};
    sizes.of_value[Plan::input()] = length;
    for (const Layer& layer : plan.layers()) {
        const Index input = sizes.of_value[layer.inputs[0]];
        const bool adds = conv_geometry(layer.operation) != nullptr;
        for (const ValueId other : layer.inputs)
            if (!adds && sizes.of_value[other] != input)
                return {{}, layer.name + ": its inputs differ in size"};
        const SizeResult result = output_size(layer.operation, axis, input);
        if (!result.error.empty()) return {{}, layer.name + ": " + result.error};
        if (result.size > kMaxLength) return {{}, layer.name + ": its output is too large"};
        if (adds && layer.inputs.size() > 1 && sizes.of_value[layer.inputs[1]] != result.size)
            return {{}, layer.name + ": its result and what is added to it differ in size"};
        sizes.of_value[layer.output] = result.size;
    }
    return sizes;
}

// What `taken_size` says, along one axis.
Index taken_length(const Plan& plan, Axis axis, Index length) {
    // No layer's margins or kernel need more.
    constexpr Index kSearched = Index{1} << 32;
    const auto phase = static_cast<Index>(plan.phase());
    const auto refuses = [&](Index phases) {
        return !value_sizes(plan, axis, phases * phase).error.empty();
    };
    const Index least = (length + phase - 1) / phase;
    if (!refuses(least)) return least * phase;
    // Bisected here, since clang before 16 cannot compile libstdc++'s views.
    Index first = least, last = std::max(least, kSearched / phase);
    while (first < last) {
        const Index middle = first + (last - first) / 2;
        if (refuses(middle))
            first = middle + 1;
        else
            last = middle;
    }
    return (refuses(first) ? least : first) * phase;
}

}  // namespace

std::vector<Index> checked_sizes(const Plan& plan, Axis axis, Index length) {
    ValueSizes sizes = value_sizes(plan, axis, length);
    if (!sizes.error.empty()) throw std::invalid_argument(sizes.error);
    return std::move(sizes.of_value);
}

Size output_size(const Plan& plan, Size image) {
    const ValueId output = plan.output();
    return {checked_sizes(plan, Axis::rows, image.height)[output],
            checked_sizes(plan, Axis::columns, image.width)[output]};
}

Size taken_size(const Plan& plan, Size image) {
    return {taken_length(plan, Axis::rows, image.height),
            taken_length(plan, Axis::columns, image.width)};
}

}  // namespace nnr::network
