// The gateway's front: starting, sending from any thread, stopping.
#include "runtime/transport/zmq_gateway.hpp"

#include "runtime/base/log.hpp"

#include <fmt/format.h>

#include <mutex>
#include <random>

namespace troupe::transport {
namespace {

std::uint64_t new_incarnation(const Clock& clock) {
  static const std::uint32_t drawn = std::random_device{}();
  static std::mutex mutex;
  static std::uint64_t last = 0;
  std::lock_guard lock(mutex);
  return last = incarnation_at(clock.wall(), drawn, last);
}

Result<void> check_keys(const KeyPair& keys) {
  auto derived = public_key_of(keys.secret_key);
  if (!derived) return fail(Errc::bad_config, "the node's secret key is not 40 characters of Z85");
  if (*derived != keys.public_key)
    return fail(Errc::bad_config, "the node's public and secret key are no pair");
  return {};
}

}  // namespace

Result<std::unique_ptr<Gateway>> Gateway::start(GatewayConfig config, GatewayListener& listener) {
  if (config.id.empty() || config.id.size() > 255 || config.id.starts_with(kClientPrefix)) {
    return fail(Errc::bad_config, fmt::format("'{}' cannot be a node's id", config.id));
  }
  if (auto good = check_keys(config.keys); !good) return std::unexpected(good.error());
  auto allowed = allowed_keys(config);
  if (!allowed) return std::unexpected(allowed.error());
  auto gateway = std::make_unique<ZmqGateway>(std::move(config), std::move(*allowed), listener);
  if (auto opened = gateway->open(); !opened) return std::unexpected(opened.error());
  return gateway;
}

ZmqGateway::ZmqGateway(GatewayConfig config, AllowedKeys allowed, GatewayListener& listener)
    : config_(std::move(config)),
      allowed_(std::move(allowed)),
      listener_(listener),
      clock_(system_clock()),
      incarnation_(new_incarnation(clock_)),
      context_(zmq_ctx_new()),
      outbox_(config_.waiting_max, config_.waiting_bytes_max),
      mesh_(mesh_config(), listener_, clock_.now()) {}

MeshConfig ZmqGateway::mesh_config() {
  auto out = mesh_config_of(config_, incarnation_);
  out.on_client = [this](const std::string& name) {
    outbox_.add_peer(name);
    lines_[name];
  };
  out.on_client_gone = [this](const std::string& name) {
    outbox_.remove_peer(name);
    lines_.erase(name);
  };
  return out;
}

ZmqGateway::~ZmqGateway() { stop(); }

Result<void> ZmqGateway::open() {
  for (auto step : {&ZmqGateway::open_zap, &ZmqGateway::open_router, &ZmqGateway::open_dealers}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  // From here on the sockets are the thread's; starting it is the memory barrier ZeroMQ asks for.
  thread_ = std::thread([this] { run(); });
  return {};
}

// Before any bind, as ZeroMQ refuses a handshake when nobody answers for it.
Result<void> ZmqGateway::open_zap() {
  zap_ = ZmqSocket(context_.get(), ZMQ_REP);
  return zap_.bind(kZapAddress);
}

Result<void> ZmqGateway::open_router() {
  if (config_.listen.empty()) return {};
  router_ = ZmqSocket(context_.get(), ZMQ_ROUTER);
  set_wire_options(router_, config_);
  // Without it what cannot be routed, or is too much for a slow peer, vanishes without a word (libzmq#2037).
  router_.set(ZMQ_ROUTER_MANDATORY, 1);
  // ROUTER_HANDOVER stays off and nobody sets a routing id: ZeroMQ then numbers the connections, and no
  // listed key can take over another's number and with it the answers meant for it.
  router_.set(ZMQ_CURVE_SERVER, 1);
  if (auto set = router_.set_text(ZMQ_CURVE_SECRETKEY, config_.keys.secret_key); !set) return set;
  if (auto set = router_.set_text(ZMQ_ZAP_DOMAIN, kZapDomain); !set) return set;
  if (auto bound = router_.bind(config_.listen); !bound) return bound;
  address_ = router_.last_endpoint();
  return {};
}

Result<void> ZmqGateway::open_dealers() {
  for (const auto& peer : config_.peers) {
    outbox_.add_peer(peer.id);
    auto& line = lines_[peer.id];
    if (peer.address.empty()) continue;
    dealers_.push_back(std::make_unique<Dealer>(context_.get(), config_, peer, dealers_.size()));
    line.dealer = dealers_.back().get();
    if (auto opened = line.dealer->open(); !opened) return opened;
  }
  return {};
}

void ZmqGateway::post(std::function<void()> work) { outbox_.leave(std::move(work)); }

Result<void> ZmqGateway::send(const std::string& peer, Outbound message) {
  if (auto fits = mesh_.check(message); !fits) return fits;
  if (!here()) return outbox_.leave(peer, std::move(message));
  if (auto admitted = outbox_.admit(peer, message); !admitted) return admitted;
  return mesh_.send(peer, std::move(message));
}

void ZmqGateway::consumed(const std::string& peer, protocol::Lane lane, std::size_t count) {
  if (here()) return mesh_.consumed(peer, lane, count, clock_.now());
  post([this, peer, lane, count] { mesh_.consumed(peer, lane, count, clock_.now()); });
}

void ZmqGateway::stop() {
  std::lock_guard lock(stop_mutex_);
  outbox_.close();
  if (!thread_.joinable()) return;
  thread_.join();
  // Sockets close in the background; this waits for it, so that the port is free once we return.
  context_.reset();
}

Gateway::Stats ZmqGateway::stats() const {
  std::lock_guard lock(stats_mutex_);
  return stats_;
}

void ZmqGateway::publish_stats() {
  publish_due_ = clock_.now() + std::chrono::milliseconds(50);
  auto now = mesh_.stats();
  now.refused_handshakes = refused_;
  now.malformed += malformed_;
  bool worse = false;
  {
    std::lock_guard lock(stats_mutex_);
    worse = now.malformed > stats_.malformed;
    stats_ = now;
  }
  if (worse) log::warn("gateway", fmt::format("{}: {} malformed frames so far", config_.id, now.malformed));
}

}  // namespace troupe::transport
