// The rules of fencing and order, the same in every store.
#pragma once

#include "runtime/journal/journal.hpp"

#include <cstdint>
#include <string>

namespace troupe::journal {

/// Whether this writer still holds the run. Equality, not order: an epoch nobody was given is no better than
/// a stale one.
Result<void> check_fence(const std::string& run_id, std::uint64_t epoch, std::uint64_t held_epoch);
/// Whether the entry comes right after the run's last.
Result<void> check_place(const Entry& entry, std::uint64_t last_seq);
/// A unique index has refused the entry; its place was checked before, so it repeats a result or an end.
std::unexpected<Error> repeated(const Entry& entry);
/// An entry of a run that nobody created.
std::unexpected<Error> unknown_run(const std::string& run_id);
/// A claim under another workflow's name.
std::unexpected<Error> other_workflow(const std::string& run_id, const std::string& stored,
                                      const std::string& asked);

/// `invalid_input` when a text or payload of the batch is over its bound or a kind is unknown.
Result<void> validate(const Batch& batch, std::size_t payload_bytes_max);
Result<void> validate(const RunRow& row, std::size_t payload_bytes_max);

}  // namespace troupe::journal
