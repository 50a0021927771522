// recap.md: the recap for people who read text.
#pragma once

#include "agents/recap/quotes.hpp"
#include "runtime/json/json.hpp"

#include <string>
#include <string_view>

namespace troupe::recap {

/// The digest, then each channel-day with its points by kind, each with the first message that shows it, then
/// the problems. `recap` is recap.json; missing keys are read as empty. `model_note`, if any, is printed at
/// the top: who or what wrote this. All text is escaped: a message cannot become a heading, a link or HTML.
/// Pure.
std::string recap_markdown(const Json& recap, const Quotes& quotes, std::string_view model_note = {});

}  // namespace troupe::recap
