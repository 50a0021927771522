#include "runtime/tools/mcp_link.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::tools {

McpLink::McpLink(const McpConfig& config, Clock& clock)
    : config_(config), clock_(clock), pause_(config.restart_min), thread_([this] { run(); }) {}

McpLink::~McpLink() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<void> McpLink::wait_ready() {
  std::unique_lock lock(mutex_);
  // The session's own limit ends it sooner; this one is for a program that cannot be started in time.
  changed_.wait_for(lock, config_.start_max + config_.end_grace * 3,
                    [this] { return failure_ || (session_ && session_->ready()); });
  if (failure_) return std::unexpected(*failure_);
  if (!session_ || !session_->ready()) return fail(Errc::unreachable, "the server did not start in time");
  return {};
}

bool McpLink::offers(const McpToolInfo& tool) const {
  if (!config_.only.empty()) return std::ranges::find(config_.only, tool.name) != config_.only.end();
  return config_.offer_all || tool.read_only;
}

std::vector<McpToolInfo> McpLink::tools() const {
  std::lock_guard lock(mutex_);
  return tools_;
}

std::vector<std::string> McpLink::problems() const {
  std::lock_guard lock(mutex_);
  return problems_;
}

std::int64_t McpLink::starts() const {
  std::lock_guard lock(mutex_);
  return starts_;
}

void McpLink::call(const std::string& tool, const Json& input, Duration time_max, McpSession::Done done) {
  std::unique_lock lock(mutex_);
  auto now = clock_.now();
  if (waiting_.size() + (session_ ? session_->calls() : 0) >= config_.calls_max) {
    lock.unlock();
    return done(fail(Errc::refused, fmt::format("too many calls to {} are under way", config_.name)));
  }
  if (!session_ && now < start_at_) {
    auto why =
        fmt::format("{} is not running; it is started again in {}", config_.name, to_human(start_at_ - now));
    lock.unlock();
    return done(fail(Errc::unreachable, std::move(why)));
  }
  wanted_ = true;
  waiting_.push_back({tool, input, now + std::min(time_max, config_.call_max), std::move(done)});
  lock.unlock();
  changed_.notify_all();
}

void McpLink::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) step(lock);
  if (session_) session_->close(make_error(Errc::cancelled, "the connection to the server is being closed"));
  auto ends = session_ ? session_->take_ends() : Ends();
  failure_ = make_error(Errc::cancelled, "the connection to the server is being closed");
  end_waiting(ends);
  auto transport = std::move(transport_);
  lock.unlock();
  for (auto& end : ends) end();
  transport.reset();
}

/// One turn of the keeper's thread: bury, start, tell the time, hand over, wait.
void McpLink::step(std::unique_lock<std::mutex>& lock) {
  auto now = clock_.now();
  if (session_ && session_->closed()) return bury(lock);
  if (!session_ && wanted_ && now >= start_at_) return start(lock);
  if (session_) session_->on_time(now);
  auto ends = settle();
  if (!ends.empty()) {
    lock.unlock();
    for (auto& end : ends) end();
    lock.lock();
    return;
  }
  if (ending_ || (session_ && session_->closed())) return;
  changed_.wait_for(lock, pause_now(clock_.now()));
}

Duration McpLink::pause_now(Instant now) const {
  constexpr Duration longest = std::chrono::seconds(10);
  auto until = session_ ? session_->next_time() : std::nullopt;
  return until ? std::clamp<Duration>(*until - now, std::chrono::milliseconds(1), longest) : longest;
}

void McpLink::start(std::unique_lock<std::mutex>& lock) {
  auto number = ++starts_;
  wanted_ = false;
  failure_.reset();
  // Before the transport: it may be lost at once, and that is to be heard.
  session_ = std::make_unique<McpSession>(config_);
  lock.unlock();
  auto transport = config_.url.empty() ? start_mcp_child(config_, events_of(number), clock_)
                                       : open_mcp_http(config_, events_of(number));
  lock.lock();
  if (!transport) return session_->close(transport.error());
  transport_ = std::move(*transport);
  session_->open(clock_.now());
}

/// After a loss: nothing of the old session is left, and the next start has to wait.
void McpLink::bury(std::unique_lock<std::mutex>& lock) {
  auto ends = session_->take_ends();
  failure_ = session_->closed();
  end_waiting(ends);
  session_.reset();
  auto transport = std::move(transport_);
  start_at_ = clock_.now() + pause_;
  pause_ = std::min(pause_ * 2, config_.restart_max);
  lock.unlock();
  changed_.notify_all();
  for (auto& end : ends) end();
  // Joins its thread, which may be waiting for the lock.
  transport.reset();
  lock.lock();
}

void McpLink::end_waiting(Ends& ends) {
  for (auto& call : std::exchange(waiting_, {}))
    ends.push_back([done = std::move(call.done), error = *failure_] { done(std::unexpected(error)); });
}

/// Hands over what waits, sends what is to be sent, and gives what has ended.
McpLink::Ends McpLink::settle() {
  if (!session_) return {};
  if (session_->ready()) {
    tools_ = session_->tools();
    problems_ = session_->problems();
    for (auto& call : std::exchange(waiting_, {}))
      session_->call(call.tool, call.input, call.until, std::move(call.done));
  }
  for (auto& message : session_->take_sends())
    if (transport_) transport_->send(std::move(message));
  if (session_->take_answered()) pause_ = config_.restart_min;
  return session_->take_ends();
}

template <class Act>
void McpLink::heard(std::int64_t start, Act act) {
  std::unique_lock lock(mutex_);
  if (start != starts_ || !session_ || ending_) return;
  act(*session_);
  auto ends = settle();
  lock.unlock();
  changed_.notify_all();
  for (auto& end : ends) end();
}

McpEvents McpLink::events_of(std::int64_t start) {
  return {.message =
              [this, start](std::string text) {
                heard(start, [&](McpSession& session) { session.on_message(text, clock_.now()); });
              },
          .failed =
              [this, start](std::int64_t id, Error error) {
                heard(start, [&](McpSession& session) { session.on_failed(id, error); });
              },
          .lost = [this,
                   start](Error error) { heard(start, [&](McpSession& session) { session.close(error); }); }};
}

}  // namespace troupe::tools
