// Scalars, and the keys nobody asked for.
#include "runtime/config/reader.hpp"

#include "runtime/config/secret.hpp"
#include "runtime/config/yaml_value.hpp"

#include <fmt/format.h>

namespace troupe::config {

MappingReader::MappingReader(const YAML::Node& node, std::string path, ReadContext& context)
    : node_(node), path_(std::move(path)), context_(context) {}

void MappingReader::problem(const YAML::Node& node, const std::string& path, std::string what) {
  // A missing value is marked where the next token is; the key's own line is what a reader looks for.
  auto key_line = context_.lines.find(path);
  bool by_key = node.IsNull() && key_line != context_.lines.end();
  context_.problems.push_back({by_key ? key_line->second : node.Mark().line + 1, {path, std::move(what)}});
}

// By hand rather than node[key]: a key that is there twice must not hide its double.
YAML::Node MappingReader::member(const std::string& key) {
  YAML::Node found(YAML::NodeType::Undefined);
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar() || entry.first.Scalar() != key) continue;
    if (found.IsDefined()) {
      problem(entry.first, path_to(key), "is there twice; remove one");
      continue;
    }
    found.reset(entry.second);
    context_.lines[path_to(key)] = entry.first.Mark().line + 1;
  }
  return found;
}

void MappingReader::finish() {
  for (const auto& entry : node_) {
    auto key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
    if (std::ranges::find(known_, key) != known_.end()) continue;
    auto hint = did_you_mean(key, known_);
    if (hint.empty()) {
      hint = known_.empty() ? "; there are no options here yet"
                            : fmt::format("; known here: {}", fmt::join(known_, ", "));
    }
    problem(entry.first, path_to(key.size() > 100 ? key.substr(0, 100) : key), "unknown key" + hint);
  }
}

const std::string* MappingReader::scalar(const YAML::Node& node, const std::string& path,
                                         const char* wanted) {
  if (node.IsScalar()) return &node.Scalar();
  problem(node, path,
          fmt::format("{}; expected {}", node.IsNull() ? "has no value" : "is not a single value", wanted));
  return nullptr;
}

void MappingReader::read(const YAML::Node& node, const std::string& path, std::string& value) {
  if (const auto* text = scalar(node, path, "text")) value = *text;
}

void MappingReader::read(const YAML::Node& node, const std::string& path, bool& value) {
  const auto* text = scalar(node, path, "true or false");
  if (text == nullptr) return;
  if (*text != "true" && *text != "false") return problem(node, path, "expected true or false");
  value = *text == "true";
}

void MappingReader::read(const YAML::Node& node, const std::string& path, double& value) {
  const auto* text = scalar(node, path, "a number");
  if (text == nullptr) return;
  auto number = read_number(*text);
  if (!number)
    return problem(node, path, fmt::format("\"{:.40}\" is no number; write e.g. 0.5 or 20000", *text));
  if (*number < 0) return problem(node, path, "must not be negative");
  value = *number;
}

void MappingReader::read(const YAML::Node& node, const std::string& path, Duration& value) {
  const auto* text = scalar(node, path, "a length of time");
  if (text == nullptr) return;
  auto duration = read_duration(*text);
  if (duration) {
    value = *duration;
    return;
  }
  problem(node, path, fmt::format("\"{:.40}\" is no length of time; write e.g. 250ms, 1.5s, 2m or 0", *text));
}

void MappingReader::read(const YAML::Node& node, const std::string& path, SecretRef& value) {
  const auto* text = scalar(node, path, "${VAR} or file:PATH");
  if (text == nullptr) return;
  auto reference = secret_reference(*text, context_.directory);
  if (reference) {
    value = *reference;
    return;
  }
  // The text is not quoted: it may be the secret.
  problem(node, path,
          "a literal secret is refused; write ${VAR} or file:PATH, and change the secret that stood here");
}

void MappingReader::read(const YAML::Node& node, const std::string& path, JsonValue& value) {
  auto json = json_of_node(node);
  if (json)
    value.text = dump_json(*json);
  else
    context_.problems.push_back({json.error().line, {path, json.error().what}});
}

std::uint64_t MappingReader::read_integer(const YAML::Node& node, const std::string& path, std::uint64_t max,
                                          std::uint64_t before) {
  const auto* text = scalar(node, path, "a whole number");
  if (text == nullptr) return before;
  auto count = read_count(*text);
  if (count && *count <= max) return *count;
  if (count) {
    problem(node, path, fmt::format("{} is too large; at most {}", *text, max));
  } else if (text->starts_with('-') && read_number(*text)) {
    problem(node, path, "must not be negative");
  } else {
    problem(node, path, fmt::format("\"{:.40}\" is no whole number", *text));
  }
  return before;
}

void MappingReader::unknown_word(const YAML::Node& node, const std::string& path, const std::string& text,
                                 const std::vector<std::string>& words) {
  problem(node, path,
          fmt::format("\"{:.40}\" is none of {}{}", text, fmt::join(words, ", "), did_you_mean(text, words)));
}

}  // namespace troupe::config
