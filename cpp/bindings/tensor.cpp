#include "tensor.hpp"

#include <cstdint>

#include "array.hpp"

namespace nnr::bindings {
namespace {

constexpr int kHalfNumber = 23;  // NPY_HALF of NumPy's ABI, which pybind11 has no name for

int bfloat16_number = -1;

std::optional<FloatType> float_type_of(const py::dtype& dtype) {
    if (dtype.byteorder() != '=') return std::nullopt;
    const int number = dtype.num();
    if (number == py::detail::npy_api::NPY_FLOAT_) return FloatType::f32;
    if (number == py::detail::npy_api::NPY_DOUBLE_) return FloatType::f64;
    if (number == kHalfNumber) return FloatType::f16;
    if (number == bfloat16_number) return FloatType::bf16;
    return std::nullopt;
}

CodeType code_type_of(const py::array& array) {
    if (py::isinstance<py::array_t<std::uint8_t>>(array)) return CodeType::u8;
    if (py::isinstance<py::array_t<std::uint16_t>>(array)) return CodeType::u16;
    throw py::type_error("codes must be uint8 or uint16");
}

// None where the elements can be used where they are.
std::vector<Axis> axes_of(const py::array& array, std::size_t element_size) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(array.data()) % element_size == 0;
    if (array.size() == 0 || (aligned && (array.flags() & py::array::c_style) != 0)) return {};
    std::vector<Axis> axes;
    for (py::ssize_t i = 0; i < array.ndim(); ++i)
        axes.push_back({static_cast<std::size_t>(array.shape(i)), array.strides(i)});
    return merged(axes, array.data(), element_size);
}

ChannelLayout layout_of(const py::array& array, std::optional<py::ssize_t> axis) {
    // A single channel is the whole tensor.
    if (!axis || array.shape(*axis) == 1) return {1, 1, static_cast<std::size_t>(array.size())};
    ChannelLayout layout{1, static_cast<std::size_t>(array.shape(*axis)), 1};
    for (py::ssize_t i = 0; i < *axis; ++i)
        layout.outer *= static_cast<std::size_t>(array.shape(i));
    for (py::ssize_t i = *axis + 1; i < array.ndim(); ++i)
        layout.inner *= static_cast<std::size_t>(array.shape(i));
    return layout;
}

struct Extent {
    std::uintptr_t first;
    std::uintptr_t end;
};

Extent extent_of(const py::array& array) {
    const auto data = reinterpret_cast<std::uintptr_t>(array.data());
    Extent extent{data, data};
    if (array.size() == 0) return extent;
    extent.end += static_cast<std::uintptr_t>(array.itemsize());
    for (py::ssize_t i = 0; i < array.ndim(); ++i) {
        const py::ssize_t reach = (array.shape(i) - 1) * array.strides(i);
        (reach < 0 ? extent.first : extent.end) += static_cast<std::uintptr_t>(reach);
    }
    return extent;
}

bool may_overlap(const py::array& a, const py::array& b) {
    const Extent of_a = extent_of(a), of_b = extent_of(b);
    return of_a.first < of_b.end && of_b.first < of_a.end;
}

bool has_shape(const py::array& array, const py::tuple& shape) {
    if (static_cast<std::size_t>(array.ndim()) != shape.size()) return false;
    for (py::ssize_t i = 0; i < array.ndim(); ++i)
        if (shape[static_cast<std::size_t>(i)].cast<py::ssize_t>() != array.shape(i)) return false;
    return true;
}

}  // namespace

std::optional<py::ssize_t> from_the_front(std::optional<py::ssize_t> axis, py::ssize_t ndim) {
    if (!axis) return axis;
    require(*axis >= -ndim && *axis < ndim, "axis must be within the dimensions");
    return *axis < 0 ? *axis + ndim : *axis;
}

void find_bfloat16() {
    bfloat16_number =
        py::dtype::from_args(py::module_::import("ml_dtypes").attr("bfloat16")).num();
}

bool is_fit(py::handle out, const py::tuple& shape, const py::object& dtype,
            const py::array& source) {
    if (!py::isinstance<py::array>(out)) return false;
    const auto array = py::reinterpret_borrow<py::array>(out);
    constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    constexpr int kNeeded = py::array::c_style | kAligned;
    return has_shape(array, shape) && (dtype.is_none() || array.dtype().equal(dtype)) &&
           array.writeable() && (array.flags() & kNeeded) == kNeeded &&
           !may_overlap(array, source);
}

bool is_float_array(py::handle array) {
    // Of no subclass, since a masked array is one.
    return Py_TYPE(array.ptr()) == py::detail::npy_api::get().PyArray_Type_ &&
           float_type_of(py::reinterpret_borrow<py::array>(array).dtype()).has_value();
}

TensorArgument::TensorArgument(const py::array& array, std::optional<py::ssize_t> axis) {
    const std::optional<FloatType> type = float_type_of(array.dtype());
    if (!type) throw py::type_error("array must be float16, bfloat16, float32 or float64");
    axes_ = axes_of(array, size_of(*type));
    view_ = {array.data(), *type, layout_of(array, from_the_front(axis, array.ndim())), axes_};
}

CodesArgument::CodesArgument(const py::array& array) {
    const CodeType type = code_type_of(array);
    axes_ = axes_of(array, size_of(type));
    view_ = {array.data(), type, static_cast<std::size_t>(array.size()), axes_};
}

}  // namespace nnr::bindings
