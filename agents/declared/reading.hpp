// Reading one mapping after the other of a document, and collecting everything that is wrong with it.
#pragma once

#include "agents/declared/declared.hpp"

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::declared {

/// One document being read. Used on one thread, for one reading.
class Reading {
 public:
  Reading(const SourceLines& lines, std::string file) : lines_(lines), file_(std::move(file)) {}
  void problem(const std::string& path, std::string what);
  bool sound() const { return problems_.empty(); }
  /// All problems by line; only when there are some.
  Error error() const;

 private:
  const SourceLines& lines_;
  std::string file_;
  std::vector<std::pair<int, std::string>> problems_;
};

/// A path in a template or condition, and the option it stands in.
struct Use {
  std::string option;
  std::vector<PathPart> path;
};

/// The members of one mapping. Every getter says what it knows; `finish` names the rest. A member of the
/// wrong kind is a problem and gives what `otherwise` says.
class Members {
 public:
  /// `what` in words, for a value that is no mapping.
  Members(const Json& mapping, std::string path, Reading& reading, const char* what = "options");

  std::string path_of(const std::string& key) const {
    return path_.empty() || key.empty() ? path_ + key : path_ + "." + key;
  }
  bool has(const std::string& key) const { return troupe::find(mapping_, key) != nullptr; }
  /// Null when it is not there.
  const Json* take(const std::string& key);
  std::string text(const std::string& key, std::string otherwise = {});
  /// A text that must be there and not be empty.
  std::string needed_text(const std::string& key, const char* example);
  /// Text, or a number as it is written.
  std::string word(const std::string& key);
  bool flag(const std::string& key, bool otherwise);
  std::int64_t count(const std::string& key, std::int64_t otherwise, std::int64_t least, std::int64_t most);
  double number(const std::string& key, double otherwise, double least, double most);
  Duration duration(const std::string& key, Duration otherwise);
  std::vector<std::string> texts(const std::string& key);
  /// The place in `words` of the member's text.
  std::size_t choice(const std::string& key, const std::vector<std::string>& words, std::size_t otherwise);

  Template text_template(const std::string& key, std::vector<Use>& uses);
  ValueTemplate value_template(const std::string& key, std::vector<Use>& uses);
  /// "EXPRESSION" or "{{ EXPRESSION }}"; null when it is not there.
  ExpressionPtr expression(const std::string& key, std::vector<Use>& uses);

  void finish();
  void problem(const std::string& key, std::string what) { reading_.problem(path_of(key), std::move(what)); }
  Reading& reading() { return reading_; }

 private:
  const Json& mapping_;
  std::string path_;
  Reading& reading_;
  std::vector<std::string> known_;
};

/// "; did you mean "x"?", or empty.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

/// Nothing when it is no length of time. As configurations write it: 250ms, 90s, 2h, 3d.
std::optional<Duration> length_of_time(const Json& value);

/// Caps, as include/troupe/budget.hpp has them.
Budget read_budget(Members& parent, const std::string& key);

/// The steps and the output; `inputs` are those declared. Finds unknown references and circles.
void read_steps(Members& root, const Json* defaults, Declared& declared);

}  // namespace troupe::declared
