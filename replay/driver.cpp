#include "replay/driver.hpp"

#include "replay/baselines.hpp"
#include "replay/event_queue.hpp"
#include "replay/luck.hpp"
#include "replay/open_call.hpp"
#include "replay/slots.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/policy/route.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::replay {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr Instant kStart = replay_start;
constexpr std::uint64_t kCallSalt = 21, kRatedSalt = 22, kLikedSalt = 23;

}  // namespace

struct Driver::Run {
  Run(const Driver& driver, Steering& steers, Duration length);

  Result<PolicyResult> go(Arrivals& arrivals);
  Result<void> pass_seconds(Instant until);
  std::optional<Instant> next_time(std::optional<Instant> wake) const;
  Result<void> step(Arrivals& arrivals, std::optional<Instant> wake);

  void arrive(Arrival& arrival);
  void handle(const Event& event);
  void on_end(std::uint32_t slot, OpenAttempt& attempt);
  AttemptFact fact_of(const OpenAttempt& attempt, std::uint32_t written) const;
  CloudAsk ask_of(const OpenCall& call, std::uint32_t nth) const;
  void obey();
  void send(const SendOrder& order);
  void cancel(const CancelOrder& order);
  void end(const EndOrder& order);
  bool is_slow(const OpenCall& call) const;
  void rate(const OpenCall& call);
  void hear_moves();
  Result<void> check() const;
  StandingCounts standing() const;
  std::uint32_t slot_of(std::uint64_t call) const {
    return static_cast<std::uint32_t>(call & 0xffffffff) - 1;
  }
  Duration since(Instant at) const { return at - kStart; }

  const Clouds& clouds;
  const DriverOptions& options;
  Steering& steering;
  Measure measure;
  BaselineWorld world;
  std::vector<CloudEndpoint> endpoints;
  std::vector<Duration> deadlines;
  Slots<OpenCall> calls;
  Slots<OpenAttempt> attempts;
  EventQueue events;
  Orders orders;
  StandingCounts counts;
  Instant now = kStart, woken, next_second = kStart + kSecond;
  Arrival arrival;
  bool arriving = false;
  Duration last_arrival{};
};

Driver::Run::Run(const Driver& driver, Steering& steers, Duration length)
    : clouds(*driver.clouds_),
      options(driver.options_),
      steering(steers),
      measure(clouds, driver.features_.size(), length),
      world(world_of(clouds, driver.features_)) {
  for (const auto& model : clouds.models)
    endpoints.emplace_back(model, clouds.config.http.timeouts, clouds.config.simulator.scale, kStart);
  for (const auto& name : driver.features_) deadlines.push_back(clouds.config.features.at(name).deadline);
}

// ---- what happens ----

void Driver::Run::arrive(Arrival& coming) {
  auto slot = calls.take();
  auto& call = calls[slot];
  call.number = coming.number;
  call.luck = luck_of(options.seed, kCallSalt, coming.number);
  call.arrived = now;
  call.output_tokens = coming.output_tokens;
  call.blocks.swap(coming.blocks);
  call.tried.clear();
  call.out.clear();
  call.answer = 0;
  call.calm_first = call.calm_end = {};
  call.view.id = (std::uint64_t(++call.generation) << 32) | (slot + 1);
  call.view.feature = coming.feature;
  call.view.tenant = coming.tenant;
  call.view.input_tokens = coming.input_tokens;
  call.view.output_tokens_max = std::max(options.output_tokens_max, coming.output_tokens);
  // The first block is often everybody's system prompt; the second tells conversations apart.
  call.view.prefix =
      call.blocks.empty() ? 0 : call.blocks[std::min<std::size_t>(1, call.blocks.size() - 1)] + 1;
  call.view.deadline = now + deadlines[coming.feature];
  ++counts.offered;
  last_arrival = since(now);
  measure.offered(coming.feature, since(now));
  auto view = call.view;
  steering.on_call(view, now, orders);
}

CloudAsk Driver::Run::ask_of(const OpenCall& call, std::uint32_t nth) const {
  return {.luck = call.luck,
          .nth = nth,
          .input_tokens = call.view.input_tokens,
          .output_tokens = call.output_tokens,
          .output_tokens_max = call.view.output_tokens_max,
          .blocks = call.blocks,
          .deadline = call.view.deadline};
}

void Driver::Run::send(const SendOrder& order) {
  auto slot = attempts.take();
  auto& call = calls[slot_of(order.call)];
  auto& attempt = attempts[slot];
  auto nth = static_cast<std::uint32_t>(std::ranges::count(call.tried, order.endpoint));
  attempt.call = order.call;
  attempt.id = order.attempt;
  attempt.endpoint = order.endpoint;
  attempt.cause = order.cause;
  attempt.began = now;
  attempt.content_seen = attempt.cancelled = false;
  attempt.fate = endpoints[order.endpoint].begin(ask_of(call, nth), now);
  if (nth == 0 && order.endpoint == world.features[call.view.feature].front()) {
    call.calm_first = attempt.fate.calm_first;
    call.calm_end = attempt.fate.calm_end;
  }
  measure.attempt_began(order.endpoint, order.cause, call.tried.empty(), since(now));
  call.tried.push_back(order.endpoint);
  call.out.push_back(slot);
  bool token = attempt.fate.first_token > Duration{} && attempt.fate.first_token <= attempt.fate.end;
  attempt.event = events.push(now + (token ? attempt.fate.first_token : attempt.fate.end), slot,
                              token ? EventKind::first_token : EventKind::end);
}

// Its end is told before anything later happens.
void Driver::Run::cancel(const CancelOrder& order) {
  for (auto slot : calls[slot_of(order.call)].out) {
    auto& attempt = attempts[slot];
    if (attempt.id != order.attempt || attempt.cancelled) continue;
    attempt.cancelled = true;
    attempt.event = events.push(now, slot, EventKind::end);
    return;
  }
}

bool Driver::Run::is_slow(const OpenCall& call) const {
  constexpr double factor = 2;
  auto first = call.calm_first, end = call.calm_end;
  if (end == Duration{}) {
    auto usual = endpoints[world.features[call.view.feature].front()].unhurried(ask_of(call, 0));
    first = usual.first_token;
    end = usual.end;
  }
  auto over = [&](Duration is, Duration should) { return seconds(is) > factor * seconds(should) + 1; };
  return over(call.ttft, first) || over(now - call.arrived, end);
}

void Driver::Run::rate(const OpenCall& call) {
  if (luck_uniform(luck_of(call.luck, kRatedSalt)) >= options.feedback_share) return;
  double liked = call.poor ? options.poor_liked : options.good_liked;
  bool good = luck_uniform(luck_of(call.luck, kLikedSalt)) < liked;
  steering.on_feedback(call.endpoint, good, now, orders);
}

void Driver::Run::end(const EndOrder& order) {
  auto slot = slot_of(order.call);
  auto& call = calls[slot];
  bool served = order.ending == CallEnding::served;
  CallOutcome outcome{.number = call.number,
                      .feature = call.view.feature,
                      .endpoint = call.endpoint,
                      .ending = order.ending,
                      .slow = served && is_slow(call),
                      .poor = served && call.poor,
                      .spilled = served && call.spilled,
                      .arrived = since(call.arrived),
                      .ttft = served ? call.ttft : Duration{},
                      .total = now - call.arrived};
  switch (order.ending) {
    case CallEnding::served: ++counts.served; break;
    case CallEnding::refused: ++counts.refused; break;
    case CallEnding::expired: ++counts.expired; break;
    case CallEnding::failed: ++counts.failed; break;
  }
  measure.call_ended(outcome);
  if (served) rate(call);
  calls.give_back(slot);
}

// Obeying may bring more orders.
void Driver::Run::obey() {
  std::size_t cancelled = 0, sent = 0, over = 0;
  while (true) {
    if (cancelled < orders.cancel.size())
      cancel(CancelOrder(orders.cancel[cancelled++]));
    else if (sent < orders.send.size())
      send(SendOrder(orders.send[sent++]));
    else if (over < orders.ended.size())
      end(EndOrder(orders.ended[over++]));
    else
      break;
  }
  orders.clear();
}

// ---- attempts ----

AttemptFact Driver::Run::fact_of(const OpenAttempt& attempt, std::uint32_t written) const {
  AttemptFact fact;
  fact.call = attempt.call;
  fact.attempt = attempt.id;
  fact.endpoint = attempt.endpoint;
  fact.error = attempt.cancelled ? std::optional(Errc::cancelled) : attempt.fate.error;
  fact.retry_after = attempt.fate.retry_after;
  fact.content_seen = attempt.content_seen;
  if (attempt.content_seen) fact.ttft = attempt.fate.first_token;
  fact.total = now - attempt.began;
  if (attempt.content_seen && written > 1) fact.itl = (fact.total - fact.ttft) / (written - 1);
  fact.input = attempt.fate.input;
  fact.cached = attempt.fate.cached;
  fact.output = written;
  return fact;
}

void Driver::Run::on_end(std::uint32_t slot, OpenAttempt& attempt) {
  auto written = written_by(attempt, now);
  auto fact = fact_of(attempt, written);
  endpoints[attempt.endpoint].end(attempt.fate, written, now);
  Usage usage;
  usage.input = attempt.fate.input;
  usage.cache_read = attempt.fate.cached;
  usage.output = written;
  auto usd = policy::cost_usd(clouds.config.endpoints.list[attempt.endpoint].price, usage);
  measure.attempt_ended(fact, attempt.cause, usd);
  auto& call = calls[slot_of(attempt.call)];
  // A cancelled attempt may outlive its call by an instant.
  if (call.view.id == attempt.call) {
    std::erase(call.out, slot);
    if (!fact.error) {
      call.answer = attempt.id;
      call.endpoint = attempt.endpoint;
      call.ttft = attempt.began + attempt.fate.first_token - call.arrived;
      call.poor = attempt.fate.poor;
      bool reserved = clouds.config.endpoints.list[attempt.endpoint].kind == policy::CapacityKind::reserved;
      call.spilled = attempt.cause == Cause::spillover && !reserved;
    }
  }
  attempt.event = 0;
  attempts.give_back(slot);
  steering.on_ended(fact, now, orders);
}

void Driver::Run::handle(const Event& event) {
  auto& attempt = attempts[event.attempt];
  if (attempt.event != event.order) return;
  if (event.kind == EventKind::end) return on_end(event.attempt, attempt);
  attempt.content_seen = true;
  attempt.event = events.push(attempt.began + attempt.fate.end, event.attempt, EventKind::end);
  steering.on_first_token(attempt.call, attempt.id, now, orders);
}

// ---- time ----

StandingCounts Driver::Run::standing() const {
  auto standing = counts;
  standing.open = steering.open();
  standing.waiting = steering.waiting();
  return standing;
}

// C3, at every second. What the driver holds open must be what the policy holds open.
Result<void> Driver::Run::check() const {
  auto s = standing();
  bool kept = s.offered == s.served + s.refused + s.expired + s.failed + s.open && calls.used() == s.open;
  if (kept) return {};
  return fail(
      Errc::internal,
      fmt::format(
          "calls were lost: {} offered, {} served, {} refused, {} expired, {} failed, {} open, {} held",
          s.offered, s.served, s.refused, s.expired, s.failed, s.open, calls.used()));
}

void Driver::Run::hear_moves() {
  for (const auto& move : steering.take_moves()) measure.moved(move, since(move.at));
}

Result<void> Driver::Run::pass_seconds(Instant until) {
  for (; next_second <= until; next_second += kSecond) {
    if (auto kept = check(); !kept) return kept;
    measure.observe(since(next_second), steering);
    if (options.on_second) options.on_second(since(next_second), standing());
  }
  return {};
}

std::optional<Instant> Driver::Run::next_time(std::optional<Instant> wake) const {
  std::optional<Instant> next;
  auto sooner = [&](Instant at) { next = next ? std::min(*next, at) : at; };
  if (!events.empty()) sooner(events.next().at);
  // A policy that asks for the past gets the present, and time goes on.
  if (wake) sooner(std::max(*wake, now));
  if (arriving) sooner(kStart + arrival.at);
  return next;
}

Result<void> Driver::Run::step(Arrivals& arrivals, std::optional<Instant> wake) {
  if (!events.empty() && events.next().at <= now) {
    auto event = events.next();
    events.pop();
    handle(event);
    return {};
  }
  if (wake && *wake <= now && woken != now) {
    woken = now;
    steering.on_time(now, orders);
    return {};
  }
  if (!arriving || kStart + arrival.at > now) {
    now += std::chrono::microseconds(1);
    return {};
  }
  arrive(arrival);
  auto more = arrivals.next(arrival);
  if (!more) return std::unexpected(more.error());
  arriving = *more;
  return {};
}

Result<PolicyResult> Driver::Run::go(Arrivals& arrivals) {
  auto first = arrivals.next(arrival);
  if (!first) return std::unexpected(first.error());
  arriving = *first;
  while (arriving || calls.used() > 0) {
    auto wake = steering.wake_at();
    auto at = next_time(wake);
    if (!at)
      return fail(Errc::internal, fmt::format("{} calls are left that nothing will end", calls.used()));
    if (auto passed = pass_seconds(*at); !passed) return std::unexpected(passed.error());
    now = std::max(now, *at);
    if (auto done = step(arrivals, wake); !done) return std::unexpected(done.error());
    obey();
    hear_moves();
  }
  if (auto kept = check(); !kept) return std::unexpected(kept.error());
  auto result = measure.finish(last_arrival);
  result.virtual_seconds = seconds(since(now));
  return result;
}

Driver::Driver(const Clouds& clouds, std::vector<std::string> features, DriverOptions options)
    : clouds_(&clouds), features_(std::move(features)), options_(std::move(options)) {}

Result<PolicyResult> Driver::run(Arrivals& arrivals, Steering& steering, Duration length) {
  return Run(*this, steering, length).go(arrivals);
}

}  // namespace troupe::replay
