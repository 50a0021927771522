// Printing what summary.json says.
#include "agents/summary/printed.hpp"

#include <fmt/format.h>

#include <map>

namespace troupe::summary {
namespace {

// "2019-03-05T14:02:07.000Z" as "2019-03-05 14:02".
std::string minute_of(const std::string& at) {
  return at.size() < 16 ? std::string() : at.substr(0, 10) + " " + at.substr(11, 5);
}

std::string source_line(const Json& line) {
  auto who = get_string(line, "who", "somebody");
  auto when = minute_of(get_string(line, "at"));
  return fmt::format("{}{}{}: {}", who, when.empty() ? "" : ", ", when, get_string(line, "text"));
}

}  // namespace

std::string printed_sources(const Json& summary) {
  std::map<std::string, const Json*> lines;
  if (const auto* cited = find(summary, "cited"); cited != nullptr && cited->is_array())
    for (const auto& line : *cited) lines[get_string(line, "id")] = &line;
  const auto* marks = find(summary, "marks");
  std::string out;
  if (marks == nullptr || !marks->is_array()) return out;
  for (const auto& mark : *marks) {
    const auto* sources = find(mark, "sources");
    if (sources == nullptr || !sources->is_array()) continue;
    for (const auto& id : *sources) {
      auto found = id.is_string() ? lines.find(id.get<std::string>()) : lines.end();
      if (found != lines.end())
        out += fmt::format("[{}] {}\n", get_int(mark, "mark"), source_line(*found->second));
    }
  }
  return out;
}

std::string printed_notes(const Json& summary) {
  std::string out;
  if (auto dropped = get_int(summary, "dropped_points"); dropped > 0)
    out += fmt::format("statements withdrawn because no source shows them: {}\n", dropped);
  if (auto doubtful = get_int(summary, "doubtful"); doubtful > 0)
    out += fmt::format("statements that name somebody whom their sources do not: {}\n", doubtful);
  if (const auto* problems = find(summary, "problems"); problems != nullptr && problems->is_array())
    for (const auto& problem : *problems)
      out += fmt::format("{}: {}\n", get_string(problem, "file"), get_string(problem, "reason"));
  if (auto note = get_string(summary, "model_note"); !note.empty()) out += note + "\n";
  return out;
}

void SummaryPrinter::finish(const Json& summary) {
  auto text = get_string(summary, "text");
  if (!live_.shown() || live_.withdrawn() > 0) {
    out_(live_.shown() ? "\nWhat stands of it:\n" : live_.heading());
    out_(text.empty() ? "Nothing with a source was found.\n" : text + "\n");
  }
  if (auto sources = printed_sources(summary); !sources.empty()) out_("\n" + sources);
  if (auto notes = printed_notes(summary); !notes.empty()) notes_(notes);
}

}  // namespace troupe::summary
