// Reads the settings of an input document, whose numbers may be text, as `--set` gives them.
#pragma once

#include "runtime/json/json.hpp"

#include <troupe/error.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::research {

struct WholeBounds {
  std::int64_t min, max;
};

/// Keeps the first that is wrong. `json` outlives it. What is absent leaves its default.
class Settings {
 public:
  explicit Settings(const Json& json) : json_(json) {}

  template <class T>
  void number(const char* key, T& into, WholeBounds bounds) {
    if (auto given = whole(key, bounds)) into = static_cast<T>(*given);
  }
  void seconds(const char* key, Duration& into, WholeBounds bounds);
  /// True when it has the first of the two words.
  void either(const char* key, bool& into, const char* yes, const char* no);
  void text(const char* key, std::string& into) { into = get_string(json_, key, into); }
  void wrong(const char* key, const std::string& right);
  /// invalid_input naming the key and what would be right.
  const std::optional<Error>& problem() const { return problem_; }

 private:
  std::optional<std::int64_t> whole(const char* key, WholeBounds bounds);

  const Json& json_;
  std::optional<Error> problem_;
};

}  // namespace troupe::research
