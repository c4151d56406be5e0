// ISO/IEC 15938-17 bitstreams: the headers as objects, and the decoding of data units.
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../core/nnc/decode.hpp"
#include "../core/nnc/step.hpp"
#include "../core/nnc/units.hpp"
#include "array.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

using namespace nnr::nnc;

const char* name_of(FaultKind kind) {
    switch (kind) {
        case FaultKind::truncated: return "truncated";
        case FaultKind::corrupt: return "corrupt";
        default: return "unsupported";
    }
}

const char* name_of(Role role) {
    constexpr const char* kNames[]{"weight", "g",        "h",   "local_scaling", "beta",
                                   "gamma",  "mean", "variance", "bias"};
    return kNames[static_cast<std::size_t>(role)];
}

const char* name_of(PayloadType type) {
    constexpr const char* kNames[]{"int", "float", "raw_float", "block"};
    return kNames[static_cast<std::size_t>(type)];
}

void translate(const Fault& fault) {
    const py::object error = py::module_::import("nnr.errors").attr("BitstreamError");
    const py::object unit = fault.unit() ? py::object(py::int_(*fault.unit())) : py::none();
    const py::object raised =
        error(fault.what(), py::arg("kind") = name_of(fault.kind()),
              py::arg("byte_offset") = fault.byte_offset(), py::arg("unit") = unit);
    PyErr_SetObject(error.ptr(), raised.ptr());
}

// A parsed bitstream together with the bytes that it was parsed from.
struct OpenStream {
    Array<std::uint8_t> bytes;
    Stream stream;

    explicit OpenStream(Array<std::uint8_t> data) : bytes(std::move(data)) {
        const std::span<const std::uint8_t> all = view(bytes);
        const py::gil_scoped_release unlocked;
        stream = parse(all);
    }
};

py::dtype dtype_of(const DataUnit& unit, const CodedTensor& tensor) {
    if (unit.type == PayloadType::integers) return py::dtype::of<std::int32_t>();
    return tensor.codebook != nullptr ? py::dtype::of<double>() : py::dtype::of<float>();
}

py::tuple shape_of(const CodedTensor& tensor) {
    py::tuple shape(tensor.dimensions.size());
    for (std::size_t i = 0; i < tensor.dimensions.size(); ++i) shape[i] = tensor.dimensions[i];
    return shape;
}

// What is known of tensors from earlier in the series: name to array.
template <class T>
std::span<const T> known(const py::dict& arrays, const CodedTensor& tensor) {
    const py::str name(tensor.name);
    if (!arrays.contains(name) || arrays[name].is_none()) return {};
    const auto array = py::cast<Array<T>>(arrays[name]);
    require(static_cast<std::uint64_t>(array.size()) == tensor.elements(),
            "an array of the base has another shape");
    return view(array);
}

struct Wanted {
    bool values, levels;
};

// The arrays that one unit is decoded into.
struct UnitArrays {
    std::vector<py::object> values, levels;
};

UnitArrays prepare(UnitTask& task, const Wanted& wanted, const py::dict& base_levels,
                   const py::dict& history) {
    UnitArrays arrays;
    const bool raw = task.unit->type == PayloadType::raw_floats;
    for (const CodedTensor& tensor : task.tensors) {
        TensorTask target;
        py::object values = py::none(), levels = py::none();
        if (wanted.values) {
            py::array array(dtype_of(*task.unit, tensor), tensor.dimensions);
            target.values = array.mutable_data();
            values = array;
        }
        if (wanted.levels && !raw) {
            py::array_t<std::int32_t> array(tensor.dimensions);
            target.levels = array.mutable_data();
            levels = array;
        }
        target.base_levels = known<std::int32_t>(base_levels, tensor);
        target.history = known<std::uint8_t>(history, tensor);
        task.tasks.push_back(target);
        arrays.values.push_back(values);
        arrays.levels.push_back(levels);
    }
    return arrays;
}

void check_elements(const std::vector<UnitTask>& tasks, std::uint64_t max_elements) {
    std::uint64_t elements = 0;
    for (const UnitTask& task : tasks)
        for (const CodedTensor& tensor : task.tensors) {
            elements += tensor.elements();
            if (elements > max_elements)
                throw Fault(FaultKind::unsupported,
                            "more than " + std::to_string(max_elements) +
                                " elements; raise max_elements if the file is to be trusted",
                            task.unit->offset)
                    .in_unit(task.unit->number);
        }
}

py::list py_decode(const OpenStream& open, const std::vector<std::size_t>& indices,
                   const Wanted& wanted, const py::dict& base_levels, const py::dict& history,
                   std::uint64_t max_elements, unsigned threads) {
    std::vector<UnitTask> tasks(indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i) {
        tasks[i].unit = &open.stream.data_units.at(indices[i]);
        tasks[i].tensors = coded_tensors(*tasks[i].unit);
    }
    check_elements(tasks, max_elements);
    std::vector<UnitArrays> arrays;
    arrays.reserve(tasks.size());
    for (UnitTask& task : tasks) arrays.push_back(prepare(task, wanted, base_levels, history));
    {
        const std::span<const std::uint8_t> all = view(open.bytes);
        const py::gil_scoped_release unlocked;
        decode_units(all, tasks, threads);
    }
    for (const UnitTask& task : tasks)
        if (task.fault) throw *task.fault;
    py::list units;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        py::list tensors;
        for (std::size_t j = 0; j < tasks[i].tensors.size(); ++j)
            tensors.append(py::make_tuple(tasks[i].tensors[j].name, arrays[i].values[j],
                                          arrays[i].levels[j], tasks[i].tasks[j].qp));
        units.append(tensors);
    }
    return units;
}

py::list py_tensors(const DataUnit& unit) {
    py::list tensors;
    for (const CodedTensor& tensor : coded_tensors(unit))
        tensors.append(py::make_tuple(tensor.name, name_of(tensor.role), shape_of(tensor),
                                      dtype_of(unit, tensor)));
    return tensors;
}

py::object py_codebook(const DataUnit& unit) {
    if (!unit.codebook) return py::none();
    return py::make_tuple(unit.codebook->entries, unit.codebook->zero_offset);
}

py::object py_parent(const DataUnit& unit) {
    if (!unit.parent) return py::none();
    const Parent& parent = *unit.parent;
    const py::bytes hash(reinterpret_cast<const char*>(parent.hash.data()), parent.hash.size());
    return py::make_tuple(static_cast<int>(parent.type), parent.temporal_context_modeling,
                          parent.node.device_id, hash);
}

py::object py_node(const DataUnit& unit) {
    if (!unit.node) return py::none();
    return py::make_tuple(unit.node->device_id, unit.node->parameter_id, unit.node->put_node_depth);
}

void register_data_unit(py::module_& module) {
    py::class_<DataUnit>(module, "NncDataUnit")
        .def_readonly("number", &DataUnit::number)
        .def_readonly("offset", &DataUnit::offset)
        .def_readonly("size", &DataUnit::size)
        .def_readonly("payload_offset", &DataUnit::payload)
        .def_property_readonly("payload_type",
                               [](const DataUnit& unit) { return name_of(unit.type); })
        .def_readonly("names", &DataUnit::names)
        .def_property_readonly("tensors", py_tensors)
        .def_readonly("dq", &DataUnit::dq)
        .def_readonly("unary_length", &DataUnit::greater_flags)
        .def_readonly("scan_order", &DataUnit::scan_order)
        .def_readonly("decomposed_rank", &DataUnit::decomposition_rank)
        .def_property_readonly(
            "shape",
            [](const DataUnit& unit) { return py::tuple(py::cast(unit.dimensions)); })
        .def_property_readonly("entry_points",
                               [](const DataUnit& unit) { return unit.entries.size(); })
        .def_property_readonly("codebook", py_codebook)
        .def_property_readonly("node", py_node)
        .def_property_readonly("parent", py_parent);
}

py::list py_units(const OpenStream& open) {
    py::list units;
    for (const Unit& unit : open.stream.units)
        units.append(py::make_tuple(static_cast<int>(unit.type), unit.offset, unit.size));
    return units;
}

py::list py_topologies(const OpenStream& open) {
    py::list topologies;
    for (const TopologyUnit& unit : open.stream.topologies)
        topologies.append(py::make_tuple(static_cast<int>(unit.storage_format),
                                         static_cast<int>(unit.compression_format),
                                         unit.data_offset, unit.data_size));
    return topologies;
}

}  // namespace

void register_nnc_decode(py::module_& module) {
    using py::arg;
    py::register_exception_translator([](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const Fault& fault) {
            translate(fault);
        }
    });
    register_data_unit(module);
    py::class_<OpenStream>(module, "NncStream")
        .def(py::init<Array<std::uint8_t>>(), arg("data").noconvert())
        .def_property_readonly("units", py_units)
        .def_property_readonly("topologies", py_topologies)
        .def_property_readonly("notes",
                               [](const OpenStream& open) { return open.stream.notes; })
        .def_property_readonly("edition",
                               [](const OpenStream& open) { return open.stream.parameters.edition; })
        .def_property_readonly(
            "qp_density", [](const OpenStream& open) { return open.stream.parameters.qp_density; })
        .def_property_readonly("parent_signalling",
                               [](const OpenStream& open) {
                                   return open.stream.parameters.parent_signalling;
                               })
        .def_property_readonly("pre_signalled",
                               [](const OpenStream& open) {
                                   return open.stream.parameters.pre_signalled;
                               })
        .def_property_readonly("data_units",
                               [](py::object self) {
                                   const auto& open = self.cast<const OpenStream&>();
                                   py::list units;
                                   for (const DataUnit& unit : open.stream.data_units)
                                       units.append(py::cast(
                                           &unit, py::return_value_policy::reference_internal,
                                           self));
                                   return units;
                               })
        .def(
            "decode",
            [](const OpenStream& open, const std::vector<std::size_t>& indices, bool values,
               bool levels, const py::dict& base_levels, const py::dict& history,
               std::uint64_t max_elements, unsigned threads) {
                return py_decode(open, indices, {values, levels}, base_levels, history,
                                 max_elements, threads);
            },
            arg("indices"), arg("values"), arg("levels"), arg("base_levels"), arg("history"),
            arg("max_elements"), arg("threads"));
    module.def("nnc_step_size", &step_size, arg("qp"), arg("qp_density"));
}

}  // namespace nnr::bindings
