#include <pybind11/pybind11.h>

#include <string>
#include <string_view>

#include "../dispatch/targets.hpp"
#include "register.hpp"

namespace py = pybind11;

namespace nnr::bindings {
namespace {

py::tuple as_tuple(const std::vector<std::string_view>& names) {
    py::tuple result(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) result[i] = py::str(std::string(names[i]));
    return result;
}

// The status as the word that the package turns into an error message.
const char* use_target_by_name(const std::string& name) {
    switch (use_target(name)) {
        case TargetStatus::ok: return "ok";
        case TargetStatus::not_runnable: return "not runnable";
        default: return "unknown";
    }
}

}  // namespace

void register_cpu(py::module_& module) {
    module.attr("version") = NNR_VERSION;
    module.attr("compiler") = NNR_COMPILER;
    module.attr("build_type") = NNR_BUILD_TYPE;
    module.attr("flags") = NNR_FLAGS;
    module.def("compiled_targets", [] { return as_tuple(compiled_targets()); });
    module.def("runnable_targets", [] { return as_tuple(runnable_targets()); });
    module.def("current_target", [] { return kernels().name; });
    module.def("use_target", use_target_by_name, py::arg("name"));
}

}  // namespace nnr::bindings
