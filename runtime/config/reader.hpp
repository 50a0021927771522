// Reading YAML into described structs, collecting every problem with its line. The one home of yaml-cpp.
#pragma once

#include "runtime/config/fields.hpp"
#include "runtime/config/words.hpp"

#include <yaml-cpp/yaml.h>

#include <concepts>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace troupe::config {

/// What a whole read shares.
struct ReadContext {
  /// Where relative `file:` references start.
  std::string directory;
  struct At {
    int line = 0;
    Problem problem;
  };
  std::vector<At> problems;
  /// Option path -> line, for problems found after reading.
  std::map<std::string, int> lines;
};

/// Reads the members of one mapping. Made for a node, shown each field, then asked to `finish`.
class MappingReader {
 public:
  MappingReader(const YAML::Node& node, std::string path, ReadContext& context);

  template <class T>
  void operator()(const char* key, T& value) {
    known_.emplace_back(key);
    if (auto node = member(key)) read(node, path_to(key), value);
  }
  template <class T>
  void list(const char* key, std::vector<T>& values, const T& prototype) {
    known_.emplace_back(key);
    if (auto node = member(key)) read_list(node, path_to(key), values, prototype);
  }
  /// Unknown and double keys become problems.
  void finish();

 private:
  YAML::Node member(const std::string& key);
  std::string path_to(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  void problem(const YAML::Node& node, const std::string& path, std::string what);
  /// The scalar's text; a problem and nothing for anything else.
  const std::string* scalar(const YAML::Node& node, const std::string& path, const char* wanted);

  void read(const YAML::Node& node, const std::string& path, std::string& value);
  void read(const YAML::Node& node, const std::string& path, bool& value);
  void read(const YAML::Node& node, const std::string& path, double& value);
  void read(const YAML::Node& node, const std::string& path, Duration& value);
  void read(const YAML::Node& node, const std::string& path, SecretRef& value);
  void read(const YAML::Node& node, const std::string& path, JsonValue& value);
  /// 0 when it is not a count up to `max`; a problem then.
  std::uint64_t read_integer(const YAML::Node& node, const std::string& path, std::uint64_t max,
                             std::uint64_t before);

  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) void read(const YAML::Node& node, const std::string& path, T& value) {
    value = static_cast<T>(read_integer(node, path, std::numeric_limits<T>::max(), value));
  }
  template <class T>
  requires std::is_enum_v<T>
  void read(const YAML::Node& node, const std::string& path, T& value) {
    const auto* text = scalar(node, path, "a word");
    if (text == nullptr) return;
    if (auto word = read_word<T>(*text)) {
      value = *word;
    } else {
      unknown_word(node, path, *text, all_words<T>());
    }
  }
  void unknown_word(const YAML::Node& node, const std::string& path, const std::string& text,
                    const std::vector<std::string>& words);

  template <class T>
  void read(const YAML::Node& node, const std::string& path, std::vector<T>& values) {
    read_list(node, path, values, T{});
  }
  template <class T>
  void read_list(const YAML::Node& node, const std::string& path, std::vector<T>& values,
                 const T& prototype) {
    if (node.IsNull()) return values.clear();
    if (!node.IsSequence())
      return problem(node, path, "expected a list; write one entry a line, each after \"- \"");
    values.clear();
    for (std::size_t i = 0; i < node.size(); ++i) {
      values.push_back(prototype);
      read_entry(node[i], path + "[" + std::to_string(i) + "]", values.back());
    }
  }
  template <class T>
  void read_entry(const YAML::Node& node, const std::string& path, T& value) {
    context_.lines[path] = node.Mark().line + 1;
    read(node, path, value);
  }
  template <class T>
  void read(const YAML::Node& node, const std::string& path, std::map<std::string, T>& values) {
    if (node.IsNull()) return;
    if (!node.IsMap()) return problem(node, path, "expected names, each with its own options below it");
    for (const auto& entry : node) {
      auto name = entry.first.IsScalar() ? entry.first.Scalar() : std::string("?");
      auto below = path + "." + name;
      if (values.contains(name)) {
        problem(entry.first, below, "is there twice; remove one");
        continue;
      }
      read_entry(entry.second, below, values[name]);
      context_.lines[below] = entry.first.Mark().line + 1;
    }
  }
  template <class T>
  requires std::is_class_v<T>
  void read(const YAML::Node& node, const std::string& path, T& value) {
    if (node.IsNull()) return;
    if (!node.IsMap()) return problem(node, path, "expected options as \"key: value\", one a line");
    MappingReader below(node, path, context_);
    fields(below, value);
    below.finish();
  }

  const YAML::Node& node_;
  std::string path_;
  ReadContext& context_;
  std::vector<std::string> known_;
};

}  // namespace troupe::config
