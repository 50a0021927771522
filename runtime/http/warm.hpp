// Keeps connections open before anyone needs them, and replaces those that are lost.
#pragma once

#include "runtime/http/opening.hpp"
#include "runtime/http/pool.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace troupe::http {

/// Opens what is missing in rounds. After one round the next waits warm_retry_min, and twice as long each
/// time it follows at once, up to warm_retry_max; a quiet while of four such waits begins anew. So neither a
/// server that is down nor one that accepts and closes is hammered. Loop thread only.
class Warmer : public std::enable_shared_from_this<Warmer> {
 public:
  Warmer(std::shared_ptr<Connector> connector, std::shared_ptr<Pool> pool);
  /// At least `count` connections to `origin` from now on, busy ones included. Zero: none need be.
  void want(const Origin& origin, std::size_t count);
  void close();

 private:
  struct Goal {
    std::size_t count = 0;
    Duration wait{};
    std::optional<Instant> last_round;
    std::unordered_map<std::uint64_t, std::shared_ptr<Opening>> openings;
  };
  void tend_soon();
  void tend();
  void tend(const Origin& origin, Goal& goal, Instant now);
  void open_one(const Origin& origin, Goal& goal);
  void on_opened(const Origin& origin, std::uint64_t id, Result<std::shared_ptr<Connection>> opened);
  void look_at(Instant when);

  const std::shared_ptr<Connector> connector_;
  const std::shared_ptr<Pool> pool_;
  std::map<Origin, Goal> goals_;
  std::uint64_t openings_total_ = 0;
  SteadyTimer timer_;
  std::optional<Instant> armed_for_;
  bool tending_soon_ = false;
};

}  // namespace troupe::http
