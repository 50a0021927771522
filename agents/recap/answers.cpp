// Reading the JSON a model gave us, forgiving its wrapping but not its shape.
#include "agents/recap/answers.hpp"

#include "agents/recap/prompts.hpp"
#include "runtime/base/characters.hpp"
#include "runtime/json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::recap {
namespace {

// Models wrap JSON in a fence or an introduction however often they are told not to.
std::string_view outermost_object(std::string_view answer) {
  auto first = answer.find('{');
  auto last = answer.rfind('}');
  if (first == std::string_view::npos || last == std::string_view::npos || last < first) return {};
  return answer.substr(first, last - first + 1);
}

std::string known_kind(const std::string& kind) {
  constexpr std::array<std::string_view, 3> others = {"decision", "question", "action"};
  return std::ranges::find(others, kind) == others.end() ? "topic" : kind;
}

// "[1551757500.444300]" and " p17 " mean what they hold.
std::string bare_id(std::string_view id) {
  auto inside = [](char c) { return c != '[' && c != ']' && c != ' ' && c != '#'; };
  std::string out;
  std::ranges::copy_if(id.substr(0, 64), std::back_inserter(out), inside);
  return out;
}

std::vector<std::string> claimed_sources(const Json& entry, std::size_t sources_max) {
  std::vector<std::string> out;
  const auto* list = find(entry, "sources");
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& source : *list) {
    if (out.size() == sources_max) break;
    if (source.is_string()) out.push_back(bare_id(source.get<std::string>()));
  }
  return out;
}

const Json* claim_list(const Json& answer) {
  for (const char* name : {"points", "digest"}) {
    const auto* list = find(answer, name);
    if (list != nullptr && list->is_array()) return list;
  }
  return nullptr;
}

}  // namespace

std::string bounded_text(std::string_view text, std::size_t bytes_max) {
  auto line = neutral_line(to_valid_utf8(text));
  if (line.size() <= bytes_max) return line;
  cut_to(line, bytes_max < 3 ? 0 : bytes_max - 3);
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "…";
}

Result<Claims> read_claims(std::string_view answer, const AnswerLimits& limits) {
  if (answer.size() > limits.answer_bytes_max)
    return fail(Errc::invalid_input,
                fmt::format("the answer is longer than {} bytes", limits.answer_bytes_max));
  auto object = outermost_object(answer);
  if (object.empty()) return fail(Errc::invalid_input, "the answer holds no JSON object");
  auto json = parse_json(object);
  if (!json) return fail(Errc::invalid_input, "the answer is " + json.error().what);
  const auto* list = claim_list(*json);
  if (list == nullptr) return fail(Errc::invalid_input, "the answer has no list of points");

  Claims claims;
  for (const auto& entry : *list) {
    auto text = bounded_text(get_string(entry, "text"), limits.text_bytes_max);
    if (text.empty() || claims.points.size() == limits.points_max) {
      ++claims.skipped;
      continue;
    }
    claims.points.push_back({.kind = known_kind(get_string(entry, "kind")),
                             .text = std::move(text),
                             .sources = claimed_sources(entry, limits.sources_max)});
  }
  return claims;
}

}  // namespace troupe::recap
