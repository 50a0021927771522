// The annotated chat logs of irc_disentanglement as windows, with who answered whom according to people.
#pragma once

#include "agents/evaluation/clusters.hpp"
#include "agents/summary/window.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace troupe::bench {

/// Only lines from this number on are annotated; those before are context.
inline constexpr std::size_t kFirstAnnotated = 1000;

struct IrcLog {
  std::string name;
  /// What people said; system messages are left out, because nobody answers them.
  summary::Window window;
  /// By line of the window: its number in the log.
  std::vector<std::size_t> number_of;
  /// By annotated line of the log: its conversation, and the links people drew.
  evaluation::Labels right;
  evaluation::Links links;
  std::size_t lines = 0;
};

inline std::size_t to_number(std::string_view text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// "[02:00] <nick> text" and "[02:00]  * nick does"; nothing for "=== …".
inline bool read_irc_line(const std::string& raw, summary::Line& line, std::int64_t& minute) {
  if (raw.size() < 8 || raw[0] != '[' || raw[3] != ':') return false;
  std::int64_t clock =
      static_cast<std::int64_t>(to_number(raw.substr(1, 2)) * 60 + to_number(raw.substr(4, 2)));
  // Days are not written; a clock that jumps back begins another.
  while (clock < minute) clock += 24 * 60;
  auto rest = raw.substr(raw.find_first_not_of(' ', 7) == std::string::npos ? raw.size()
                                                                            : raw.find_first_not_of(' ', 7));
  auto close = rest.starts_with('<') ? rest.find('>') : std::string::npos;
  if (close != std::string::npos) {
    line.who = rest.substr(1, close - 1);
    line.text = rest.substr(std::min(rest.size(), close + 2));
  } else if (rest.starts_with("* ")) {
    auto end = rest.find(' ', 2);
    line.who = rest.substr(2, end == std::string::npos ? end : end - 2);
    line.text = rest.substr(2);
  } else {
    return false;
  }
  minute = clock;
  line.at = WallTime{minute * 60'000};
  if (line.text.empty()) line.text = " ";
  return true;
}

inline IrcLog read_irc_log(const std::filesystem::path& folder, const std::string& name,
                           const std::filesystem::path& clusters) {
  IrcLog log{.name = name};
  std::ifstream text(folder / (name + ".ascii.txt"));
  std::int64_t minute = 0;
  for (std::string raw; std::getline(text, raw); ++log.lines) {
    summary::Line line{.id = fmt::format("{}", log.lines)};
    if (!read_irc_line(raw, line, minute)) continue;
    log.window.lines.push_back(std::move(line));
    log.number_of.push_back(log.lines);
  }
  std::ifstream annotation(folder / (name + ".annotation.txt"));
  for (std::size_t a = 0, b = 0; annotation >> a >> b; annotation.ignore(16, '\n'))
    if (std::max(a, b) >= kFirstAnnotated) log.links.emplace_back(std::max(a, b), std::min(a, b));
  log.right.assign(log.lines - kFirstAnnotated, 0);
  std::ifstream gold(clusters);
  std::size_t label = 0;
  for (std::string row; std::getline(gold, row);) {
    if (!row.starts_with(name + ":")) continue;
    std::istringstream members(row.substr(name.size() + 1));
    ++label;
    for (std::size_t member = 0; members >> member;)
      if (member >= kFirstAnnotated && member < log.lines) log.right[member - kFirstAnnotated] = label;
  }
  return log;
}

/// All logs of the folder, ordered by a hash of their names: the first half is for choosing weights.
inline std::vector<IrcLog> read_irc_logs(const std::filesystem::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(root / "test")) {
    auto file = entry.path().filename().string();
    auto end = file.find(".ascii.txt");
    if (end != std::string::npos) names.push_back(file.substr(0, end));
  }
  std::ranges::sort(names, {}, [](const std::string& name) { return stable_hash(name); });
  std::vector<IrcLog> out;
  for (const auto& name : names)
    out.push_back(read_irc_log(root / "test", name, root / "gold.test.clusters.txt"));
  return out;
}

/// What a way of grouping gave, over the annotated lines of the log.
struct Grouped {
  evaluation::Labels labels;
  evaluation::Links links;
};

/// From groups and parents of window lines to those of log lines; system messages stand alone, each begins
/// itself. `parent` may be empty: then there are no links to score.
inline Grouped in_log(const IrcLog& log, const std::vector<std::size_t>& group,
                      const std::vector<std::size_t>& parent) {
  Grouped out;
  auto alone = group.size();
  for (std::size_t i = kFirstAnnotated; i < log.lines; ++i) out.labels.push_back(alone + i);
  std::vector<bool> spoken(log.lines, false);
  for (std::size_t i = 0; i < group.size(); ++i) {
    auto number = log.number_of[i];
    spoken[number] = true;
    if (number < kFirstAnnotated) continue;
    out.labels[number - kFirstAnnotated] = group[i];
    if (!parent.empty()) out.links.emplace_back(number, log.number_of[parent[i]]);
  }
  for (std::size_t i = kFirstAnnotated; i < log.lines; ++i)
    if (!spoken[i]) out.links.emplace_back(i, i);
  return out;
}

}  // namespace troupe::bench
