#include "replay/migration_fleet.hpp"

#include "replay/luck.hpp"
#include "runtime/policy/peer_groups.hpp"

namespace troupe::replay {
namespace {

constexpr std::int64_t kMigrationWallMs = 1'700'000'000'000;
constexpr Duration kOverloadedAfter = std::chrono::milliseconds(50), kRefusedAfter = kOverloadedAfter;
constexpr std::uint64_t kLoadSalt = 31;
/// All calls are of one feature.
constexpr std::uint64_t kMigrationWorkload = 1;

}  // namespace

policy::Moment migration_moment(Instant now) {
  auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - migration_start).count();
  return {now, {kMigrationWallMs + ms}};
}

MigrationFleet::MigrationFleet(const MigrationWorld& world, Hear hear) : hear_(std::move(hear)) {
  const auto& list = world.config.endpoints.list;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& cloud = world.clouds[i];
    members_.push_back({std::make_shared<const policy::EndpointFacts>(config::endpoint_facts(list[i])),
                        policy::EndpointGuard(config::guard_policy(list[i], false), migration_start),
                        policy::Breaker(list[i].breaker),
                        CloudEndpoint(cloud.model, world.config.http.timeouts, 1, migration_start),
                        cloud.load});
  }
  seat_peers(world.config);
}

// As in actors/peer_seats.cpp: the new model is on trial from first to last.
void MigrationFleet::seat_peers(const config::Config& config) {
  std::vector<std::string> models;
  for (const auto& endpoint : config.endpoints.list) models.push_back(endpoint.model);
  peers_ = std::make_shared<policy::PeerBoard>(std::move(models));
  policy::LeadRules leads;
  leads.shadowed.push_back({migration_feature, migration_new});
  const auto& hierarchy = config.features.at(migration_feature).hierarchy;
  peers_->regroup({policy::peer_group(migration_feature, hierarchy, &leads)});
  for (std::uint32_t i = 0; i < size(); ++i) members_[i].breaker.set_peers(peers_, i);
}

std::vector<policy::FactsPtr> MigrationFleet::all_facts() const {
  std::vector<policy::FactsPtr> out;
  for (const auto& member : members_) out.push_back(member.facts);
  return out;
}

double MigrationFleet::usd_of(std::uint32_t index, std::uint64_t input, std::uint64_t output) const {
  Usage usage;
  usage.input = static_cast<std::int64_t>(input);
  usage.output = static_cast<std::int64_t>(output);
  return policy::cost_usd(facts(index).price, usage);
}

MigrationFleet::Admitted MigrationFleet::admit(std::uint32_t index, double input, double output_max,
                                               Instant now) {
  auto& guard = members_[index].guard;
  auto need = guard.need_of(kMigrationWorkload, input, output_max);
  auto admission = guard.admit(need, now);
  if (!admission.admitted) return {std::nullopt, admission.wait};
  return {need, std::nullopt};
}

Fate MigrationFleet::begin(std::uint32_t index, const CloudAsk& ask, Instant now) {
  auto& member = members_[index];
  auto luck = luck_uniform(luck_of(ask.luck, kLoadSalt, index, ask.nth));
  bool overloaded = luck < member.load.failing(member.in_flight);
  ++member.in_flight;
  if (!overloaded) return member.cloud.begin(ask, now);
  Fate fate;
  fate.end = kOverloadedAfter;
  fate.error = Errc::transient_server;
  return fate;
}

Fate MigrationFleet::refuse(std::uint32_t index) {
  ++members_[index].in_flight;
  Fate fate;
  fate.end = kRefusedAfter;
  fate.error = Errc::bad_request;
  return fate;
}

void MigrationFleet::watch(std::uint32_t index, std::uint64_t attempt, Instant now) {
  members_[index].silence.began(attempt, now);
}

std::optional<std::uint64_t> MigrationFleet::silence_due(std::uint32_t index, Instant now) {
  auto& member = members_[index];
  return member.silence.due(now, member.breaker.patience());
}

void MigrationFleet::hear_silence(std::uint32_t index, const policy::Silence& silence) {
  heard(index, members_[index].breaker.on_silence(silence), silence.at);
}

void MigrationFleet::end(std::uint32_t index, const FleetEnd& end, Instant now) {
  auto& member = members_[index];
  const auto& fate = end.fate;
  member.cloud.end(fate, end.written, now);
  --member.in_flight;
  policy::AttemptEnd told;
  told.actual = {double(fate.input), double(end.written)};
  told.error = end.error;
  told.retry_after = fate.retry_after;
  told.ttft = fate.first_token;
  told.total = now - end.began;
  told.workload = kMigrationWorkload;
  member.guard.ended(end.held, told, now, migration_moment(now).wall);
  policy::Outcome outcome;
  outcome.at = now;
  outcome.error = end.error;
  outcome.counts = end.error && make_error(*end.error, {}).counts_for_breaker;
  outcome.ttft = fate.first_token;
  outcome.total = told.total;
  if (end.written > 1) outcome.itl = (told.total - told.ttft) / (end.written - 1);
  outcome.trickle = end.trickle, outcome.silent = end.silent, outcome.began = end.began;
  outcome.copy = end.copy, outcome.probe = end.probe;
  heard(index, member.breaker.on_outcome(outcome), now);
  publish(index, now);
}

void MigrationFleet::rate(std::uint32_t index, bool good, Instant now) {
  auto event = members_[index].breaker.on_feedback(good, now);
  heard(index, event, now);
  if (event) publish(index, now);
}

void MigrationFleet::on_second(Instant now) {
  for (std::uint32_t i = 0; i < size(); ++i) heard(i, members_[i].breaker.on_tick(now), now);
  publish_all(now);
}

void MigrationFleet::publish_all(Instant now) {
  for (std::uint32_t i = 0; i < size(); ++i) publish(i, now);
}

bool MigrationFleet::takes_copy(std::uint32_t index, double draw, Instant now) const {
  const auto& member = members_[index];
  return draw < member.breaker.share() &&
         member.guard.load(now).throttled_until <= migration_moment(now).wall;
}

void MigrationFleet::heard(std::uint32_t index, const std::optional<policy::BreakerEvent>& event,
                           Instant now) {
  const auto& breaker = members_[index].breaker;
  peers_->post(index, breaker.state() == policy::BreakerState::closed, breaker.strain(now));
  if (event) hear_.moved(index, *event);
}

void MigrationFleet::publish(std::uint32_t index, Instant now) {
  auto& member = members_[index];
  auto view = std::make_shared<policy::HealthView>();
  view->endpoint = member.facts->id;
  member.breaker.fill(*view, now);
  view->version = ++member.version;
  if (auto cool = member.breaker.cool_until()) view->cool_until = migration_moment(*cool).wall;
  if (auto measured = member.breaker.measured()) view->measured = migration_moment(*measured).wall;
  auto load = member.guard.load(now);
  view->in_flight = load.in_flight;
  view->in_flight_max = load.in_flight_max;
  view->input_headroom = load.input_headroom;
  view->output_headroom = load.output_headroom;
  view->throttled_until = load.throttled_until;
  hear_.health(index, std::move(view));
}

}  // namespace troupe::replay
