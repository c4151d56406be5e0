// The writing of ISO/IEC 15938-17 units.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../core/nnc/encode.hpp"
#include "../core/nnc/reconstruct.hpp"
#include "../core/nnc/step.hpp"
#include "array.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

using namespace nnr::nnc;

// A task and the arrays that it points into.
struct OwnedTask {
    EncodeTask task;
    py::array values;
    std::vector<py::object> kept;
};

template <class T>
std::span<const T> kept_view(OwnedTask& owned, const std::optional<Array<T>>& array) {
    if (!array) return {};
    owned.kept.push_back(*array);
    return view(*array);
}

std::unique_ptr<OwnedTask> make_task(
    std::string name, py::array values, std::int32_t qp, bool dq, double rdo,
    unsigned unary_length, unsigned scan_order, bool row_skipping, bool optimize_contexts,
    bool codebook, bool raw, bool nncodec,
    const std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>& node,
    const std::optional<std::pair<std::uint32_t, bool>>& parent,
    const std::optional<Array<std::int32_t>>& base_levels,
    const std::optional<Array<std::uint8_t>>& history) {
    require(unary_length <= 256 && scan_order <= 4, "unary_length or scan_order");
    auto owned = std::make_unique<OwnedTask>();
    EncodeTask& task = owned->task;
    task.name = std::move(name);
    task.is_float = values.dtype().kind() == 'f';
    require_contiguous(values, 4);
    require(task.is_float || values.dtype().kind() == 'i', "values must be float32 or int32");
    for (py::ssize_t i = 0; i < values.ndim(); ++i) {
        require(values.shape(i) <= UINT32_MAX, "a dimension does not fit into 32 bits");
        task.dimensions.push_back(static_cast<std::uint32_t>(values.shape(i)));
    }
    const auto count = static_cast<std::size_t>(values.size());
    if (task.is_float)
        task.floats = {static_cast<const float*>(values.data()), count};
    else
        task.integers = {static_cast<const std::int32_t*>(values.data()), count};
    task.qp = qp;
    task.options = {dq, rdo, unary_length, scan_order, row_skipping, optimize_contexts,
                    codebook, raw, nncodec};
    task.node = {std::get<0>(node), std::get<1>(node), std::get<2>(node)};
    if (parent) {
        task.parent.emplace();
        task.parent->node.device_id = parent->first;
        task.parent->temporal_context_modeling = parent->second;
    }
    task.base_levels = kept_view(*owned, base_levels);
    task.history = kept_view(*owned, history);
    require(task.base_levels.empty() || task.base_levels.size() == count, "base_levels");
    const bool temporal = parent && parent->second;
    require(!temporal || task.base_levels.size() == count, "temporal contexts need base_levels");
    require(task.history.empty() || task.history.size() == count, "history");
    owned->values = std::move(values);
    return owned;
}

std::vector<py::ssize_t> shape_of(const py::array& array) {
    return {array.shape(), array.shape() + array.ndim()};
}

py::object reconstructed(const EncodeTask& task, const py::array& values, unsigned density) {
    const bool is_exact = !task.is_float || task.options.raw;
    if (is_exact) return values;
    const float step = step_size(task.qp, density);
    if (task.codebook) {
        py::array_t<double> out(shape_of(values));
        reconstruct_codebook(task.levels, task.floats.size(), step, *task.codebook,
                             out.mutable_data());
        return out;
    }
    py::array_t<float> out(shape_of(values));
    reconstruct_floats(task.levels, task.floats.size(), step, out.mutable_data());
    return out;
}

py::bytes as_bytes(const std::vector<std::uint8_t>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

py::list py_encode(const py::list& given, unsigned qp_density, bool parent_signalling, bool values,
                   unsigned threads) {
    std::vector<EncodeTask> tasks;
    std::vector<OwnedTask*> owners;
    std::vector<py::object> levels;
    tasks.reserve(given.size());
    for (const py::handle item : given) {
        auto& owned = item.cast<OwnedTask&>();
        owners.push_back(&owned);
        tasks.push_back(owned.task);
        levels.push_back(py::none());
        if (owned.task.is_float && owned.task.options.raw) continue;
        py::array_t<std::int32_t> array(shape_of(owned.values));
        tasks.back().levels = array.mutable_data();
        levels.back() = array;
    }
    {
        const py::gil_scoped_release unlocked;
        encode_units(tasks, {qp_density, parent_signalling}, threads);
    }
    for (const EncodeTask& task : tasks)
        if (!task.error.empty())
            throw py::value_error("tensor '" + task.name + "': " + task.error);
    py::list results;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const EncodeTask& task = tasks[i];
        const bool quantized = task.is_float && !task.options.raw;
        results.append(py::make_tuple(
            as_bytes(task.unit), levels[i],
            values ? reconstructed(task, owners[i]->values, qp_density) : py::none(),
            quantized ? py::object(py::int_(task.qp)) : py::none(),
            task.is_dependent, task.codebook.has_value()));
    }
    return results;
}

py::bytes parameter_units(unsigned qp_density, bool parent_signalling, bool pre_signalled,
                          bool codebooks) {
    std::vector<std::uint8_t> bytes;
    Parameters parameters;
    parameters.qp_density = qp_density;
    parameters.parent_signalling = parent_signalling;
    parameters.pre_signalled = pre_signalled;
    write_start(bytes, parameters.edition);
    write_model_parameter_set(bytes, parameters, codebooks);
    return as_bytes(bytes);
}

py::bytes topology_unit(std::uint8_t storage_format, std::uint8_t compression_format,
                        const py::bytes& data) {
    const auto text = static_cast<std::string_view>(data);
    std::vector<std::uint8_t> body{storage_format, compression_format};
    body.insert(body.end(), text.begin(), text.end());
    std::vector<std::uint8_t> bytes;
    append_unit(bytes, UnitType::topology, body);
    return as_bytes(bytes);
}

}  // namespace

void register_nnc_encode(py::module_& module) {
    using py::arg;
    py::class_<OwnedTask>(module, "NncEncodeTask")
        .def(py::init(&make_task), arg("name"), arg("values").noconvert(), arg("qp"),
             py::kw_only(), arg("dq"), arg("rdo"), arg("unary_length"), arg("scan_order"),
             arg("row_skipping"), arg("optimize_contexts"), arg("codebook"), arg("raw"),
             arg("nncodec"), arg("node"), arg("parent").none(true),
             arg("base_levels").noconvert().none(true), arg("history").noconvert().none(true));
    module.def("nnc_encode", &py_encode, arg("tasks"), arg("qp_density"),
               arg("parent_signalling"), arg("values"), arg("threads"));
    module.def("nnc_parameter_units", &parameter_units, arg("qp_density"),
               arg("parent_signalling"), arg("pre_signalled"), arg("codebooks"));
    module.def("nnc_topology_unit", &topology_unit, arg("storage_format"),
               arg("compression_format"), arg("data"));
}

}  // namespace nnr::bindings
