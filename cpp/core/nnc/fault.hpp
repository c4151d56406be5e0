// What ends the reading of a bitstream: kind, words and place, for `nnr.BitstreamError`.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

namespace nnr::nnc {

enum class FaultKind { truncated, corrupt, unsupported };

class Fault : public std::runtime_error {
public:
    Fault(FaultKind kind, std::string what, std::size_t byte_offset)
        : std::runtime_error(std::move(what)), kind_(kind), byte_offset_(byte_offset) {}

    FaultKind kind() const { return kind_; }
    std::size_t byte_offset() const { return byte_offset_; }
    std::optional<std::size_t> unit() const { return unit_; }

    Fault in_unit(std::size_t number) const {
        Fault fault = *this;
        fault.unit_ = number;
        return fault;
    }

private:
    FaultKind kind_;
    std::size_t byte_offset_;  // from the beginning of the whole bitstream
    std::optional<std::size_t> unit_;
};

}  // namespace nnr::nnc
