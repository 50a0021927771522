// Gateways without sockets for simulation: a network in memory that delays, drops, repeats and reorders from
// a seed.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/transport/mesh.hpp"

#include <queue>
#include <set>

namespace troupe::transport {

struct WireFaults {
  Duration delay_min = std::chrono::microseconds(100);
  /// Frames overtake one another when this is above delay_min.
  Duration delay_max = std::chrono::milliseconds(2);
  /// Chances per frame, 0 to 1.
  double drop = 0;
  double duplicate = 0;
};

/// Which of a link's mechanisms work. Off only to show what they are for.
struct Mechanisms {
  bool dedup = true, resend = true;
};

class MemoryNode;

/// The network, its nodes and their time. One thread; the same seed gives the same history (O7).
class MemoryWorld {
 public:
  /// The clock must outlive the world and is moved by `pass` alone.
  MemoryWorld(std::uint64_t seed, WireFaults faults, ManualClock& clock);
  ~MemoryWorld();

  /// A node. Of `config`, keys and addresses play no part: ids in `peers` and `client_keys` say who may speak
  /// to it. Adding an id again starts a new life of that node in place of the old. The reference is valid
  /// until then.
  Gateway& add(GatewayConfig config, GatewayListener& listener, Mechanisms mechanisms = {});
  /// The node dies; what it held in memory is gone.
  void kill(const std::string& id);
  /// Nothing passes from `from` to `to` until healed.
  void cut(const std::string& from, const std::string& to) { cuts_.insert({from, to}); }
  void heal(const std::string& from, const std::string& to) { cuts_.erase({from, to}); }
  void set_faults(WireFaults faults) { faults_ = faults; }
  /// Lets this much time pass, one event after the other.
  void pass(Duration span);
  /// A fingerprint of every frame carried, its times and its fate.
  std::uint64_t history() const { return history_; }
  /// The links of a node that lives, to look at.
  Mesh* mesh(const std::string& id);

 private:
  friend class MemoryNode;
  struct Flying {
    Instant due;
    std::uint64_t number = 0;
    std::string from, to, frame;
    friend bool operator>(const Flying& a, const Flying& b) {
      return std::tie(a.due, a.number) > std::tie(b.due, b.number);
    }
  };

  void carry(const std::string& from, const std::string& to, const std::string& frame);
  void launch(const std::string& from, const std::string& to, const std::string& frame);
  void arrive(const Flying& flying);
  void settle();
  bool land_due();
  Instant next_due() const;
  void note(std::string_view what, std::string_view text);
  Moment now() const { return {clock_.now(), clock_.wall()}; }

  Rng rng_;
  WireFaults faults_;
  ManualClock& clock_;
  std::map<std::string, std::unique_ptr<MemoryNode>> nodes_;
  std::priority_queue<Flying, std::vector<Flying>, std::greater<>> flying_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::uint64_t launched_ = 0, lives_ = 0, history_ = 0;
};

}  // namespace troupe::transport
