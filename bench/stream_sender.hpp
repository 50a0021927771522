// The server's side of the streams benchmark: many answers that go on event by event, at a rate.
#pragma once

#include "providers/serve.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/http/server.hpp"
#include "tests/http/support/certificates.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::bench {

inline constexpr const char* kStreamDialect = "openai";

[[noreturn]] inline void give_up(const std::string& what) {
  fmt::print(stderr, "streams: {}\n", what);
  std::exit(1);
}

inline std::int64_t monotonic_ns() { return system_clock().now().time_since_epoch().count(); }

// POST /go/RATE/COUNT sends COUNT events to every stream, RATE a second over all of them, and then answers;
// POST /end ends the streams; any other call becomes one.
class Sender {
 public:
  explicit Sender(const http::testing::CertificateFiles& files) {
    http::ServerConfig config;
    config.certificate_file = files.certificate;
    config.key_file = files.key;
    auto server = http::Server::listen(
        loop_, config, [this](const auto& request, auto responder) { hear(request, std::move(responder)); });
    if (!server) give_up(server.error().what);
    server_ = std::move(*server);
  }
  unsigned short port() const { return server_->port(); }

 private:
  struct Open {
    std::shared_ptr<http::Responder> to;
    std::unique_ptr<providers::StreamWriter> writer;
  };

  void hear(const http::Request& request, std::shared_ptr<http::Responder> responder) {
    if (request.target.starts_with("/go/")) return go(request.target.substr(4), std::move(responder));
    if (request.target == "/end") return end(*responder);
    const auto* dialect = providers::find_dialect_server(kStreamDialect);
    responder->begin(dialect->stream_head({}));
    Open open{std::move(responder), dialect->stream_writer({})};
    open.to->write(open.writer->write(StreamStarted{"model-1"}) + open.writer->write(TextDelta{"begun"}));
    streams_.push_back(std::move(open));
  }

  void go(const std::string& figures, std::shared_ptr<http::Responder> responder) {
    rate_ = std::stod(figures);
    due_total_ = std::stoull(figures.substr(figures.find('/') + 1)) * streams_.size();
    sent_ = 0;
    began_ = system_clock().now();
    done_ = std::move(responder);
    tick();
  }

  // Every millisecond what is due by then, one stream after another.
  void tick() {
    auto due = static_cast<std::size_t>(seconds(system_clock().now() - began_) * rate_);
    for (due = std::min(due, due_total_); sent_ < due; ++sent_) {
      auto& stream = streams_[sent_ % streams_.size()];
      auto text = fmt::format("{} {}", sent_ / streams_.size(), monotonic_ns());
      stream.to->write(stream.writer->write(TextDelta{text}));
    }
    if (sent_ < due_total_) timer_ = loop_.after(std::chrono::milliseconds(1), [this] { tick(); });
    if (sent_ == due_total_) std::exchange(done_, nullptr)->send({200, {}, "sent"});
  }

  void end(http::Responder& responder) {
    for (auto& stream : streams_) {
      stream.to->write(stream.writer->write(StreamStopped{StopReason::stop, {}}) + stream.writer->finish());
      stream.to->finish(http::Ending::complete);
    }
    streams_.clear();
    responder.send({200, {}, "ended"});
  }

  http::Loop loop_;
  std::unique_ptr<http::Server> server_;
  std::vector<Open> streams_;
  std::shared_ptr<http::Responder> done_;
  std::unique_ptr<http::Loop::Timer> timer_;
  double rate_ = 0;
  std::size_t due_total_ = 0, sent_ = 0;
  Instant began_;
};

// Serves until the other end of `alive` is closed.
[[noreturn]] inline void serve(const http::testing::CertificateFiles& files, int tell_port, int alive) {
  Sender sender(files);
  auto port = sender.port();
  char byte = 0;
  if (::write(tell_port, &port, sizeof port) == sizeof port)
    while (::read(alive, &byte, 1) > 0) continue;
  ::_exit(0);
}

}  // namespace troupe::bench
