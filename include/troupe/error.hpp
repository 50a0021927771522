// The one error vocabulary: what went wrong, whose fault it is, and whether trying again can help.
#pragma once

#include <troupe/time.hpp>

#include <expected>
#include <optional>
#include <string>

namespace troupe {

/// Every code has a heading in docs/ERRORS.md: what happened, what is unknown, what to do.
/// The first group is the normalised vocabulary of model calls (MECHANISMS G1), the second is our own
/// runtime's.
enum class Errc {
  // A provider's answer, in the words all dialects share.
  rate_limited,             ///< told to slow down; capacity, not sickness (F4)
  overloaded,               ///< the service has no capacity for anyone right now
  quota_exhausted,          ///< a daily or paid quota is used up; waiting seconds will not help
  timeout,                  ///< the model or one of our timers gave up; the call may have been billed
  model_not_ready,          ///< still warming
  transient_server,         ///< 5xx, connection failures: likely gone in a moment
  bad_request,              ///< the caller's request is wrong; no endpoint would take it
  context_length_exceeded,  ///< only a model with a larger window could take it
  content_filtered,         ///< refused by a safety system
  auth,                     ///< credentials missing, expired or wrong
  permission,               ///< known but not allowed
  not_found,                ///< no such model, deployment or endpoint
  stream_broken,            ///< the answer ended before its final event; the call may have been billed
  cancelled,                ///< our caller or we stopped it
  // Our runtime.
  deadline_exceeded,  ///< the caller's deadline cannot be met any more
  no_endpoint,        ///< nothing that could serve this is alive or allowed
  refused,            ///< admission refused it: queue full or retry budget spent
  unreachable,        ///< the node that owns the endpoint cannot be reached
  invalid_input,      ///< data given to us is malformed
  input_missing,      ///< a file or folder is not there
  bad_config,         ///< configuration is wrong; `what` names file, line and key
  unsupported,        ///< a dialect or build lacks this capability; said before any call
  storage,            ///< the journal could not be read or written; the last write's outcome is unknown
  internal,           ///< our bug
};

/// Who has to change something for this not to happen again.
enum class Fault { caller, us, provider, network };

/// An error as a value. Nothing of ours throws.
struct Error {
  Errc code = Errc::internal;
  /// For people, written by us; never contains request or answer content.
  std::string what;
  Fault fault = Fault::us;
  /// May the same request succeed if sent to the same endpoint again?
  bool retryable = false;
  /// May another endpoint succeed where this one failed?
  bool failover = false;
  /// Does this count against the endpoint's health? Caller mistakes and throttles do not (F3, F4).
  bool counts_for_breaker = false;
  /// The provider's hint, already clamped to [0, 1 h]. Absent when it gave none.
  std::optional<Duration> retry_after;
  /// The provider's own words. May hold user content: never log it, never put it in a report.
  std::string vendor_text;
  /// The provider said something our tables do not have: the class is the conservative one of its status.
  bool unrecognised = false;
  /// True when the provider may have charged although we got no usable answer.
  bool maybe_billed = false;
};

/// A value or the reason there is none.
template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for returning an error: `return fail(Errc::invalid_input, "line 3 is not JSON")`.
std::unexpected<Error> fail(Errc code, std::string what);

/// An error of this code with the vocabulary's default fault, retry, failover and breaker flags (WIRE 6.1).
Error make_error(Errc code, std::string what);

/// The code's name as it is written in docs, logs, the ledger and on the wire: "rate_limited".
const char* to_string(Errc code);
const char* to_string(Fault fault);

/// The inverse of to_string; `internal` for a name we do not know.
Errc errc_from_string(const std::string& name);

}  // namespace troupe
