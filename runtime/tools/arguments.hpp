// Reads the arguments of a tool call, and makes the answers that every tool gives alike.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/tool.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::tools {

/// The members of a call's input. What is missing or of another type is remembered: the first complaint is
/// the answer. Unknown members are refused too, so that a misspelt one is not silently ignored.
class Arguments {
 public:
  static constexpr std::size_t bytes_max = 256 * 1024;
  explicit Arguments(const JsonText& input);

  std::string text(std::string_view name);
  /// Empty when it is not there.
  std::string text_or_none(std::string_view name);
  /// Between `least` and `most`; what is outside is moved to the nearer end.
  std::int64_t integer_or(std::string_view name, std::int64_t otherwise, std::int64_t least,
                          std::int64_t most);
  /// invalid_input in words a model can act on. Call it after the last member was read.
  Result<void> check() const;

 private:
  static Result<Json> read(const JsonText& input);
  const Json* member(std::string_view name);
  void complain(std::string what);
  Json object_;
  std::size_t known_ = 0;
  std::optional<Error> complaint_;
};

/// The tool did not do it, and this is why (M13).
inline ToolOutput tool_error(std::string why) { return {.text = std::move(why), .is_error = true}; }

}  // namespace troupe::tools
