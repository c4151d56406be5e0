// NumPy arrays as the core's spans: what is not of the exact type, C-ordered and aligned is refused.
// Tensors and codes of any strides are taken by tensor.hpp.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>

namespace nnr::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

inline void require(bool condition, const char* what) {
    if (!condition) throw py::value_error(what);
}

// `element_size` is the alignment too: every element type here is as wide as it is aligned.
inline void require_contiguous(const py::array& array, std::size_t element_size) {
    require((array.flags() & py::array::c_style) != 0, "array must be C-contiguous");
    require(static_cast<std::size_t>(array.itemsize()) == element_size, "element size mismatch");
    const auto address = reinterpret_cast<std::uintptr_t>(array.data());
    require(array.size() == 0 || address % element_size == 0, "array must be aligned");
}

// Whether `out` can take a result of this shape, and dtype unless None, computed from `source`.
bool is_fit(py::handle out, const py::tuple& shape, const py::object& dtype,
            const py::array& source);

template <class T>
std::span<const T> view(const Array<T>& array) {
    require_contiguous(array, sizeof(T));
    return {array.data(), static_cast<std::size_t>(array.size())};
}

template <class T>
std::span<T> mutable_view(Array<T>& array) {
    require_contiguous(array, sizeof(T));
    return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

}  // namespace nnr::bindings
