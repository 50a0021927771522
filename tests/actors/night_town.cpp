// Everything here is drawn from one seed; nothing is copied from anywhere.
#include "tests/actors/night_town.hpp"

#include "agents/recap_night/zone_plan.hpp"
#include "runtime/base/time_zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::actors::testing {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::array<std::size_t, 12> kZoneShares = {1, 1, 12, 4, 8, 16, 8, 10, 18, 4, 12, 6};
constexpr std::array<const char*, 12> kThings = {
    "the ferry timetable", "the winter tariff", "the ticket scanner", "the harbour map",
    "the staff rota",      "the map tiles",     "the refund queue",   "the mobile build",
    "the night shift",     "the audit",         "the price sheet",    "the pilot"};
constexpr std::array<const char*, 8> kDeeds = {
    "moves to Tuesday",  "needs a second look", "is done",         "waits for legal",
    "goes live at noon", "was rolled back",     "has a new owner", "costs more than planned"};

std::string channel_name(std::size_t number) { return fmt::format("c{:03}", number); }

}  // namespace

const std::vector<std::string>& town_zones() {
  static const std::vector<std::string> zones = {
      "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver",
      "America/Chicago",  "America/New_York",  "America/Sao_Paulo",   "Europe/London",
      "Europe/Berlin",    "Africa/Nairobi",    "Asia/Kolkata",        "Asia/Tokyo"};
  return zones;
}

std::vector<ZoneMorning> mornings_after(const std::string& day, Duration lead) {
  std::vector<ZoneMorning> out;
  auto ended = recap_night::end_of(day).ms;
  auto lead_ms = std::chrono::duration_cast<std::chrono::milliseconds>(lead).count();
  for (const auto& name : town_zones()) {
    auto zone = TimeZone::load(name);
    if (!zone) continue;
    for (auto midnight = ended; midnight <= ended + kDayMs; midnight += kDayMs) {
      WallTime due{zone->moment_of((midnight + 6 * kHourMs) / 1000) * 1000};
      if (due.ms - lead_ms < ended) continue;
      out.push_back({name, to_date({midnight}), {due.ms - lead_ms}, due});
      break;
    }
  }
  std::ranges::sort(out, {}, [](const ZoneMorning& each) { return each.starts; });
  return out;
}

Town::Town(TownPlan plan, const Clock& clock)
    : plan_(std::move(plan)), clock_(clock), rng_(plan_.seed), by_zone_(town_zones().size()) {
  day_begins_ = {recap_night::end_of(plan_.day).ms - kDayMs};
  write_channels();
  fill_houses();
  plan_changes();
}

std::string Town::sentence(std::size_t author) {
  const auto* thing = kThings[rng_.below(kThings.size())];
  const auto* deed = kDeeds[rng_.below(kDeeds.size())];
  auto number = rng_.below(10'000);
  switch (rng_.below(6)) {
    case 0: return fmt::format("We decided that {} {}, ticket {}.", thing, deed, number);
    case 1: return fmt::format("Who knows why {} {}? See {}.", thing, deed, number);
    case 2: return fmt::format("I will look after {} today, ticket {}, and tell u{}.", thing, number, author);
    default: return fmt::format("As of now {} {}, number {}.", thing, deed, number);
  }
}

void Town::write_channels() {
  for (std::size_t c = 0; c < plan_.channels; ++c) {
    auto& messages = channels_[channel_name(c)];
    auto count = 20 + rng_.below(80);
    std::set<std::int64_t> moments;
    while (moments.size() < count) moments.insert(static_cast<std::int64_t>(rng_.below(kDayMs)));
    for (auto ms : moments) {
      auto at = day_begins_.ms + ms;
      auto author = rng_.below(plan_.users);
      messages.push_back({fmt::format("{}.{:03}000", at / 1000, at % 1000),
                          fmt::format("u{}", author),
                          sentence(author),
                          {}});
    }
    if (rng_.uniform() < 0.02) closed_.insert(channel_name(c));
  }
}

void Town::fill_houses() {
  std::vector<std::vector<std::string>> teams(plan_.teams);
  for (auto& team : teams) {
    std::set<std::string> channels;
    while (channels.size() < std::min<std::size_t>(6, plan_.channels))
      channels.insert(channel_name(rng_.below(plan_.channels)));
    team.assign(channels.begin(), channels.end());
  }
  for (std::size_t i = 0; i < plan_.users; ++i) {
    Person person;
    auto lot = rng_.below(100);
    for (std::uint64_t sum = 0; person.zone < kZoneShares.size(); ++person.zone)
      if (lot < (sum += kZoneShares[person.zone])) break;
    std::set<std::string> channels;
    const auto& team = teams[rng_.below(teams.size())];
    channels.insert(team.begin(), team.end());
    if (rng_.uniform() < 0.3) channels.insert(channel_name(rng_.below(plan_.channels)));
    person.channels.assign(channels.begin(), channels.end());
    person.opted_in = rng_.uniform() >= 0.05;
    constexpr std::int64_t hours[] = {8, 12, 15, 18};
    auto read_until = rng_.uniform() < 0.2 ? hours[rng_.below(4)] * kHourMs : 0;
    person.since = person.first_since = {day_begins_.ms + read_until};
    auto id = fmt::format("u{:05}", i);
    by_zone_[person.zone].push_back(id);
    people_.emplace(std::move(id), std::move(person));
  }
}

WallTime Town::moment_of_night() {
  return {day_begins_.ms + kDayMs +
          static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(kDayMs)))};
}

void Town::plan_changes() {
  auto any_message = [&]() -> Written& {
    auto& messages = channels_[channel_name(rng_.below(plan_.channels))];
    return messages[rng_.below(messages.size())];
  };
  auto any_person = [&]() -> Person& { return people_.at(fmt::format("u{:05}", rng_.below(plan_.users))); };
  for (std::size_t i = 0; i < plan_.deletions; ++i) any_message().deleted = moment_of_night();
  for (std::size_t i = 0; i < plan_.edits; ++i) {
    auto& message = any_message();
    message.edited = moment_of_night();
    message.edited_text = "Edited: " + message.text;
  }
  for (std::size_t i = 0; i < plan_.revocations; ++i) {
    auto& person = any_person();
    person.revoked[person.channels[rng_.below(person.channels.size())]] = moment_of_night();
  }
  for (std::size_t i = 0; i < plan_.opt_outs; ++i) any_person().opts_out = moment_of_night();
}

// ---- the workspace ----

Result<std::vector<std::string>> Town::readers(const std::string& zone) {
  auto it = std::ranges::find(town_zones(), zone);
  if (it == town_zones().end()) return fail(Errc::not_found, "nobody lives there");
  return by_zone_[static_cast<std::size_t>(it - town_zones().begin())];
}

bool Town::may_read(const Person& person, const std::string& channel, WallTime now) const {
  if (!std::ranges::binary_search(person.channels, channel)) return false;
  auto revoked = person.revoked.find(channel);
  return revoked == person.revoked.end() || now < revoked->second;
}

recap_night::Reader Town::reader(const std::string& id) {
  auto it = people_.find(id);
  if (it == people_.end()) return {};
  const auto& person = it->second;
  auto now = clock_.wall();
  recap_night::Reader out{person.opted_in && now < person.opts_out, {}, person.since};
  for (const auto& channel : person.channels)
    if (!plan_.checked_when_read || may_read(person, channel, now)) out.channels.push_back(channel);
  return out;
}

bool Town::allowed(const std::string& channel) { return !closed_.contains(channel); }

const std::string& Town::text_at(const Written& message, WallTime now) {
  return now < message.edited ? message.text : message.edited_text;
}

std::string Town::edition(const std::string& channel, const std::string& date) {
  auto it = channels_.find(channel);
  if (it == channels_.end() || date != plan_.day) return {};
  auto now = clock_.wall();
  std::uint64_t hash = 0;
  if (!plan_.checked_when_read) return "evening";
  for (const auto& message : it->second)
    if (now < message.deleted) hash = stable_hash(message.ts + text_at(message, now), hash);
  return fmt::format("{:016x}", hash);
}

Result<slack::ChannelDay> Town::read(const std::string& channel, const std::string& date) {
  auto it = channels_.find(channel);
  if (it == channels_.end() || date != plan_.day) return fail(Errc::not_found, "no such channel-day");
  auto now = clock_.wall();
  slack::ChannelDay out{channel, date, {}, 0};
  for (const auto& message : it->second) {
    if (message.deleted <= now) continue;
    slack::Message each;
    each.ts = message.ts;
    each.time = recap_night::time_of(message.ts);
    each.user = each.user_id = message.user;
    each.text = text_at(message, now);
    out.messages.push_back(std::move(each));
  }
  return out;
}

const Town::Written* Town::find_message(const std::string& channel, const std::string& ts) const {
  auto it = channels_.find(channel);
  if (it == channels_.end()) return nullptr;
  auto found = std::ranges::lower_bound(it->second, ts, {}, &Written::ts);
  return found == it->second.end() || found->ts != ts ? nullptr : &*found;
}

bool Town::stands(const recap_night::SourceMessage& source) {
  if (!plan_.checked_when_read) return true;
  const auto* message = find_message(source.channel, source.ts);
  auto now = clock_.wall();
  return message != nullptr && now < message->deleted &&
         recap_night::mark_of(text_at(*message, now)) == source.mark;
}

// ---- the mailboxes ----

void Town::judge(const Person& person, const recap_night::Letter& letter, WallTime now) {
  counted_.uncondensed += letter.uncondensed ? 1 : 0;
  counted_.with_missing += letter.missing.empty() ? 0 : 1;
  counted_.empty += letter.items.empty() ? 1 : 0;
  counted_.sentences += letter.items.size();
  for (const auto& item : letter.items) {
    bool forbidden = false, stale = false, newer = false;
    for (const auto& source : item.sources) {
      const auto* message = find_message(source.channel, source.ts);
      forbidden |= !may_read(person, source.channel, now) || closed_.contains(source.channel);
      stale |= message == nullptr || message->deleted <= now ||
               recap_night::mark_of(text_at(*message, now)) != source.mark;
      newer |= recap_night::time_of(source.ts) > person.first_since;
    }
    counted_.forbidden += forbidden ? 1 : 0;
    counted_.stale += stale ? 1 : 0;
    counted_.old += newer ? 0 : 1;
  }
}

Result<bool> Town::put(const recap_night::Letter& letter) {
  auto& person = people_.at(letter.user);
  bool lost = rng_.uniform() < plan_.answer_lost;
  bool had_it = !keys_.insert(letter.key).second;
  if (had_it) ++counted_.repeats_dropped;
  if (!had_it || !plan_.mailbox_knows_keys) {
    auto now = clock_.wall();
    judge(person, letter, now);
    if (!person.opted_in || person.opts_out <= now) ++counted_.unwanted;
    person.letters.push_back(now);
    person.since = letter.until;
    ++counted_.letters;
  }
  if (lost) return fail(Errc::unreachable, "the mailbox does not answer");
  return !had_it;
}

WallTime Town::due_of(const Person& person) const {
  for (const auto& each : mornings_after(plan_.day, std::chrono::hours(4)))
    if (each.zone == town_zones()[person.zone]) return each.due;
  return {};
}

TownVerdict Town::verdict() const {
  auto out = counted_;
  std::map<std::size_t, WallTime> due;
  for (const auto& [id, person] : people_) {
    if (!person.opted_in) continue;
    auto [it, fresh] = due.try_emplace(person.zone);
    if (fresh) it->second = due_of(person);
    // Who opts out in the night may have had one before.
    bool stayed = person.opts_out.ms == INT64_MAX;
    out.expected += stayed ? 1 : 0;
    out.none += stayed && person.letters.empty() ? 1 : 0;
    out.more += person.letters.size() > 1 ? 1 : 0;
    out.late += std::ranges::any_of(person.letters, [&](WallTime at) { return at > it->second; }) ? 1 : 0;
  }
  return out;
}

std::size_t Town::days_unshared() const {
  std::size_t sum = 0;
  for (const auto& [id, person] : people_)
    if (person.opted_in)
      sum += static_cast<std::size_t>(
          std::ranges::count_if(person.channels, [&](const auto& c) { return !closed_.contains(c); }));
  return sum;
}

std::size_t Town::days_wanted() const {
  std::set<std::string> wanted;
  for (const auto& [id, person] : people_)
    if (person.opted_in) wanted.insert(person.channels.begin(), person.channels.end());
  return static_cast<std::size_t>(
      std::ranges::count_if(wanted, [&](const auto& c) { return !closed_.contains(c); }));
}

}  // namespace troupe::actors::testing
