// Reads a DLPack capsule as a NumPy view of the same memory, without importing the framework it
// comes from. NumPy's own reader refuses bfloat16; here it comes out as uint16 bit patterns with the
// name of the type beside it. The layout of the structures is DLPack's published C ABI.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "register.hpp"

namespace py = pybind11;

namespace nnr::bindings {
namespace {

struct DLDevice {
    std::int32_t type;
    std::int32_t id;
};

struct DLDataType {
    std::uint8_t code;
    std::uint8_t bits;
    std::uint16_t lanes;
};

struct DLTensor {
    void* data;
    DLDevice device;
    std::int32_t ndim;
    DLDataType dtype;
    std::int64_t* shape;
    std::int64_t* strides;  // in elements; null means C order
    std::uint64_t byte_offset;
};

struct DLManagedTensor {
    DLTensor tensor;
    void* manager;
    void (*deleter)(DLManagedTensor*);
};

constexpr std::int32_t kCpu = 1;
constexpr std::uint8_t kFloat = 2;
constexpr std::uint8_t kBFloat = 4;
constexpr std::int32_t kMaxDimensions = 64;

struct ElementType {
    const char* name;   // of the values
    py::dtype storage;  // what NumPy sees
};

ElementType element_type_of(const DLDataType& type) {
    if (type.lanes == 1 && type.code == kFloat) {
        if (type.bits == 16) return {"float16", py::dtype("float16")};
        if (type.bits == 32) return {"float32", py::dtype("float32")};
        if (type.bits == 64) return {"float64", py::dtype("float64")};
    }
    if (type.lanes == 1 && type.code == kBFloat && type.bits == 16)
        return {"bfloat16", py::dtype("uint16")};
    constexpr const char* kKinds[] = {"int", "uint", "float", "opaque", "bfloat", "complex", "bool"};
    const std::string kind =
        type.code < std::size(kKinds) ? kKinds[type.code] : "code " + std::to_string(type.code);
    throw py::type_error("DLPack tensor is of " + kind + std::to_string(type.bits) +
                         "; wanted float16, bfloat16, float32 or float64");
}

// Takes the tensor out of the capsule, as the protocol asks of a consumer: the capsule is renamed,
// and whoever holds the returned owner calls the deleter once.
py::capsule take_ownership(const py::capsule& capsule, DLManagedTensor* managed) {
    if (PyCapsule_SetName(capsule.ptr(), "used_dltensor") != 0) throw py::error_already_set();
    return py::capsule(managed, [](void* pointer) {
        auto* owned = static_cast<DLManagedTensor*>(pointer);
        if (owned->deleter != nullptr) owned->deleter(owned);
    });
}

py::tuple from_dlpack(const py::capsule& capsule) {
    auto* managed =
        static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
    if (managed == nullptr) throw py::error_already_set();
    const DLTensor& tensor = managed->tensor;
    if (tensor.device.type != kCpu)
        throw py::type_error("DLPack tensor is on a device of type " +
                             std::to_string(tensor.device.type) + "; wanted a CPU tensor");
    if (tensor.ndim < 0 || tensor.ndim > kMaxDimensions)
        throw py::value_error("DLPack tensor has " + std::to_string(tensor.ndim) + " dimensions");
    const ElementType element = element_type_of(tensor.dtype);

    const auto ndim = static_cast<std::size_t>(tensor.ndim);
    std::vector<py::ssize_t> shape(tensor.shape, tensor.shape + ndim);
    std::vector<py::ssize_t> strides;
    if (tensor.strides != nullptr)
        for (std::size_t i = 0; i < ndim; ++i)
            strides.push_back(tensor.strides[i] * element.storage.itemsize());
    const py::capsule owner = take_ownership(capsule, managed);
    const void* data = static_cast<const std::byte*>(tensor.data) + tensor.byte_offset;
    return py::make_tuple(py::array(element.storage, shape, strides, data, owner), element.name);
}

}  // namespace

void register_dlpack(py::module_& module) {
    module.def("from_dlpack", from_dlpack, py::arg("capsule"));
}

}  // namespace nnr::bindings
