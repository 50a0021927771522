// A provider's prompt cache: which prefixes it still has, and what that does to the bill.
#pragma once

#include <troupe/completion.hpp>
#include <troupe/request.hpp>
#include <troupe/time.hpp>

#include <cstdint>
#include <map>

namespace troupe::providers::simulator {

/// A prefix up to a part marked `cache_point` is kept five minutes after its last use. At most 4,096
/// prefixes; the oldest goes first. Pure; not thread-safe.
class PromptCache {
 public:
  static constexpr std::size_t prefixes_max = 4096;
  static constexpr Duration kept_for = std::chrono::minutes(5);

  /// Splits input tokens into uncached, read and written, as the call would be charged now.
  Usage look(const CompletionRequest& request, Instant now) const;
  /// The same for a call that is served: its prefix is remembered.
  Usage charge(const CompletionRequest& request, Instant now);

 private:
  void forget_old(Instant now);
  std::map<std::uint64_t, Instant> last_used_;
};

}  // namespace troupe::providers::simulator
