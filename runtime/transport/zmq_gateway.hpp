// The gateway over ZeroMQ: one thread, its sockets and its turns. Made by Gateway::start.
#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/transport/dealer.hpp"
#include "runtime/transport/mesh.hpp"
#include "runtime/transport/outbox.hpp"

#include <atomic>
#include <map>
#include <thread>

namespace troupe::transport {

/// Everything below `run` belongs to the gateway's thread.
class ZmqGateway final : public Gateway {
 public:
  ZmqGateway(GatewayConfig config, AllowedKeys allowed, GatewayListener& listener);
  ~ZmqGateway() override;

  /// Makes the sockets and starts the thread; bad_config for a bad address or key.
  Result<void> open();

  void post(std::function<void()> work) override;
  bool here() const override { return thread_id_.load() == std::this_thread::get_id(); }
  std::string address() const override { return address_; }
  std::uint64_t incarnation() const override { return incarnation_; }
  Result<void> send(const std::string& peer, Outbound message) override;
  void consumed(const std::string& peer, protocol::Lane lane, std::size_t count) override;
  void stop() override;
  Stats stats() const override;

 private:
  /// How frames get to a peer: over our DEALER if it has an address, else back over the connection it came
  /// by.
  struct Line {
    Dealer* dealer = nullptr;
    std::string route;    // its routing id at our ROUTER, chosen by ZeroMQ; changes with each connection
    std::string pending;  // a frame that found the connection full or absent
    bool had_waiting = false;
    bool told_refused = false;
    bool blocked() const { return !pending.empty() || (!dealer && route.empty()); }
  };

  Result<void> open_zap();
  Result<void> open_router();
  Result<void> open_dealers();

  void run();
  /// One round over everything; true when something was done, so that more may be there.
  bool turn();
  void rest();
  void close_sockets();
  void watch_connections(const Moment& at);
  void hear_news(Dealer& dealer, const Moment& at);
  bool receive_all(const Moment& at);
  bool receive_routed(const Moment& at);
  void take_routed(const std::string& route, ZmqFrame& frame, const Moment& at);
  bool receive_from(Dealer& dealer, const Moment& at);
  bool take_handed();
  MeshConfig mesh_config();
  bool flush(const Moment& at);
  bool flush_line(const std::string& name, Line& line, const Moment& at);
  Sent put(Line& line, std::string_view frame);
  void settle_gauge(const std::string& name, Line& line, bool sent);
  std::vector<zmq_pollitem_t> poll_items();
  long poll_ms(Instant now) const;
  void publish_stats();
  Moment moment() const { return {clock_.now(), clock_.wall()}; }

  GatewayConfig config_;
  AllowedKeys allowed_;
  GatewayListener& listener_;
  Clock& clock_;
  std::uint64_t incarnation_;
  std::string address_;
  ZmqContext context_;  // before the sockets: it ends after them
  Outbox outbox_;
  Mesh mesh_;
  ZmqSocket zap_, router_;
  std::vector<std::unique_ptr<Dealer>> dealers_;
  std::map<std::string, Line> lines_;
  protocol::Writer frame_;
  ZmqFrame route_in_, frame_in_;
  std::uint64_t turns_ = 0;
  Instant publish_due_{};
  std::ptrdiff_t news_end_ = 0;  // poll items before this one tell of connections
  std::uint64_t refused_ = 0, malformed_ = 0;

  mutable std::mutex stats_mutex_;
  Stats stats_;
  std::mutex stop_mutex_;
  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;
};

}  // namespace troupe::transport
