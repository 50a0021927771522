#include "replay/migration_chaos.hpp"

#include "replay/luck.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace troupe::replay {
namespace {

using config::FaultKind;

struct MigrationPlace {
  const char *id, *provider, *region, *model;
};
constexpr std::array kMigrationPlaces{
    MigrationPlace{"old-a", "aws", "us-east-1", migration_old},
    MigrationPlace{"old-b", "google", "us-central1", migration_old},
    MigrationPlace{"new-a", "aws", "us-east-1", migration_new},
    MigrationPlace{"new-b", "azure", "eastus2", migration_new},
    MigrationPlace{"new-c", "google", "us-central1", migration_new},
};
constexpr std::size_t kFirstNew = 2, kNewPlaces = kMigrationPlaces.size() - kFirstNew;

double between(Rng& rng, double low, double high) { return low + (high - low) * rng.uniform(); }

/// Draws what is wrong, and writes it down.
class ChaosMaker {
 public:
  ChaosMaker(MigrationWorld& world, std::uint64_t seed, Duration until)
      : world_(world), rng_(seed), until_(until) {}

  void make() {
    // A third of the worlds have a sound new model; in another third all of it is defective.
    auto kind = rng_.below(3);
    for (std::size_t i = kFirstNew; i < kMigrationPlaces.size(); ++i)
      if (kind == 2 || (kind == 1 && rng_.uniform() < 0.5)) defect(i);
    auto at = Duration{};
    for (auto left = rng_.below(5); left > 0; --left) at = incident(at);
  }

 private:
  MigrationCloud& cloud(std::size_t i) { return world_.clouds[i]; }
  void say(std::size_t i, const std::string& what, const config::Fault& fault) {
    auto until = fault.to == Duration{} ? std::string("on") : fmt::format("to {:.0f} s", seconds(fault.to));
    world_.chaos.push_back(
        fmt::format("{} {}, from {:.0f} s {}", kMigrationPlaces[i].id, what, seconds(fault.from), until));
  }
  void strike(std::size_t i, config::Fault fault, const std::string& what) {
    say(i, what, fault);
    cloud(i).model.faults.push_back(std::move(fault));
  }

  void defect(std::size_t i) {
    config::Fault fault;
    bool later = rng_.uniform() < 0.5;
    if (later) fault.from = from_seconds(between(rng_, 0, seconds(until_)));
    switch (rng_.below(10)) {
      case 0: fault.kind = FaultKind::down; return strike(i, fault, "dead");
      case 1: fault.kind = FaultKind::half_open; return strike(i, fault, "silent");
      case 2:
        fault.kind = FaultKind::slow;
        fault.factor = between(rng_, 2.5, 12);
        return strike(i, fault, fmt::format("{:.1f} times as slow", fault.factor));
      case 3:
        fault.kind = FaultKind::late_first_token;
        fault.share = between(rng_, 0.05, 1);
        fault.delay = from_seconds(between(rng_, 3, 25));
        return strike(i, fault, fmt::format("{:.0f} s late in {:.2f}", seconds(fault.delay), fault.share));
      case 4: return partly(i, fault, FaultKind::throttle, "throttled", 0.3);
      case 5: return partly(i, fault, FaultKind::errors, "failing", 0.03);
      case 6: return partly(i, fault, FaultKind::cut, "breaking off", 0.03);
      case 7: return partly(i, fault, FaultKind::poor_quality, "poor", 0.3);
      case 8: return too_small(i);
      default: return failing_with_load(i);
    }
  }
  void partly(std::size_t i, config::Fault fault, FaultKind kind, const char* word, double share_min) {
    fault.kind = kind;
    fault.share = between(rng_, share_min, 1);
    strike(i, fault, fmt::format("{} in {:.2f}", word, fault.share));
  }
  void too_small(std::size_t i) {
    auto& model = cloud(i).model;
    if (rng_.uniform() < 0.5) {
      model.replay.slots = 1 + static_cast<std::uint32_t>(rng_.below(4));
      world_.chaos.push_back(fmt::format("{} serves {} at once", kMigrationPlaces[i].id, model.replay.slots));
    } else {
      model.limits.requests_per_minute = between(rng_, 15, 120);
      world_.chaos.push_back(
          fmt::format("{} takes {:.0f} a minute", kMigrationPlaces[i].id, model.limits.requests_per_minute));
    }
  }
  void failing_with_load(std::size_t i) {
    auto knee = 1 + static_cast<std::uint32_t>(rng_.below(4));
    cloud(i).load = {knee, knee + 1 + static_cast<std::uint32_t>(rng_.below(5))};
    world_.chaos.push_back(fmt::format("{} fails above {} in flight, all from {} on", kMigrationPlaces[i].id,
                                       knee, cloud(i).load.ceiling));
  }

  // After the one before, so that no two of them meet.
  Duration incident(Duration after) {
    constexpr double gap = 30, shortest = 60, longest = 240;
    config::Fault fault;
    fault.from = after + from_seconds(between(rng_, gap, gap + seconds(until_) / 3));
    fault.to = fault.from + from_seconds(between(rng_, shortest, longest));
    constexpr std::array kinds{std::pair(FaultKind::down, "down"), std::pair(FaultKind::half_open, "silent"),
                               std::pair(FaultKind::slow, "slow"), std::pair(FaultKind::errors, "failing"),
                               std::pair(FaultKind::throttle, "throttled")};
    auto [kind, word] = kinds[rng_.below(kinds.size())];
    fault.kind = kind;
    fault.factor = 6;
    auto place = rng_.below(2) == 0 ? rng_.below(kFirstNew) : kFirstNew + rng_.below(kNewPlaces);
    if (fault.to <= until_) strike(place, fault, word);
    return fault.to;
  }

  MigrationWorld& world_;
  Rng rng_;
  Duration until_;
};

void add_place(MigrationWorld& world, const MigrationPlace& place) {
  config::EndpointConfig endpoint;
  endpoint.id = place.id;
  endpoint.provider = place.provider;
  endpoint.region = place.region;
  endpoint.model = endpoint.remote_model = place.model;
  endpoint.price = {.input = 3, .output = 15};
  world.config.endpoints.list.push_back(std::move(endpoint));
  MigrationCloud cloud;
  cloud.model.name = place.id;
  cloud.model.region = place.region;
  cloud.model.provider = place.provider;
  world.clouds.push_back(std::move(cloud));
}

void refuse_a_kind(MigrationWorld& world, std::uint64_t seed) {
  Rng rng(seed);
  if (rng.below(world.chaos.empty() ? 2 : 4) != 0) return;
  world.refused_share = between(rng, 0.05, 0.4);
  world.chaos.push_back(
      fmt::format("{} refuses a kind of request, {:.2f} of all", migration_new, world.refused_share));
}

}  // namespace

double LoadLaw::failing(std::uint32_t in_flight) const {
  if (ceiling == 0 || in_flight <= knee) return 0;
  return std::min(1.0, double(in_flight - knee) / double(std::max(1U, ceiling - knee)));
}

MigrationWorld migration_world(std::uint64_t seed, Duration chaos_until) {
  MigrationWorld world;
  for (const auto& place : kMigrationPlaces) add_place(world, place);
  auto& feature = world.config.features[migration_feature];
  feature.hierarchy = {migration_old, migration_new};
  ChaosMaker(world, luck_of(seed, 1), chaos_until).make();
  refuse_a_kind(world, luck_of(seed, 5));
  return world;
}

}  // namespace troupe::replay
