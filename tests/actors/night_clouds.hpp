// Providers of a night, at the port where a node begins an attempt: with room for so many, and out,
// throttling, failing, slow or cutting answers short at hours a seed says. They outlive every process, and
// they bill.
#pragma once

#include "actors/endpoint.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"

#include <map>
#include <string>
#include <vector>

namespace troupe::actors::testing {

struct CloudsPlan {
  std::uint64_t seed = 1;
  /// Calls each of the four endpoints takes at once.
  std::uint32_t room = 8;
  Duration latency = std::chrono::seconds(4);
  /// How much goes wrong beside the outages, as a share of attempts.
  double failing = 0.05;
  bool outages = true;
};

/// What the clouds saw, which no process can forget.
struct CloudsBill {
  std::size_t attempts = 0, answered = 0, cut = 0, refused = 0, failed = 0, cancelled = 0;
  /// Answers that a process died before it could hear.
  std::size_t unheard = 0;
  double usd = 0, unheard_usd = 0;
};

/// One thread. Not a language model: an answer is every n-th line of the transcript it was asked about, each
/// citing itself, in the shape the prompt asks for.
class Clouds {
 public:
  Clouds(CloudsPlan plan, const Clock& clock, WallTime night_begins);

  static std::vector<std::string> ids() { return {"east-1", "east-2", "west", "other"}; }
  static policy::Price price() { return {.input = 0.5, .output = 1.5, .cache_read = 0, .cache_write = 0}; }
  const CloudsPlan& plan() const { return plan_; }

  std::shared_ptr<HttpAttempt> begin(const std::string& endpoint, const RunAttempt& order,
                                     HttpAttempt::Ended ended);
  /// Whoever waited is gone; what was on its way is answered to nobody.
  void caller_died();
  void answer_due();
  std::optional<Instant> next_due() const;
  const CloudsBill& bill() const { return bill_; }
  /// What was wrong when, for the report.
  std::vector<std::string> troubles() const;

 private:
  enum class Trouble { out, throttles, fails, slow };
  struct Window {
    WallTime from, to;
    std::string endpoint;
    Trouble trouble = Trouble::out;
    double share = 1;
  };
  struct Pending {
    std::string endpoint;
    HttpAttempt::Ended ended;
    std::shared_ptr<AttemptResult> result;
  };
  using Place = std::pair<Instant, std::uint64_t>;

  void plan_troubles(WallTime night_begins);
  const Window* trouble_at(const std::string& endpoint) const;
  std::shared_ptr<AttemptResult> outcome(const std::string& endpoint, const RunAttempt& order,
                                         Duration& takes);
  void cancel(Place place, const std::string& endpoint);
  void charge(const AttemptResult& result);

  CloudsPlan plan_;
  const Clock& clock_;
  Rng rng_;
  std::vector<Window> windows_;
  std::map<Place, Pending> pending_;
  std::map<std::string, std::uint32_t> in_flight_;
  std::uint64_t number_ = 0;
  CloudsBill bill_;
};

}  // namespace troupe::actors::testing
