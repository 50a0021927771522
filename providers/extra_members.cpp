#include "providers/extra_members.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace troupe::providers {
namespace {

bool is_blank_member(const Json& value) {
  return value.is_null() || (value.is_structured() && value.empty()) ||
         (value.is_string() && value.get_ref<const std::string&>().empty());
}

Json beyond_known(const Json& object, UnknownMembers::Names known) {
  Json out = Json::object();
  if (!object.is_object()) return out;
  for (const auto& [name, value] : object.items())
    if (std::ranges::find(known, name) == known.end() && !is_blank_member(value)) out[name] = value;
  return out;
}

}  // namespace

void UnknownMembers::keep(const Json& object, Names known) {
  const auto rest = beyond_known(object, known);
  for (const auto& [name, value] : rest.items()) keep_one(name, value);
}

void UnknownMembers::keep_within(const Json& object, std::string_view name, Names known) {
  const auto* inner = find(object, name);
  if (inner == nullptr) return;
  auto rest = beyond_known(*inner, known);
  if (!rest.empty()) keep_one(std::string(name), rest);
}

void UnknownMembers::keep_one(const std::string& name, const Json& value) {
  auto there = members_.find(name);
  auto before = there != members_.end() ? name.size() + dump_json(*there).size() : 0;
  auto bytes = bytes_ - before + name.size() + dump_json(value).size();
  if (bytes > kBytesMax) return;
  bytes_ = bytes;
  members_[name] = value;
}

JsonText UnknownMembers::text() const { return {members_.empty() ? std::string() : dump_json(members_)}; }

void write_unknown_members(const JsonText& extra, Json& body) {
  if (extra.text.empty()) return;
  auto members = parse_json(extra.text);
  if (!members || !members->is_object()) return;
  members->erase("error");
  for (const auto& [name, value] : members->items()) {
    auto there = body.find(name);
    if (there == body.end()) {
      body[name] = value;
    } else if (there->is_object() && value.is_object()) {
      for (const auto& [key, inner] : value.items())
        if (!there->contains(key)) (*there)[key] = inner;
    }
  }
}

}  // namespace troupe::providers
