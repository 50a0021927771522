#include "providers/openai/extra.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::providers::openai {
namespace {

bool is_no_count(const Json& value) {
  bool blank = value.is_null() || (value.is_structured() && value.empty()) ||
               (value.is_string() && value.get_ref<const std::string&>().empty());
  return blank || (value.is_number() && value.get<double>() == 0);
}

// The members of `object` beyond `known` whose values say something as counts.
Json unknown_counts(const Json& object, UnknownMembers::Names known) {
  Json out = Json::object();
  if (!object.is_object()) return out;
  for (const auto& [name, value] : object.items())
    if (std::ranges::find(known, name) == known.end() && !is_no_count(value)) out[name] = value;
  return out;
}

void join_missing(const Json& from, Json& into) {
  for (const auto& [name, value] : from.items()) {
    auto there = into.find(name);
    if (there == into.end() || is_no_count(*there))
      into[name] = value;
    else if (there->is_object() && value.is_object())
      join_missing(value, *there);
  }
}

}  // namespace

void keep_usage_extra(const Json& usage, const UsageNames& known, UnknownMembers& extra) {
  auto rest = unknown_counts(usage, known.counts);
  for (auto name : known.details) {
    const auto* counts = find(usage, name);
    auto more = counts != nullptr ? unknown_counts(*counts, known.detail_counts) : Json::object();
    rest.erase(std::string(name));
    if (!more.empty()) rest[std::string(name)] = std::move(more);
  }
  extra.keep({{"usage", std::move(rest)}}, {});
}

void put_extra(const JsonText& extra, Json& body) {
  if (extra.text.empty()) return;
  auto members = parse_json(extra.text);
  if (!members || !members->is_object()) return;
  members->erase("error");
  join_missing(*members, body);
}

}  // namespace troupe::providers::openai
