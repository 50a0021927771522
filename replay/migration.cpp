#include "replay/migration.hpp"

#include "replay/event_queue.hpp"
#include "replay/migration_fleet.hpp"
#include "replay/shift_call.hpp"
#include "replay/shift_luck.hpp"
#include "replay/slots.hpp"
#include "runtime/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace troupe::replay {
namespace {

/// The node's own (actors/node_impl.cpp); breakers and the shift look at the time once a second here.
constexpr Duration kQueueTick = std::chrono::milliseconds(50);
constexpr Duration kShiftTick = std::chrono::seconds(1);
constexpr std::uint64_t kUsers = 10'000, kOutputMax = 1024, kKindSalt = 36;
constexpr std::uint64_t kCopySalt = 34, kProbeSalt = 37, kTrialCopySalt = 38;
constexpr Duration kSlowFrom = std::chrono::seconds(10);

MigrationWorld altered_world(const MigrationOptions& options) {
  auto world = migration_world(options.seed, options.chaos_until);
  if (options.alter) options.alter(world);
  return world;
}

class MigrationRun {
 public:
  explicit MigrationRun(const MigrationOptions& options)
      : options_(options),
        world_(altered_world(options)),
        rng_(luck_of(options.seed, 2)),
        shift_(options.shift, migration_feature, migration_old, migration_new, migration_start),
        dispatcher_(config::dispatch_policy(world_.config, migration_feature), luck_of(options.seed, 3),
                    migration_start),
        fleet_(world_,
               {[this](std::uint32_t index, policy::HealthPtr view) {
                  dispatcher_.set_health(index, std::move(view));
                },
                [this](std::uint32_t index, const policy::BreakerEvent& event) { moved(index, event); }}) {
    dispatcher_.set_endpoints(fleet_.all_facts());
    fleet_.publish_all(now_);
    result_.chaos = world_.chaos;
  }

  MigrationResult go() {
    next_call_ = migration_start + gap();
    while (!over()) {
      now_ = std::max(now_, next_time());
      step();
    }
    result_.state = shift_.state();
    result_.why = shift_.why();
    return result_;
  }

 private:
  Duration since_start() const { return now_ - migration_start; }
  void tell(const std::string& what) const {
    if (options_.story) options_.story(since_start(), what);
  }
  std::uint32_t drawn(double median, double sigma, double most) {
    return static_cast<std::uint32_t>(std::clamp(median * std::exp(sigma * rng_.normal()), 5.0, most));
  }
  Duration gap() { return from_seconds(-std::log(1 - rng_.uniform()) / options_.calls_per_second); }

  // ---- time ----

  bool calling() const {
    auto until = options_.length;
    if (result_.took) until = std::max(until, options_.shift.begin + *result_.took + options_.after);
    return since_start() < (has_ended(shift_.state()) ? std::min(until, options_.ends_at) : options_.ends_at);
  }
  bool over() const {
    if (options_.stop_at_failed && result_.failed > 0) return true;
    return !calling() && calls_.empty();
  }

  std::optional<Instant> queue_wakes() const {
    auto wake = dispatcher_.wake_at();
    if (!wake) return std::nullopt;
    auto ticks = (*wake - migration_start + kQueueTick - Duration(1)) / kQueueTick;
    return std::max(migration_start + ticks * kQueueTick, queue_ticked_ + kQueueTick);
  }
  Instant next_time() const {
    auto next = next_tick_;
    if (calling()) next = std::min(next, next_call_);
    if (!events_.empty()) next = std::min(next, events_.next().at);
    if (auto wake = queue_wakes()) next = std::min(next, *wake);
    return next;
  }

  void step() {
    if (!events_.empty() && events_.next().at <= now_) {
      auto event = events_.next();
      events_.pop();
      if (attempts_[event.attempt].event == event.order) on_end(event.attempt);
    } else if (next_tick_ <= now_) {
      next_tick_ += kShiftTick;
      on_second();
    } else if (auto wake = queue_wakes(); wake && *wake <= now_) {
      queue_ticked_ = now_;
      dispatcher_.on_tick(migration_moment(now_), actions_);
    } else if (calling() && next_call_ <= now_) {
      next_call_ = now_ + gap();
      arrive();
    }
    act();
  }

  void on_second() {
    for (std::uint32_t i = 0; i < fleet_.size(); ++i)
      while (auto due = fleet_.silence_due(i, now_)) hear_silence(i, *due);
    fleet_.on_second(now_);
    for (std::uint32_t i = 0; i < fleet_.size(); ++i)
      if (fleet_.take_probe(i, now_)) probe(i);
    dispatcher_.on_tick(migration_moment(now_), actions_);
    auto moment = migration_moment(now_);
    if (!shift_.on_tick(now_, moment.wall)) return;
    tell(
        fmt::format("shift {} at {:g} %: {}", to_string(shift_.state()), shift_.share() * 100, shift_.why()));
    dispatcher_.set_controls(shift_.controls());
    if (has_ended(shift_.state()) && !result_.took) result_.took = since_start() - options_.shift.begin;
  }

  // What is due names a place and which of the attempts that had it.
  void hear_silence(std::uint32_t index, std::uint64_t due) {
    auto& attempt = attempts_[static_cast<std::uint32_t>(due)];
    auto& end = attempt.end;
    bool out = attempt.event != 0 && !attempt.cancelled && attempt.serial == due >> 32;
    bool begun = end.fate.first_token > Duration{} && end.began + end.fate.first_token <= now_;
    if (!out || begun) return;
    end.silent = true;
    fleet_.hear_silence(index, {now_, end.began, end.trickle, end.copy});
  }

  // ---- calls ----

  void arrive() {
    auto id = ++last_call_;
    auto& call = calls_[id];
    call.id = id;
    call.luck = luck_of(options_.seed, 4, id);
    call.arrived = now_;
    call.deadline = now_ + world_.config.features.at(migration_feature).deadline;
    call.input = drawn(800, 0.8, 20'000);
    call.output = drawn(150, 0.5, 1'000);
    auto user = fmt::format("u{}", rng_.below(kUsers));
    auto moment = migration_moment(now_);
    policy::RequestFacts about{migration_feature, {}, {"t", user, id}, call.input};
    auto lead = shift_.lead_for(about, now_, moment.wall);
    call.counts = lead.rollout != nullptr;
    call.new_side = lead.new_side;
    policy::CallFacts facts{.id = id, .tenant = "t", .input_tokens = call.input};
    facts.output_tokens_max = kOutputMax;
    facts.deadline = call.deadline;
    if (lead.model == migration_new) facts.lead = 1;
    if (lead.candidate == migration_new) facts.candidates = 0b10;
    call.held_back = !facts.lead && shift_.state() < ShiftState::kept;
    ++result_.calls;
    dispatcher_.on_call(std::move(facts), moment, actions_);
  }

  void act() {
    while (!actions_.cancel.empty() || !actions_.send.empty() || !actions_.ended.empty()) {
      std::swap(orders_, actions_);
      for (auto order : orders_.cancel) cancel(order);
      for (const auto& order : orders_.send) send(order);
      for (const auto& ended : orders_.ended) end_call(ended);
      orders_.clear();
    }
  }

  void end_call(const policy::CallEnd& ended) {
    auto node = calls_.extract(ended.call);
    auto& call = node.mapped();
    bool served = ended.ending == policy::Ending::served;
    served ? ++result_.served : ++result_.failed;
    if (!served)
      tell(fmt::format("call {} failed after {:.1f} s and {} attempts: {}", call.id,
                       seconds(now_ - call.arrived), call.tried.size(),
                       ended.error ? ended.error->what : "?"));
    result_.digest =
        luck_of(result_.digest, call.id, std::uint64_t(served), call.endpoint, since_start().count());
    if (options_.on_call_ended) options_.on_call_ended(call.id, call.last);
    if (served) note_served(call);
    bool strayed = served && call.new_side && !fleet_.is_new(call.endpoint);
    call.figures.failed = !served;
    if (call.counts && !call.tried.empty()) shift_.on_outcome(call.new_side, call.figures, strayed);
    if (call.copied) shift_.on_half(call.id, &policy::ParityPair::old, call.last);
  }

  void note_served(ShiftCall& call) {
    result_.slow += call.first_token > kSlowFrom ? 1 : 0;
    result_.poor += call.poor ? 1 : 0;
    result_.on_new += fleet_.is_new(call.endpoint) ? 1 : 0;
    call.figures.quality = shift_check(call.luck, call.poor);
    if (auto good = shift_rating(call.luck, call.poor)) fleet_.rate(call.endpoint, *good, now_);
  }

  // ---- attempts ----

  void start(ShiftAttempt attempt, const ShiftCall& call, std::uint32_t nth) {
    CloudAsk ask{.luck = attempt.luck,
                 .nth = nth,
                 .input_tokens = call.input,
                 .output_tokens = call.output,
                 .output_tokens_max = kOutputMax,
                 .deadline = call.deadline};
    attempt.end.began = now_;
    attempt.end.fate = refuses(attempt.endpoint, call) ? fleet_.refuse(attempt.endpoint)
                                                       : fleet_.begin(attempt.endpoint, ask, now_);
    auto slot = attempts_.take();
    attempt.event = events_.push(now_ + attempt.end.fate.end, slot, EventKind::end);
    attempt.serial = ++last_serial_;
    fleet_.watch(attempt.endpoint, std::uint64_t{attempt.serial} << 32 | slot, now_);
    attempts_[slot] = std::move(attempt);
  }

  bool refuses(std::uint32_t endpoint, const ShiftCall& call) const {
    return fleet_.is_new(endpoint) && luck_uniform(luck_of(call.luck, kKindSalt)) < world_.refused_share;
  }

  void send(const policy::AttemptOrder& order) {
    auto& call = calls_.at(order.call);
    auto admitted = fleet_.admit(order.endpoint, call.input, kOutputMax, now_);
    if (!admitted.held) return refuse(order, admitted.wait);
    auto nth = static_cast<std::uint32_t>(std::ranges::count(call.tried, order.endpoint));
    call.tried.push_back(order.endpoint);
    ShiftAttempt attempt;
    attempt.call = call.id;
    attempt.order = order.id;
    attempt.luck = call.luck;
    attempt.endpoint = order.endpoint;
    attempt.end.trickle = order.cause == Cause::trickle;
    attempt.end.held = *admitted.held;
    start(std::move(attempt), call, nth);
    if (call.tried.size() == 1) offer_copy(call);
  }

  void refuse(const policy::AttemptOrder& order, std::optional<Duration> wait) {
    policy::AttemptReport report;
    report.id = order.id;
    report.error = make_error(Errc::rate_limited, "no capacity");
    report.error->retry_after = wait;
    report.not_sent = true;
    dispatcher_.on_ended(report, migration_moment(now_), actions_);
  }

  void cancel(std::uint64_t order) {
    for (std::uint32_t slot = 0; slot < attempts_.places(); ++slot) {
      auto& attempt = attempts_[slot];
      if (attempt.event == 0 || attempt.order != order || order == 0) continue;
      attempt.cancelled = true;
      attempt.event = events_.push(now_, slot, EventKind::end);
      return;
    }
  }

  void on_end(std::uint32_t slot) {
    auto attempt = attempts_[slot];
    attempts_[slot].event = 0;
    attempts_.give_back(slot);
    auto& end = attempt.end;
    end.error = attempt.cancelled ? std::optional(Errc::cancelled) : end.fate.error;
    end.written = attempt.cancelled ? 0 : end.fate.output;
    fleet_.end(attempt.endpoint, end, now_);
    auto usd = fleet_.usd_of(attempt.endpoint, end.fate.input, end.written);
    policy::ParitySide side;
    side.error = end.error;
    side.ttft = seconds(end.fate.first_token);
    side.total = seconds(now_ - end.began);
    side.output_tokens = end.written;
    if (!side.error) side.quality = shift_check(attempt.luck, end.fate.poor);
    if (end.probe) return void(result_.probe_usd += usd);
    attempt.order == 0 ? end_copy(attempt, side, usd) : end_attempt(attempt, side, usd);
  }

  void end_attempt(const ShiftAttempt& attempt, const policy::ParitySide& side, double usd) {
    result_.usd += usd;
    auto it = calls_.find(attempt.call);
    if (it != calls_.end()) {
      auto& call = it->second;
      call.figures.ttft = side.ttft;
      call.figures.total += side.total;
      call.figures.usd += usd;
      call.last = side;
      result_.uncalled_for += call.held_back && fleet_.is_new(attempt.endpoint);
      call.endpoint = attempt.endpoint;
      call.poor = attempt.end.fate.poor;
      call.first_token = attempt.end.began + attempt.end.fate.first_token - call.arrived;
    }
    policy::AttemptReport report;
    report.id = attempt.order;
    if (side.error) {
      report.error = make_error(*side.error, {});
      report.error->retry_after = attempt.end.fate.retry_after;
    }
    report.ttft = attempt.end.fate.first_token;
    report.input_tokens = attempt.end.fate.input;
    report.output_tokens = side.output_tokens;
    report.content_seen = attempt.end.fate.first_token > Duration{};
    dispatcher_.on_ended(report, migration_moment(now_), actions_);
  }

  // ---- copies ----

  // A small call of our own, as the node's Prober sends it.
  void probe(std::uint32_t index) {
    ShiftCall small;
    small.luck = luck_of(options_.seed, kProbeSalt, index, since_start().count());
    ++result_.probes;
    small.deadline = now_ + std::chrono::seconds(30);
    small.input = 10, small.output = 3;
    auto admitted = fleet_.admit(index, small.input, small.output, now_);
    if (!admitted.held) return;
    ShiftAttempt attempt;
    attempt.luck = small.luck;
    attempt.endpoint = index;
    attempt.end.held = *admitted.held;
    attempt.end.probe = true;
    start(std::move(attempt), small, 0);
  }

  // To the new model's endpoints that are well, in turn, and to those on trial for their share.
  std::optional<std::uint32_t> copy_target(std::uint64_t luck) {
    for (std::uint32_t i = 0; i < fleet_.size(); ++i) {
      auto index = (last_target_ + 1 + i) % fleet_.size();
      auto draw = luck_uniform(luck_of(luck, kTrialCopySalt, index));
      if (!fleet_.is_new(index) || !fleet_.takes_copy(index, draw, now_)) continue;
      last_target_ = index;
      return index;
    }
    return std::nullopt;
  }

  void offer_copy(ShiftCall& call) {
    if (shift_.state() != ShiftState::shadowing) return;
    auto target = copy_target(call.luck);
    policy::ShadowFacts facts{.draw = luck_uniform(luck_of(call.luck, kCopySalt)),
                              .tokens = call.input + kOutputMax / 4,
                              .barred = !target};
    if (target) facts.usd = fleet_.usd_of(*target, call.input, kOutputMax / 4);
    if (!shift_.copy(facts, now_)) return;
    auto admitted = fleet_.admit(*target, call.input, kOutputMax, now_);
    if (!admitted.held) return shift_.copy_ended(facts, 0, 0);
    ++result_.copies;
    call.copied = true;
    ShiftAttempt attempt;
    attempt.call = call.id;
    attempt.luck = luck_of(call.luck, kCopySalt, 1);
    attempt.endpoint = *target;
    attempt.end.held = *admitted.held;
    attempt.end.copy = true;
    attempt.expected = facts;
    start(std::move(attempt), call, 0);
  }

  void end_copy(const ShiftAttempt& attempt, const policy::ParitySide& side, double usd) {
    result_.shadow_usd += usd;
    shift_.copy_ended(attempt.expected, attempt.end.fate.input + side.output_tokens, usd);
    shift_.on_half(attempt.call, &policy::ParityPair::fresh, side);
  }

  void moved(std::uint32_t index, const policy::BreakerEvent& event) const {
    tell(fmt::format("breaker {}: {} -> {} ({}), share {:g}", fleet_.facts(index).id, to_string(event.from),
                     to_string(event.to), to_string(event.reason), event.share));
  }

  const MigrationOptions& options_;
  MigrationWorld world_;
  Rng rng_;
  Shift shift_;
  policy::Dispatcher dispatcher_;
  MigrationFleet fleet_;
  policy::Actions actions_, orders_;
  std::unordered_map<std::uint64_t, ShiftCall> calls_;
  Slots<ShiftAttempt> attempts_;
  EventQueue events_;
  Instant now_ = migration_start, next_call_, next_tick_ = migration_start + kShiftTick,
          queue_ticked_ = migration_start;
  std::uint64_t last_call_ = 0;
  std::uint32_t last_serial_ = 0;
  std::uint32_t last_target_ = 0;
  MigrationResult result_;
};

}  // namespace

MigrationResult migrate(const MigrationOptions& options) { return MigrationRun(options).go(); }

}  // namespace troupe::replay
