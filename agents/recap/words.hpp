// The words of a message that may tell one subject from another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::recap {

/// Lower-case (ASCII) words of at least four bytes without links, each once, sorted. Bytes above ASCII count
/// as letters, so other scripts have words too. At most `words_max`, the first ones of the text. Any thread.
std::vector<std::string> telling_words(std::string_view text, std::size_t words_max = 400);

/// Does the text speak to this person: "@name" anywhere, or "name:" or "name," at its start?
bool addresses(std::string_view text, std::string_view name);

}  // namespace troupe::recap
