#include "reconstruct.hpp"

#include <cstring>

namespace nnr::nnc {

void reconstruct_floats(const std::int32_t* levels, std::uint64_t count, float step, void* values) {
    auto* const bytes = static_cast<unsigned char*>(values);
    const auto* const from = reinterpret_cast<const unsigned char*>(levels);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::int32_t level;
        std::memcpy(&level, from + i * sizeof level, sizeof level);
        const float value = step * static_cast<float>(level);
        std::memcpy(bytes + i * sizeof value, &value, sizeof value);
    }
}

std::uint64_t reconstruct_codebook(const std::int32_t* levels, std::uint64_t count, float step,
                                   const Codebook& codebook, double* values) {
    const auto size = static_cast<std::int64_t>(codebook.entries.size());
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::int64_t index = std::int64_t{levels[i]} + codebook.zero_offset;
        if (index < 0 || index >= size) return i;
        values[i] = codebook.entries[static_cast<std::size_t>(index)] * double{step};
    }
    return count;
}

}  // namespace nnr::nnc
