// The two ends that the wire benchmarks compare: bare ZeroMQ with CURVE, and gateways.
#pragma once

#include "runtime/protocol/envelope.hpp"
#include "runtime/transport/gateway.hpp"
#include "runtime/transport/zmq_socket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <semaphore>
#include <thread>

namespace troupe::transport {

using BenchClock = std::chrono::steady_clock;

inline constexpr std::size_t kBodyBytes = 1024;
inline constexpr int kRepetitions = 3;
inline constexpr int kOneWayMessages = 100'000;
inline constexpr int kRoundTrips = 2'000;
inline constexpr int kRoundTripsInFlight = 30'000;

inline double seconds_since(BenchClock::time_point start) {
  return std::chrono::duration<double>(BenchClock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

/// A round-trip measurement: how often per second, and how long one took.
struct RoundTrips {
  double per_second = 0, p50_us = 0;
};

/// Bare ZeroMQ: a ROUTER that counts or echoes decoded envelopes on a thread of its own, and a DEALER to it.
class Bare {
 public:
  Bare() : context_(zmq_ctx_new()), router_(context_.get(), ZMQ_ROUTER), dealer_(context_.get(), ZMQ_DEALER) {
    auto server = make_key_pair(), client = make_key_pair();
    router_.set(ZMQ_CURVE_SERVER, 1);
    std::ignore = router_.set_text(ZMQ_CURVE_SECRETKEY, server.secret_key);
    std::ignore = router_.bind("tcp://127.0.0.1:*");
    std::ignore = dealer_.set_text(ZMQ_CURVE_SERVERKEY, server.public_key);
    std::ignore = dealer_.set_text(ZMQ_CURVE_PUBLICKEY, client.public_key);
    std::ignore = dealer_.set_text(ZMQ_CURVE_SECRETKEY, client.secret_key);
    std::ignore = dealer_.connect(router_.last_endpoint());
    server_ = std::thread([this] { serve(); });
  }
  ~Bare() {
    send("");
    server_.join();
  }

  double one_way() {
    auto frame = envelope();
    echo_ = false;
    received_ = 0;
    auto start = BenchClock::now();
    for (int i = 0; i < kOneWayMessages; ++i) send(frame);
    for (int seen = received_; seen < kOneWayMessages; seen = received_) received_.wait(seen);
    return kOneWayMessages / seconds_since(start);
  }

  RoundTrips round_trips(int count, int in_flight) {
    auto frame = envelope();
    echo_ = true;
    std::vector<BenchClock::time_point> sent;
    std::vector<double> took;
    auto start = BenchClock::now();
    for (int i = 0; i < in_flight; ++i) sent.push_back(BenchClock::now()), send(frame);
    for (int done = 0; done < count; ++done) {
      zmq_msg_recv(in_.raw(), dealer_.raw(), 0);
      protocol::Reader reader(in_.view());
      protocol::read_envelope(reader);
      took.push_back(seconds_since(sent[static_cast<std::size_t>(done)]) * 1e6);
      if (done + in_flight < count) sent.push_back(BenchClock::now()), send(frame);
    }
    return {count / seconds_since(start), median(took)};
  }

 private:
  static std::string envelope() {
    return protocol::encode({.source = "a",
                             .incarnation = 1'700'000'000'000,
                             .seq = 70'000,
                             .body = std::string(kBodyBytes, 'x')});
  }
  void send(std::string_view frame) { zmq_send(dealer_.raw(), frame.data(), frame.size(), 0); }

  void serve() {
    ZmqFrame route, frame;
    for (;;) {
      zmq_msg_recv(route.raw(), router_.raw(), 0);
      zmq_msg_recv(frame.raw(), router_.raw(), 0);
      if (frame.view().empty()) return;
      auto message = protocol::decode_envelope(frame.view());
      if (echo_) {
        zmq_msg_send(route.raw(), router_.raw(), ZMQ_SNDMORE);
        auto bytes = protocol::encode(*message);
        zmq_send(router_.raw(), bytes.data(), bytes.size(), 0);
      } else if (++received_ == kOneWayMessages) {
        received_.notify_one();
      }
    }
  }

  ZmqContext context_;
  ZmqSocket router_, dealer_;
  ZmqFrame in_;
  std::atomic<bool> echo_{false};
  std::atomic<int> received_{0};
  std::thread server_;
};

struct Side : GatewayListener {
  std::function<void(Inbound)> take = [](Inbound) {};
  std::binary_semaphore up{0};
  void on_peer_up(const std::string&, std::uint64_t) override { up.release(); }
  void on_peer_down(const std::string&, const std::string&) override {}
  void on_message(Inbound message) override { take(std::move(message)); }
};

/// The same two ends as gateways that list each other.
class Ours {
 public:
  Ours() {
    GatewayConfig a, b;
    a.id = "a", b.id = "b";
    a.keys = make_key_pair(), b.keys = make_key_pair();
    a.listen = "tcp://127.0.0.1:*";
    a.peers = {{"b", "", b.keys.public_key}};
    a_ = Gateway::start(a, a_side_).value();
    b.peers = {{"a", a_->address(), a.keys.public_key}};
    b_ = Gateway::start(b, b_side_).value();
    a_side_.up.acquire();
    b_side_.up.acquire();
  }

  double one_way() {
    std::binary_semaphore done{0};
    int received = 0;
    set_taker(*a_, a_side_, [&](Inbound) {
      if (++received == kOneWayMessages) done.release();
    });
    auto start = BenchClock::now();
    for (int i = 0; i < kOneWayMessages; ++i) send_patiently();
    done.acquire();
    return kOneWayMessages / seconds_since(start);
  }

  /// Both ends answer on their gateway's thread, as actors on it do.
  RoundTrips round_trips(int count, int in_flight) {
    std::binary_semaphore done{0};
    std::vector<BenchClock::time_point> sent;
    std::vector<double> took;
    set_taker(*a_, a_side_,
              [this](Inbound in) { std::ignore = a_->send("b", {.body = std::move(in.body)}); });
    set_taker(*b_, b_side_, [&](Inbound in) {
      took.push_back(seconds_since(sent[took.size()]) * 1e6);
      if (static_cast<int>(took.size()) == count) return done.release();
      if (static_cast<int>(sent.size()) == count) return;
      sent.push_back(BenchClock::now());
      std::ignore = b_->send("a", {.body = std::move(in.body)});
    });
    auto start = BenchClock::now();
    b_->post([&] {
      for (int i = 0; i < in_flight; ++i) {
        sent.push_back(BenchClock::now());
        std::ignore = b_->send("a", {.body = std::string(kBodyBytes, 'x')});
      }
    });
    done.acquire();
    return {count / seconds_since(start), median(took)};
  }

 private:
  static void set_taker(Gateway& gateway, Side& side, std::function<void(Inbound)> take) {
    std::binary_semaphore set{0};
    gateway.post([&] {
      side.take = std::move(take);
      set.release();
    });
    set.acquire();
  }
  void send_patiently() {
    while (!b_->send("a", {.body = std::string(kBodyBytes, 'x')})) std::this_thread::yield();
  }

  Side a_side_, b_side_;
  std::unique_ptr<Gateway> a_, b_;
};

class Figures {
 public:
  explicit Figures(std::string filter) : filter_(std::move(filter)) {}
  void add(const std::string& name, const std::string& unit, double value) {
    values_[name].push_back(value);
    units_[name] = unit;
  }
  double of(const std::string& name) { return median(values_[name]); }
  void print() {
    for (auto& [name, values] : values_) {
      if (!name.contains(filter_)) continue;
      auto [low, high] = std::ranges::minmax(values);
      fmt::print("{} {:.6g} {}\n", name, median(values), units_[name]);
      if (values.size() > 1)
        fmt::print("{0}.min {1:.6g} {3}\n{0}.max {2:.6g} {3}\n", name, low, high, units_[name]);
    }
  }

 private:
  std::string filter_;
  std::map<std::string, std::vector<double>> values_;
  std::map<std::string, std::string> units_;
};

}  // namespace troupe::transport
