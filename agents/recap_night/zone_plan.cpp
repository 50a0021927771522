// Sets of channels and days, and which of them belong together.
#include "agents/recap_night/zone_plan.hpp"

#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <set>

namespace troupe::recap_night {
namespace {

constexpr std::int64_t kMsOfADay = 86'400'000;

std::int64_t day_number(const std::string& date) {
  int year = 0;
  unsigned month = 0, day = 0;
  if (std::sscanf(date.c_str(), "%d-%u-%u", &year, &month, &day) != 3) return 0;
  using namespace std::chrono;
  return sys_days(year_month_day{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)})
      .time_since_epoch()
      .count();
}

using DayKey = std::pair<std::string, std::string>;

struct PlannedReader {
  std::vector<std::string> channels;
  WallTime since;
  std::string id;
  friend auto operator<=>(const PlannedReader&, const PlannedReader&) = default;
};

/// Editions are asked for once for each channel-day.
class EditionBook {
 public:
  explicit EditionBook(NightSource& source) : source_(source) {}
  const std::string& of(const DayKey& day) {
    auto [it, fresh] = editions_.try_emplace(day);
    if (fresh) it->second = source_.edition(day.first, day.second);
    return it->second;
  }

 private:
  NightSource& source_;
  std::map<DayKey, std::string> editions_;
};

std::set<ChannelDayId> needed_by(const PlannedReader& reader, const std::string& last,
                                 EditionBook& editions) {
  std::set<ChannelDayId> out;
  for (const auto& date : days_since(reader.since, last))
    for (const auto& channel : reader.channels)
      if (const auto& edition = editions.of({channel, date}); !edition.empty())
        out.insert({channel, date, edition});
  return out;
}

Result<std::vector<PlannedReader>> those_who_get_one(NightSource& source, const std::string& zone) {
  auto ids = source.readers(zone);
  if (!ids) return std::unexpected(ids.error());
  std::vector<PlannedReader> out;
  for (auto& id : *ids) {
    auto reader = source.reader(id);
    if (!reader.opted_in) continue;
    std::erase_if(reader.channels, [&](const std::string& channel) { return !source.allowed(channel); });
    out.push_back({std::move(reader.channels), reader.since, std::move(id)});
  }
  std::ranges::sort(out);
  return out;
}

Picked new_points(const KnownDay& day, WallTime since, NightSource& source) {
  Picked out{day.run_id, {}, {}};
  std::vector<Item> chosen;
  const auto& items = day.items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& sources = items[i].sources;
    bool newer = std::ranges::any_of(sources, [&](const auto& each) { return time_of(each.ts) > since; });
    bool stands = std::ranges::all_of(sources, [&](const auto& each) { return source.stands(each); });
    if (!newer || !stands) continue;
    out.points.push_back(i);
    chosen.push_back(items[i]);
  }
  out.mark = wide_hash(dump_json(to_json(chosen)));
  return out;
}

/// Many readers ask the same of a channel-day.
class ChosenPoints {
 public:
  ChosenPoints(NightSource& source, const KnownDays& known) : source_(source), known_(known) {}

  Readership of(const Reader& reader, const std::vector<ChannelDayId>& days) {
    Readership out;
    std::set<std::string> missing;
    for (const auto& day : days) {
      bool readable =
          std::ranges::binary_search(reader.channels, day.channel) && source_.allowed(day.channel);
      if (!readable || end_of(day.date) <= reader.since) continue;
      auto made = known_.find(day);
      if (made == known_.end()) {
        missing.insert(day.channel);
        continue;
      }
      auto [it, fresh] = chosen_.try_emplace({day, reader.since});
      if (fresh) it->second = new_points(made->second, reader.since, source_);
      if (!it->second.points.empty()) out.picked.push_back(it->second);
    }
    out.missing.assign(missing.begin(), missing.end());
    return out;
  }

 private:
  NightSource& source_;
  const KnownDays& known_;
  std::map<std::pair<ChannelDayId, WallTime>, Picked> chosen_;
};

}  // namespace

WallTime end_of(const std::string& date) { return {(day_number(date) + 1) * kMsOfADay}; }

std::vector<std::string> days_since(WallTime since, const std::string& last) {
  auto to = day_number(last);
  auto from = since.ms == 0 ? to : since.ms / kMsOfADay;
  from = std::max(from, to + 1 - static_cast<std::int64_t>(kDaysBackMax));
  std::vector<std::string> out;
  for (auto day = from; day <= to; ++day) out.push_back(to_date({day * kMsOfADay}));
  return out;
}

std::vector<slack::Problem> problems_of_days(std::vector<slack::Problem> problems, const std::string& last) {
  auto first = to_date({(day_number(last) + 1 - static_cast<std::int64_t>(kDaysBackMax)) * kMsOfADay});
  std::erase_if(problems, [&](const slack::Problem& problem) {
    auto date = std::filesystem::path(problem.file).stem().string();
    bool of_a_day = to_date({day_number(date) * kMsOfADay}) == date;
    return of_a_day && (date < first || date > last);
  });
  return problems;
}

Result<ZonePlan> plan_zone(NightSource& source, const std::string& zone, const std::string& last,
                           std::size_t batch_max) {
  auto readers = those_who_get_one(source, zone);
  if (!readers) return std::unexpected(readers.error());
  ZonePlan plan;
  plan.readers = readers->size();
  EditionBook editions(source);
  std::set<ChannelDayId> all, some;
  auto close_batch = [&] {
    plan.batches.back().days.assign(some.begin(), some.end());
    all.merge(some);
    some.clear();
  };
  for (auto& reader : *readers) {
    if (plan.batches.empty() || plan.batches.back().users.size() >= batch_max) {
      if (!plan.batches.empty()) close_batch();
      plan.batches.emplace_back();
    }
    some.merge(needed_by(reader, last, editions));
    plan.batches.back().users.push_back(std::move(reader.id));
  }
  if (!plan.batches.empty()) close_batch();
  plan.days.assign(all.begin(), all.end());
  return plan;
}

std::vector<Readership> group_readers(NightSource& source, const ReadersBatch& batch,
                                      const KnownDays& known) {
  std::map<std::pair<std::string, std::vector<std::string>>, Readership> groups;
  ChosenPoints chosen(source, known);
  for (const auto& user : batch.users) {
    auto reader = source.reader(user);
    if (!reader.opted_in) continue;
    auto own = chosen.of(reader, batch.days);
    std::string marks;
    for (const auto& each : own.picked) marks += each.mark;
    auto& group = groups.try_emplace({marks, own.missing}, own).first->second;
    group.users.push_back(user);
  }
  std::vector<Readership> out;
  for (auto& [key, group] : groups) out.push_back(std::move(group));
  return out;
}

}  // namespace troupe::recap_night
