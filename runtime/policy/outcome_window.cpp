#include "runtime/policy/outcome_window.hpp"

#include <algorithm>

namespace troupe::policy {

double OutcomeCounts::share(std::size_t of_judged) const {
  return judged() == 0 ? 0 : static_cast<double>(of_judged) / static_cast<double>(judged());
}

double OutcomeCounts::throttle_share() const {
  return all == 0 ? 0 : static_cast<double>(throttled) / static_cast<double>(all);
}

// Unsigned arithmetic wraps, so adding "-1" takes one away.
void OutcomeCounts::count(const WindowSample& sample, std::size_t by) {
  all += by;
  if (sample.verdict == Verdict::success) return;
  if (sample.verdict == Verdict::throttled) {
    throttled += by;
    return;
  }
  failures += by;
  if (sample.kind == FailureKind::timeout) timeouts += by;
  if (sample.kind == FailureKind::stream_break) breaks += by;
}

void OutcomeTally::count(const WindowSample& sample, std::size_t by) {
  counts.count(sample, by);
  auto note = [by](Latency& tally, const WindowSample::Latency& latency) {
    if (latency.bucket == LatencyGrid::none) return;
    tally.seen += by;
    if (latency.over) tally.over += by;
  };
  note(ttft, sample.ttft);
  note(itl, sample.itl);
  note(total, sample.total);
}

OutcomeWindow::OutcomeWindow(Duration age_max, std::size_t samples_max, std::size_t recent_max)
    : age_max_(age_max),
      samples_max_(std::max<std::size_t>(samples_max, 1)),
      recent_max_(std::clamp<std::size_t>(recent_max, 1, samples_max_)) {}

void OutcomeWindow::grow() {
  constexpr std::size_t least = 64;
  std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(first_), ring_.end());
  first_ = 0;
  ring_.resize(std::min(samples_max_, std::max(least, 2 * ring_.size())));
}

void OutcomeWindow::push(const WindowSample& sample) {
  constexpr std::size_t back = static_cast<std::size_t>(-1);
  if (size_ == ring_.size()) grow();
  if (recent_size_ == recent_max_) {
    recent_.count(from_end(recent_size_), back);
    --recent_size_;
  }
  ++size_;
  ++recent_size_;
  ring_[place(size_ - 1)] = sample;
  whole_.count(sample, 1);
  recent_.count(sample, 1);
  if (!sample.ours()) customers_.count(sample, 1);
  ttft_.add(sample.ttft.bucket);
  itl_.add(sample.itl.bucket);
  total_.add(sample.total.bucket);
}

WindowSample OutcomeWindow::pop() {
  constexpr std::size_t back = static_cast<std::size_t>(-1);
  auto sample = ring_[first_];
  if (recent_size_ == size_) {
    recent_.count(sample, back);
    --recent_size_;
  }
  first_ = place(1);
  --size_;
  whole_.count(sample, back);
  if (!sample.ours()) customers_.count(sample, back);
  ttft_.remove(sample.ttft.bucket);
  itl_.remove(sample.itl.bucket);
  total_.remove(sample.total.bucket);
  return sample;
}

void OutcomeWindow::clear() {
  first_ = size_ = recent_size_ = 0;
  whole_ = recent_ = {};
  customers_ = {};
  ttft_.clear();
  itl_.clear();
  total_.clear();
}

double OutcomeWindow::recent_quantile(WindowSample::Latency WindowSample::*signal, double q) const {
  LatencyCounts counts;
  for (std::size_t i = recent_size_; i > 0; --i) counts.add((from_end(i).*signal).bucket);
  return counts.quantile(q);
}

}  // namespace troupe::policy
