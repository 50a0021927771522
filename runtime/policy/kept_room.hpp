// How much of each endpoint's room stays free for work that is more urgent (A10, C6). Pure.
#pragma once

#include "runtime/policy/health.hpp"

#include <cstdint>
#include <vector>

namespace troupe::policy {

/// Trunk reservation, as telephone exchanges have it: a call of a lower class is placed only while a part of
/// the trunks stays free, so that the higher class finds one at once, whatever the lower one asks for. Room
/// is an endpoint's places in flight and the level of its token buckets, each against the most ever seen
/// there (half of which is forgotten in an hour of views at 20 a second). Sees its own feature's sends at
/// once, those of others with the next view. Not thread-safe; allocates only in `resize`.
class KeptRoom {
 public:
  void resize(std::size_t endpoints) { seen_.resize(endpoints); }
  /// A new view; null: nothing is known any more.
  void on_view(std::uint32_t endpoint, const HealthView* view);
  void on_sent(std::uint32_t endpoint, double input_tokens, double output_tokens);

  struct Wish {
    double input_tokens = 0, output_tokens = 0;
    /// Of the whole room, what may be taken by calls like this and worse: above 0, 1 asks nothing.
    double share = 1;
  };
  /// Is there room for it that need not be kept? Always for what takes the last of an idle endpoint: a call
  /// too large for the share would else never be served.
  bool free_for(std::uint32_t endpoint, const HealthView& view, const Wish& wish) const;

 private:
  struct Seen {
    /// The fullest its buckets were; 0: no limit was ever seen.
    double input_most = 0, output_most = 0;
    /// Sent since the view.
    double sent = 0, input = 0, output = 0;
  };
  std::vector<Seen> seen_;
};

}  // namespace troupe::policy
