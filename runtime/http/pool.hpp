// Connections of one client, kept per origin: who may open one, who gets an idle one, who waits.
#pragma once

#include "runtime/http/client.hpp"
#include "runtime/http/connection.hpp"
#include "runtime/http/loop_impl.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace troupe::http {

/// Wants a connection. Exactly one of the two is called, possibly within Pool::ask; both must return quickly
/// and must not fail at once (that would nest one waiting user in another).
class PoolUser {
 public:
  virtual ~PoolUser() = default;
  virtual void on_connection(std::shared_ptr<Connection> idle) = 0;
  /// It may open a connection of its own, and owes the pool give_back or slot_free.
  virtual void on_slot() = 0;
};

/// Loop thread only. Idle connections are read from: one that the peer closes, or that says something
/// unasked, is dropped when that happens rather than when it is next needed.
class Pool final : public ConnectionUser, public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::shared_ptr<Loop::Impl> loop, const ClientConfig& config);
  /// False when too many wait already.
  bool ask(const Origin& origin, std::shared_ptr<PoolUser> user);
  /// It waits no longer.
  void withdraw(const Origin& origin, const PoolUser* user);
  /// The connection is between exchanges: nothing is being written, and no input is left in it.
  void give_back(std::shared_ptr<Connection> connection);
  /// The holder of a slot replaces its connection by a fresh one.
  void reopened() { ++opened_total_; }
  /// The connection was closed, or never came to be.
  void slot_free(const Origin& origin);
  /// Drops everything idle and everyone waiting; what is given back later is closed.
  void close();
  /// A slot for a connection that nobody waits for; false when there is none. Owed back as a PoolUser's is.
  bool take_slot(const Origin& origin);
  /// Being opened, busy or idle.
  std::size_t open_count(const Origin& origin) const;
  std::size_t idle_count(const Origin& origin) const;
  /// Called whenever a slot has come free, in the midst of the pool's work: it must not call back.
  void on_loss(std::function<void()> hook) { on_loss_ = std::move(hook); }
  Client::Stats stats() const;
  void on_input(Connection& idle, error_code ec) override;

 private:
  struct Lane {
    // Oldest first; the newest is used first, so that a burst's surplus ages out.
    std::deque<std::shared_ptr<Connection>> idle;
    std::deque<std::shared_ptr<PoolUser>> waiting;
    std::size_t open = 0;
  };
  std::shared_ptr<Connection> take_idle(Lane& lane);
  void lose(Lane& lane);
  void open_for_waiting(Lane& lane);
  void discard_oldest(Lane& lane);
  void forget_if_empty(std::map<Origin, Lane>::iterator lane);
  void sweep_later();
  void sweep();

  std::shared_ptr<Loop::Impl> loop_;
  std::size_t idle_max_, open_max_, waiting_max_;
  Duration idle_age_max_;
  std::map<Origin, Lane> lanes_;
  SteadyTimer sweeper_;
  std::function<void()> on_loss_;
  bool sweeping_ = false, closed_ = false;
  std::size_t opened_total_ = 0, reused_total_ = 0;
};

}  // namespace troupe::http
