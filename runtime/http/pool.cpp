#include "runtime/http/pool.hpp"

#include <algorithm>

namespace troupe::http {

Pool::Pool(std::shared_ptr<Loop::Impl> loop, const ClientConfig& config)
    : loop_(std::move(loop)),
      idle_max_(config.idle_per_origin_max),
      open_max_(std::max<std::size_t>(1, config.open_per_origin_max)),
      waiting_max_(config.waiting_per_origin_max),
      idle_age_max_(config.idle_age_max),
      sweeper_(loop_->io) {}

bool Pool::ask(const Origin& origin, std::shared_ptr<PoolUser> user) {
  auto& lane = lanes_[origin];
  if (auto connection = take_idle(lane)) {
    ++reused_total_;
    user->on_connection(std::move(connection));
    return true;
  }
  if (lane.open >= open_max_) {
    if (lane.waiting.size() >= waiting_max_) return false;
    lane.waiting.push_back(std::move(user));
    return true;
  }
  ++lane.open;
  ++opened_total_;
  user->on_slot();
  return true;
}

std::shared_ptr<Connection> Pool::take_idle(Lane& lane) {
  auto now = std::chrono::steady_clock::now();
  while (!lane.idle.empty()) {
    auto connection = std::move(lane.idle.back());
    lane.idle.pop_back();
    if (now - connection->idle_since < idle_age_max_ && connection->usable()) return connection;
    connection->close();
    lose(lane);
  }
  return nullptr;
}

void Pool::lose(Lane& lane) {
  --lane.open;
  if (on_loss_) on_loss_();
}

bool Pool::take_slot(const Origin& origin) {
  if (closed_) return false;
  auto& lane = lanes_[origin];
  if (lane.open >= open_max_) return false;
  ++lane.open;
  ++opened_total_;
  return true;
}

std::size_t Pool::open_count(const Origin& origin) const {
  auto found = lanes_.find(origin);
  return found == lanes_.end() ? 0 : found->second.open;
}

std::size_t Pool::idle_count(const Origin& origin) const {
  auto found = lanes_.find(origin);
  return found == lanes_.end() ? 0 : found->second.idle.size();
}

void Pool::withdraw(const Origin& origin, const PoolUser* user) {
  auto found = lanes_.find(origin);
  if (found == lanes_.end()) return;
  std::erase_if(found->second.waiting, [user](const auto& waiting) { return waiting.get() == user; });
}

void Pool::give_back(std::shared_ptr<Connection> connection) {
  if (closed_) return connection->close();
  auto& lane = lanes_[connection->origin];
  if (!lane.waiting.empty() && connection->usable()) {
    auto user = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    ++reused_total_;
    return user->on_connection(std::move(connection));
  }
  connection->idle_since = std::chrono::steady_clock::now();
  connection->user = weak_from_this();
  connection->read();
  lane.idle.push_back(std::move(connection));
  // Someone still waits only when this connection is of no use: then it makes way.
  if (!lane.waiting.empty() || lane.idle.size() > idle_max_) discard_oldest(lane);
  open_for_waiting(lane);
  sweep_later();
}

void Pool::discard_oldest(Lane& lane) {
  lane.idle.front()->close();
  lane.idle.pop_front();
  lose(lane);
}

void Pool::slot_free(const Origin& origin) {
  auto found = lanes_.find(origin);
  if (found == lanes_.end()) return;
  auto& lane = found->second;
  lose(lane);
  open_for_waiting(lane);
  forget_if_empty(found);
}

// Whatever an idle connection hears makes it useless: an end, or bytes that nobody asked for.
void Pool::on_input(Connection& idle, error_code) {
  auto found = lanes_.find(idle.origin);
  if (found == lanes_.end()) return;
  auto& lane = found->second;
  auto it = std::ranges::find(lane.idle, &idle, [](const auto& held) { return held.get(); });
  if (it == lane.idle.end()) return;
  idle.close();
  lane.idle.erase(it);
  lose(lane);
  open_for_waiting(lane);
  forget_if_empty(found);
}

void Pool::forget_if_empty(std::map<Origin, Lane>::iterator lane) {
  if (lane->second.open == 0 && lane->second.waiting.empty()) lanes_.erase(lane);
}

void Pool::open_for_waiting(Lane& lane) {
  while (!lane.waiting.empty() && lane.open < open_max_) {
    auto user = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    ++lane.open;
    ++opened_total_;
    user->on_slot();
  }
}

void Pool::sweep_later() {
  if (sweeping_ || closed_) return;
  std::optional<Instant> oldest;
  for (const auto& [origin, lane] : lanes_)
    if (!lane.idle.empty() && (!oldest || lane.idle.front()->idle_since < *oldest))
      oldest = lane.idle.front()->idle_since;
  if (!oldest) return;
  sweeping_ = true;
  sweeper_.expires_at(*oldest + idle_age_max_);
  sweeper_.async_wait([weak = weak_from_this()](error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->sweep();
  });
}

void Pool::sweep() {
  sweeping_ = false;
  auto now = std::chrono::steady_clock::now();
  for (auto& [origin, lane] : lanes_)
    while (!lane.idle.empty() && now - lane.idle.front()->idle_since >= idle_age_max_) discard_oldest(lane);
  std::erase_if(lanes_,
                [](const auto& entry) { return entry.second.open == 0 && entry.second.waiting.empty(); });
  sweep_later();
}

void Pool::close() {
  closed_ = true;
  on_loss_ = {};
  sweeper_.cancel();
  auto lanes = std::exchange(lanes_, {});
  for (auto& [origin, lane] : lanes)
    for (auto& connection : lane.idle) connection->close();
}

Client::Stats Pool::stats() const {
  Client::Stats stats{.opened_total = opened_total_, .reused_total = reused_total_};
  for (const auto& [origin, lane] : lanes_) {
    stats.open += lane.open;
    stats.idle += lane.idle.size();
  }
  return stats;
}

}  // namespace troupe::http
