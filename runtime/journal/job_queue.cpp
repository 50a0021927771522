#include "runtime/journal/job_queue.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace troupe::journal {
namespace {

/// What a job weighs in a queue: its content and about what its rows take beside.
std::size_t weight_of(const Batch& batch) {
  constexpr std::size_t row = 256;
  std::size_t bytes =
      row * (1 + batch.entries.size() + batch.usage.size() + batch.breakers.size() + batch.controls.size() +
             batch.exposures.size() + batch.decisions.size() + batch.feedback.size());
  for (const auto& entry : batch.entries) bytes += entry.payload.size();
  if (batch.run) bytes += batch.run->input.size() + batch.run->output.size();
  return bytes;
}

bool must_wait(const Job& job) {
  if (job.refusal) return false;
  if (job.work) return true;
  return waits_for_disk(job.claim ? job.claim->durability : job.batch.durability);
}

/// A refusal waits only to be answered.
void drop_content(Job& job) {
  job.batch = {};
  job.bytes = 0;
}

}  // namespace

Job job_of_new(RunRow row, std::function<void(Result<RunRow>)> begun) {
  row.epoch = 1;
  Job job;
  job.fresh = true;
  job.batch.durability = row.durability;
  job.batch.run = row;
  job.committed = [row = std::move(row), begun = std::move(begun)](Result<void> done) mutable {
    if (!done) return begun(std::unexpected(std::move(done.error())));
    begun(std::move(row));
  };
  return job;
}

std::size_t group_size(std::span<const Job> jobs, const GroupLimits& limits) {
  std::size_t count = 0, rows = 0, bytes = 0;
  while (count < jobs.size()) {
    rows += std::max<std::size_t>(1, jobs[count].batch.entries.size());
    bytes += jobs[count].bytes;
    bool full = rows > limits.entries_max || bytes > limits.bytes_max;
    if (full && count > 0) break;
    ++count;
  }
  return count;
}

bool waits_for_disk(std::span<const Job> jobs) { return std::ranges::any_of(jobs, must_wait); }

void answer_jobs(std::span<Job> jobs, std::span<Result<void>> outcomes) {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    auto answer = jobs[i].refusal ? Result<void>(std::unexpected(*jobs[i].refusal)) : std::move(outcomes[i]);
    if (jobs[i].committed) jobs[i].committed(std::move(answer));
    jobs[i] = {};
  }
}

void JobQueue::push(Job job) {
  job.bytes = weight_of(job.batch);
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    // One batch is always let in, however large, or it could never be written.
    if (!job.refusal && bytes_ > 0 && bytes_ + job.bytes > bytes_max_)
      job.refusal = make_error(Errc::refused, "the journal's queue is full");
    if (job.refusal) drop_content(job);
    bytes_ += job.bytes;
    was_empty = waiting_.empty();
    waiting_.push_back(std::move(job));
  }
  if (was_empty) wake_.notify_one();
}

Result<void> JobQueue::push_and_wait(Job job) {
  Result<void> outcome;
  std::promise<void> answered;
  job.committed = [&](Result<void> answer) {
    outcome = std::move(answer);
    answered.set_value();
  };
  push(std::move(job));
  answered.get_future().wait();
  return outcome;
}

bool JobQueue::take(std::vector<Job>& jobs) {
  jobs.clear();
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !waiting_.empty() || closed_; });
  jobs.swap(waiting_);
  return !jobs.empty();
}

void JobQueue::release(std::span<const Job> jobs) {
  std::size_t bytes = 0;
  for (const auto& job : jobs) bytes += job.bytes;
  std::lock_guard lock(mutex_);
  bytes_ -= std::min(bytes, bytes_);
}

void JobQueue::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_one();
}

}  // namespace troupe::journal
