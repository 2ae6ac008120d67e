// UTF-8 (RFC 3629): without overlong forms, surrogates and what is beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace causeway {

// How many bytes the first character of `text` has, 1 to 4; 0 where it is none.
std::size_t utf8_size(std::string_view text);
bool is_utf8(std::string_view text);
// C0, DEL and C1: what a terminal may act on. `character` is one character.
bool is_control(std::string_view character);

}  // namespace causeway
