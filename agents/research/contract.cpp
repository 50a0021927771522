// Checking, comparing and cutting tasks.
#include "agents/research/contract.hpp"

#include "agents/research/effort.hpp"
#include "agents/research/words.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace troupe::research {
namespace {

constexpr std::size_t kObjectiveMax = 600;
constexpr std::size_t kPartMax = 1000;
constexpr std::size_t kListMax = 10;
constexpr double kOverlap = 0.6;
constexpr std::array kVagueWords = {"research", "investigate", "information", "info",       "topic",
                                    "thing",    "stuff",       "more",        "find",       "look",
                                    "out",      "detail",      "data",        "everything", "anything",
                                    "question", "answer",      "something",   "general",    "various"};

bool is_vague(const std::string& word) {
  return std::ranges::any_of(kVagueWords, [&](const char* vague) { return word == vague; });
}

std::vector<std::string> texts_of(const Json& json, const char* key) {
  std::vector<std::string> out;
  const auto* list = find(json, key);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& item : *list) {
    if (out.size() == kListMax) break;
    if (item.is_string()) out.push_back(one_line(item.get<std::string>(), kPartMax));
  }
  return out;
}

bool has_beyond(const std::vector<std::string>& mine, const std::vector<std::string>& other) {
  return std::ranges::any_of(mine, [&](const auto& one) { return !std::ranges::binary_search(other, one); });
}

void take_starts(Delegation& into, const Delegation& from) {
  for (const auto& start : from.starts) {
    bool known = std::ranges::find(into.starts, start) != into.starts.end();
    if (!known && into.starts.size() < kListMax) into.starts.push_back(start);
  }
}

Delegation* overlapping(std::vector<Delegation>& tasks, const Delegation& task) {
  auto it = std::ranges::find_if(tasks, [&](const Delegation& other) { return overlaps(other, task); });
  return it == tasks.end() ? nullptr : &*it;
}

void accept_one(Delegation task, std::span<const Delegation> before, Accepted& out) {
  bool done = std::ranges::any_of(before, [&](const Delegation& other) { return overlaps(other, task); });
  if (done) {
    ++out.refused;
    out.notes.push_back("a task was refused: an earlier one had the same objective");
    return;
  }
  if (auto* twin = overlapping(out.tasks, task)) {
    take_starts(*twin, task);
    ++out.merged;
    out.notes.push_back("two tasks with overlapping objectives were merged");
    return;
  }
  out.tasks.push_back(std::move(task));
}

}  // namespace

Json to_json(const Delegation& d) {
  return Json{{"objective", d.objective},
              {"output_format", d.output_format},
              {"tools", d.tools},
              {"sources", d.sources},
              {"avoid", d.avoid},
              {"boundaries", d.boundaries},
              {"background", d.background},
              {"starts", d.starts},
              {"calls_near", d.calls_near},
              {"calls_max", d.calls_max},
              {"deadline_ms", d.deadline_ms},
              {"priority", d.priority}};
}

Delegation delegation_from(const Json& json) {
  Delegation out;
  // A character more than is allowed is kept, so that too long stays too long.
  out.objective = one_line(get_string(json, "objective"), kObjectiveMax + text::kOverBound);
  out.id = fmt::format("{:016x}", stable_hash(out.objective));
  out.output_format = one_line(get_string(json, "output_format"), kPartMax);
  out.tools = texts_of(json, "tools");
  out.sources = texts_of(json, "sources");
  out.avoid = texts_of(json, "avoid");
  out.boundaries = one_line(get_string(json, "boundaries"), kPartMax);
  out.background = one_line(get_string(json, "background"), kPartMax);
  out.starts = texts_of(json, "starts");
  auto calls = [&](const char* key, std::size_t otherwise) {
    auto given = get_int(json, key, static_cast<std::int64_t>(otherwise));
    return static_cast<std::size_t>(std::clamp<std::int64_t>(given, 0, 1'000'000));
  };
  out.calls_near = calls("calls_near", out.calls_near);
  out.calls_max = calls("calls_max", out.calls_max);
  out.deadline_ms = get_int(json, "deadline_ms");
  out.priority = static_cast<int>(std::clamp<std::int64_t>(get_int(json, "priority"), -1000, 1000));
  return out;
}

Result<void> check_delegation(const Delegation& d, std::span<const std::string> tools, WallTime now) {
  auto refuse = [](std::string why) -> Result<void> { return fail(Errc::invalid_input, std::move(why)); };
  if (d.objective.size() > kObjectiveMax) return refuse("the objective is too long for one");
  auto words = word_set(d.objective);
  auto telling = std::ranges::count_if(words, [](const std::string& word) { return !is_vague(word); });
  if (telling < 2) return refuse("the objective is vague");
  if (d.output_format.empty()) return refuse("the output format is missing");
  if (d.boundaries.empty()) return refuse("the boundaries are missing");
  if (d.tools.empty()) return refuse("it names no tools");
  for (const auto& tool : d.tools) {
    if (std::ranges::find(tools, tool) == tools.end()) return refuse("it names a tool that is not there");
  }
  if (d.calls_max == 0 || d.calls_max > kToolCallsCeiling) return refuse("its slice is out of bounds");
  if (d.deadline_ms != 0 && d.deadline_ms <= now.ms) return refuse("its deadline has passed");
  return {};
}

bool overlaps(const Delegation& a, const Delegation& b) {
  if (shingle_similarity(a.objective, b.objective) < kOverlap) return false;
  auto mine = names_and_numbers(a.objective), theirs = names_and_numbers(b.objective);
  return !(has_beyond(mine, theirs) && has_beyond(theirs, mine));
}

Accepted accept_tasks(std::vector<Delegation> tasks, std::span<const Delegation> before,
                      std::size_t tasks_max, std::span<const std::string> tools, WallTime now) {
  Accepted out;
  // Priorities are the model's; its order decides between equals.
  std::ranges::stable_sort(tasks, {}, &Delegation::priority);
  for (auto& task : tasks) {
    if (auto good = check_delegation(task, tools, now); !good) {
      ++out.refused;
      if (out.notes.size() < kListMax)
        out.notes.push_back(fmt::format("a task was refused: {}", good.error().what));
      continue;
    }
    accept_one(std::move(task), before, out);
  }
  if (out.tasks.size() <= tasks_max) return out;
  out.cut = out.tasks.size() - tasks_max;
  out.notes.push_back(fmt::format("{} tasks beyond the ceiling of {} were cut", out.cut, tasks_max));
  out.tasks.resize(tasks_max);
  return out;
}

}  // namespace troupe::research
