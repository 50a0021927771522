// The members of an answer that have no place of their own: kept by wire key, and written back.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/request.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace troupe::providers {

/// Collects the unknown members of one answer. Of two with one name the later wins. Null, empty text and
/// empty structures say nothing and are not kept. One per answer; not thread-safe.
class UnknownMembers {
 public:
  using Names = std::span<const std::string_view>;
  /// Keeps the members of `object` that are not among `known`; nothing when it is no object. What would push
  /// the sum beyond kBytesMax is dropped: a hostile stream must not grow us without bound.
  void keep(const Json& object, Names known);
  /// The same for the object at `object[name]`, under that name.
  void keep_within(const Json& object, std::string_view name, Names known);
  /// A JSON object; an empty text when there are no members.
  JsonText text() const;

  static constexpr std::size_t kBytesMax = 256 * 1024;

 private:
  void keep_one(const std::string& name, const Json& value);

  Json members_ = Json::object();
  std::size_t bytes_ = 0;
};

/// Writes `extra` (a text of UnknownMembers) into `body`: what the body says already stays, objects are
/// joined one level deep. "error" is never written, for it would turn an answer into a failure.
void write_unknown_members(const JsonText& extra, Json& body);

}  // namespace troupe::providers
