// Numbers, seconds and pairs of words.
#include "agents/research/settings.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::research {
namespace {

std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  auto text = value.get<std::string>();
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> Settings::whole(const char* key, WholeBounds bounds) {
  const auto* value = find(json_, key);
  if (value == nullptr || value->is_null() || *value == "") return std::nullopt;
  auto given = whole_number(*value);
  if (given && *given >= bounds.min && *given <= bounds.max) return given;
  wrong(key, fmt::format("a whole number from {} to {}", bounds.min, bounds.max));
  return std::nullopt;
}

void Settings::seconds(const char* key, Duration& into, WholeBounds bounds) {
  if (auto count = whole(key, bounds)) into = std::chrono::seconds(*count);
}

void Settings::either(const char* key, bool& into, const char* yes, const char* no) {
  const auto* value = find(json_, key);
  if (value == nullptr || value->is_null()) return;
  if (*value == yes || *value == Json(true)) {
    into = true;
  } else if (*value == no || *value == Json(false)) {
    into = false;
  } else {
    wrong(key, fmt::format("{} or {}", yes, no));
  }
}

void Settings::wrong(const char* key, const std::string& right) {
  if (!problem_) problem_ = make_error(Errc::invalid_input, fmt::format("{}: expected {}", key, right));
}

}  // namespace troupe::research
