// The extension module: registers each topic, defines nothing itself.
#include <pybind11/pybind11.h>

#include "register.hpp"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
    module.doc() = "The native core of nnr. Arguments are validated by the package, not here.";
    nnr::bindings::register_cpu(module);
    nnr::bindings::register_arrays(module);
    nnr::bindings::register_dlpack(module);
    nnr::bindings::register_latents(module);
    nnr::bindings::register_network(module);
    nnr::bindings::register_nnc_decode(module);
    nnr::bindings::register_nnc_encode(module);
}
