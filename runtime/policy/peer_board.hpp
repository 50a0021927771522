// Whether the endpoints that stand in for each other are slow together: overload, which no breaker mends.
#pragma once

#include "runtime/base/published.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::policy {

/// Of the endpoints a caller could be diverted to: how many there are, and how many do clearly better.
struct PeerCount {
  std::uint32_t others = 0, well = 0;
};

/// How an endpoint's calls fared of late, whoever's doing it was.
struct Strain {
  /// Share of calls over a latency limit.
  double slow = 0;
  /// Mean seconds to the first token; 0: none of late.
  double ttft = 0;
};

/// Each endpoint's breaker posts how slow its calls were of late, and asks how the others fare. Thread-safe:
/// single relaxed numbers, of which one may be an outcome older than the other. `add`, `change` and `regroup`
/// belong to one thread.
class PeerBoard {
 public:
  PeerBoard() : PeerBoard(std::vector<std::string>{}) {}
  /// Endpoints are numbered in the order of their models.
  explicit PeerBoard(std::vector<std::string> models);
  /// One more endpoint; its number.
  std::uint32_t add(std::string model);
  /// It serves another model now; empty: it is gone and stands in for nobody. The number stays its own.
  void change(std::uint32_t endpoint, std::string model);
  /// Who stands in for whom: endpoints whose models one feature's hierarchy names.
  void regroup(std::vector<std::vector<std::string>> hierarchies);
  /// From Breaker::strain. Not closed: no traffic can be diverted there.
  void post(std::uint32_t endpoint, bool closed, const Strain& strain);
  /// Seen from `endpoint`, where a first token later than `ttft_slow` seconds (0: not known) is slow. Well is
  /// who is closed, has less than a tenth of its share of slow calls or none among the last dozen, and
  /// whose first tokens do not take half of `ttft_slow`: limits are each endpoint's own, and one that has
  /// seldom seen better times finds little slow. Who is idle is well.
  PeerCount around(std::uint32_t endpoint, const Strain& own, double ttft_slow) const;

 private:
  struct Posted {
    std::atomic<float> slow{0}, ttft{0};
  };
  /// By endpoint: its words, and those who stand in for it.
  struct Seats {
    std::vector<std::shared_ptr<Posted>> posted;
    std::vector<std::vector<std::uint32_t>> others;
  };
  bool together(std::uint32_t one, std::uint32_t other) const;
  void publish();

  std::vector<std::string> models_;
  std::vector<std::vector<std::string>> hierarchies_;
  std::vector<std::shared_ptr<Posted>> posted_;
  Published<Seats> seats_;
};

}  // namespace troupe::policy
