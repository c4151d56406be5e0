// The entropy coder of an auto-encoder's latents.
#include <string>
#include <utility>
#include <vector>

#include "../core/latent_coder.hpp"
#include "array.hpp"
#include "register.hpp"

namespace nnr::bindings {
namespace {

using Int16Array = Array<std::int16_t>;

void require_alike(const Int16Array& means, const Int16Array& scales, py::ssize_t count) {
    require(means.size() == count && scales.size() == count,
            "values, means and scales must be equally many");
}

void require_latents(std::span<const std::int16_t> values) {
    for (const std::int16_t value : values)
        require(value >= -kMaxLatent && value <= kMaxLatent, "latents must be -2047 to 2047");
}

py::bytes py_encode(const LatentTables& tables, const Int16Array& values, const Int16Array& means,
                    const Int16Array& scales) {
    require_alike(means, scales, values.size());
    const auto given = view(values);
    require_latents(given);
    std::vector<std::uint8_t> code;
    {
        const auto mean_view = view(means), scale_view = view(scales);
        const py::gil_scoped_release unlocked;
        code = encode_latents(tables, given, mean_view, scale_view);
    }
    return {reinterpret_cast<const char*>(code.data()), code.size()};
}

Int16Array py_choose(const LatentTables& tables, const Array<float>& bits,
                     const Array<float>& targets, const Int16Array& means, const Int16Array& scales,
                     float rate_weight) {
    require_alike(means, scales, targets.size());
    const auto bit_view = view(bits);
    require(bit_view.size() ==
                tables.symbols() * LatentTables::kScales * LatentTables::kFractions,
            "bits must be as many as the frequencies");
    Int16Array values(targets.size());
    {
        const auto target_view = view(targets);
        const auto mean_view = view(means), scale_view = view(scales);
        const auto chosen = mutable_view(values);
        const py::gil_scoped_release unlocked;
        choose_latents(tables, bit_view, target_view, mean_view, scale_view, rate_weight, chosen);
    }
    return values;
}

// A decoder together with the bytes and the tables that it reads.
struct OpenCode {
    py::object tables;
    Array<std::uint8_t> code;
    LatentDecoder decoder;

    OpenCode(py::object with, Array<std::uint8_t> bytes, std::size_t base)
        : tables(std::move(with)), code(std::move(bytes)),
          decoder(tables.cast<const LatentTables&>(), view(code), base) {}

    Int16Array decode(const Int16Array& means, const Int16Array& scales) {
        require_alike(means, scales, means.size());
        Int16Array values(means.size());
        const auto mean_view = view(means), scale_view = view(scales);
        const auto decoded = mutable_view(values);
        const py::gil_scoped_release unlocked;
        decoder.decode(mean_view, scale_view, decoded);
        return values;
    }
};

}  // namespace

void register_latents(py::module_& module) {
    using py::arg;
    py::class_<LatentTables>(module, "LatentTables")
        .def(py::init([](const Array<std::uint16_t>& frequencies,
                         const Array<std::uint8_t>& shifts) {
                 return LatentTables(view(frequencies), view(shifts));
             }),
             arg("frequencies").noconvert(), arg("shifts").noconvert())
        .def("encode", &py_encode, arg("values").noconvert(), arg("means").noconvert(),
             arg("scales").noconvert())
        .def("choose", &py_choose, arg("bits").noconvert(), arg("targets").noconvert(),
             arg("means").noconvert(), arg("scales").noconvert(), arg("rate_weight"));
    py::class_<OpenCode>(module, "LatentDecoder")
        .def(py::init<py::object, Array<std::uint8_t>, std::size_t>(), arg("tables"),
             arg("code").noconvert(), arg("base"))
        .def("decode", &OpenCode::decode, arg("means").noconvert(), arg("scales").noconvert())
        .def("finish", [](const OpenCode& open) { open.decoder.finish(); });
}

}  // namespace nnr::bindings
