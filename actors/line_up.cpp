// No lock is held while a run begins or somebody hears of its end: both may come back here.
#include "actors/line_up.hpp"

#include <algorithm>

namespace troupe::actors {
namespace {

RunReport report_of(const journal::RunRow& row) {
  RunReport out;
  out.run_id = row.run_id;
  out.workflow = row.workflow;
  out.output = {row.output};
  return out;
}

RunReport failed_report(const std::string& run_id, Error error) {
  RunReport out;
  out.run_id = run_id;
  out.end = RunEnd::failed;
  out.error = std::move(error);
  return out;
}

}  // namespace

Result<std::optional<journal::RunRow>> LineUp::row(const std::string& run_id) {
  auto* journal = journal_();
  if (journal == nullptr) return fail(Errc::refused, "the node has not started");
  return journal->run(run_id);
}

Result<JsonText> LineUp::output(const std::string& run_id) {
  auto found = row(run_id);
  if (!found) return std::unexpected(found.error());
  if (!*found || (*found)->state != journal::RunState::done)
    return fail(Errc::not_found, "run " + run_id + " is not done");
  return JsonText{std::move((*found)->output)};
}

void LineUp::join(RunSpec spec, WallTime due, std::function<void(RunReport)> ended) {
  if (auto found = row(spec.run_id); found && *found && (*found)->state == journal::RunState::done)
    return ended(report_of(**found));
  {
    std::lock_guard lock(mutex_);
    auto [it, fresh] = joined_.try_emplace(spec.run_id);
    auto& joined = it->second;
    joined.waiters.push_back(std::move(ended));
    joined.needed_until = std::max(joined.needed_until, due);
    Place place{policy_.by_urgency ? due.ms : 0, fresh ? arrivals_++ : joined.place.second};
    if (fresh) joined.spec = std::move(spec);
    if (!fresh && (joined.running || place >= joined.place)) return;
    if (!fresh) line_.erase(joined.place);
    joined.place = place;
    line_.emplace(place, it->first);
  }
  begin_next();
}

void LineUp::begin_next() {
  while (true) {
    RunSpec spec;
    bool late = false;
    {
      std::lock_guard lock(mutex_);
      if (line_.empty() || running_ >= policy_.running_max) return;
      auto first = line_.begin();
      auto& joined = joined_.at(first->second);
      line_.erase(first);
      late = joined.needed_until < clock_.wall();
      joined.running = true;
      ++running_;
      spec = joined.spec;
    }
    if (late) {
      tell(spec.run_id,
           failed_report(spec.run_id, make_error(Errc::deadline_exceeded, "its turn never came")));
    } else {
      begin(std::move(spec));
    }
  }
}

void LineUp::begin(RunSpec spec) {
  auto run_id = spec.run_id;
  auto begun =
      runs_.start(std::move(spec), [this, run_id](const RunReport& report) { on_end(run_id, report); });
  if (!begun) tell(run_id, failed_report(run_id, begun.error()));
}

void LineUp::tell(const std::string& run_id, const RunReport& report) {
  std::map<std::string, Joined>::node_type node;
  {
    std::lock_guard lock(mutex_);
    node = joined_.extract(run_id);
    if (!node.empty()) --running_;
  }
  if (node.empty()) return;
  for (auto& waiter : node.mapped().waiters) waiter(report);
}

void LineUp::on_end(const std::string& run_id, const RunReport& report) {
  tell(run_id, report);
  begin_next();
}

std::size_t LineUp::waiting() const {
  std::lock_guard lock(mutex_);
  return line_.size();
}

}  // namespace troupe::actors
