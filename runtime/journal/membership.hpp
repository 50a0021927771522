// Who takes part in a store: nodes with leases, and how the runs of one that died change hands
// (RUNTIME 5.5).
#pragma once

#include "runtime/journal/journal.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe::journal {

inline constexpr std::size_t kNodeNameBytesMax = 200;
/// Runs change hands in batches of this many: 33 thousand claims a second instead of 5 (RUNTIME 1).
inline constexpr std::size_t kTakeOverBatch = 32;
/// `invalid_input` when this cannot name a node, or a topic.
Result<void> check_node_name(const std::string& name);

struct NodeRow {
  std::string id;
  /// Grows with each join and is never given twice in a store: old and new process of one node are never
  /// confused.
  std::uint64_t incarnation = 0;
  std::string address, region;
  /// By the store's clock.
  WallTime joined, lease_until;
  /// Its lease has not run out, it has not left, and nobody has fenced it; by the store's clock, when asked.
  bool alive = false;
};

/// Running runs of one workflow and code version.
struct RunKind {
  std::string workflow, version;
  std::uint64_t runs = 0;
};
using Serves = std::function<bool(const RunKind&)>;
/// Leaves the kinds that are served; the others go to `waiting`, unless it is null.
void keep_served(std::vector<RunKind>& kinds, const Serves& serves, std::vector<RunKind>* waiting);

/// A node's seat in a store. Thread-safe. All time is the store's: clocks of nodes are never compared.
/// In one SQLite file there is one seat, held by the process that holds the file: its lease cannot run out.
class Membership {
 public:
  virtual ~Membership() = default;

  /// Takes the seat of `node` with a new incarnation, which it answers; what an older incarnation of the node
  /// writes after that is refused. Joining again as the same node while the seat is held only changes address
  /// and region. `invalid_input` for a name that is empty or longer than 200 bytes. After `storage` the
  /// incarnation may have been taken; join again.
  virtual Result<std::uint64_t> join(const std::string& node, const std::string& address,
                                     const std::string& region) = 0;
  /// Moves the lease on. `refused` when the seat is lost for good (fenced, left, or a newer incarnation has
  /// it): stop all work and join anew. After `storage` the lease may have been moved; held() does not count
  /// on it.
  virtual Result<void> renew() = 0;
  /// Whether this node may still start effects outside: false from 2/3 of the lease's length after the last
  /// renewal that succeeded, by this process's own steady clock, counted from before that renewal was sent.
  /// So it is false before anyone else can take over. Writing to the journal needs no such question: the
  /// store refuses what comes too late.
  virtual bool held() const = 0;
  /// All that ever joined, by id.
  virtual Result<std::vector<NodeRow>> nodes() = 0;
  /// Fences every node whose lease has run out and makes up to `limit` running runs of nodes that are gone
  /// (in batches of 32) ours: each with its epoch raised, as claim() does. Also runs that a node left behind
  /// when it drained, and runs of older incarnations of this node. Empty when there are none. After an error
  /// some runs may have become ours; asking unfinished() of this node finds them.
  virtual Result<std::vector<RunRow>> take_over(std::size_t limit) = 0;
  /// The same, of those kinds only that `serves` says yes to; `waiting` (may be null) then has the others:
  /// runs that nobody holds and that wait for a node that can go on with them (M14). This default asks
  /// nobody.
  virtual Result<std::vector<RunRow>> take_over_served(std::size_t limit, const Serves& serves,
                                                       std::vector<RunKind>* waiting) {
    static_cast<void>(serves);
    static_cast<void>(waiting);
    return take_over(limit);
  }
  /// Planned drain: gives up the seat at once; this node's runs may be taken over from now on, and what it
  /// writes is refused.
  virtual Result<void> leave() = 0;

  /// Tells the watchers of all nodes that something of this topic (200 bytes at most) may have changed: a
  /// signal for a run, work to take. A hint that may get lost: what matters is in the tables.
  virtual Result<void> poke(const std::string& topic) = 0;
  /// Calls `hint` with each topic that anyone pokes, this node included; a shared store also calls it with an
  /// empty topic once a second, for those that got lost. On a thread of the store or of who pokes; it must
  /// not block nor call watch(). Replaces the one before; when this returns, that one is not called any more.
  virtual void watch(std::function<void(const std::string& topic)> hint) = 0;
};

}  // namespace troupe::journal
