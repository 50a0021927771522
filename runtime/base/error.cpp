// The error vocabulary as a table: names and default flags (WIRE 6.1).
#include <troupe/error.hpp>

#include <array>
#include <utility>

namespace troupe {
namespace {

struct Row {
  Errc code;
  const char* name;
  Fault fault;
  bool retryable, failover, breaker, maybe_billed;
};

// WIRE 6.1: class, whose fault, retry same endpoint, fail over, counts against the breaker, may have been
// billed.
constexpr std::array kRows{
    Row{Errc::rate_limited, "rate_limited", Fault::provider, true, true, false, false},
    Row{Errc::overloaded, "overloaded", Fault::provider, true, true, true, false},
    Row{Errc::quota_exhausted, "quota_exhausted", Fault::us, false, true, false, false},
    Row{Errc::timeout, "timeout", Fault::provider, false, true, true, true},
    Row{Errc::model_not_ready, "model_not_ready", Fault::provider, true, true, false, false},
    Row{Errc::transient_server, "transient_server", Fault::provider, true, true, true, false},
    Row{Errc::bad_request, "bad_request", Fault::caller, false, false, false, false},
    Row{Errc::context_length_exceeded, "context_length_exceeded", Fault::caller, false, false, false, false},
    Row{Errc::content_filtered, "content_filtered", Fault::caller, false, false, false, false},
    Row{Errc::auth, "auth", Fault::us, false, true, false, false},
    Row{Errc::permission, "permission", Fault::us, false, true, false, false},
    Row{Errc::not_found, "not_found", Fault::us, false, true, false, false},
    Row{Errc::stream_broken, "stream_broken", Fault::network, true, true, true, true},
    Row{Errc::cancelled, "cancelled", Fault::caller, false, false, false, true},
    Row{Errc::deadline_exceeded, "deadline_exceeded", Fault::us, false, false, false, true},
    Row{Errc::no_endpoint, "no_endpoint", Fault::us, false, false, false, false},
    Row{Errc::refused, "refused", Fault::us, true, false, false, false},
    Row{Errc::unreachable, "unreachable", Fault::network, true, true, false, true},
    Row{Errc::invalid_input, "invalid_input", Fault::caller, false, false, false, false},
    Row{Errc::input_missing, "input_missing", Fault::caller, false, false, false, false},
    Row{Errc::bad_config, "bad_config", Fault::caller, false, false, false, false},
    Row{Errc::unsupported, "unsupported", Fault::caller, false, true, false, false},
    Row{Errc::storage, "storage", Fault::us, false, false, false, false},
    Row{Errc::internal, "internal", Fault::us, false, false, false, false},
};

const Row& row(Errc code) {
  for (const auto& r : kRows)
    if (r.code == code) return r;
  return kRows.back();
}

}  // namespace

std::unexpected<Error> fail(Errc code, std::string what) {
  return std::unexpected(make_error(code, std::move(what)));
}

Error make_error(Errc code, std::string what) {
  const auto& r = row(code);
  Error error;
  error.code = code;
  error.what = std::move(what);
  error.fault = r.fault;
  error.retryable = r.retryable;
  error.failover = r.failover;
  error.counts_for_breaker = r.breaker;
  error.maybe_billed = r.maybe_billed;
  return error;
}

const char* to_string(Errc code) { return row(code).name; }

const char* to_string(Fault fault) {
  constexpr std::array names{"caller", "us", "provider", "network"};
  return names[static_cast<std::size_t>(fault)];
}

Errc errc_from_string(const std::string& name) {
  for (const auto& r : kRows)
    if (name == r.name) return r.code;
  return Errc::internal;
}

}  // namespace troupe
