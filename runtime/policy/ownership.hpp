// Which node serves an endpoint while the nodes' files disagree: of those that hear each other at most one
// (F14). Mutual exclusion after Ricart and Agrawala 1981, but whoever serves keeps serving. Pure.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::policy {

/// What a node says of an endpoint that its file gives to it.
struct Claim {
  /// The file names the node as the endpoint's home. One that names none gives every node an endpoint of its
  /// own by that name: two such claims do not clash.
  bool named = false;
  /// Since when the node serves it; none: it waits for its turn.
  std::optional<WallTime> since;
  friend bool operator==(const Claim&, const Claim&) = default;
};

/// A node's word to another, whole each time, so that a lost or repeated one does no harm.
struct Claims {
  /// Grows whenever the node has something else to say, over its restarts too.
  std::uint64_t said = 0;
  /// The newest `said` that it has heard from the one it speaks to.
  std::uint64_t heard = 0;
  std::map<std::string, Claim> endpoints;
};

struct OwnershipPolicy {
  /// A node that is heard but leaves a claim unanswered for so long is taken by what it said last: it is of
  /// an older build, or stuck.
  Duration answer_max = std::chrono::seconds(5);
};

/// One node's side. An endpoint is served here from when every node that is heard has answered the claim and
/// none of them serves it; of several that wait, the first by name has it. Two nodes that did not hear each
/// other may both serve one: when they meet, the one that began later lets it go. Not thread-safe.
class Ownership {
 public:
  /// `said`: where this node's words begin to be counted; above those of its lives before.
  Ownership(std::string node, std::uint64_t said, OwnershipPolicy policy = {});

  /// The file gives it to this node; known ones stay as they are.
  void claim(const std::string& endpoint, bool named, Instant now);
  /// The same, and it is served here already.
  void serve(const std::string& endpoint, bool named, WallTime since);
  /// The file gives it to this node no more. Others hear so once it has `left`, if it was served.
  void drop(const std::string& endpoint);
  /// What was to be let go admits nothing any more.
  void left(const std::string& endpoint);

  void peer_up(const std::string& peer, Instant now);
  void peer_down(const std::string& peer) { peers_.erase(peer); }
  /// True when it says something new, which wants an answer.
  bool heard(const std::string& peer, Claims claims);

  struct Steps {
    /// To be served from now on, and to be let go: then say so by `left`.
    std::vector<std::string> take, leave;
    bool empty() const { return take.empty() && leave.empty(); }
  };
  Steps decide(Instant now, WallTime wall);

  /// Served here, and not about to be let go.
  bool serves(const std::string& endpoint) const;
  /// The number of the newest word.
  std::uint64_t said() const { return said_; }
  Claims words_for(const std::string& peer) const;
  /// Nodes that are heard and have not answered the newest word.
  std::vector<std::string> unanswered() const;

  struct Clash {
    std::string endpoint, peer;
    bool theirs = false;  ///< it is served there
    friend auto operator<=>(const Clash&, const Clash&) = default;
  };
  /// Where two files give one endpoint to two nodes: an operator's to mend.
  std::vector<Clash> clashes() const;

 private:
  struct Own {
    bool named = false, wanted = true, leaving = false;
    std::optional<WallTime> since;
    /// Waiting: the word that says so, and when it was said.
    std::uint64_t said = 0;
    Instant asked;
  };
  struct Peer {
    Instant up;
    /// Ours when it came up: what it answered to before may be of another time.
    std::uint64_t said = 0;
    std::optional<Claims> word;
  };

  void wait(Own& own, Instant now);
  const Claim* clash(const std::string& endpoint, const Own& own, const Peer& peer) const;
  bool may_take(const std::string& endpoint, const Own& own, Instant now) const;
  bool must_leave(const std::string& endpoint, const Own& own) const;

  std::string node_;
  std::uint64_t said_;
  OwnershipPolicy policy_;
  Instant now_;
  std::map<std::string, Own> own_;
  std::map<std::string, Peer> peers_;  // those that are heard
};

}  // namespace troupe::policy
