// Reads a JSON array of objects one object at a time, keeping only the fields asked for.
#pragma once

#include <troupe/error.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::slack {

/// The wanted fields of one object. A path is the keys joined by dots; arrays on the way are looked through,
/// so "attachments.text" may have several values. Numbers and booleans are given as text.
struct Record {
  std::vector<std::pair<std::string_view, std::string>> values;
  /// The first value of `path`, or empty.
  std::string_view get(std::string_view path) const;
  bool has(std::string_view path) const;
  std::vector<std::string_view> all(std::string_view path) const;
};

using RecordVisitor = std::function<void(const Record&)>;

/// Calls `visit` for every object of the array, in order, and returns how many elements were no objects. No
/// tree is built: memory is one record, and a hostile file (a million keys, deep nesting) costs no more than
/// its length. Fails with invalid_input, saying whether the text is cut short, not UTF-8, not an array or not
/// JSON; the records visited until then are to be thrown away. `wanted` must outlive the call and the
/// records. Any thread.
Result<std::size_t> read_records(std::string_view text, std::span<const std::string_view> wanted,
                                 const RecordVisitor& visit);

}  // namespace troupe::slack
