#pragma once

#include <pybind11/pybind11.h>

namespace nnr::bindings {

void register_cpu(pybind11::module_& module);
void register_arrays(pybind11::module_& module);
void register_dlpack(pybind11::module_& module);
void register_latents(pybind11::module_& module);
void register_network(pybind11::module_& module);
void register_network_builder(pybind11::module_& module);
void register_integer_network_builder(pybind11::module_& module);
void register_nnc_decode(pybind11::module_& module);
void register_nnc_encode(pybind11::module_& module);

}  // namespace nnr::bindings
