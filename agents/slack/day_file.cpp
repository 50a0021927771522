// Reads a day file record by record. Field meanings: Slack, "How to read Slack data exports" and "message
// events".
#include "agents/slack/day_file.hpp"

#include "agents/slack/records.hpp"
#include "agents/slack/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace troupe::slack {
namespace {

constexpr std::array<std::string_view, 21> kMessageFields{"type",
                                                          "subtype",
                                                          "ts",
                                                          "thread_ts",
                                                          "user",
                                                          "username",
                                                          "bot_id",
                                                          "text",
                                                          "hidden",
                                                          "edited.ts",
                                                          "edited.user",
                                                          "user_profile.display_name",
                                                          "user_profile.real_name",
                                                          "user_profile.name",
                                                          "bot_profile.name",
                                                          "attachments.fallback",
                                                          "attachments.pretext",
                                                          "attachments.title",
                                                          "attachments.text",
                                                          "files.title",
                                                          "files.name"};

// Housekeeping that Slack writes itself; nobody said anything.
constexpr std::array<std::string_view, 24> kNoiseSubtypes{"channel_join",
                                                          "channel_leave",
                                                          "channel_topic",
                                                          "channel_purpose",
                                                          "channel_name",
                                                          "channel_archive",
                                                          "channel_unarchive",
                                                          "channel_convert_to_private",
                                                          "group_join",
                                                          "group_leave",
                                                          "group_topic",
                                                          "group_purpose",
                                                          "group_name",
                                                          "group_archive",
                                                          "group_unarchive",
                                                          "pinned_item",
                                                          "unpinned_item",
                                                          "bot_add",
                                                          "bot_remove",
                                                          "bot_enable",
                                                          "bot_disable",
                                                          "reminder_add",
                                                          "channel_posting_permissions",
                                                          "message_changed"};

enum class Kind { talk, noise, deleted };

Kind kind_of(const Record& record) {
  auto subtype = record.get("subtype");
  if (subtype == "tombstone" || subtype == "message_deleted" || record.get("hidden") == "true")
    return Kind::deleted;
  bool message = record.get("type").empty() || record.get("type") == "message";
  return !message || std::ranges::find(kNoiseSubtypes, subtype) != kNoiseSubtypes.end() ? Kind::noise
                                                                                        : Kind::talk;
}

// Bots often put what they say into attachments and leave the text empty.
std::string spoken_text(const Record& record) {
  if (!record.get("text").empty()) return std::string(record.get("text"));
  std::string out;
  auto add = [&](std::string_view path) {
    for (auto value : record.all(path)) out += (out.empty() ? "" : "\n") + std::string(value);
  };
  for (auto path : {"attachments.pretext", "attachments.title", "attachments.text"}) add(path);
  if (out.empty()) add("attachments.fallback");
  return out;
}

std::string file_names(const Record& record) {
  auto names = record.all("files.title");
  if (names.empty()) names = record.all("files.name");
  std::string out;
  for (auto name : names) out += fmt::format("{}[file: {}]", out.empty() ? "" : " ", clean_name(name));
  return out;
}

std::string author_name(const Record& record, const Roster& roster) {
  if (auto known = roster.user_name(record.get("user")); !known.empty()) return std::string(known);
  for (auto path : {"user_profile.display_name", "user_profile.real_name", "user_profile.name", "username",
                    "bot_profile.name", "user", "bot_id"}) {
    if (auto name = clean_name(record.get(path)); !name.empty()) return name;
  }
  return "unknown";
}

bool is_bot(const Record& record, const Roster& roster) {
  if (record.get("subtype") == "bot_message" || !record.get("bot_id").empty()) return true;
  auto it = roster.users.find(std::string(record.get("user")));
  return it != roster.users.end() && it->second.bot;
}

class DayReader {
 public:
  explicit DayReader(const Roster& roster)
      : roster_(roster),
        names_{.user = [&roster](auto id) { return roster.user_name(id); },
               .channel = [&roster](auto id) { return roster.channel_name(id); }} {}

  void take(const Record& record) {
    auto kind = kind_of(record);
    if (kind == Kind::deleted) return;
    auto micros = ts_micros(record.get("ts"));
    if (!micros) {
      ++without_ts_;
    } else if (!seen_.insert(*micros).second) {
      if (repeated_++ == 0) first_repeated_ = std::string(record.get("ts"));
    } else if (kind == Kind::noise) {
      ++noise_;
    } else {
      keep(record, *micros);
    }
  }

  ChannelDay finish(const DayText& day, std::size_t strangers, std::vector<Problem>& problems) {
    std::ranges::sort(kept_, {}, &Kept::micros);
    ChannelDay out{.channel = day.channel, .date = day.date, .noise = noise_};
    out.messages.reserve(kept_.size());
    for (auto& kept : kept_) out.messages.push_back(std::move(kept.message));
    auto problem = [&](std::string reason) {
      problems.push_back({.file = day.file, .reason = std::move(reason)});
    };
    if (strangers > 0) problem(fmt::format("{} entries are no messages; dropped", strangers));
    if (without_ts_ > 0) problem(fmt::format("{} messages without a usable ts; dropped", without_ts_));
    if (repeated_ > 0) {
      problem(fmt::format("{} messages repeat a ts (first: {}); the first of each is kept", repeated_,
                          first_repeated_));
    }
    return out;
  }

 private:
  struct Kept {
    std::int64_t micros;
    Message message;
  };

  void keep(const Record& record, std::int64_t micros) {
    auto text = render_text(spoken_text(record), names_);
    if (auto files = file_names(record); !files.empty()) text += (text.empty() ? "" : "\n") + files;
    auto thread = record.get("thread_ts");
    kept_.push_back({micros, Message{.ts = std::string(record.get("ts")),
                                     .time = {micros / 1000},
                                     .user_id = std::string(record.get("user")),
                                     .user = author_name(record, roster_),
                                     .text = std::move(text),
                                     .thread_ts = ts_micros(thread) ? std::string(thread) : std::string(),
                                     .bot = is_bot(record, roster_),
                                     .edited = record.has("edited.ts") || record.has("edited.user")}});
  }

  const Roster& roster_;
  Names names_;
  std::vector<Kept> kept_;
  std::unordered_set<std::int64_t> seen_;
  std::size_t noise_ = 0;
  std::size_t without_ts_ = 0;
  std::size_t repeated_ = 0;
  std::string first_repeated_;
};

}  // namespace

Result<std::int64_t> ts_micros(std::string_view ts) {
  constexpr std::size_t kSecondsDigitsMax = 11;
  constexpr std::size_t kFractionDigits = 6;
  auto point = ts.find('.');
  auto whole = ts.substr(0, point);
  auto fraction = point == std::string_view::npos ? std::string_view() : ts.substr(point + 1);
  auto digits = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > kSecondsDigitsMax || fraction.size() > kFractionDigits ||
      !digits(whole) || !digits(fraction)) {
    return fail(Errc::invalid_input, "not a Slack ts");
  }
  std::int64_t micros = 0;
  for (char c : whole) micros = micros * 10 + (c - '0');
  for (std::size_t i = 0; i < kFractionDigits; ++i)
    micros = micros * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  return micros;
}

Result<ChannelDay> read_day(const DayText& day, const Roster& roster, std::vector<Problem>& problems) {
  DayReader reader(roster);
  auto strangers = read_records(day.text, kMessageFields, [&](const Record& record) { reader.take(record); });
  if (!strangers) return std::unexpected(strangers.error());
  return reader.finish(day, *strangers, problems);
}

}  // namespace troupe::slack
