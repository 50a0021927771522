// What an answer says beyond the members we know: collected by wire key, and written back.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace troupe::providers::openai {

/// The members of one answer that have no place in a Completion. Null and empty values say nothing and are
/// not kept; of two members with one name the later wins. One per answer; not thread-safe.
class ExtraMembers {
 public:
  using Names = std::span<const std::string_view>;
  /// Keeps the members of `object` that are not among `known`. Members that would push the sum beyond
  /// kExtraBytesMax are dropped: a hostile stream must not grow us without bound.
  void keep(const Json& object, Names known);
  /// Keeps one member.
  void keep_one(std::string_view name, const Json& value);
  /// Keeps the members of `usage` beyond `known` under "usage", those of the objects named in `details`
  /// likewise beyond `known_details`. Zero counts say nothing.
  void keep_usage(const Json& usage, Names known, Names details, Names known_details);
  bool empty() const { return members_.empty(); }
  /// A JSON object; an empty text when there are no members.
  JsonText text() const;

  static constexpr std::size_t kExtraBytesMax = 256 * 1024;

 private:
  Json members_ = Json::object();
  std::size_t bytes_ = 0;
};

/// Writes `extra` (an ExtraMembers text) into `body`. What the body says already stays; objects are joined;
/// "error" is never written, for it would turn an answer into a failure.
void put_extra(const JsonText& extra, Json& body);

}  // namespace troupe::providers::openai
