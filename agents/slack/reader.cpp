// Puts the pieces together: lists first, then only the day files whose names are in the range asked for.
#include "agents/slack/reader.hpp"

#include "agents/slack/day_file.hpp"
#include "agents/slack/layout.hpp"
#include "agents/slack/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace troupe::slack {
namespace {

std::string export_name(const std::filesystem::path& path) {
  std::error_code error;
  auto whole = std::filesystem::absolute(path, error).lexically_normal();
  auto leaf = whole.has_filename() ? whole.filename() : whole.parent_path().filename();
  return leaf.extension() == ".zip" ? leaf.stem().string() : leaf.string();
}

class ExportReader {
 public:
  ExportReader(Source& source, const ReadOptions& options, Workspace& out)
      : source_(source), options_(options), out_(out) {}

  Result<void> read() {
    layout_ = lay_out(source_.entries(), out_.problems);
    if (layout_.days.empty() && layout_.lists.empty()) {
      return fail(Errc::invalid_input,
                  "not a Slack export: no users.json, channels.json or CHANNEL/YYYY-MM-DD.json");
    }
    read_roster();
    auto chosen = choose_channels(options_, roster_, layout_);
    if (!chosen) return std::unexpected(chosen.error());
    keep_channels(*chosen);
    options_.from.empty() && options_.to.empty() ? read_newest_day() : read_range();
    fill_workspace();
    return out_.days.empty() ? no_messages() : Result<void>{};
  }

 private:
  using AddList = Result<std::size_t> (*)(Roster&, std::string_view);

  void read_roster() {
    read_list("users.json", add_users, "missing; people are shown by their ids");
    read_list("channels.json", add_channels, "missing; channels are known by their folders only");
    read_list("groups.json", add_channels, "");
    read_list("dms.json", add_direct_messages, "");
    read_list("mpims.json", add_direct_messages, "");
    const auto& hidden = roster_.private_folders;
    std::erase_if(layout_.days,
                  [&](const DayFile& day) { return std::ranges::find(hidden, day.channel) != hidden.end(); });
  }

  void read_list(const std::string& name, AddList add, const std::string& when_missing) {
    auto it = layout_.lists.find(name);
    if (it == layout_.lists.end()) {
      if (!when_missing.empty()) problem(name, when_missing);
      return;
    }
    auto text = load(it->second);
    auto unusable = text ? add(roster_, *text) : Result<std::size_t>(std::unexpected(text.error()));
    if (!unusable) return problem(name, unusable.error().what);
    if (*unusable > 0) problem(name, fmt::format("{} entries without id or name; dropped", *unusable));
  }

  // All reading goes through here, so that an archive of small lies cannot add up to a large one.
  Result<std::string> load(const Entry& entry) {
    if (bytes_read_ >= options_.archive_bytes_max) {
      return fail(Errc::invalid_input, fmt::format("more than {} bytes in all", options_.archive_bytes_max));
    }
    auto text =
        source_.read(entry, std::min(options_.file_bytes_max, options_.archive_bytes_max - bytes_read_));
    if (text) bytes_read_ += text->size();
    return text;
  }

  void keep_channels(const std::optional<std::vector<std::string>>& chosen) {
    if (!chosen) return;
    std::set<std::string> wanted(chosen->begin(), chosen->end());
    std::erase_if(layout_.days, [&](const DayFile& day) { return !wanted.contains(day.channel); });
  }

  void read_range() {
    for (const auto& day : layout_.days) {
      bool early = !options_.from.empty() && day.date < options_.from;
      bool late = !options_.to.empty() && day.date > options_.to;
      if (!early && !late) take(day);
    }
  }

  // Newest first, until a day turns out to have messages.
  void read_newest_day() {
    std::set<std::string, std::greater<>> dates;
    for (const auto& day : layout_.days) dates.insert(day.date);
    for (auto it = dates.begin(); it != dates.end() && out_.days.empty(); ++it) {
      for (const auto& day : layout_.days) {
        if (day.date == *it) take(day);
      }
    }
  }

  void take(const DayFile& file) {
    auto text = load(file.entry);
    if (!text) return problem(file.name, text.error().what);
    DayText day{.channel = file.channel, .date = file.date, .file = file.name, .text = std::move(*text)};
    auto read = read_day(day, roster_, out_.problems);
    if (!read) return problem(file.name, read.error().what);
    if (!read->messages.empty()) out_.days.push_back(std::move(*read));
  }

  void fill_workspace() {
    std::set<std::string> dates;
    for (const auto& day : out_.days) dates.insert(day.date);
    out_.from = !options_.from.empty() || dates.empty() ? options_.from : *dates.begin();
    out_.to = !options_.to.empty() || dates.empty() ? options_.to : *dates.rbegin();
    for (const auto& [id, channel] : roster_.channels) out_.channels.push_back(channel);
    for (const auto& day : layout_.days) {
      bool listed = std::ranges::any_of(out_.channels, [&](const auto& c) { return c.name == day.channel; });
      if (!listed) out_.channels.push_back({.name = day.channel});
    }
    std::ranges::sort(out_.channels, {}, [](const Channel& c) { return std::tie(c.name, c.id); });
    std::ranges::sort(out_.problems, {}, [](const Problem& p) { return std::tie(p.file, p.reason); });
    out_.users = std::move(roster_.users);
  }

  Result<void> no_messages() {
    std::string what = "no messages";
    if (!options_.from.empty() || !options_.to.empty()) {
      what += fmt::format(" from {} to {}", options_.from.empty() ? "the beginning" : options_.from,
                          options_.to.empty() ? "the end" : options_.to);
    }
    if (!options_.user.empty()) what += " in the channels of that user";
    if (!layout_.days.empty()) {
      auto [first, last] = std::ranges::minmax(layout_.days, {}, &DayFile::date);
      what += fmt::format("; the export has days from {} to {}", first.date, last.date);
    }
    if (!out_.problems.empty()) {
      const auto& worst = out_.problems.front();
      what += fmt::format("; {} problems, the first: {}: {}", out_.problems.size(), worst.file, worst.reason);
    }
    return fail(Errc::invalid_input, std::move(what));
  }

  void problem(const std::string& file, std::string reason) {
    out_.problems.push_back({.file = file, .reason = std::move(reason)});
  }

  Source& source_;
  const ReadOptions& options_;
  Workspace& out_;
  Layout layout_;
  Roster roster_;
  std::size_t bytes_read_ = 0;
};

}  // namespace

Result<Workspace> read_export(const std::filesystem::path& path, const ReadOptions& options) {
  if (auto dates = check_dates(options); !dates) return std::unexpected(dates.error());
  Workspace out{.name = export_name(path)};
  auto source = open_source(path, options, out.problems);
  if (!source) return std::unexpected(source.error());
  auto read = ExportReader(**source, options, out).read();
  if (!read) return std::unexpected(read.error());
  return out;
}

}  // namespace troupe::slack
