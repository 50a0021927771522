#include "replay/baselines.hpp"

#include "replay/luck.hpp"
#include "runtime/base/clock.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace troupe::replay {
namespace {

struct BaselineName {
  const char* name;
  Baseline kind;
  const char* sentence;
};
constexpr std::array kBaselines{
    BaselineName{"round-robin", Baseline::round_robin,
                 "each call to the next endpoint in turn, a retry to the one after it"},
    BaselineName{"static-primary", Baseline::static_primary, "every call and retry to the first endpoint"},
    BaselineName{"fallback-on-429", Baseline::fallback_on_429,
                 "endpoints in order; a 429 goes to the next, other failures are retried in place"},
    BaselineName{"least-latency", Baseline::least_latency,
                 "the endpoint quickest of late by a moving average; failures count as 60 s"},
};

constexpr double kMovingShare = 0.1;
constexpr double kFailureSeconds = 60;
constexpr double kTypicalTokens = 200;

class SimpleSteering final : public Steering {
 public:
  SimpleSteering(Baseline kind, BaselineWorld world, std::uint64_t seed, const BaselineRetry& retry)
      : kind_(kind),
        world_(std::move(world)),
        seed_(seed),
        retry_(retry),
        turn_(world_.features.size()),
        speed_(world_.endpoints, 0) {}

  void on_call(const CallView& call, Instant now, Orders& out) override {
    auto& going = calls_[call.id];
    going.view = call;
    send(going, first_choice(going), now, out);
  }

  void on_first_token(std::uint64_t, std::uint64_t, Instant, Orders&) override {}

  void on_ended(const AttemptFact& fact, Instant now, Orders& out) override {
    auto it = calls_.find(fact.call);
    if (it == calls_.end()) return;
    learn(fact);
    if (!fact.error) return finish(it->second, CallEnding::served, fact.attempt, out);
    again(it->second, fact, now, out);
  }

  std::optional<Instant> wake_at() const override {
    if (pauses_.empty()) return std::nullopt;
    return pauses_.top().first;
  }

  void on_time(Instant now, Orders& out) override {
    while (!pauses_.empty() && pauses_.top().first <= now) {
      auto id = pauses_.top().second;
      pauses_.pop();
      auto it = calls_.find(id);
      if (it != calls_.end()) send(it->second, next_choice(it->second), now, out);
    }
  }

  std::size_t open() const override { return calls_.size(); }

 private:
  struct Going {
    CallView view;
    std::size_t sent = 0;
    std::size_t place = 0;  // in the feature's list
    bool move_on = false;
  };

  std::span<const std::uint32_t> list(const Going& going) const {
    std::span all(world_.features[going.view.feature]);
    bool balances = kind_ == Baseline::round_robin || kind_ == Baseline::least_latency;
    return balances ? all.first(world_.equals[going.view.feature]) : all;
  }

  std::size_t first_choice(const Going& going) {
    auto feature = going.view.feature;
    if (kind_ == Baseline::round_robin) return turn_[feature]++ % list(going).size();
    return kind_ == Baseline::least_latency ? quickest(going, list(going).size()) : 0;
  }

  std::size_t next_choice(const Going& going) const {
    auto count = list(going).size();
    if (kind_ == Baseline::round_robin) return (going.place + 1) % count;
    if (kind_ == Baseline::least_latency) return quickest(going, going.place);
    return going.move_on ? (going.place + 1) % count : going.place;
  }

  // Never measured counts as quickest, so that each is tried.
  std::size_t quickest(const Going& going, std::size_t but) const {
    auto endpoints = list(going);
    std::size_t best = endpoints.size() > 1 && but == 0 ? 1 : 0;
    for (std::size_t i = 0; i < endpoints.size(); ++i)
      if (i != but && speed_[endpoints[i]] < speed_[endpoints[best]]) best = i;
    return best;
  }

  void send(Going& going, std::size_t place, Instant now, Orders& out) {
    if (now >= going.view.deadline) return finish(going, CallEnding::expired, 0, out);
    auto cause = going.sent == 0 ? Cause::primary : place == going.place ? Cause::retry : Cause::fallback;
    going.place = place;
    going.move_on = false;
    ++going.sent;
    out.send.push_back({going.view.id, ++last_attempt_, list(going)[place], cause});
  }

  void again(Going& going, const AttemptFact& fact, Instant now, Orders& out) {
    bool late = *fact.error == Errc::deadline_exceeded;
    bool hopeless = *fact.error == Errc::context_length_exceeded || fact.content_seen;
    if (late) return finish(going, CallEnding::expired, 0, out);
    if (hopeless || going.sent >= retry_.attempts_max) return finish(going, CallEnding::failed, 0, out);
    if (kind_ == Baseline::fallback_on_429 && *fact.error == Errc::rate_limited) {
      going.move_on = true;
      return send(going, next_choice(going), now, out);
    }
    double most = std::min(seconds(retry_.backoff) * static_cast<double>(1ULL << (going.sent - 1)),
                           seconds(retry_.backoff_max));
    auto pause = from_seconds(most * luck_uniform(luck_of(seed_, going.view.id, going.sent)));
    // A hint names a time at the endpoint that gave it; who goes elsewhere need not wait for it.
    bool stays = kind_ == Baseline::static_primary || kind_ == Baseline::fallback_on_429;
    if (stays) pause = std::max(pause, fact.retry_after.value_or(Duration{}));
    pauses_.emplace(now + pause, going.view.id);
  }

  void learn(const AttemptFact& fact) {
    if (kind_ != Baseline::least_latency) return;
    double tokens = fact.error ? kTypicalTokens : std::max(fact.output, 1.0);
    double taken = fact.error ? kFailureSeconds : seconds(fact.total);
    auto& speed = speed_[fact.endpoint];
    speed = speed == 0 ? taken / tokens : speed + kMovingShare * (taken / tokens - speed);
  }

  void finish(Going& going, CallEnding ending, std::uint64_t attempt, Orders& out) {
    auto id = going.view.id;
    out.ended.push_back({id, ending, attempt});
    calls_.erase(id);
  }

  Baseline kind_;
  BaselineWorld world_;
  std::uint64_t seed_;
  BaselineRetry retry_;
  std::vector<std::size_t> turn_;
  std::vector<double> speed_;
  std::unordered_map<std::uint64_t, Going> calls_;
  using Pause = std::pair<Instant, std::uint64_t>;
  std::priority_queue<Pause, std::vector<Pause>, std::greater<>> pauses_;
  std::uint64_t last_attempt_ = 0;
};

}  // namespace

std::optional<Baseline> baseline_from(std::string_view name) {
  auto it = std::ranges::find_if(kBaselines, [&](const BaselineName& each) { return each.name == name; });
  return it == kBaselines.end() ? std::nullopt : std::optional(it->kind);
}

const char* name_of(Baseline baseline) {
  return std::ranges::find(kBaselines, baseline, &BaselineName::kind)->name;
}

const char* sentence_of(Baseline baseline) {
  return std::ranges::find(kBaselines, baseline, &BaselineName::kind)->sentence;
}

BaselineWorld world_of(const Clouds& clouds, const std::vector<std::string>& features) {
  BaselineWorld world;
  const auto& list = clouds.config.endpoints.list;
  world.endpoints = list.size();
  for (const auto& name : features) {
    const auto& feature = clouds.config.features.at(name);
    std::vector<std::pair<std::pair<std::ptrdiff_t, bool>, std::uint32_t>> ranked;
    for (std::uint32_t i = 0; i < list.size(); ++i) {
      auto place = std::ranges::find(feature.hierarchy, list[i].model) - feature.hierarchy.begin();
      bool inside = feature.boundary.empty() || feature.boundary == list[i].boundary;
      bool fits = place < std::ssize(feature.hierarchy) && inside;
      if (fits) ranked.push_back({{place, list[i].kind != policy::CapacityKind::reserved}, i});
    }
    std::ranges::sort(ranked);
    auto& endpoints = world.features.emplace_back();
    auto& equals = world.equals.emplace_back(0);
    for (const auto& [key, index] : ranked) {
      endpoints.push_back(index);
      equals += key.first == ranked.front().first.first ? 1 : 0;
    }
  }
  return world;
}

std::unique_ptr<Steering> make_baseline(Baseline kind, BaselineWorld world, std::uint64_t seed,
                                        const BaselineRetry& retry) {
  return std::make_unique<SimpleSteering>(kind, std::move(world), seed, retry);
}

}  // namespace troupe::replay
