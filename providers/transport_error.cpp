#include "providers/transport_error.hpp"

#include <utility>

namespace troupe::providers {
namespace {

Error refine_timeout(Error error, const TransportProgress& progress) {
  if (progress.deadline_passed) {
    error.counts_for_breaker = false;
    return error;
  }
  if (!progress.sent) {
    error.retryable = true;
    return error;
  }
  if (!progress.answering) return error;
  auto broken = make_error(Errc::stream_broken, std::move(error.what));
  broken.maybe_billed = error.maybe_billed;
  return broken;
}

}  // namespace

Error transport_error(Error error, const TransportProgress& progress) {
  if (error.code == Errc::timeout) error = refine_timeout(std::move(error), progress);
  if (error.code == Errc::stream_broken) error.retryable = false;
  return error;
}

}  // namespace troupe::providers
