// The bits of headers, most significant first.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nnr::nnc {

class BitWriter {
public:
    explicit BitWriter(std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

    void flag(bool value) { u(value ? 1 : 0, 1); }

    void u(std::uint64_t value, unsigned count) {
        while (count-- > 0) {
            if (free_ == 0) {
                bytes_.push_back(0);
                free_ = 8;
            }
            --free_;
            bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (value >> count & 1) << free_);
        }
    }

    void i(std::int64_t value, unsigned count) { u(static_cast<std::uint64_t>(value), count); }

    void ue(std::uint64_t value, unsigned k) {
        for (; value >= std::uint64_t{1} << k; ++k) {
            value -= std::uint64_t{1} << k;
            flag(false);
        }
        flag(true);
        u(value, k);
    }

    void ie(std::int64_t value, unsigned k) {
        ue(value > 0 ? 2 * static_cast<std::uint64_t>(value) - 1
                     : 2 * static_cast<std::uint64_t>(-value),
           k);
    }

    // Text on a byte boundary, and the zero that ends it.
    void st(std::string_view text) {
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        bytes_.push_back(0);
    }

    void byte_alignment() {
        flag(true);
        free_ = 0;
    }

private:
    std::vector<std::uint8_t>& bytes_;
    unsigned free_ = 0;  // bits of the last byte that are not written yet
};

}  // namespace nnr::nnc
