// NumPy arrays of any strides as the core's views of tensors and codes.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "../core/tensor_view.hpp"

namespace nnr::bindings {

namespace py = pybind11;

// Asks for the number of a type that an extension registers; once, when the module is imported.
void find_bfloat16();

// Whether a TensorArgument can be made of it as it is: a NumPy array of float16, bfloat16, float32 or float64 in this machine's
// byte order.
bool is_float_array(py::handle array);

// An axis that may count from the back; none stays none.
std::optional<py::ssize_t> from_the_front(std::optional<py::ssize_t> axis, py::ssize_t ndim);

class TensorArgument {
public:
    TensorArgument(const py::array& array, std::optional<py::ssize_t> axis);
    // The view looks at the axes: moving keeps them where they are, copying would not.
    TensorArgument(TensorArgument&&) = default;
    const ConstTensorView& view() const { return view_; }

private:
    std::vector<Axis> axes_;
    ConstTensorView view_;
};

// Of uint8 or uint16.
class CodesArgument {
public:
    explicit CodesArgument(const py::array& array);
    CodesArgument(CodesArgument&&) = default;
    const ConstCodesView& view() const { return view_; }

private:
    std::vector<Axis> axes_;
    ConstCodesView view_;
};

}  // namespace nnr::bindings
