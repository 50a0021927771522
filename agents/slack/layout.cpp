// Sorts an export's files by their names alone: nothing is opened here.
#include "agents/slack/layout.hpp"

#include "agents/slack/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

namespace troupe::slack {
namespace {

constexpr std::array<std::string_view, 5> kLists{"users.json", "channels.json", "groups.json", "dms.json",
                                                 "mpims.json"};

// An archive made from a folder has everything inside that folder: "acme/users.json" makes "acme/" the root.
std::string find_root(const std::vector<Entry>& entries) {
  std::string root;
  for (const auto& entry : entries) {
    auto slash = entry.name.find('/');
    auto leaf = slash == std::string::npos ? entry.name : entry.name.substr(slash + 1);
    bool list = !entry.folder && (leaf == "users.json" || leaf == "channels.json");
    if (list && slash == std::string::npos) return {};
    if (list && root.empty()) root = entry.name.substr(0, slash + 1);
  }
  return root;
}

class LayoutBuilder {
 public:
  explicit LayoutBuilder(std::vector<Problem>& problems) : problems_(problems) {}

  void take(const Entry& entry, const std::string& name) {
    auto slash = name.find('/');
    if (slash == std::string::npos) return take_top(entry, name);
    auto leaf = name.substr(slash + 1);
    if (leaf.find('/') != std::string::npos || !leaf.ends_with(".json")) return;
    auto date = leaf.substr(0, leaf.size() - 5);
    if (is_date(date) && entry.folder) return problem(name, "a folder where a day's file should be");
    if (is_date(date)) {
      layout_.days.push_back({.channel = name.substr(0, slash), .date = date, .entry = entry, .name = name});
    } else if (!date.empty() && date[0] >= '0' && date[0] <= '9') {
      problem(name, "not named YYYY-MM-DD.json; not read");
    }
  }

  Layout finish() {
    std::ranges::sort(layout_.days, [](const DayFile& a, const DayFile& b) {
      return std::tie(a.channel, a.date) < std::tie(b.channel, b.date);
    });
    return std::move(layout_);
  }

 private:
  void take_top(const Entry& entry, const std::string& name) {
    bool list = std::ranges::find(kLists, name) != kLists.end();
    if (list && entry.folder) return problem(name, "a folder where a file should be");
    if (list) layout_.lists.emplace(name, entry);
    // Slack's channel names have no point, so a plain name is a channel's; other files are none of our
    // business.
    if (!entry.folder && name.find('.') == std::string::npos) {
      problem(name, "a file where a channel's folder should be");
    }
  }

  void problem(const std::string& file, std::string reason) {
    problems_.push_back({.file = file, .reason = std::move(reason)});
  }

  std::vector<Problem>& problems_;
  Layout layout_;
};

std::set<std::string> known_channels(const Roster& roster, const Layout& layout) {
  std::set<std::string> out;
  for (const auto& [id, channel] : roster.channels) out.insert(channel.name);
  for (const auto& day : layout.days) out.insert(day.channel);
  return out;
}

Result<std::string> find_channel(std::string_view wanted, const Roster& roster,
                                 const std::set<std::string>& known) {
  if (wanted.starts_with('#')) wanted.remove_prefix(1);
  if (known.contains(std::string(wanted))) return std::string(wanted);
  if (auto name = roster.channel_name(wanted); !name.empty()) return std::string(name);
  auto hint = did_you_mean(wanted, {known.begin(), known.end()});
  return fail(Errc::invalid_input, fmt::format("no channel \"{}\"{}", clean_name(wanted), hint));
}

std::vector<std::string> channels_of(const std::string& user_id, const Roster& roster) {
  std::vector<std::string> out;
  for (const auto& [id, channel] : roster.channels) {
    if (std::ranges::find(channel.member_ids, user_id) != channel.member_ids.end())
      out.push_back(channel.name);
  }
  return out;
}

}  // namespace

Layout lay_out(const std::vector<Entry>& entries, std::vector<Problem>& problems) {
  auto root = find_root(entries);
  LayoutBuilder builder(problems);
  for (const auto& entry : entries) {
    if (entry.name.starts_with(root)) builder.take(entry, entry.name.substr(root.size()));
  }
  return builder.finish();
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (char c : text.substr(at, length))
      value = c >= '0' && c <= '9' && value >= 0 ? value * 10 + (c - '0') : -1;
    return value;
  };
  int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 0 || month < 0 || day < 0) return false;
  return std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
      .ok();
}

Result<void> check_dates(const ReadOptions& options) {
  for (const auto& date : {options.from, options.to}) {
    if (!date.empty() && !is_date(date)) {
      return fail(Errc::invalid_input, fmt::format("\"{}\" is no date; write YYYY-MM-DD", clean_name(date)));
    }
  }
  if (!options.from.empty() && !options.to.empty() && options.from > options.to) {
    return fail(Errc::invalid_input, fmt::format("from {} is after to {}", options.from, options.to));
  }
  return {};
}

Result<std::optional<std::vector<std::string>>> choose_channels(const ReadOptions& options,
                                                                const Roster& roster, const Layout& layout) {
  if (options.channels.empty() && options.user.empty()) return std::nullopt;
  auto known = known_channels(roster, layout);
  std::vector<std::string> chosen;
  for (const auto& wanted : options.channels) {
    auto found = find_channel(wanted, roster, known);
    if (!found) return std::unexpected(found.error());
    chosen.push_back(std::move(*found));
  }
  if (options.user.empty()) return chosen;
  auto user = find_user(roster, options.user);
  if (!user) return std::unexpected(user.error());
  auto theirs = channels_of(*user, roster);
  if (options.channels.empty()) return theirs;
  std::erase_if(chosen, [&](const auto& name) { return std::ranges::find(theirs, name) == theirs.end(); });
  return chosen;
}

}  // namespace troupe::slack
