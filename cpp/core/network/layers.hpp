#pragma once

#include <memory>
#include <new>
#include <span>

#include "plan.hpp"
#include "window.hpp"

namespace nnr::network {

// Memory on cache lines.
class AlignedBytes {
public:
    explicit AlignedBytes(std::size_t bytes)
        : bytes_(static_cast<std::byte*>(::operator new(bytes, kAlignment))) {}
    std::byte* get() const { return bytes_.get(); }

private:
    static constexpr std::align_val_t kAlignment{64};
    struct Free {
        void operator()(std::byte* bytes) const { ::operator delete(bytes, kAlignment); }
    };
    std::unique_ptr<std::byte, Free> bytes_;
};

// Bytes that any layer of the plan works in beside its windows.
std::size_t scratch_bytes(const Plan& plan);

// Computes what of the output's window lies on the image. The inputs' windows hold what
// `needed_regions` says. Layers that compute whole blocks may write beyond the image.
void run_layer(const Operation& operation, const KernelTable& kernels,
               std::span<const Window> inputs, const Window& output, std::byte* scratch);

// Sets to zero what of the window lies beside the image.
void clear_outside(const Window& window);

}  // namespace nnr::network
