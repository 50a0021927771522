#include "agents/declared/reading.hpp"

#include "runtime/config/words.hpp"
#include "runtime/config/yaml_json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::declared {
namespace {

constexpr std::size_t kDeclaredProblemsShown = 20;

const Json& no_members() {
  static const Json none = Json::object();
  return none;
}

void note_uses(const Expression& expression, const std::string& option, std::vector<Use>& uses) {
  each_path(expression, [&](const auto& path) { uses.push_back({option, path}); });
}

std::string_view without_braces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\n')) text.remove_suffix(1);
  if (text.starts_with("{{") && text.ends_with("}}")) return text.substr(2, text.size() - 4);
  return text;
}

}  // namespace

void Reading::problem(const std::string& path, std::string what) {
  auto line = config::line_of(lines_, path);
  problems_.emplace_back(line, config::located(lines_, file_, path.substr(0, 200), what));
}

Error Reading::error() const {
  auto sorted = problems_;
  std::ranges::stable_sort(sorted, {}, &std::pair<int, std::string>::first);
  std::string out;
  for (std::size_t i = 0; i < sorted.size() && i < kDeclaredProblemsShown; ++i)
    out += (i == 0 ? "" : "\n") + sorted[i].second;
  if (sorted.size() > kDeclaredProblemsShown)
    out += fmt::format("\nand {} more", sorted.size() - kDeclaredProblemsShown);
  return make_error(Errc::bad_config, std::move(out));
}

Members::Members(const Json& mapping, std::string path, Reading& reading, const char* what)
    : mapping_(mapping.is_object() ? mapping : no_members()), path_(std::move(path)), reading_(reading) {
  if (!mapping.is_object())
    reading_.problem(path_, fmt::format("expected {} as \"key: value\", one a line", what));
}

const Json* Members::take(const std::string& key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
  return troupe::find(mapping_, key);
}

std::string Members::text(const std::string& key, std::string otherwise) {
  const auto* value = take(key);
  if (value == nullptr) return otherwise;
  if (value->is_string()) return value->get<std::string>();
  problem(key, "expected text; put it in quotes if it looks like something else");
  return otherwise;
}

std::string Members::needed_text(const std::string& key, const char* example) {
  bool given = has(key);
  auto value = text(key, given ? "?" : "");
  if (value.empty()) problem(key, fmt::format("is missing; write e.g. {}: {}", key, example));
  return value;
}

std::string Members::word(const std::string& key) {
  const auto* value = take(key);
  if (value == nullptr) return {};
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number()) return dump_json(*value);
  problem(key, "expected a word or a number");
  return {};
}

bool Members::flag(const std::string& key, bool otherwise) {
  const auto* value = take(key);
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  problem(key, "expected true or false");
  return otherwise;
}

std::int64_t Members::count(const std::string& key, std::int64_t otherwise, std::int64_t least,
                            std::int64_t most) {
  const auto* value = take(key);
  if (value == nullptr) return otherwise;
  bool fits = value->is_number_integer() && *value >= least && *value <= most;
  if (fits) return value->get<std::int64_t>();
  problem(key, fmt::format("expected a whole number from {} to {}", least, most));
  return otherwise;
}

double Members::number(const std::string& key, double otherwise, double least, double most) {
  const auto* value = take(key);
  if (value == nullptr) return otherwise;
  if (value->is_number() && *value >= least && *value <= most) return value->get<double>();
  problem(key, fmt::format("expected a number from {} to {}", least, most));
  return otherwise;
}

Duration Members::duration(const std::string& key, Duration otherwise) {
  const auto* value = take(key);
  if (value == nullptr) return otherwise;
  if (auto length = length_of_time(*value)) return *length;
  problem(key, "expected a length of time such as 90s, 15m, 2h or 3d");
  return otherwise;
}

std::vector<std::string> Members::texts(const std::string& key) {
  const auto* value = take(key);
  std::vector<std::string> out;
  if (value == nullptr) return out;
  if (!value->is_array()) {
    problem(key, "expected a list such as [a, b]");
    return out;
  }
  for (const auto& each : *value) {
    if (each.is_structured() || each.is_null()) {
      problem(fmt::format("{}[{}]", key, out.size()), "expected a word");
      return out;
    }
    out.push_back(to_text(each));
  }
  return out;
}

std::size_t Members::choice(const std::string& key, const std::vector<std::string>& words,
                            std::size_t otherwise) {
  auto wanted = text(key, words[otherwise]);
  auto it = std::ranges::find(words, wanted);
  if (it != words.end()) return static_cast<std::size_t>(it - words.begin());
  problem(key,
          fmt::format("\"{:.40}\" is none of {}{}", wanted, fmt::join(words, ", "), nearest(wanted, words)));
  return otherwise;
}

Template Members::text_template(const std::string& key, std::vector<Use>& uses) {
  auto parsed = Template::parse(text(key));
  if (!parsed) {
    problem(key, parsed.error().what);
    return {};
  }
  parsed->each_expression([&](const Expression& each) { note_uses(each, path_of(key), uses); });
  return std::move(*parsed);
}

ValueTemplate Members::value_template(const std::string& key, std::vector<Use>& uses) {
  const auto* value = take(key);
  if (value == nullptr) return {};
  auto wrong = [&](const std::string& where, const std::string& what) { problem(key + where, what); };
  auto parsed = ValueTemplate::parse(*value, wrong);
  parsed.each_expression([&](const Expression& each) { note_uses(each, path_of(key), uses); });
  return parsed;
}

ExpressionPtr Members::expression(const std::string& key, std::vector<Use>& uses) {
  const auto* value = take(key);
  if (value == nullptr) return nullptr;
  if (!value->is_string() && !value->is_boolean()) {
    problem(key, "expected a condition such as steps.ID == \"yes\"");
    return nullptr;
  }
  auto text = to_text(*value);
  auto parsed = parse_expression(without_braces(text));
  if (!parsed) {
    problem(key, parsed.error().what);
    return nullptr;
  }
  note_uses(**parsed, path_of(key), uses);
  return std::move(*parsed);
}

void Members::finish() {
  for (const auto& [key, value] : mapping_.items()) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    auto hint = nearest(key, known_);
    if (hint.empty()) hint = fmt::format("; known here: {}", fmt::join(known_, ", "));
    problem(key.substr(0, 100), "unknown key" + hint);
  }
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  return config::did_you_mean(word, candidates);
}

std::optional<Duration> length_of_time(const Json& value) {
  if (value == 0) return Duration{};
  return value.is_string() ? config::read_duration(value.get_ref<const std::string&>()) : std::nullopt;
}

Budget read_budget(Members& parent, const std::string& key) {
  Budget out;
  const auto* value = parent.take(key);
  if (value == nullptr) return out;
  constexpr std::int64_t most = 1'000'000'000'000;
  Members members(*value, parent.path_of(key), parent.reading(), "caps");
  out.usd = members.number("usd", 0, 0, 1e9);
  out.tokens = members.count("tokens", 0, 0, most);
  out.calls = members.count("calls", 0, -1, most);
  out.tool_calls = members.count("tool_calls", 0, -1, most);
  out.subagents = members.count("subagents", 0, -1, most);
  out.depth = members.count("depth", 0, -1, 100);
  out.wall = members.duration("wall", {});
  members.finish();
  return out;
}

}  // namespace troupe::declared
