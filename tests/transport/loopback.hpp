// Gateways on loopback for tests: configurations with keys, a listener one can wait on, raw sockets.
#pragma once

#include "runtime/transport/gateway.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>

namespace troupe::transport {

using namespace std::chrono_literals;

/// Remembers what a gateway reported. Thread-safe; waits give up after 20 seconds.
class Heard : public GatewayListener {
 public:
  void on_peer_up(const std::string& peer, std::uint64_t incarnation) override {
    note([&] { ups_[peer].push_back(incarnation); });
  }
  void on_peer_down(const std::string& peer, const std::string& reason) override {
    note([&] { downs_[peer].push_back(reason); });
  }
  void on_message(Inbound message) override {
    if (also) also(message);
    note([&] { messages_.push_back(std::move(message)); });
  }

  template <class Condition>
  bool wait(Condition condition, std::chrono::seconds patience = 20s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, condition);
  }
  bool wait_up(const std::string& peer, std::size_t times = 1) {
    return wait([&] { return ups_[peer].size() >= times; });
  }
  bool wait_down(const std::string& peer, std::size_t times = 1) {
    return wait([&] { return downs_[peer].size() >= times; });
  }
  bool wait_messages(std::size_t count) {
    return wait([&] { return messages_.size() >= count; });
  }
  std::vector<Inbound> messages() {
    std::lock_guard lock(mutex_);
    return messages_;
  }
  std::vector<std::uint64_t> ups(const std::string& peer) {
    std::lock_guard lock(mutex_);
    return ups_[peer];
  }
  std::vector<std::string> downs(const std::string& peer) {
    std::lock_guard lock(mutex_);
    return downs_[peer];
  }
  std::map<std::string, std::vector<std::uint64_t>> everyone_up() {
    std::lock_guard lock(mutex_);
    return ups_;
  }

  /// Set before the gateway starts; runs on its thread.
  std::function<void(const Inbound&)> also;

 private:
  template <class Change>
  void note(Change change) {
    std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::uint64_t>> ups_;
  std::map<std::string, std::vector<std::string>> downs_;
  std::vector<Inbound> messages_;
};

inline GatewayConfig quick_config(const std::string& id, KeyPair keys = make_key_pair()) {
  GatewayConfig config;
  config.id = id;
  config.listen = "tcp://127.0.0.1:0";
  config.keys = std::move(keys);
  config.heartbeat_interval = 100ms;
  config.heartbeat_timeout = 600ms;
  config.resend_after = 200ms;
  return config;
}

inline std::unique_ptr<Gateway> start_gateway(GatewayConfig config, GatewayListener& listener) {
  auto gateway = Gateway::start(std::move(config), listener);
  EXPECT_TRUE(gateway) << (gateway ? "" : gateway.error().what);
  return gateway ? std::move(*gateway) : nullptr;
}

inline Outbound data(std::string body, std::uint32_t kind = 7) {
  return {.kind = kind, .body = std::move(body)};
}

inline int port_of(const std::string& address) { return std::stoi(address.substr(address.rfind(':') + 1)); }

/// A plain TCP connection to a loopback port.
inline int connect_raw(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

/// Two gateways that know one another: "a" listens, "b" connects to it and listens too unless told otherwise.
struct Pair {
  KeyPair a_keys = make_key_pair(), b_keys = make_key_pair();
  Heard a_heard, b_heard;
  std::unique_ptr<Gateway> a, b;

  GatewayConfig a_config() {
    auto config = quick_config("a", a_keys);
    config.peers.push_back({"b", "", b_keys.public_key});
    return config;
  }
  GatewayConfig b_config(const std::string& a_address) {
    auto config = quick_config("b", b_keys);
    config.peers.push_back({"a", a_address, a_keys.public_key});
    return config;
  }
  void start() {
    a = start_gateway(a_config(), a_heard);
    b = start_gateway(b_config(a->address()), b_heard);
  }
};

}  // namespace troupe::transport
