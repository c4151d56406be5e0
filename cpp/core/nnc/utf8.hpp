// Whether text is UTF-8, as RFC 3629 has it: shortest forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nnr::nnc {

inline bool is_utf8(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        const unsigned lead = byte(i++);
        if (lead < 0x80) continue;
        if (lead < 0xC2 || lead > 0xF4) return false;
        const unsigned following = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        if (text.size() - i < following) return false;
        // The first byte after these leads is what shortest form, surrogates and the end rule out.
        const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (byte(i) < lowest || byte(i) > highest) return false;
        for (unsigned j = 1; j < following; ++j)
            if ((byte(i + j) & 0xC0) != 0x80) return false;
        i += following;
    }
    return true;
}

}  // namespace nnr::nnc
