// How a run's head is read from the tables.
#include "runtime/journal/run_heads.hpp"

#include <utility>

namespace troupe::journal {
namespace {

/// Beyond this all are forgotten and read anew as they are needed: about 20 us each by RUNTIME 1.
constexpr std::size_t kHeadsMax = 65'536;

}  // namespace

Result<RunHeads> RunHeads::open(Connection& connection) {
  auto run = connection.prepare("SELECT id, epoch FROM run WHERE run_id = ?");
  if (!run) return std::unexpected(std::move(run.error()));
  auto seq = connection.prepare("SELECT max(seq) FROM entry WHERE run = ?");
  if (!seq) return std::unexpected(std::move(seq.error()));
  return RunHeads(std::move(*run), std::move(*seq));
}

RunHeads::RunHeads(Statement run, Statement seq) : run_(std::move(run)), seq_(std::move(seq)) {}

Result<RunHead*> RunHeads::find(const std::string& run_id) {
  if (auto known = heads_.find(run_id); known != heads_.end()) return &known->second;
  auto loaded = load(run_id);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  if (!*loaded) return nullptr;
  return &heads_.emplace(run_id, **loaded).first->second;
}

void RunHeads::trim() {
  if (heads_.size() >= kHeadsMax) heads_.clear();
}

Result<std::optional<RunHead>> RunHeads::load(const std::string& run_id) {
  auto row = run_.with(TextView{run_id}).step();
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row) return std::nullopt;
  RunHead head{run_.integer(0), static_cast<std::uint64_t>(run_.integer(1)), 0};
  run_.reset();
  row = seq_.with(head.id).step();
  if (!row) return std::unexpected(std::move(row.error()));
  head.seq = static_cast<std::uint64_t>(seq_.integer(0));
  seq_.reset();
  return head;
}

}  // namespace troupe::journal
