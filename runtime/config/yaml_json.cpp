#include "runtime/config/yaml_json.hpp"

#include "runtime/config/words.hpp"
#include "runtime/config/yaml_value.hpp"

#include <fmt/format.h>

#include <charconv>

namespace troupe::config {
namespace {

constexpr std::size_t kYamlBytesMax = 1u << 20;
constexpr std::size_t kYamlValuesMax = 50'000;
constexpr int kYamlDepthMax = 64;

// Nothing is thrown: the first thing wrong ends the walk.
class YamlWalk {
 public:
  explicit YamlWalk(SourceLines& lines) : lines_(lines) {}
  const std::optional<YamlFault>& fault() const { return fault_; }

  Json value(const YAML::Node& node, const std::string& path, int depth) {
    if (++values_ > kYamlValuesMax) return wrong(node, fmt::format("more than {} values", kYamlValuesMax));
    if (node.IsScalar()) return scalar(node);
    if (depth >= kYamlDepthMax)
      return wrong(node, fmt::format("nested deeper than {} levels", kYamlDepthMax));
    if (node.IsSequence()) return list(node, path, depth);
    if (node.IsMap()) return mapping(node, path, depth);
    return nullptr;
  }

 private:
  Json wrong(const YAML::Node& node, std::string what) {
    if (!fault_) fault_ = YamlFault{node.Mark().line + 1, std::move(what)};
    return nullptr;
  }

  static Json scalar(const YAML::Node& node) {
    const auto& text = node.Scalar();
    // yaml-cpp's mark of a plain scalar; "!" is a quoted one.
    if (node.Tag() != "?") return text;
    if (text.empty() || text == "null" || text == "~") return nullptr;
    if (text == "true" || text == "false") return text == "true";
    auto digits = std::string_view(text).substr(text[0] == '-' ? 1 : 0);
    bool padded = digits.size() > 1 && digits[0] == '0' && digits[1] != '.';
    if (digits.empty() || digits[0] < '0' || digits[0] > '9' || padded) return text;
    std::int64_t whole = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return whole;
    if (auto number = read_number(text)) return *number;
    return text;
  }

  Json list(const YAML::Node& node, const std::string& path, int depth) {
    auto out = Json::array();
    for (std::size_t i = 0; i < node.size() && !fault_; ++i) {
      auto below = fmt::format("{}[{}]", path, i);
      lines_[below] = node[i].Mark().line + 1;
      out.push_back(value(node[i], below, depth + 1));
    }
    return out;
  }

  Json mapping(const YAML::Node& node, const std::string& path, int depth) {
    auto out = Json::object();
    for (const auto& entry : node) {
      if (fault_) break;
      if (!entry.first.IsScalar()) return wrong(entry.first, "a key is no single word; write \"key: value\"");
      const auto& key = entry.first.Scalar();
      auto below = path.empty() ? key : path + "." + key;
      if (out.contains(key))
        return wrong(entry.first, fmt::format("{:.200}: is there twice; remove one", below));
      lines_[below] = entry.first.Mark().line + 1;
      out[key] = value(entry.second, below, depth + 1);
    }
    return out;
  }

  SourceLines& lines_;
  std::size_t values_ = 0;
  std::optional<YamlFault> fault_;
};

Result<YamlDocument> walked(const std::vector<YAML::Node>& documents, const std::string& name) {
  if (documents.size() > 1) {
    auto line = documents[1].Mark().line + 1;
    return fail(Errc::bad_config, fmt::format("{}:{}: a second document; write one a file", name, line));
  }
  YamlDocument out;
  if (documents.empty()) return out;
  YamlWalk walk(out.lines);
  out.value = walk.value(documents[0], "", 0);
  if (!walk.fault()) return out;
  return fail(Errc::bad_config, fmt::format("{}:{}: {}", name, walk.fault()->line, walk.fault()->what));
}

}  // namespace

std::expected<Json, YamlFault> json_of_node(const YAML::Node& node) {
  SourceLines lines;
  YamlWalk walk(lines);
  auto value = walk.value(node, "", 0);
  if (walk.fault()) return std::unexpected(*walk.fault());
  return value;
}

Result<YamlDocument> read_yaml_json(std::string_view text, const std::string& name) {
  if (text.size() > kYamlBytesMax)
    return fail(Errc::bad_config, fmt::format("{}:1: larger than {} bytes", name, kYamlBytesMax));
  if (!is_utf8(text)) return fail(Errc::bad_config, fmt::format("{}:1: not UTF-8", name));
  try {
    return walked(YAML::LoadAll(std::string(text)), name);
  } catch (const YAML::Exception& error) {
    auto line = std::max(0, error.mark.line) + 1;
    return fail(Errc::bad_config, fmt::format("{}:{}: not YAML: {}", name, line, error.msg));
  } catch (const std::exception&) {
    return fail(Errc::bad_config, fmt::format("{}:1: not YAML", name));
  }
}

int line_of(const SourceLines& lines, std::string path) {
  while (!path.empty()) {
    if (auto it = lines.find(path); it != lines.end()) return it->second;
    auto cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
  return 1;
}

std::string located(const SourceLines& lines, const std::string& name, const std::string& path,
                    const std::string& what) {
  return fmt::format("{}:{}: {}{}{}", name, line_of(lines, path), path, path.empty() ? "" : ": ", what);
}

}  // namespace troupe::config
