#include "runtime/policy/outcome_window.hpp"

#include <algorithm>
#include <cmath>

namespace troupe::policy {

void SortedValues::add(double value) { values_.insert(std::ranges::upper_bound(values_, value), value); }

void SortedValues::remove(double value) {
  auto found = std::ranges::lower_bound(values_, value);
  if (found != values_.end() && *found == value) values_.erase(found);
}

std::size_t SortedValues::count_above(double limit) const {
  return static_cast<std::size_t>(values_.end() - std::ranges::upper_bound(values_, limit));
}

double SortedValues::quantile(double q) const {
  if (values_.empty()) return 0;
  double rank = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(values_.size()) - 1e-9);
  return values_[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void OutcomeWindow::add(const WindowSample& sample) {
  samples_.push_back(sample);
  failures_ += sample.verdict == Verdict::failure;
  throttled_ += sample.verdict == Verdict::throttled;
  if (sample.ttft > 0) ttft_.add(sample.ttft);
  if (sample.verdict == Verdict::success && sample.total > 0) total_.add(sample.total);
}

void OutcomeWindow::forget(const WindowSample& sample) {
  failures_ -= sample.verdict == Verdict::failure;
  throttled_ -= sample.verdict == Verdict::throttled;
  if (sample.ttft > 0) ttft_.remove(sample.ttft);
  if (sample.verdict == Verdict::success && sample.total > 0) total_.remove(sample.total);
}

std::vector<WindowSample> OutcomeWindow::evict(Instant now) {
  std::vector<WindowSample> gone;
  while (!samples_.empty() && (samples_.size() > samples_max_ || now - samples_.front().at > age_max_)) {
    forget(samples_.front());
    gone.push_back(samples_.front());
    samples_.pop_front();
  }
  return gone;
}

void OutcomeWindow::clear() {
  samples_.clear();
  ttft_.clear();
  total_.clear();
  failures_ = throttled_ = 0;
}

double OutcomeWindow::failure_share() const {
  return judged() == 0 ? 0 : static_cast<double>(failures_) / static_cast<double>(judged());
}

double OutcomeWindow::throttle_share() const {
  return samples_.empty() ? 0 : static_cast<double>(throttled_) / static_cast<double>(samples_.size());
}

}  // namespace troupe::policy
