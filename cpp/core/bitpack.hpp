#pragma once

#include <cstdint>
#include <span>

#include "tensor_view.hpp"

namespace nnr {

// Packs the codes into packed_bytes(count, bits) bytes. False where a code has more than
// `bits` bits; then the bytes are unspecified. threads = 0 chooses.
bool pack(const ConstCodesView& codes, unsigned bits, unsigned threads,
          std::span<std::uint8_t> packed);

// The inverse; `packed` holds packed_bytes(count, bits) bytes.
void unpack(std::span<const std::uint8_t> packed, std::size_t count, unsigned bits,
            unsigned threads, CodeType type, void* codes);

}  // namespace nnr
