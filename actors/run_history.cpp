#include "actors/run_history.hpp"

#include "runtime/protocol/values.hpp"

#include <fmt/format.h>

namespace troupe::actors {
namespace {

template <class Map>
auto find_in(const Map& map, const std::string& key) -> const typename Map::mapped_type* {
  auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

Error damaged(const journal::Entry& entry) {
  return make_error(Errc::storage, fmt::format("entry {} of run {} ({}) cannot be read", entry.seq,
                                               entry.run_id, entry.step_key));
}

}  // namespace

Result<RunHistory> RunHistory::read(const std::vector<journal::Entry>& entries) {
  RunHistory history;
  for (const auto& entry : entries)
    if (auto added = history.add(entry); !added) return std::unexpected(added.error());
  return history;
}

Result<void> RunHistory::add(const journal::Entry& entry) {
  last_seq_ = entry.seq;
  const auto& key = entry.step_key;
  switch (entry.kind) {
    case journal::Kind::start: started_ = entry.at; break;
    case journal::Kind::intent: ++intents_[key]; break;
    case journal::Kind::timer_fired: fired_.insert(key); break;
    case journal::Kind::signal_in: signals_[key].push_back({entry.payload}); break;
    case journal::Kind::failure: {
      auto error = protocol::from_bytes<Error>(entry.payload);
      if (!error) return std::unexpected(damaged(entry));
      failures_[key] = *error;
      break;
    }
    case journal::Kind::result: {
      // Only model calls have intents; everything else records its JSON as it is.
      if (!intents_.contains(key)) {
        steps_[key] = {entry.payload};
        break;
      }
      auto answer = protocol::from_bytes<Answer>(entry.payload);
      if (!answer) return std::unexpected(damaged(entry));
      answer->replayed = true;
      attempts_.insert(attempts_.end(), answer->attempts.begin(), answer->attempts.end());
      answers_[key] = std::move(*answer);
      break;
    }
    case journal::Kind::timer_set:
    case journal::Kind::cancel:
    case journal::Kind::done: break;
  }
  return {};
}

const Answer* RunHistory::answer(const std::string& key) const { return find_in(answers_, key); }
const JsonText* RunHistory::step(const std::string& key) const { return find_in(steps_, key); }
const Error* RunHistory::failure(const std::string& key) const { return find_in(failures_, key); }

std::uint32_t RunHistory::intents(const std::string& key) const {
  const auto* count = find_in(intents_, key);
  return count == nullptr ? 0 : *count;
}

}  // namespace troupe::actors
