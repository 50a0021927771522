// The gateway's thread-safe front.
#include "runtime/transport/outbox.hpp"

#include "runtime/transport/send_lane.hpp"

#include <fmt/format.h>

#include <sys/eventfd.h>
#include <unistd.h>

namespace troupe::transport {

Outbox::Outbox(std::size_t waiting_max, std::size_t waiting_bytes_max)
    : waiting_max_(waiting_max),
      waiting_bytes_max_(waiting_bytes_max),
      fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Outbox::~Outbox() { ::close(fd_); }

void Outbox::add_peer(const std::string& peer) {
  std::lock_guard lock(mutex_);
  waiting_[peer];
  left_[peer];
}

void Outbox::remove_peer(const std::string& peer) {
  std::lock_guard lock(mutex_);
  waiting_.erase(peer);
  left_.erase(peer);
}

Result<void> Outbox::admit_locked(const std::string& peer, const Outbound& message) {
  if (closed_) return fail(Errc::unreachable, "the gateway has stopped");
  auto found = waiting_.find(peer);
  if (found == waiting_.end()) return fail(Errc::not_found, fmt::format("no peer is named {}", peer));
  auto& gauge = found->second[static_cast<std::size_t>(message.lane)];
  auto weight = weight_of(message);
  bool full =
      gauge.messages >= waiting_max_ || (gauge.messages > 0 && gauge.bytes + weight > waiting_bytes_max_);
  if (full) return fail(Errc::refused, fmt::format("too many messages wait for {}", peer));
  ++gauge.messages;
  gauge.bytes += weight;
  return {};
}

Result<void> Outbox::admit(const std::string& peer, const Outbound& message) {
  std::lock_guard lock(mutex_);
  return admit_locked(peer, message);
}

Result<void> Outbox::leave(const std::string& peer, Outbound message) {
  std::lock_guard lock(mutex_);
  if (auto admitted = admit_locked(peer, message); !admitted) return admitted;
  auto& gauge = left_[peer][static_cast<std::size_t>(message.lane)];
  ++gauge.messages;
  gauge.bytes += weight_of(message);
  handed_.messages.emplace_back(peer, std::move(message));
  ring();
  return {};
}

void Outbox::leave(std::function<void()> work) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  handed_.work.push_back(std::move(work));
  ring();
}

void Outbox::ring() {
  if (awake_) return;
  awake_ = true;
  std::uint64_t one = 1;
  // Fails only when the counter is full, and then it is readable anyway.
  std::ignore = ::write(fd_, &one, sizeof one);
}

void Outbox::settle(const std::string& peer, const Lanes& waiting) {
  std::lock_guard lock(mutex_);
  auto found = waiting_.find(peer);
  if (found == waiting_.end()) return;
  const auto& left = left_[peer];
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    found->second[i] = {waiting[i].messages + left[i].messages, waiting[i].bytes + left[i].bytes};
  }
}

Handed Outbox::take() {
  std::lock_guard lock(mutex_);
  for (const auto& [peer, message] : handed_.messages)
    left_[peer][static_cast<std::size_t>(message.lane)] = {};
  return std::exchange(handed_, {});
}

bool Outbox::fall_asleep() {
  std::lock_guard lock(mutex_);
  awake_ = !handed_.empty() || closed_;
  return !awake_;
}

void Outbox::wake_up(bool rung) {
  std::uint64_t count = 0;
  std::lock_guard lock(mutex_);
  awake_ = true;
  if (rung) std::ignore = ::read(fd_, &count, sizeof count);
}

void Outbox::close() {
  Handed dropped;
  std::lock_guard lock(mutex_);
  closed_ = true;
  std::swap(dropped, handed_);
  ring();
}

bool Outbox::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

}  // namespace troupe::transport
