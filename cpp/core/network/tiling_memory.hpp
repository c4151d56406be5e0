// Choosing a cut tries dozens, which for a small picture takes a tenth of the time that it runs; pictures of
// one size mostly come one after the other.
#pragma once

#include <memory>
#include <mutex>

#include "tiling.hpp"

namespace nnr::network {

class TilingMemory {
public:
    struct Key {
        Size image, part;
        std::size_t images, threads;
        bool operator==(const Key&) const = default;
    };

    // Threads that ask for different sizes at once get what each asked for.
    std::shared_ptr<const Tiling> choose(const Plan& plan, const Key& key) {
        {
            const std::lock_guard guard(mutex_);
            if (tiling_ != nullptr && key_ == key) return tiling_;
        }
        auto chosen = std::make_shared<const Tiling>(
            Tiling::choose(plan, key.image, key.part, key.images, key.threads));
        const std::lock_guard guard(mutex_);
        key_ = key;
        tiling_ = chosen;
        return chosen;
    }

private:
    std::mutex mutex_;
    Key key_{};
    std::shared_ptr<const Tiling> tiling_;
};

}  // namespace nnr::network
