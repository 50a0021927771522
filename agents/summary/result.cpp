// Writing the document, and checking who is said to have said what.
#include "agents/summary/result.hpp"

#include "agents/recap/answers.hpp"
#include "agents/summary/standing.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace troupe::summary {
namespace {

constexpr std::size_t kNameBytesMin = 3;

bool word_byte(char c) {
  auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || std::isalnum(u) || c == '_';
}

bool names_whole(std::string_view text, std::string_view name) {
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    auto end = at + name.size();
    bool begins = at == 0 || !word_byte(text[at - 1]);
    if (begins && (end == text.size() || !word_byte(text[end]))) return true;
  }
  return false;
}

Json ids_of(const Window& window, const std::vector<std::size_t>& lines) {
  Json out = Json::array();
  for (auto line : lines) out.push_back(window.lines[line].id);
  return out;
}

std::string text_of(const SummaryInput& input, const SummaryResult& result) {
  if (!result.found) return "The transcript does not answer this.";
  std::string out;
  for (const auto& point : result.points) {
    if (!out.empty()) out += '\n';
    out += fmt::format("- {} [{}]", point.text, fmt::join(point.marks, ", "));
  }
  if (out.empty() && !input.query.empty()) return "No answer with a source was found.";
  return out;
}

Json points_json(const Window& window, const SummaryResult& result, std::size_t& doubtful) {
  Json out = Json::array();
  for (const auto& point : result.points) {
    Json each;
    each["text"] = point.text;
    if (!point.kind.empty()) each["kind"] = point.kind;
    each["sources"] = ids_of(window, point.lines);
    each["people"] = speakers_of(window, point.lines);
    auto wrong = doubtful_people(point.text, window, point.lines);
    if (!wrong.empty()) each["doubtful_people"] = wrong;
    doubtful += wrong.empty() ? 0 : 1;
    out.push_back(std::move(each));
  }
  return out;
}

Json cited_json(const Window& window, const SummaryResult& result) {
  std::set<std::size_t> cited;
  for (const auto& point : result.points) cited.insert(point.lines.begin(), point.lines.end());
  Json out = Json::array();
  for (auto index : cited) {
    const auto& line = window.lines[index];
    Json each;
    each["id"] = line.id;
    if (!line.who.empty()) each["who"] = line.who;
    if (line.at) each["at"] = to_iso8601(*line.at);
    each["text"] = recap::bounded_text(line.text, kQuoteBytesMax);
    each["digest"] = digest_of(line);
    out.push_back(std::move(each));
  }
  return out;
}

Json marks_json(const Window& window, const SummaryResult& result) {
  Json out = Json::array();
  for (const auto& [mark, lines] : result.marks)
    out.push_back({{"mark", mark}, {"sources", ids_of(window, lines)}});
  return out;
}

Json prepass_json(const SummaryResult& result) {
  return {{"tokens_before", result.tokens_before},
          {"tokens", result.tokens},
          {"lines_kept", result.lines_kept},
          {"coverage", result.coverage}};
}

void name_model(Json& out, const SummaryResult& result) {
  out["model"] = result.model;
  if (result.model.find("not a language model") != std::string::npos)
    out["model_note"] =
        "The text came from the simulator's extractive model. It is not a language model: it picks the most "
        "central lines and quotes them.";
}

Json window_json(const Window& window) {
  std::set<std::string_view> people;
  for (const auto& line : window.lines)
    if (!line.who.empty()) people.insert(line.who);
  Json out;
  out["name"] = window.name;
  out["lines"] = window.lines.size();
  out["people"] = people.size();
  out["first"] = window.lines.empty() ? "" : window.lines.front().id;
  out["last"] = window.lines.empty() ? "" : window.lines.back().id;
  return out;
}

Json problems_json(const Window& window, const SummaryResult& result) {
  Json out = Json::array();
  for (const auto* list : {&window.problems, &result.problems})
    for (const auto& problem : *list) out.push_back({{"file", problem.file}, {"reason", problem.reason}});
  return out;
}

}  // namespace

std::vector<std::string> speakers_of(const Window& window, const std::vector<std::size_t>& lines) {
  std::vector<std::string> out;
  for (auto line : lines) {
    const auto& who = window.lines[line].who;
    if (!who.empty() && std::ranges::find(out, who) == out.end()) out.push_back(who);
  }
  return out;
}

std::vector<std::string> doubtful_people(std::string_view text, const Window& window,
                                         const std::vector<std::size_t>& lines) {
  std::set<std::string> speakers;
  for (const auto& line : window.lines)
    if (line.who.size() >= kNameBytesMin) speakers.insert(line.who);
  std::vector<std::string> out;
  for (const auto& name : speakers) {
    if (!names_whole(text, name)) continue;
    bool supported = std::ranges::any_of(lines, [&](std::size_t line) {
      const auto& source = window.lines[line];
      // "Ann" is named where "Ann Lee" speaks.
      return source.who == name || names_whole(source.who, name) || names_whole(source.text, name);
    });
    if (!supported) out.push_back(name);
  }
  return out;
}

Json summary_json(const Window& window, const SummaryInput& input, const SummaryResult& result) {
  Json out;
  std::size_t doubtful = 0;
  out["text"] = text_of(input, result);
  out["found"] = result.found && !result.points.empty();
  out["points"] = points_json(window, result, doubtful);
  out["marks"] = marks_json(window, result);
  out["cited"] = cited_json(window, result);
  if (!input.query.empty()) out["query"] = input.query;
  out["window"] = window_json(window);
  out["prepass"] = prepass_json(result);
  if (result.look_tokens > 0)
    out["first_look"] = {{"tokens", result.look_tokens}, {"coverage", result.look_coverage}};
  out["conversations"] = result.conversations;
  out["chunks"] = result.chunks;
  out["dropped_points"] = result.dropped_points;
  out["dropped_sources"] = result.dropped_sources;
  out["doubtful"] = doubtful;
  name_model(out, result);
  out["problems"] = problems_json(window, result);
  return out;
}

}  // namespace troupe::summary
