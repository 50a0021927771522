// What a provider's answer says of its own limits, in our words. A value without behaviour, so that the
// readers of headers need nothing else of this folder.
#pragma once

#include <troupe/time.hpp>

#include <optional>

namespace troupe::policy {

/// One limit as the provider keeps it. Absent: it did not say.
struct LimitHint {
  std::optional<double> limit, remaining;
  /// Until it is full again.
  std::optional<Duration> reset;
  bool empty() const { return !limit && !remaining && !reset; }
};

/// The limits an answer spoke of. `tokens` counts input and output together.
struct QuotaHints {
  LimitHint requests, tokens, input_tokens, output_tokens;
  /// Of bought priority capacity, which overflows into the others by itself: nothing to wait for.
  LimitHint priority_input_tokens, priority_output_tokens;
  bool empty() const {
    return requests.empty() && tokens.empty() && input_tokens.empty() && output_tokens.empty();
  }
};

}  // namespace troupe::policy
