#include "runtime/journal/postgres_heartbeat.hpp"

#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace troupe::journal {
namespace {

/// Behind the notifications, which may get lost.
constexpr Duration kHintPoll = std::chrono::seconds(1);
/// How soon a renewal that failed is tried again.
constexpr Duration kRenewAgain = std::chrono::milliseconds(300);
}  // namespace

WakeDescriptor::WakeDescriptor() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
WakeDescriptor::~WakeDescriptor() { ::close(descriptor_); }

void WakeDescriptor::wake() {
  std::uint64_t one = 1;
  // It fails only when it is full, and then the thread is awake.
  [[maybe_unused]] auto written = ::write(descriptor_, &one, sizeof one);
}

void WakeDescriptor::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] auto taken = ::read(descriptor_, &count, sizeof count);
}

PgHeartbeat::PgHeartbeat(PgTarget target, std::string channel, const Clock& clock, Duration renew_every,
                         Seat seat)
    : target_(std::move(target)),
      channel_(std::move(channel)),
      clock_(clock),
      renew_every_(renew_every),
      seat_(std::move(seat)),
      thread_([this] { work(); }) {}

PgHeartbeat::~PgHeartbeat() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.wake();
  thread_.join();
}

void PgHeartbeat::watch(std::function<void(const std::string&)> hint) {
  {
    std::lock_guard lock(hint_mutex_);
    hint_ = std::move(hint);
  }
  wake_.wake();
}

void PgHeartbeat::tell(const std::string& topic) {
  std::lock_guard lock(hint_mutex_);
  if (hint_) hint_(topic);
}

bool PgHeartbeat::stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

bool PgHeartbeat::watched() {
  std::lock_guard lock(hint_mutex_);
  return static_cast<bool>(hint_);
}

void PgHeartbeat::work() {
  while (!stopping()) {
    auto now = clock_.now();
    renew_if_due(now);
    bool with_ticks = watched();
    if (with_ticks) tick_if_due(now);
    auto longest = until_next(now, with_ticks);
    if (with_ticks)
      listen(longest);
    else
      listening_.reset(), wait(longest);
    wake_.clear();
  }
}

Duration PgHeartbeat::until_next(Instant now, bool with_ticks) {
  auto until = now + std::chrono::minutes(1);
  if (with_ticks) until = std::min(until, next_tick_);
  if (renew_every_ > Duration::zero() && seat_.taken()) until = std::min(until, next_renewal_);
  return std::max<Duration>(until - now, std::chrono::milliseconds(1));
}

void PgHeartbeat::renew_if_due(Instant now) {
  if (renew_every_ <= Duration::zero() || now < next_renewal_ || !seat_.taken()) return;
  auto renewed = seat_.renew();
  // Once for each outage: the next try is soon.
  if (!renewed && renewed_) log::warn("journal", renewed.error().what);
  renewed_ = renewed.has_value();
  next_renewal_ = now + (renewed ? renew_every_ : std::min(renew_every_, kRenewAgain));
}

void PgHeartbeat::tick_if_due(Instant now) {
  if (now < next_tick_) return;
  next_tick_ = now + kHintPoll;
  tell("");
}

void PgHeartbeat::wait(Duration longest) {
  pollfd ready{wake_.descriptor(), POLLIN, 0};
  ::poll(&ready, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(longest).count()));
}

void PgHeartbeat::listen(Duration longest) {
  if (!listening_ || listening_->lost()) {
    listening_.reset();
    auto opened = PgConnection::open(target_);
    if (opened && opened->execute(fmt::format("LISTEN \"{}\"", channel_))) listening_ = std::move(*opened);
  }
  // With the server away the ticks go on.
  if (!listening_) return wait(longest);
  auto topics = listening_->notifications(longest, wake_.descriptor());
  if (!topics) return;
  for (const auto& topic : *topics) tell(topic);
}

}  // namespace troupe::journal
