// minmax, quantize, dequantize, pack, unpack over NumPy arrays. Element types that NumPy or
// pybind11 have no name for (float16, bfloat16) come as a typed name beside the array.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "../core/bitpack.hpp"
#include "../core/minmax.hpp"
#include "../core/quantize.hpp"
#include "array.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

// Outer, channels, inner.
using Shape = std::tuple<std::size_t, std::size_t, std::size_t>;

FloatType float_type_of(std::string_view name) {
    if (name == "float32") return FloatType::f32;
    if (name == "float16") return FloatType::f16;
    if (name == "bfloat16") return FloatType::bf16;
    if (name == "float64") return FloatType::f64;
    throw py::type_error("not a float type: " + std::string(name));
}

ChannelLayout layout_of(const Shape& shape) {
    return {std::get<0>(shape), std::get<1>(shape), std::get<2>(shape)};
}

void require_tensor(const py::array& array, FloatType type, const ChannelLayout& layout) {
    require_contiguous(array, size_of(type));
    require(static_cast<std::size_t>(array.size()) == layout.count(), "layout mismatch");
}

CodeType code_type_of(const py::array& array) {
    require_contiguous(array, static_cast<std::size_t>(array.itemsize()));
    if (py::isinstance<py::array_t<std::uint8_t>>(array)) return CodeType::u8;
    if (py::isinstance<py::array_t<std::uint16_t>>(array)) return CodeType::u16;
    throw py::type_error("codes must be uint8 or uint16");
}

py::tuple py_minmax(const py::array& array, std::string_view type_name, const Shape& shape,
                    unsigned threads) {
    const ConstTensorView tensor{array.data(), float_type_of(type_name), layout_of(shape)};
    require_tensor(array, tensor.type, tensor.layout);
    Array<float> lo(static_cast<py::ssize_t>(tensor.layout.channels));
    Array<float> hi(static_cast<py::ssize_t>(tensor.layout.channels));
    const auto lo_view = mutable_view(lo), hi_view = mutable_view(hi);
    std::optional<std::size_t> not_finite;
    {
        const py::gil_scoped_release unlocked;
        not_finite = minmax(tensor, threads, lo_view, hi_view);
    }
    return py::make_tuple(lo, hi, not_finite);
}

std::optional<std::size_t> py_first_overflowing(const Array<float>& lo, const Array<float>& hi,
                                                unsigned bits) {
    const auto lo_view = view(lo), hi_view = view(hi);
    require(hi_view.size() == lo_view.size(), "one range a channel");
    require(bits >= 1 && bits <= 16, "bits must be 1 to 16");
    return first_overflowing(lo_view, hi_view, bits);
}

py::tuple py_quantize(const py::array& array, std::string_view type_name, const Shape& shape,
                      const Array<float>& lo, const Array<float>& hi, unsigned bits,
                      unsigned threads) {
    const ConstTensorView tensor{array.data(), float_type_of(type_name), layout_of(shape)};
    require_tensor(array, tensor.type, tensor.layout);
    const auto lo_view = view(lo), hi_view = view(hi);
    require(lo_view.size() == tensor.layout.channels && hi_view.size() == lo_view.size(),
            "one range a channel");
    require(bits >= 1 && bits <= 16, "bits must be 1 to 16");
    Array<std::uint8_t> packed(static_cast<py::ssize_t>(packed_bytes(tensor.layout.count(), bits)));
    const auto packed_view = mutable_view(packed);
    QuantizeOutcome outcome;
    {
        const py::gil_scoped_release unlocked;
        outcome = quantize(tensor, lo_view, hi_view, bits, threads, packed_view);
    }
    return py::make_tuple(packed, outcome.clipped, outcome.not_finite);
}

void py_dequantize(const Array<std::uint8_t>& packed, const Array<float>& lo,
                   const Array<float>& hi, unsigned bits, py::array out,
                   std::string_view type_name, const Shape& shape, unsigned threads) {
    const TensorView tensor{out.mutable_data(), float_type_of(type_name), layout_of(shape)};
    require_tensor(out, tensor.type, tensor.layout);
    const auto packed_view = view(packed);
    const auto lo_view = view(lo), hi_view = view(hi);
    require(lo_view.size() == tensor.layout.channels && hi_view.size() == lo_view.size(),
            "one range a channel");
    require(bits >= 1 && bits <= 16, "bits must be 1 to 16");
    require(packed_view.size() == packed_bytes(tensor.layout.count(), bits), "packed size");
    const py::gil_scoped_release unlocked;
    dequantize(packed_view, lo_view, hi_view, bits, threads, tensor);
}

bool py_pack(const py::array& codes, unsigned bits, Array<std::uint8_t> out, unsigned threads) {
    const CodeType type = code_type_of(codes);
    const auto count = static_cast<std::size_t>(codes.size());
    const auto packed = mutable_view(out);
    require(bits >= 1 && bits <= size_of(type) * 8, "bits must fit the code type");
    require(packed.size() == packed_bytes(count, bits), "packed size");
    const void* data = codes.data();
    const py::gil_scoped_release unlocked;
    return pack(data, type, count, bits, threads, packed);
}

void py_unpack(const Array<std::uint8_t>& packed, unsigned bits, py::array out, unsigned threads) {
    const CodeType type = code_type_of(out);
    const auto count = static_cast<std::size_t>(out.size());
    const auto packed_view = view(packed);
    require(bits >= 1 && bits <= size_of(type) * 8, "bits must fit the code type");
    require(packed_view.size() == packed_bytes(count, bits), "packed size");
    void* data = out.mutable_data();
    const py::gil_scoped_release unlocked;
    unpack(packed_view, count, bits, threads, type, data);
}

}  // namespace

void register_arrays(py::module_& module) {
    using py::arg;
    module.def("minmax", py_minmax, arg("array").noconvert(), arg("float_type"), arg("layout"),
               arg("threads"));
    module.def("first_overflowing", py_first_overflowing, arg("lo").noconvert(),
               arg("hi").noconvert(), arg("bits"));
    module.def("quantize", py_quantize, arg("array").noconvert(), arg("float_type"), arg("layout"),
               arg("lo").noconvert(), arg("hi").noconvert(), arg("bits"), arg("threads"));
    module.def("dequantize", py_dequantize, arg("packed").noconvert(), arg("lo").noconvert(),
               arg("hi").noconvert(), arg("bits"), arg("out").noconvert(), arg("float_type"),
               arg("layout"), arg("threads"));
    module.def("pack", py_pack, arg("codes").noconvert(), arg("bits"), arg("out").noconvert(),
               arg("threads"));
    module.def("unpack", py_unpack, arg("packed").noconvert(), arg("bits"),
               arg("out").noconvert(), arg("threads"));
}

}  // namespace nnr::bindings
