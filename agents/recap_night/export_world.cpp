// The export is read once for each world; mailboxes are files that are replaced whole.
#include "agents/recap_night/export_world.hpp"

#include "agents/recap_night/zone_plan.hpp"
#include "agents/slack/reader.hpp"
#include "agents/text/inert.hpp"
#include "runtime/base/read_file.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

namespace troupe::recap_night {
namespace {

constexpr std::size_t kPeopleBytesMax = 16u << 20;

Result<Json> read_people(const std::string& path) {
  if (path.empty()) return Json(Json::object());
  auto text = read_bounded(path, kPeopleBytesMax);
  if (!text) return fail(text.error().code, "people: " + text.error().what);
  auto value = parse_json(*text);
  if (!value) return fail(Errc::invalid_input, "people: " + path + ": " + value.error().what);
  if (!value->is_object()) return fail(Errc::invalid_input, "people: " + path + " is no JSON object");
  return value;
}

/// A file name that is one whatever the id is.
std::string safe_name(const std::string& id) {
  std::string out;
  for (unsigned char c : id) out += std::isalnum(c) || c == '-' || c == '_' ? static_cast<char>(c) : '_';
  return out == id ? out : fmt::format("{}-{}", out, wide_hash(id).substr(0, 8));
}

Result<void> replace_file(const std::filesystem::path& path, const std::string& text) {
  auto beside = path;
  beside += ".new";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(beside, path, error);
  if (!file || error) return fail(Errc::storage, path.string() + " cannot be written");
  return {};
}

class FolderMailbox final : public Mailbox {
 public:
  explicit FolderMailbox(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The place is written last: a crash before it makes the same letter again, which replaces itself.
  Result<bool> put(const Letter& letter) override {
    std::lock_guard lock(mutex_);
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    auto name = safe_name(letter.user);
    if (get_string(place(name), "date") >= letter.date) return false;
    if (auto ok = replace_file(folder_ / (name + ".md"), letter_markdown(letter)); !ok)
      return std::unexpected(ok.error());
    Json place;
    place["user"] = letter.user;
    place["date"] = letter.date;
    place["until"] = letter.until.ms;
    if (auto ok = replace_file(folder_ / (name + ".json"), dump_json(place) + "\n"); !ok)
      return std::unexpected(ok.error());
    return true;
  }
  Result<void> try_writing() {
    std::error_code error;
    std::filesystem::create_directories(folder_, error);
    auto probe = folder_ / ".writable";
    std::ofstream file(probe, std::ios::binary | std::ios::trunc);
    file << "recaps\n";
    file.close();
    if (!file) return fail(Errc::storage, fmt::format("recaps: {} cannot be written", folder_.string()));
    std::filesystem::remove(probe, error);
    return {};
  }
  WallTime since(const std::string& user) {
    std::lock_guard lock(mutex_);
    return {get_int(place(safe_name(user)), "until")};
  }

 private:
  Json place(const std::string& name) const {
    std::ifstream file(folder_ / (name + ".json"));
    std::stringstream text;
    text << file.rdbuf();
    auto value = parse_json(text.str());
    return value ? *value : Json(Json::object());
  }

  std::filesystem::path folder_;
  std::mutex mutex_;
};

/// Immutable but for the readers' places, which the mailbox knows.
class ExportSource final : public NightSource {
 public:
  ExportSource(slack::Workspace workspace, const Json& people, std::shared_ptr<FolderMailbox> mailbox)
      : workspace_(std::move(workspace)), mailbox_(std::move(mailbox)) {
    for (std::size_t i = 0; i < workspace_.days.size(); ++i)
      days_[{workspace_.days[i].channel, workspace_.days[i].date}] = i;
    for (const auto& channel : workspace_.channels)
      for (const auto& member : channel.member_ids) channels_of_[member].insert(channel.name);
    for (const auto& problem : workspace_.problems) problems_.try_emplace(problem.file, problem.reason);
    take_people(people);
    if (const auto* closed = find(people, "closed_channels"); closed != nullptr && closed->is_array())
      for (const auto& name : *closed)
        if (name.is_string()) closed_.insert(name.get<std::string>());
  }

  std::string workspace() const override { return workspace_.name; }
  Result<std::vector<std::string>> readers(const std::string& zone) override {
    std::vector<std::string> out;
    for (const auto& [id, told] : people_)
      if (told.zone == (zone.empty() ? "UTC" : zone)) out.push_back(id);
    return out;
  }
  Reader reader(const std::string& id) override {
    auto it = people_.find(id);
    if (it == people_.end()) return {};
    Reader out{it->second.recaps, {}, mailbox_->since(id)};
    if (auto own = channels_of_.find(id); own != channels_of_.end())
      out.channels.assign(own->second.begin(), own->second.end());
    return out;
  }
  bool allowed(const std::string& channel) override { return !closed_.contains(channel); }
  std::string edition(const std::string& channel, const std::string& date) override {
    const auto* day = find_day(channel, date);
    if (day == nullptr && problems_.contains(file_of(channel, date))) return "unreadable";
    if (day == nullptr || day->messages.empty()) return {};
    std::uint64_t hash = 0;
    for (const auto& message : day->messages) hash = stable_hash(message.ts + message.text, hash);
    return fmt::format("{:016x}", hash);
  }
  Result<slack::ChannelDay> read(const std::string& channel, const std::string& date) override {
    const auto* day = find_day(channel, date);
    if (day != nullptr) return *day;
    if (auto problem = problems_.find(file_of(channel, date)); problem != problems_.end())
      return fail(Errc::invalid_input, fmt::format("{}: {}", problem->first, problem->second));
    return fail(Errc::not_found, fmt::format("#{} has no messages on {}", channel, date));
  }
  bool stands(const SourceMessage& source) override {
    const auto* day = find_day(source.channel, source.date);
    if (day == nullptr) return false;
    auto it = std::ranges::find(day->messages, source.ts, &slack::Message::ts);
    return it != day->messages.end() && mark_of(it->text) == source.mark;
  }
  std::vector<slack::Problem> problems() override { return workspace_.problems; }

 private:
  static std::string file_of(const std::string& channel, const std::string& date) {
    return fmt::format("{}/{}.json", channel, date);
  }
  struct Told {
    std::string zone;
    bool recaps = true;
  };
  void take_people(const Json& people) {
    static const Json nobody = Json::object();
    const auto* entries = find(people, "people") != nullptr ? find(people, "people") : &nobody;
    for (const auto& [id, user] : workspace_.users) {
      if (user.bot || user.deleted) continue;
      const auto* entry =
          find(*entries, user.name) != nullptr ? find(*entries, user.name) : find(*entries, id);
      if (entry == nullptr) entry = &nobody;
      people_[id] = {get_string(*entry, "zone", "UTC"), get_bool(*entry, "recaps", true)};
    }
  }
  const slack::ChannelDay* find_day(const std::string& channel, const std::string& date) const {
    auto it = days_.find({channel, date});
    return it == days_.end() ? nullptr : &workspace_.days[it->second];
  }

  slack::Workspace workspace_;
  std::shared_ptr<FolderMailbox> mailbox_;
  std::map<std::pair<std::string, std::string>, std::size_t> days_;
  std::map<std::string, std::set<std::string>> channels_of_;
  std::map<std::string, Told> people_;
  std::set<std::string> closed_;
  /// The first thing wrong with each file.
  std::map<std::string, std::string> problems_;
};

}  // namespace

std::string letter_markdown(const Letter& letter) {
  auto out = fmt::format("# Your recap of {}\n", text::inert_line(letter.date));
  if (letter.uncondensed) out += "\nThere was no time to condense these points.\n";
  out += "\n";
  for (const auto& item : letter.items) {
    std::set<std::string> places;
    for (const auto& source : item.sources)
      places.insert(fmt::format("#{}, {}", source.channel, source.date));
    std::string where;
    for (const auto& place : places) where += (where.empty() ? "" : "; ") + place;
    out += fmt::format("- {} ({})\n", text::inert_line(item.text), text::inert_line(where));
  }
  if (letter.items.empty()) out += "Nothing new.\n";
  for (const auto& channel : letter.missing)
    out +=
        fmt::format("- {} could not be read, or not summarised in time.\n", text::inert_line("#" + channel));
  return out;
}

Result<NightWorld> open_export_world(const Json& input) {
  auto path = get_string(input, "input");
  if (path.empty()) return fail(Errc::input_missing, "recap_night needs an input: a Slack export");
  auto folder = get_string(input, "recaps");
  if (folder.empty())
    return fail(Errc::input_missing, "recap_night needs recaps: the folder they are put into");
  auto people = read_people(get_string(input, "people"));
  if (!people) return std::unexpected(people.error());
  // Before anything is bought: what cannot be delivered need not be made.
  auto mailbox = std::make_shared<FolderMailbox>(std::filesystem::path(folder));
  if (auto writable = mailbox->try_writing(); !writable) return std::unexpected(writable.error());
  slack::ReadOptions all;
  all.from = "2000-01-01";
  all.to = "2999-12-31";
  auto workspace = slack::read_export(path, all);
  if (!workspace) return std::unexpected(workspace.error());
  return NightWorld{std::make_shared<ExportSource>(std::move(*workspace), *people, mailbox), mailbox};
}

}  // namespace troupe::recap_night
