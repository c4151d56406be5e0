// minmax, quantize, dequantize, pack, unpack over NumPy arrays.
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "../core/bitpack.hpp"
#include "../core/minmax.hpp"
#include "../core/quantize.hpp"
#include "../core/quantize_many.hpp"
#include "array.hpp"
#include "register.hpp"
#include "tensor.hpp"

namespace nnr::bindings {
namespace {

using OptionalAxis = std::optional<py::ssize_t>;
using OptionalIndex = std::optional<std::size_t>;

void require_bits(unsigned bits, unsigned most = 16) {
    require(bits >= 1 && bits <= most, "bits are outside their range");
}

// Whether all of them can be tensors as they are.
bool are_float_arrays(const py::args& arrays) {
    return std::ranges::all_of(arrays, is_float_array);
}

// One float32 a channel on the way in: a number where there is one range, else an array.
class ChannelValues {
public:
    ChannelValues(const py::object& value, const ChannelLayout& layout) {
        if (PyFloat_Check(value.ptr())) {
            single_ = static_cast<float>(PyFloat_AS_DOUBLE(value.ptr()));
        } else {
            array_ = py::cast<Array<float>>(value);
            values_ = view(array_);
        }
        require(values().size() == layout.channels, "one value a channel");
    }

    std::span<const float> values() const {
        return array_ ? values_ : std::span<const float>(&single_, 1);
    }
    // As float32 has them.
    py::object object() const {
        return array_ ? py::object(array_) : py::float_(static_cast<double>(single_));
    }

private:
    float single_ = 0.0f;
    Array<float> array_ = py::reinterpret_steal<Array<float>>(nullptr);
    std::span<const float> values_;
};

// And on the way out: room for one a channel, which becomes a number where no axis is given.
class NewChannelValues {
public:
    NewChannelValues(const ChannelLayout& layout, bool by_axis) {
        if (by_axis) array_ = Array<float>(static_cast<py::ssize_t>(layout.channels));
    }

    std::span<float> values() {
        return array_ ? mutable_view(array_) : std::span<float>(&single_, 1);
    }
    py::object object() const {
        return array_ ? py::object(array_) : py::float_(static_cast<double>(single_));
    }

private:
    float single_ = 0.0f;
    Array<float> array_ = py::reinterpret_steal<Array<float>>(nullptr);
};

py::tuple py_minmax(const py::array& array, OptionalAxis axis, unsigned threads) {
    const TensorArgument tensor(array, axis);
    const ChannelLayout& layout = tensor.view().layout;
    NewChannelValues lo(layout, axis.has_value()), hi(layout, axis.has_value());
    OptionalIndex not_finite;
    {
        const auto lo_view = lo.values(), hi_view = hi.values();
        const py::gil_scoped_release unlocked;
        not_finite = minmax(tensor.view(), threads, lo_view, hi_view);
    }
    return py::make_tuple(lo.object(), hi.object(), not_finite);
}

OptionalIndex py_first_overflowing(const Array<float>& lo, const Array<float>& hi, unsigned bits) {
    const auto lo_view = view(lo), hi_view = view(hi);
    require(hi_view.size() == lo_view.size(), "one range a channel");
    require_bits(bits);
    return first_overflowing(lo_view, hi_view, bits);
}

// Names of attributes as Python keeps them, made once and for good.
struct AttributeNames {
    PyObject* packed = PyUnicode_InternFromString("packed");
    PyObject* bits = PyUnicode_InternFromString("bits");
    PyObject* shape = PyUnicode_InternFromString("shape");
    PyObject* dtype = PyUnicode_InternFromString("dtype");
    PyObject* lo = PyUnicode_InternFromString("lo");
    PyObject* hi = PyUnicode_InternFromString("hi");
    PyObject* axis = PyUnicode_InternFromString("axis");
    PyObject* clipped = PyUnicode_InternFromString("clipped");
};

// An instance of the package's class with these attributes, whose values need no check. Made here and
// not by the class, since for a small tensor calling Python would take longer than quantising.
py::object new_quantized_array(const py::type& quantized_array, const py::array& array,
                               OptionalAxis axis, unsigned bits, const py::object& packed,
                               const py::object& lo, const py::object& hi, std::uint64_t clipped) {
    static const AttributeNames names;
    auto* type = reinterpret_cast<PyTypeObject*>(quantized_array.ptr());
    auto made = py::reinterpret_steal<py::object>(
        PyBaseObject_Type.tp_new(type, py::tuple().ptr(), nullptr));
    if (!made) throw py::error_already_set();
    // Not by the class's own setter, since it is frozen.
    const auto set = [&](PyObject* name, const py::object& value) {
        if (PyObject_GenericSetAttr(made.ptr(), name, value.ptr()) != 0)
            throw py::error_already_set();
    };
    set(names.packed, packed);
    set(names.bits, py::int_(bits));
    set(names.shape, array.attr("shape"));
    set(names.dtype, array.dtype());
    set(names.lo, lo);
    set(names.hi, hi);
    set(names.axis, py::cast(from_the_front(axis, array.ndim())));
    set(names.clipped, py::int_(clipped));
    return made;
}

Array<std::uint8_t> new_packed(const ChannelLayout& layout, unsigned bits) {
    return Array<std::uint8_t>(static_cast<py::ssize_t>(packed_bytes(layout.count(), bits)));
}

bool are_ranges(std::span<const float> lo, std::span<const float> hi, unsigned bits) {
    for (std::size_t i = 0; i < lo.size(); ++i)
        if (!(lo[i] < hi[i]) || !std::isfinite(lo[i])) return false;
    return !first_overflowing(lo, hi, bits);
}

// The quantised array, or None where the range is none; and the index of the first value that is not
// finite, if there is one.
py::tuple py_quantize(const py::type& quantized_array, const py::array& array, unsigned bits,
                      const py::object& lo, const py::object& hi, OptionalAxis axis,
                      std::optional<Array<std::uint8_t>> out, unsigned threads) {
    require_bits(bits);
    const TensorArgument tensor(array, axis);
    const ChannelLayout& layout = tensor.view().layout;
    const ChannelValues known_lo(lo, layout), known_hi(hi, layout);
    if (!are_ranges(known_lo.values(), known_hi.values(), bits))
        return py::make_tuple(py::none(), py::none());
    Array<std::uint8_t> packed = out ? *out : new_packed(layout, bits);
    const auto packed_view = mutable_view(packed);
    require(packed_view.size() == packed_bytes(layout.count(), bits), "packed size");
    QuantizeOutcome outcome;
    {
        const py::gil_scoped_release unlocked;
        outcome = quantize(tensor.view(), known_lo.values(), known_hi.values(), bits, threads,
                           packed_view);
    }
    return py::make_tuple(
        new_quantized_array(quantized_array, array, axis, bits, packed, known_lo.object(),
                            known_hi.object(), outcome.clipped),
        outcome.not_finite);
}

// The quantised arrays in order, and of the first tensor that cannot be quantised its place, its
// range and the index of its first value that is not finite, if that is why.
py::tuple py_quantize_many(const py::type& quantized_array, const py::list& arrays, unsigned bits,
                           OptionalAxis axis, const std::optional<Array<std::uint8_t>>& out,
                           unsigned threads) {
    require_bits(bits);
    const std::size_t count = arrays.size();
    require(!out || count == 1, "one output is for one tensor");
    std::vector<py::array> sources;
    std::vector<TensorArgument> tensors;
    std::vector<Array<std::uint8_t>> packed;
    std::vector<NewChannelValues> lo, hi;
    std::vector<QuantizeTask> tasks;
    sources.reserve(count), tensors.reserve(count), packed.reserve(count);
    lo.reserve(count), hi.reserve(count), tasks.reserve(count);
    for (const py::handle array : arrays) {
        sources.push_back(py::cast<py::array>(array));
        const ConstTensorView& tensor = tensors.emplace_back(sources.back(), axis).view();
        packed.push_back(out ? *out : new_packed(tensor.layout, bits));
        lo.emplace_back(tensor.layout, axis.has_value());
        hi.emplace_back(tensor.layout, axis.has_value());
        tasks.push_back({tensor, lo.back().values(), hi.back().values(),
                         mutable_view(packed.back()), std::nullopt, std::nullopt});
        require(tasks.back().packed.size() == packed_bytes(tensor.layout.count(), bits),
                "packed size");
    }
    {
        const py::gil_scoped_release unlocked;
        quantize_many(tasks, bits, threads);
    }
    py::list results;
    for (std::size_t i = 0; i < count; ++i) {
        const QuantizeTask& task = tasks[i];
        if (task.not_finite || task.overflowing)
            return py::make_tuple(
                results, py::make_tuple(i, lo[i].object(), hi[i].object(), task.not_finite));
        results.append(new_quantized_array(quantized_array, sources[i], axis, bits, packed[i],
                                           lo[i].object(), hi[i].object(), 0));
    }
    return py::make_tuple(results, py::none());
}

void py_dequantize(const Array<std::uint8_t>& packed, const py::object& lo, const py::object& hi,
                   unsigned bits, OptionalAxis axis, py::array out, bool out_is_new,
                   unsigned threads) {
    require_bits(bits);
    const TensorArgument target(out, axis);
    const ConstTensorView& shape = target.view();
    require(shape.axes.empty(), "out must be C-contiguous");
    const TensorView tensor{out.mutable_data(), shape.type, shape.layout};
    const auto packed_view = view(packed);
    const ChannelValues known_lo(lo, shape.layout), known_hi(hi, shape.layout);
    require(packed_view.size() == packed_bytes(shape.layout.count(), bits), "packed size");
    const py::gil_scoped_release unlocked;
    dequantize(packed_view, known_lo.values(), known_hi.values(), bits, threads, tensor,
               out_is_new);
}

bool py_pack(const py::array& codes, unsigned bits, Array<std::uint8_t> out, unsigned threads) {
    const CodesArgument argument(codes);
    const ConstCodesView& code_view = argument.view();
    const auto packed = mutable_view(out);
    require_bits(bits, static_cast<unsigned>(size_of(code_view.type)) * 8);
    require(packed.size() == packed_bytes(code_view.count, bits), "packed size");
    const py::gil_scoped_release unlocked;
    return pack(code_view, bits, threads, packed);
}

void py_unpack(const Array<std::uint8_t>& packed, unsigned bits, py::array out, unsigned threads) {
    const CodesArgument target(out);
    const ConstCodesView& shape = target.view();
    require(shape.axes.empty(), "out must be C-contiguous");
    const auto packed_view = view(packed);
    require_bits(bits, static_cast<unsigned>(size_of(shape.type)) * 8);
    require(packed_view.size() == packed_bytes(shape.count, bits), "packed size");
    void* data = out.mutable_data();
    const py::gil_scoped_release unlocked;
    unpack(packed_view, shape.count, bits, threads, shape.type, data);
}

}  // namespace

void register_arrays(py::module_& module) {
    using py::arg;
    find_bfloat16();
    module.def("are_float_arrays", are_float_arrays);
    module.def("is_fit", is_fit, arg("out"), arg("shape"), arg("dtype"),
               arg("source").noconvert());
    module.def("minmax", py_minmax, arg("array").noconvert(), arg("axis"), arg("threads"));
    module.def("first_overflowing", py_first_overflowing, arg("lo").noconvert(),
               arg("hi").noconvert(), arg("bits"));
    module.def("quantize", py_quantize, arg("quantized_array"), arg("array").noconvert(), arg("bits"), arg("lo"),
               arg("hi"), arg("axis"), arg("out").noconvert(), arg("threads"));
    module.def("quantize_many", py_quantize_many, arg("quantized_array"), arg("arrays"), arg("bits"), arg("axis"),
               arg("out").noconvert(), arg("threads"));
    module.def("dequantize", py_dequantize, arg("packed").noconvert(), arg("lo"), arg("hi"),
               arg("bits"), arg("axis"), arg("out").noconvert(), arg("out_is_new"),
               arg("threads"));
    module.def("pack", py_pack, arg("codes").noconvert(), arg("bits"), arg("out").noconvert(),
               arg("threads"));
    module.def("unpack", py_unpack, arg("packed").noconvert(), arg("bits"),
               arg("out").noconvert(), arg("threads"));
}

}  // namespace nnr::bindings
