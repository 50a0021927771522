// The small and strict part of XML that AWS's query services answer in: elements with text. Everything else
// is refused.
#pragma once

#include <troupe/error.hpp>

#include <map>
#include <string>
#include <string_view>

namespace troupe::providers {

/// Text of every element without children, by its path: "A/B/C". Fails with invalid_input beyond 64 KiB,
/// 16 levels or 512 elements, for DOCTYPE, CDATA, processing instructions inside, entities other than the
/// five and character references, tags that do not match, and a path that comes twice (which of two keys
/// would be meant?).
Result<std::map<std::string, std::string>> read_xml_leaves(std::string_view text);

}  // namespace troupe::providers
