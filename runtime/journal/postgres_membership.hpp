// Seats in a shared store: leases by the server's clock, and how runs change hands.
#pragma once

#include "runtime/journal/membership.hpp"
#include "runtime/journal/postgres_group.hpp"
#include "runtime/journal/postgres_heartbeat.hpp"
#include "runtime/journal/postgres_pool.hpp"
#include "runtime/journal/postgres_seat.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::journal {

class PgMembership final : public Membership {
 public:
  struct Timing {
    Duration lease{}, renew_every{};
  };
  /// `seat` and `clock` must outlive it. Destroying it does not leave: a process that only stops may come
  /// back, and a clean drain is the caller's decision.
  PgMembership(PgTarget target, PgSeat& seat, const Clock& clock, Timing timing);

  Result<std::uint64_t> join(const std::string& node, const std::string& address,
                             const std::string& region) override;
  Result<void> renew() override;
  bool held() const override { return seat_.held(clock_.now()); }
  Result<std::vector<NodeRow>> nodes() override;
  Result<std::vector<RunRow>> take_over(std::size_t limit) override;
  Result<std::vector<RunRow>> take_over_served(std::size_t limit, const Serves& serves,
                                               std::vector<RunKind>* waiting) override;
  Result<void> leave() override;
  Result<void> poke(const std::string& topic) override;
  void watch(std::function<void(const std::string&)> hint) override;

 private:
  /// Two thirds of the lease after `sent`: from then on this process must not rely on it.
  Instant trusted_until(Instant sent) const { return sent + timing_.lease * 2 / 3; }
  std::int64_t lease_ms() const;
  std::string node_name();
  Result<bool> update_address(const std::string& address, const std::string& region);
  Result<void> fence_the_dead();
  Result<void> fence(std::uint64_t incarnation);
  Result<std::vector<RunRow>> take_batch(std::size_t count);
  /// What nobody holds.
  Result<std::vector<RunKind>> free_kinds();
  Result<std::vector<RunRow>> take_kinds(std::size_t count, const std::vector<RunKind>& kinds);
  Error seat_failure(PgConnection& connection, std::uint64_t mine, Error error);

  PgTarget target_;
  PgSeat& seat_;
  const Clock& clock_;
  Timing timing_;
  PgPool pool_, fencing_pool_;
  std::mutex mutex_;
  std::string node_;
  PgHeartbeat heartbeat_;
};

}  // namespace troupe::journal
