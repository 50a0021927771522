// Asking the sources again, and taking out what rests on those that changed.
#include "agents/summary/standing.hpp"

#include "agents/recap/answers.hpp"
#include "agents/summary/read_window.hpp"
#include "agents/summary/result.hpp"
#include "runtime/base/lines.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace troupe::summary {
namespace {

using Ids = std::set<std::string>;

const Json& array_at(const Json& object, const char* key) {
  static const Json none = Json::array();
  const auto* list = find(object, key);
  return list != nullptr && list->is_array() ? *list : none;
}

bool says_the_same(const Json& cited, const Line& line) {
  auto digest = get_string(cited, "digest");
  if (!digest.empty()) return digest == digest_of(line);
  return get_string(cited, "who") == line.who &&
         get_string(cited, "text") == recap::bounded_text(line.text, kQuoteBytesMax);
}

Ids standing_sources(const Json& summary, const Window& now) {
  std::map<std::string_view, const Line*> lines;
  for (const auto& line : now.lines) lines.emplace(line.id, &line);
  Ids out;
  for (const auto& cited : array_at(summary, "cited")) {
    auto id = get_string(cited, "id");
    auto line = lines.find(id);
    if (line != lines.end() && says_the_same(cited, *line->second)) out.insert(std::move(id));
  }
  return out;
}

bool all_in(const Json& item, const Ids& ids) {
  const auto& sources = array_at(item, "sources");
  return !sources.empty() && std::ranges::all_of(sources, [&](const Json& id) {
    return id.is_string() && ids.contains(id.get<std::string>());
  });
}

Json kept_of(const Json& list, const std::vector<bool>& kept) {
  Json out = Json::array();
  for (std::size_t i = 0; i < list.size(); ++i)
    if (kept[i]) out.push_back(list[i]);
  return out;
}

// One line of the text is one point (summary_json).
std::string kept_text(std::string_view text, const Json& points, const std::vector<bool>& kept) {
  std::vector<std::string_view> lines;
  while (!text.empty()) lines.push_back(take_line(text));
  std::string out;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    out += out.empty() ? "" : "\n";
    out += lines.size() == kept.size() ? std::string(lines[i]) : "- " + get_string(points[i], "text");
  }
  return out;
}

Ids sources_of(const Json& points) {
  Ids out;
  for (const auto& point : points)
    for (const auto& id : array_at(point, "sources")) out.insert(id.get<std::string>());
  return out;
}

void keep_sources(Json& summary, const Ids& used) {
  Json marks = Json::array(), cited = Json::array();
  for (const auto& mark : array_at(summary, "marks"))
    if (all_in(mark, used)) marks.push_back(mark);
  for (const auto& line : array_at(summary, "cited"))
    if (used.contains(get_string(line, "id"))) cited.push_back(line);
  summary["marks"] = std::move(marks);
  summary["cited"] = std::move(cited);
}

void tell(Json& summary, std::size_t gone) {
  summary["withdrawn"] = get_int(summary, "withdrawn") + static_cast<std::int64_t>(gone);
  Json problems = array_at(summary, "problems");
  const auto* window = find(summary, "window");
  problems.push_back({{"file", window == nullptr ? "" : get_string(*window, "name")},
                      {"reason", fmt::format("{} statements were taken out: what they rest on was deleted or "
                                             "changed since, or cannot be read any more",
                                             gone)}});
  summary["problems"] = std::move(problems);
}

}  // namespace

std::string digest_of(const Line& line) {
  return fmt::format("{:016x}", stable_hash(line.text, stable_hash(line.who)));
}

Json still_stands(Json summary, const Window& now) {
  const Json points = array_at(summary, "points");
  auto standing = standing_sources(summary, now);
  std::vector<bool> kept;
  for (const auto& point : points) kept.push_back(all_in(point, standing));
  auto gone = static_cast<std::size_t>(std::ranges::count(kept, false));
  if (gone == 0) return summary;
  auto left = kept_of(points, kept);
  summary["text"] = kept_text(get_string(summary, "text"), points, kept);
  summary["found"] = !left.empty();
  summary["doubtful"] = std::ranges::count_if(
      left, [](const Json& point) { return find(point, "doubtful_people") != nullptr; });
  keep_sources(summary, sources_of(left));
  summary["points"] = std::move(left);
  tell(summary, gone);
  return summary;
}

Result<JsonText> summary_as_of_now(const JsonText& output, const JsonText& input) {
  auto summary = parse_json(output.text);
  if (!summary || !summary->is_object()) return output;
  auto asked = read_summary_input(input);
  auto now = asked ? read_window(*asked) : Result<Window>(std::unexpected(asked.error()));
  if (!now) return std::unexpected(now.error());
  return JsonText{dump_json(still_stands(std::move(*summary), *now))};
}

JsonText summary_withheld(const JsonText& output) {
  auto summary = parse_json(output.text);
  if (!summary || !summary->is_object()) return output;
  return {dump_json(still_stands(std::move(*summary), Window{}))};
}

}  // namespace troupe::summary
