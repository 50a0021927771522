// What journal entries decide, for people: kinds, keys, amounts, codes; no content. Pure.
#pragma once

#include "runtime/journal/journal.hpp"

#include <string>

namespace troupe::actors {

/// "intent ask/1, attempt 1, sets aside {"calls":1}".
std::string entry_in_words(const journal::Entry& entry);
/// Do both say the same? Amounts of money may differ by their rounding.
bool same_payload(const journal::Entry& a, const journal::Entry& b);
/// How a text that should be another differs from it: "12 bytes, from byte 7 on other ones than the 14
/// recorded".
std::string difference_of(const std::string& recorded, const std::string& now);

}  // namespace troupe::actors
