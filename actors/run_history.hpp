// What a run has already done, read from its journal entries. Pure.
#pragma once

#include "runtime/journal/journal.hpp"

#include <troupe/workflow.hpp>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors {

class RunHistory {
 public:
  RunHistory() = default;
  /// Fails with `storage` when an entry cannot be read: a damaged history must not be bought again silently.
  static Result<RunHistory> read(const std::vector<journal::Entry>& entries);

  /// The recorded answer of a model call; `replayed` is set.
  const Answer* answer(const std::string& key) const;
  const JsonText* step(const std::string& key) const;
  /// A recorded final failure (the caller's fault).
  const Error* failure(const std::string& key) const;
  bool timer_fired(const std::string& key) const { return fired_.contains(key); }
  /// By name, in the order they came: each wait for a name takes the next of it.
  using Signals = std::map<std::string, std::deque<JsonText>>;
  const Signals& signals() const { return signals_; }
  /// How often this key's call was begun before.
  std::uint32_t intents(const std::string& key) const;

  std::uint64_t last_seq() const { return last_seq_; }
  WallTime started() const { return started_; }
  bool empty() const { return last_seq_ == 0; }
  /// Attempts of every recorded answer, in journal order.
  const std::vector<AttemptRecord>& attempts() const { return attempts_; }

 private:
  Result<void> add(const journal::Entry& entry);

  std::map<std::string, Answer> answers_;
  std::map<std::string, JsonText> steps_;
  std::map<std::string, Error> failures_;
  Signals signals_;
  std::map<std::string, std::uint32_t> intents_;
  std::set<std::string> fired_;
  std::vector<AttemptRecord> attempts_;
  std::uint64_t last_seq_ = 0;
  WallTime started_;
};

}  // namespace troupe::actors
