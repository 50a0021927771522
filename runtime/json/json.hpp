// JSON values for everything off the hot path. The one home of nlohmann-json; errors become Results here.
#pragma once

#include <troupe/error.hpp>

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// The members of an object in the order they came, with room for as many as most objects have: a vector that
/// grows from one copies its keys again and again, since they are const (a third of what reading a small
/// object cost).
template <class Key, class Value, class Less = std::less<Key>,
          class Allocator = std::allocator<std::pair<const Key, Value>>>
struct OrderedMembers : nlohmann::ordered_map<Key, Value, Less, Allocator> {
  using Base = nlohmann::ordered_map<Key, Value, Less, Allocator>;
  using Base::Base;
  OrderedMembers() { this->reserve(usual); }
  static constexpr std::size_t usual = 6;
};

/// Keeps key order, so that what we write is stable and readable.
using Json = nlohmann::basic_json<OrderedMembers>;

/// Fails with invalid_input naming the byte offset; accepts only valid UTF-8 and nesting up to 512 levels.
Result<Json> parse_json(std::string_view text);

/// Compact text. Invalid UTF-8 inside strings is replaced by U+FFFD instead of failing.
std::string dump_json(const Json& value, int indent = -1);

// Lenient getters: the value at `key` when it is there and of the right type, else `otherwise`.
std::string get_string(const Json& object, std::string_view key, std::string otherwise = {});
std::int64_t get_int(const Json& object, std::string_view key, std::int64_t otherwise = 0);
double get_double(const Json& object, std::string_view key, double otherwise = 0);
bool get_bool(const Json& object, std::string_view key, bool otherwise = false);
/// The member `key`, or nullptr when `object` is no object or has no such member.
const Json* find(const Json& object, std::string_view key);

/// Is this valid UTF-8 (no overlong forms, no surrogates)?
bool is_utf8(std::string_view text);
/// Each invalid byte replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace troupe
