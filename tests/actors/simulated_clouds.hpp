// The providers of a simulated pair of nodes, and the account of what was bought of them and why twice.
#pragma once

#include "actors/supervisor.hpp"
#include "runtime/base/rng.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/simulated_store.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors::testing {

/// Every attempt that reached a provider, by the step it was for, and whether it should have:
/// - its intent is durable, and its result is not;
/// - its step was not bought before, unless that failed or nobody could know what became of it: since it
///   began, a node died or was stopped, a disk failed, or the link broke.
/// Two kinds of orders are nobody's any more, and are counted apart: those that were given up when the link
/// broke and arrive when it is mended; and those of a process that was stopped, has lost its seat and goes on
/// trying what it had begun until it notices.
class Purchases {
 public:
  void watch(const journal::testing::Durable& durable) { durable_.push_back(&durable); }

  std::uint64_t begin(const std::string& step, Instant now, bool nobodys) {
    bool late = take_one(stale_, step) || nobodys;
    late_ += late ? 1 : 0;
    check_record(step, late);
    auto& earlier = by_step_[step];
    for (auto one : earlier)
      if (!late && !all_[one].settled && all_[one].began > disturbed_)
        wrong_.push_back(step + " was bought twice");
    again_ += earlier.empty() ? 0 : 1;
    earlier.push_back(all_.size());
    all_.push_back({now, late});
    return all_.size() - 1;
  }
  void failed(std::uint64_t number) { all_[number].settled = true; }
  /// Something happened after which somebody may not know.
  void disturbed(Instant now) { disturbed_ = now; }
  /// An order for this step is here that was given up before.
  void stale(const std::string& step) { stale_.insert(step); }
  static bool take_one(std::multiset<std::string>& steps, const std::string& step) {
    auto it = steps.find(step);
    if (it == steps.end()) return false;
    steps.erase(it);
    return true;
  }

  std::size_t count() const { return all_.size(); }
  std::size_t again() const { return again_; }
  std::size_t late() const { return late_; }
  const std::vector<std::string>& wrong() const { return wrong_; }

 private:
  struct One {
    Instant began;
    bool settled = false;  ///< failed, or nobody's
  };

  void check_record(const std::string& step, bool late) {
    auto in = [&](auto set) {
      return std::ranges::any_of(durable_, [&](const auto* each) { return ((*each).*set).contains(step); });
    };
    using journal::testing::Durable;
    if (!in(&Durable::intents)) wrong_.push_back(step + " was sent before its intent was durable");
    if (in(&Durable::results) && !late)
      wrong_.push_back(step + " was bought although its result was durable");
  }

  std::vector<const journal::testing::Durable*> durable_;
  std::vector<One> all_;
  std::map<std::string, std::vector<std::uint64_t>> by_step_;
  std::multiset<std::string> stale_;
  std::vector<std::string> wrong_;
  Instant disturbed_;
  std::size_t again_ = 0, late_ = 0;
};

/// The step a request is for; empty for a node's own probes.
inline std::string step_of(const CompletionRequest& request) {
  auto run = request.labels.find("run"), step = request.labels.find("step");
  bool probe = run == request.labels.end() || step == request.labels.end();
  return probe ? std::string() : run->second + " " + step->second;
}

/// Providers that live at one node. What is under way dies with it.
class SimulatedClouds {
 public:
  SimulatedClouds(double faults, Rng& rng, const ManualClock& clock, Purchases& purchases)
      : faults_(faults), rng_(rng), clock_(clock), purchases_(purchases) {}

  LocalEndpoint endpoint(const std::string& id, const std::string& model) {
    LocalEndpoint local;
    local.endpoint.facts = facts_of(id, model);
    local.breaker.endpoint = id;
    local.starter = [this, id](const RunAttempt& order, HttpAttempt::Ended ended) {
      return start(id, order, std::move(ended));
    };
    return local;
  }
  static policy::EndpointFacts facts_of(const std::string& id, const std::string& model) {
    policy::EndpointFacts facts;
    facts.id = id;
    facts.model = model;
    facts.provider = "cloud " + id;
    return facts;
  }

  /// Has who asks for this step no right to it any more?
  std::function<bool(const std::string& step)> nobodys = [](const std::string&) { return false; };
  /// What is due is answered now.
  void answer_due() {
    std::vector<Pending> due;
    auto later = std::ranges::stable_partition(pending_, [&](const auto& p) { return p.due > clock_.now(); });
    std::ranges::move(later, std::back_inserter(due));
    pending_.erase(later.begin(), pending_.end());
    for (auto& each : due) {
      if (each.result->error && each.purchase != kProbe) purchases_.failed(each.purchase);
      each.ended(std::move(each.result));
    }
  }
  void die() { pending_.clear(); }
  std::size_t pending() const { return pending_.size(); }
  /// Requests somebody still holds.
  std::size_t held() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(requests_, [](const auto& request) { return !request.expired(); }));
  }
  std::vector<std::string> story;

 private:
  static constexpr std::uint64_t kProbe = UINT64_MAX;
  struct Pending {
    Instant due;
    std::uint64_t number = 0, purchase = 0;
    HttpAttempt::Ended ended;
    std::shared_ptr<AttemptResult> result;
  };
  class Attempt final : public HttpAttempt {
   public:
    explicit Attempt(std::function<void()> on_cancel) : on_cancel_(std::move(on_cancel)) {}
    void cancel() override { on_cancel_(); }

   private:
    std::function<void()> on_cancel_;
  };

  std::shared_ptr<HttpAttempt> start(const std::string& id, const RunAttempt& order,
                                     HttpAttempt::Ended ended) {
    auto step = step_of(*order.request);
    bool probe = step.empty();
    story.push_back(id + " " + step);
    if (!probe) requests_.push_back(order.request);
    auto purchase = probe ? kProbe : purchases_.begin(step, clock_.now(), nobodys(step));
    auto number = ++number_;
    auto result = outcome(id, order, step.substr(step.find(' ') + 1));
    pending_.push_back({clock_.now() + latency(), number, purchase, std::move(ended), std::move(result)});
    return std::make_shared<Attempt>([this, number, id, order] { cancel(number, id, order); });
  }

  Duration latency() {
    bool slow = rng_.uniform() < 0.05;
    return from_seconds(0.02 + rng_.uniform() * (slow ? 8 : 0.8));
  }

  std::shared_ptr<AttemptResult> outcome(const std::string& id, const RunAttempt& order,
                                         const std::string& step) {
    if (rng_.uniform() >= faults_) {
      auto result = answered(id, order);
      result->record.started = clock_.wall();
      // The same question has the same answer, whoever gives it and however often it was asked anew.
      result->completion = text_answer("answer to " + step);
      return result;
    }
    constexpr Errc kinds[] = {Errc::rate_limited, Errc::overloaded, Errc::transient_server, Errc::timeout,
                              Errc::stream_broken};
    auto result = failed(id, order, kinds[rng_.below(std::size(kinds))]);
    result->record.started = clock_.wall();
    if (result->error->code == Errc::rate_limited) result->error->retry_after = std::chrono::seconds(1);
    return result;
  }

  void cancel(std::uint64_t number, const std::string& id, const RunAttempt& order) {
    auto it = std::ranges::find(pending_, number, &Pending::number);
    if (it == pending_.end()) return;
    it->due = clock_.now();
    it->result = failed(id, order, Errc::cancelled);
  }

  double faults_;
  Rng& rng_;
  const ManualClock& clock_;
  Purchases& purchases_;
  std::vector<Pending> pending_;
  std::vector<std::weak_ptr<const CompletionRequest>> requests_;
  std::uint64_t number_ = 0;
};

}  // namespace troupe::actors::testing
