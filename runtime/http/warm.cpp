#include "runtime/http/warm.hpp"

#include <algorithm>
#include <utility>

namespace troupe::http {

Warmer::Warmer(std::shared_ptr<Connector> connector, std::shared_ptr<Pool> pool)
    : connector_(std::move(connector)), pool_(std::move(pool)), timer_(connector_->loop->io) {}

void Warmer::want(const Origin& origin, std::size_t count) {
  const auto& config = connector_->config;
  count = std::min({count, config.idle_per_origin_max, config.open_per_origin_max});
  pool_->on_loss([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->tend_soon();
  });
  if (count > 0) {
    goals_[origin].count = count;
    return tend_soon();
  }
  auto goal = goals_.extract(origin);
  if (!goal) return;
  for (auto& [key, opening] : goal.mapped().openings) {
    opening->stop();
    pool_->slot_free(origin);
  }
}

// Not at once: a connection is often lost in the midst of the pool's own work.
void Warmer::tend_soon() {
  if (goals_.empty() || std::exchange(tending_soon_, true)) return;
  connector_->loop->post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self) return;
    self->tending_soon_ = false;
    self->tend();
  });
}

void Warmer::tend() {
  auto now = std::chrono::steady_clock::now();
  for (auto& [origin, goal] : goals_) tend(origin, goal, now);
}

void Warmer::tend(const Origin& origin, Goal& goal, Instant now) {
  auto open = pool_->open_count(origin);
  if (open >= goal.count) return;
  const auto& config = connector_->config;
  if (goal.last_round && now < *goal.last_round + goal.wait) return look_at(*goal.last_round + goal.wait);
  bool quiet = !goal.last_round || now - *goal.last_round >= 4 * goal.wait;
  goal.wait = quiet ? config.warm_retry_min : std::min(goal.wait * 2, config.warm_retry_max);
  goal.last_round = now;
  for (auto missing = goal.count - open; missing > 0 && pool_->take_slot(origin); --missing)
    open_one(origin, goal);
}

void Warmer::open_one(const Origin& origin, Goal& goal) {
  auto id = ++openings_total_;
  auto opening = std::make_shared<Opening>(
      connector_, origin, [weak = weak_from_this(), origin, id](Result<std::shared_ptr<Connection>> opened) {
        if (auto self = weak.lock()) self->on_opened(origin, id, std::move(opened));
      });
  goal.openings.emplace(id, opening);
  opening->start(connector_->config.warm_connect_max);
}

void Warmer::on_opened(const Origin& origin, std::uint64_t id, Result<std::shared_ptr<Connection>> opened) {
  if (auto goal = goals_.find(origin); goal != goals_.end()) goal->second.openings.erase(id);
  opened ? pool_->give_back(std::move(*opened)) : pool_->slot_free(origin);
}

void Warmer::look_at(Instant when) {
  if (armed_for_ && *armed_for_ <= when) return;
  armed_for_ = when;
  timer_.expires_at(when);
  timer_.async_wait([weak = weak_from_this()](error_code ec) {
    auto self = weak.lock();
    if (ec || !self) return;
    self->armed_for_.reset();
    self->tend();
  });
}

void Warmer::close() {
  timer_.cancel();
  for (auto& [origin, goal] : std::exchange(goals_, {}))
    for (auto& [key, opening] : goal.openings) opening->stop();
}

}  // namespace troupe::http
