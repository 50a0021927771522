// Reads the lists of people and channels and finds who is meant by a name.
#include "agents/slack/roster.hpp"

#include "agents/slack/records.hpp"
#include "agents/slack/render.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace troupe::slack {
namespace {

constexpr std::array<std::string_view, 8> kUserFields{"id",
                                                      "name",
                                                      "real_name",
                                                      "deleted",
                                                      "is_bot",
                                                      "profile.display_name",
                                                      "profile.real_name",
                                                      "profile.bot_id"};
constexpr std::array<std::string_view, 7> kChannelFields{
    "id", "name", "members", "is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared"};
constexpr std::array<std::string_view, 2> kDirectFields{"id", "name"};
constexpr std::size_t kSuggestionsMax = 4;
constexpr std::size_t kComparedBytesMax = 64;

std::string first_name(const Record& record, std::initializer_list<std::string_view> paths) {
  for (auto path : paths) {
    if (auto name = clean_name(record.get(path)); !name.empty()) return name;
  }
  return {};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Levenshtein's distance, one row at a time.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// 0 is equal; names that contain each other are near, whatever their length; kFar is not worth mentioning.
constexpr std::size_t kFar = 1000;
std::size_t distance_for_hint(std::string_view wanted, std::string_view name) {
  if (wanted.size() > kComparedBytesMax || name.size() > kComparedBytesMax) return kFar;
  auto a = lower(wanted), b = lower(name);
  bool contained = a.size() >= 3 && b.size() >= 3 && (a.find(b) != a.npos || b.find(a) != b.npos);
  auto edits = edits_between(a, b);
  if (contained) return std::min<std::size_t>(edits, 2);
  return edits <= std::max<std::size_t>(1, a.size() / 3) ? edits : kFar;
}

std::vector<std::string> ids_where(const Roster& roster, const auto& fits) {
  std::vector<std::string> out;
  for (const auto& [id, user] : roster.users) {
    if (fits(id, user)) out.push_back(id);
  }
  return out;
}

std::vector<std::string> people_names(const Roster& roster) {
  std::vector<std::string> out;
  for (const auto& [id, user] : roster.users) {
    out.push_back(user.name);
    if (auto it = roster.handles.find(id); it != roster.handles.end()) out.push_back(it->second);
  }
  return out;
}

}  // namespace

std::string_view Roster::user_name(std::string_view id) const {
  auto it = users.find(std::string(id));
  return it == users.end() ? std::string_view() : std::string_view(it->second.name);
}

std::string_view Roster::channel_name(std::string_view id) const {
  auto it = channels.find(std::string(id));
  return it == channels.end() ? std::string_view() : std::string_view(it->second.name);
}

const Channel* Roster::channel_named(std::string_view name) const {
  auto it = std::ranges::find_if(channels, [&](const auto& entry) { return entry.second.name == name; });
  return it == channels.end() ? nullptr : &it->second;
}

Result<std::size_t> add_users(Roster& roster, std::string_view text) {
  Roster read = roster;
  std::size_t unusable = 0;
  auto strangers = read_records(text, kUserFields, [&](const Record& record) {
    User user{.id = std::string(record.get("id"))};
    if (user.id.empty()) {
      ++unusable;
      return;
    }
    user.name = first_name(record, {"profile.display_name", "real_name", "profile.real_name", "name", "id"});
    user.bot =
        record.get("is_bot") == "true" || !record.get("profile.bot_id").empty() || user.id == "USLACKBOT";
    user.deleted = record.get("deleted") == "true";
    read.handles[user.id] = clean_name(record.get("name"));
    read.users.emplace(user.id, user);
  });
  if (!strangers) return strangers;
  roster = std::move(read);
  return *strangers + unusable;
}

Result<std::size_t> add_channels(Roster& roster, std::string_view text) {
  Roster read = roster;
  std::size_t unusable = 0;
  auto strangers = read_records(text, kChannelFields, [&](const Record& record) {
    Channel channel{.id = std::string(record.get("id")), .name = std::string(record.get("name"))};
    if (channel.id.empty() || channel.name.empty()) {
      ++unusable;
      return;
    }
    for (auto member : record.all("members")) channel.member_ids.emplace_back(member);
    channel.shared = record.get("is_shared") == "true" || record.get("is_ext_shared") == "true" ||
                     record.get("is_org_shared") == "true";
    read.channels.emplace(channel.id, std::move(channel));
  });
  if (!strangers) return strangers;
  roster = std::move(read);
  return *strangers + unusable;
}

Result<std::size_t> add_direct_messages(Roster& roster, std::string_view text) {
  std::vector<std::string> folders;
  auto strangers = read_records(text, kDirectFields, [&](const Record& record) {
    for (auto field : kDirectFields) {
      if (record.has(field)) folders.emplace_back(record.get(field));
    }
  });
  if (!strangers) return strangers;
  roster.private_folders.insert(roster.private_folders.end(), folders.begin(), folders.end());
  return strangers;
}

Result<std::string> find_user(const Roster& roster, std::string_view wanted) {
  if (wanted.starts_with('@')) wanted.remove_prefix(1);
  if (roster.users.contains(std::string(wanted))) return std::string(wanted);
  auto small = lower(wanted);
  auto found = ids_where(roster, [&](const std::string& id, const User&) {
    auto it = roster.handles.find(id);
    return it != roster.handles.end() && lower(it->second) == small;
  });
  if (found.empty())
    found = ids_where(roster, [&](const auto&, const User& user) { return user.name == wanted; });
  if (found.empty()) {
    found = ids_where(roster, [&](const auto&, const User& user) { return lower(user.name) == small; });
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    return fail(Errc::invalid_input, fmt::format("\"{}\" is the name of {} people: {}", clean_name(wanted),
                                                 found.size(), fmt::join(found, ", ")));
  }
  auto hint = did_you_mean(wanted, people_names(roster));
  return fail(Errc::invalid_input, fmt::format("no user \"{}\"{}", clean_name(wanted), hint));
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& candidates) {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const auto& name : candidates) {
    auto distance = distance_for_hint(wanted, name);
    if (distance < kFar && !name.empty()) near.emplace_back(distance, name);
  }
  std::ranges::sort(near);
  near.erase(std::ranges::unique(near).begin(), near.end());
  if (near.empty()) return {};
  if (near.size() > kSuggestionsMax) near.resize(kSuggestionsMax);
  std::vector<std::string> names;
  for (auto& [distance, name] : near) names.push_back(std::move(name));
  return fmt::format("; did you mean {}?", fmt::join(names, ", "));
}

}  // namespace troupe::slack
