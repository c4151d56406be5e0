// A network made ready for execution: validated, simplified, weights packed. It does not know the
// size of an image; the tiling does.
#pragma once

#include <memory>
#include <span>

#include "values.hpp"

namespace nnr::network {

class TilingMemory;

class Plan {
public:
    // In the order of execution; each is needed for the output.
    std::span<const Layer> layers() const { return layers_; }
    std::size_t value_count() const { return values_.size(); }
    const Value& value(ValueId value) const { return values_[value]; }

    static constexpr ValueId input() { return 0; }
    ValueId output() const { return output_; }

    // Height and width of an image must be multiples of this.
    std::size_t phase() const { return phase_; }

    // How the last image was cut.
    TilingMemory& memory() const { return *memory_; }

private:
    friend class PlanBuilder;
    std::vector<Layer> layers_;
    std::vector<Value> values_;
    ValueId output_ = 0;
    std::size_t phase_ = 1;
    std::shared_ptr<TilingMemory> memory_;
};

// Where each value ends, modulo 4, when an image ends at a multiple of much: a grid of blocks that
// begins there has none that is computed in part only.
std::vector<Phase> end_phases(std::span<const Layer> layers, std::size_t value_count,
                              ValueId output, std::size_t multiple);

}  // namespace nnr::network
