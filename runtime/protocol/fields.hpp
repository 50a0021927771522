// How lists, optionals, enumerations and message parts are laid out: what the records of values.hpp are made
// of.
#pragma once

#include "runtime/protocol/pack.hpp"

#include <troupe/request.hpp>

#include <limits>
#include <optional>
#include <vector>

namespace troupe::protocol {

/// [tag, fields...]; the tag says which alternative of Part it is.
void write_part(Writer& writer, const Part& part);
void read_part(Reader& reader, Part& part);

/// An array, element by element through `one`.
template <class T, class Fn>
void write_list(Writer& writer, const std::vector<T>& list, Fn one) {
  writer.array(list.size());
  for (const auto& item : list) one(writer, item);
}
template <class T, class Fn>
void read_list(Reader& reader, std::vector<T>& list, Fn one) {
  list.clear();
  // Grown as elements prove to be there, never by the number claimed: sizeof(T) is far more than one byte.
  for (auto left = reader.array(); reader.ok() && left > 0; --left) {
    one(reader, list.emplace_back());
  }
}

/// nil when absent.
template <class T, class Fn>
void write_optional(Writer& writer, const std::optional<T>& value, Fn one) {
  value ? one(writer, *value) : writer.nil();
}
template <class T, class Fn>
void read_optional(Reader& reader, std::optional<T>& value, Fn one) {
  value.reset();
  if (!reader.nil()) one(reader, value.emplace());
}

/// Fails above `last`, the enumeration's highest member.
template <class E>
E read_enum(Reader& reader, E last) {
  auto value = reader.unsigned_integer();
  if (value > static_cast<std::uint64_t>(last)) {
    reader.fail();
    return E{};
  }
  return static_cast<E>(value);
}

/// Fails when the number does not fit.
inline void read_number(Reader& reader, int& value) {
  auto wide = reader.integer();
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) reader.fail();
  value = reader.ok() ? static_cast<int>(wide) : 0;
}

}  // namespace troupe::protocol
