// Mornings, and who may read what.
#include "agents/recap_night/night.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace troupe::recap_night {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kHourMs = 3'600'000;

std::vector<std::string> readable(const NightUser& user, const NightAsked& asked) {
  std::vector<std::string> out;
  if (!user.opted_in) return out;
  // Looked up one by one: a user reads a few of the thousands of channels.
  std::ranges::copy_if(user.channels, std::back_inserter(out),
                       [&](const auto& channel) { return asked.channels_allowed.contains(channel); });
  return out;
}

void take_channels(std::map<std::string, ChannelJob>& jobs, const DigestJob& digest) {
  for (const auto& channel : digest.channels) {
    auto [it, first] = jobs.try_emplace(channel, ChannelJob{channel, digest.deadline, 0});
    it->second.deadline = std::min(it->second.deadline, digest.deadline);
    ++it->second.readers;
  }
}

}  // namespace

WallTime local_hour(const Zone& zone, std::int64_t day, int hour) {
  auto wall = day * kDayMs + hour * kHourMs;
  auto begin = INT64_MIN;
  auto offset = zone.offset_s;
  for (std::size_t i = 0;; ++i) {
    auto end = i < zone.changes.size() ? zone.changes[i].at.ms : INT64_MAX;
    auto candidate = wall - offset * 1000ll;
    // Before this stretch begins: the hour was skipped by the change that began it.
    if (candidate < begin) return WallTime{begin};
    if (candidate < end) return WallTime{candidate};
    begin = end;
    offset = zone.changes[i].offset_s;
  }
}

NightPlan plan_night(const NightAsked& asked) {
  NightPlan plan;
  std::map<std::string, ChannelJob> jobs;
  for (const auto& user : asked.users) {
    auto zone = user.zone < asked.zones.size() ? asked.zones[user.zone] : Zone{};
    DigestJob digest{user.id, readable(user, asked), local_hour(zone, asked.day, asked.hour)};
    if (digest.channels.empty()) continue;
    take_channels(jobs, digest);
    plan.digests.push_back(std::move(digest));
  }
  for (auto& [name, job] : jobs) plan.channels.push_back(std::move(job));
  std::ranges::stable_sort(plan.channels, {}, &ChannelJob::deadline);
  std::ranges::sort(plan.digests, [](const DigestJob& a, const DigestJob& b) {
    return a.deadline != b.deadline ? a.deadline < b.deadline : a.user < b.user;
  });
  return plan;
}

DigestJob still_allowed(const DigestJob& job, const NightAsked& now) {
  DigestJob out{job.user, {}, job.deadline};
  auto user = std::ranges::find(now.users, job.user, &NightUser::id);
  if (user == now.users.end()) return out;
  auto allowed = readable(*user, now);
  std::ranges::copy_if(job.channels, std::back_inserter(out.channels),
                       [&](const auto& channel) { return std::ranges::binary_search(allowed, channel); });
  return out;
}

}  // namespace troupe::recap_night
