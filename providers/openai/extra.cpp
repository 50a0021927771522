#include "providers/openai/extra.hpp"

#include <algorithm>
#include <utility>

namespace troupe::providers::openai {
namespace {

bool says_nothing(const Json& value) {
  return value.is_null() || ((value.is_structured() || value.is_string()) && value.empty()) ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

bool is_no_count(const Json& value) {
  return says_nothing(value) || (value.is_number() && value.get<double>() == 0);
}

// The members of `object` beyond `known` whose values say something as counts.
Json unknown_counts(const Json& object, ExtraMembers::Names known) {
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

void ExtraMembers::keep(const Json& object, Names known) {
  if (!object.is_object()) return;
  for (const auto& [name, value] : object.items())
    if (std::ranges::find(known, name) == known.end()) keep_one(name, value);
}

void ExtraMembers::keep_one(std::string_view name, const Json& value) {
  if (says_nothing(value)) return;
  auto there = members_.find(std::string(name));
  if (there != members_.end() && *there == value) return;
  auto bytes = name.size() + dump_json(value).size();
  auto before = there != members_.end() ? name.size() + dump_json(*there).size() : 0;
  if (bytes_ - before + bytes > kExtraBytesMax) return;
  bytes_ = bytes_ - before + bytes;
  members_[std::string(name)] = value;
}

void ExtraMembers::keep_usage(const Json& usage, Names known, Names details, Names known_details) {
  auto rest = unknown_counts(usage, known);
  for (auto name : details) {
    const auto* counts = find(usage, name);
    auto more = counts != nullptr ? unknown_counts(*counts, known_details) : Json::object();
    rest.erase(std::string(name));
    if (!more.empty()) rest[std::string(name)] = std::move(more);
  }
  keep_one("usage", rest);
}

JsonText ExtraMembers::text() const { return {members_.empty() ? std::string() : dump_json(members_)}; }

void put_extra(const JsonText& extra, Json& body) {
  if (extra.text.empty()) return;
  auto members = parse_json(extra.text);
  if (!members || !members->is_object()) return;
  members->erase("error");
  join_missing(*members, body);
}

}  // namespace troupe::providers::openai
