#include "actors/unit.hpp"

#include <caf/actor_system.hpp>
#include <caf/intrusive_ptr.hpp>

#include <utility>

namespace troupe::actors {
namespace {

constexpr int kJobsPerTurn = 256;
constexpr std::size_t kMessagesPerJob = 64;

// Work an executor destroys unrun must still give up its reference.
struct JobRef {
  caf::resumable* job;
  explicit JobRef(caf::resumable* j) : job(j) {}
  JobRef(const JobRef& other) : job(other.job) { caf::intrusive_ptr_add_ref(job); }
  JobRef(JobRef&& other) noexcept : job(std::exchange(other.job, nullptr)) {}
  JobRef& operator=(JobRef) = delete;
  ~JobRef() {
    if (job != nullptr) caf::intrusive_ptr_release(job);
  }
};

}  // namespace

Unit::~Unit() {
  for (auto* job : jobs_) caf::intrusive_ptr_release(job);
}

void Unit::exec_later(caf::resumable* job) {
  if (executor_.here()) {
    jobs_.push_back(job);
    arm();
    return;
  }
  executor_.post([this, ref = JobRef(job)]() mutable {
    jobs_.push_back(std::exchange(ref.job, nullptr));
    if (!armed_) drain();
  });
}

void Unit::arm() {
  if (std::exchange(armed_, true)) return;
  executor_.post([this] { drain(); });
}

void Unit::drain() {
  armed_ = true;
  for (int left = kJobsPerTurn; left > 0 && !jobs_.empty(); --left) {
    auto* job = jobs_.front();
    jobs_.pop_front();
    if (job->resume(this, kMessagesPerJob) == caf::resumable::resume_later)
      jobs_.push_back(job);
    else
      caf::intrusive_ptr_release(job);
  }
  armed_ = false;
  if (!jobs_.empty()) arm();
}

}  // namespace troupe::actors
