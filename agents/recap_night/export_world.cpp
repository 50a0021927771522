// The export is read once for each world; mailboxes are files that are replaced whole.
#include "agents/recap_night/export_world.hpp"

#include "agents/recap_night/zone_plan.hpp"
#include "agents/slack/reader.hpp"
#include "agents/text/inert.hpp"
#include "runtime/base/read_file.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/base/time_zone.hpp"

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

struct Told {
  std::string zone = "UTC";
  bool recaps = true;
};

struct People {
  /// By id.
  std::map<std::string, Told> told;
  std::set<std::string> closed;
};

/// Takes nothing it does not know: a misspelt key or name may be somebody's opt-out.
class PeopleReader {
 public:
  explicit PeopleReader(const slack::Workspace& workspace) {
    for (const auto& [id, user] : workspace.users) {
      ids_[user.name].insert(id);
      ids_[id].insert(id);
    }
    for (const auto& channel : workspace.channels) channels_.insert(channel.name);
  }

  Result<People> read(const Json& file) {
    for (const auto& [key, value] : file.items()) {
      if (key != "people" && key != "closed_channels")
        return wrong(key, "unknown; expected people or closed_channels");
      auto taken = key == "people" ? take_people(value) : take_closed(value);
      if (!taken) return std::unexpected(taken.error());
    }
    return std::move(out_);
  }

 private:
  static std::unexpected<Error> wrong(const std::string& where, const std::string& why) {
    return fail(Errc::invalid_input, fmt::format("people: {}: {}", where, why));
  }

  Result<void> take_people(const Json& people) {
    if (!people.is_object()) return wrong("people", "expected an object with a key for each person");
    for (const auto& [name, entry] : people.items()) {
      auto ids = ids_.find(name);
      if (ids == ids_.end()) return wrong(name, "nobody in the workspace has this name or id");
      auto told = read_told(name, entry);
      if (!told) return std::unexpected(told.error());
      for (const auto& id : ids->second)
        if (!out_.told.emplace(id, *told).second)
          return wrong(name, fmt::format("{} is named twice, by name and by id", id));
    }
    return {};
  }

  Result<Told> read_told(const std::string& name, const Json& entry) {
    if (!entry.is_object()) return wrong(name, "expected an object of zone and recaps");
    Told out;
    for (const auto& [key, value] : entry.items()) {
      auto where = fmt::format("{}: {}", name, key);
      if (key == "zone" && value.is_string()) {
        out.zone = value.get<std::string>();
        if (auto known = take_zone(out.zone); !known) return wrong(where, known.error().what);
      } else if (key == "recaps" && value.is_boolean()) {
        out.recaps = value.get<bool>();
      } else {
        return wrong(where, key == "zone"     ? "expected a name like Europe/Berlin"
                            : key == "recaps" ? "expected true or false"
                                              : "unknown; expected zone or recaps");
      }
    }
    return out;
  }

  // Each is loaded once, however many people live in it.
  Result<void> take_zone(const std::string& name) {
    if (zones_.contains(name)) return {};
    if (auto zone = TimeZone::load(name); !zone) return std::unexpected(zone.error());
    zones_.insert(name);
    return {};
  }

  Result<void> take_closed(const Json& names) {
    if (!names.is_array()) return wrong("closed_channels", "expected a list of channels' names");
    for (const auto& name : names) {
      if (!name.is_string()) return wrong("closed_channels", "expected a list of channels' names");
      auto channel = name.get<std::string>();
      if (!channels_.contains(channel))
        return wrong("closed_channels", fmt::format("the workspace has no channel {}", channel));
      out_.closed.insert(std::move(channel));
    }
    return {};
  }

  std::map<std::string, std::set<std::string>> ids_;
  std::set<std::string> channels_, zones_{"UTC"};
  People out_;
};

/// Immutable but for the readers' places, which the mailbox knows.
class ExportSource final : public NightSource {
 public:
  ExportSource(slack::Workspace workspace, People people, std::shared_ptr<FolderMailbox> mailbox)
      : workspace_(std::move(workspace)), mailbox_(std::move(mailbox)), closed_(std::move(people.closed)) {
    for (std::size_t i = 0; i < workspace_.days.size(); ++i)
      days_[{workspace_.days[i].channel, workspace_.days[i].date}] = i;
    for (const auto& channel : workspace_.channels)
      for (const auto& member : channel.member_ids) channels_of_[member].insert(channel.name);
    for (const auto& problem : workspace_.problems) problems_.try_emplace(problem.file, problem.reason);
    for (const auto& [id, user] : workspace_.users)
      if (!user.bot && !user.deleted) people_[id] = std::move(people.told[id]);
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
  auto told = PeopleReader(*workspace).read(*people);
  if (!told) return std::unexpected(told.error());
  auto source = std::make_shared<ExportSource>(std::move(*workspace), std::move(*told), mailbox);
  return NightWorld{source, mailbox};
}

}  // namespace troupe::recap_night
