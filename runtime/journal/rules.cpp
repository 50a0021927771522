#include "runtime/journal/rules.hpp"

#include <fmt/format.h>

namespace troupe::journal {

Result<void> check_fence(const std::string& run_id, std::uint64_t epoch, std::uint64_t held_epoch) {
  if (epoch == held_epoch) return {};
  return fail(Errc::storage,
              fmt::format("run {} is fenced: epoch {} writes, but the run is held under epoch {}", run_id,
                          epoch, held_epoch));
}

Result<void> check_place(const Entry& entry, std::uint64_t last_seq) {
  if (entry.seq == last_seq + 1) return {};
  return fail(Errc::storage,
              fmt::format("run {}: entry {} cannot follow entry {}: {}", entry.run_id, entry.seq, last_seq,
                          entry.seq <= last_seq ? "it is recorded already" : "a gap"));
}

std::unexpected<Error> repeated(const Entry& entry) {
  bool child = entry.kind == Kind::child_end;
  return fail(Errc::storage, fmt::format("run {}: {} {} {} already", entry.run_id, child ? "child" : "step",
                                         entry.step_key, child ? "has ended" : "has a result"));
}

std::unexpected<Error> unknown_run(const std::string& run_id) {
  return fail(Errc::invalid_input, fmt::format("run {} does not exist: claim it first", run_id));
}

std::unexpected<Error> other_workflow(const std::string& run_id, const std::string& stored,
                                      const std::string& asked) {
  return fail(Errc::invalid_input, fmt::format("run {} is a {}, not a {}", run_id, stored, asked));
}

}  // namespace troupe::journal
