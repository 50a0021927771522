#include "runtime/policy/peer_board.hpp"

#include <algorithm>
#include <utility>

namespace troupe::policy {
namespace {

/// Not one slow call among the last dozen. More would come too late: overload reaches all within seconds, but
/// not in the same second.
constexpr double kSoundStrain = 0.03;
constexpr double kMuchBetter = 0.1, kNearSlow = 0.5;
constexpr float kNotClosed = 2;

}  // namespace

PeerBoard::PeerBoard(std::vector<std::string> models) : models_(std::move(models)) {
  for (std::size_t i = 0; i < models_.size(); ++i) posted_.push_back(std::make_shared<Posted>());
  publish();
}

std::uint32_t PeerBoard::add(std::string model) {
  models_.push_back(std::move(model));
  posted_.push_back(std::make_shared<Posted>());
  publish();
  return static_cast<std::uint32_t>(models_.size() - 1);
}

void PeerBoard::change(std::uint32_t endpoint, std::string model) {
  models_[endpoint] = std::move(model);
  publish();
}

void PeerBoard::regroup(std::vector<std::vector<std::string>> hierarchies) {
  hierarchies_ = std::move(hierarchies);
  publish();
}

bool PeerBoard::together(std::uint32_t one, std::uint32_t other) const {
  auto named = [](const auto& hierarchy, const std::string& model) {
    return std::ranges::find(hierarchy, model) != hierarchy.end();
  };
  return one != other && std::ranges::any_of(hierarchies_, [&](const auto& hierarchy) {
           return named(hierarchy, models_[one]) && named(hierarchy, models_[other]);
         });
}

void PeerBoard::publish() {
  auto seats = std::make_shared<Seats>();
  seats->posted = posted_;
  seats->others.resize(models_.size());
  for (std::uint32_t one = 0; one < models_.size(); ++one)
    for (std::uint32_t other = 0; other < models_.size(); ++other)
      if (together(one, other)) seats->others[one].push_back(other);
  seats_.store(std::move(seats));
}

void PeerBoard::post(std::uint32_t endpoint, bool closed, const Strain& strain) {
  auto seats = seats_.load();
  auto slow = closed ? static_cast<float>(strain.slow) : kNotClosed;
  seats->posted[endpoint]->slow.store(slow, std::memory_order_relaxed);
  seats->posted[endpoint]->ttft.store(static_cast<float>(strain.ttft), std::memory_order_relaxed);
}

PeerCount PeerBoard::around(std::uint32_t endpoint, const Strain& own, double ttft_slow) const {
  auto seats = seats_.load();
  double slow_most = std::max(kSoundStrain, kMuchBetter * own.slow);
  double ttft_most = ttft_slow > 0 ? kNearSlow * ttft_slow : 1e9;
  PeerCount count;
  for (auto other : seats->others[endpoint]) {
    const auto& word = *seats->posted[other];
    bool well = word.slow.load(std::memory_order_relaxed) < slow_most &&
                word.ttft.load(std::memory_order_relaxed) < ttft_most;
    ++count.others;
    count.well += well ? 1 : 0;
  }
  return count;
}

}  // namespace troupe::policy
