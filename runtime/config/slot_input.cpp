// The texts of a schedule's input: which placeholders they may hold, and what stands there for a slot.
#include "runtime/config/schedule_config.hpp"
#include "runtime/config/words.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace troupe::config {
namespace {

const std::vector<std::string> kPlaceholders = {"slot", "date", "tenant", "schedule"};

std::string trimmed(std::string_view text) {
  auto from = text.find_first_not_of(' ');
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

const std::string& value_of(const std::string& name, const SlotValues& values) {
  if (name == "slot") return values.slot;
  if (name == "date") return values.date;
  return name == "tenant" ? values.tenant : values.schedule;
}

/// Calls `meet` with the name in each {{ }} and puts what it answers there. What is put in is not read again.
template <class Meet>
std::string with_names(const std::string& text, Meet meet) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    auto open = text.find("{{", at), close = text.find("}}", open);
    if (open == std::string::npos || close == std::string::npos) return out + text.substr(at);
    out += text.substr(at, open - at);
    out += meet(trimmed(std::string_view(text).substr(open + 2, close - open - 2)));
    at = close + 2;
  }
}

template <class Meet>
void each_text(Json& value, const Meet& meet) {
  if (value.is_string()) value = with_names(value.get_ref<const std::string&>(), meet);
  if (!value.is_structured()) return;
  for (auto& below : value) each_text(below, meet);
}

}  // namespace

std::string fill_slot(const std::string& json, const SlotValues& values) {
  auto filled = parse_json(json);
  if (!filled) return json;
  each_text(*filled, [&](const std::string& name) { return value_of(name, values); });
  return dump_json(*filled);
}

std::optional<std::string> check_slot_template(const std::string& json) {
  auto value = parse_json(json);
  if (!value || !value->is_object()) return "must be options as \"key: value\", as the workflow reads them";
  std::optional<std::string> wrong;
  each_text(*value, [&](const std::string& name) {
    bool known = std::ranges::find(kPlaceholders, name) != kPlaceholders.end();
    if (!known && !wrong)
      wrong = fmt::format("{{{{{:.40}}}}} is none of {{{{{}}}}}{}", name, fmt::join(kPlaceholders, "}}, {{"),
                          did_you_mean(name, kPlaceholders));
    return name;
  });
  return wrong;
}

}  // namespace troupe::config
