// The door's client over a gateway of its own: one question at a time, matched to its answer by number.
#include <troupe/client.hpp>

#include "actors/wire.hpp"
#include "runtime/base/rng.hpp"
#include "runtime/transport/gateway.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

namespace troupe {
namespace {

constexpr const char* kServer = "server";

class GatewayClient final : public Client, public transport::GatewayListener {
 public:
  explicit GatewayClient(Duration answer_within) : answer_within_(answer_within) {}
  ~GatewayClient() override {
    if (gateway_) gateway_->stop();
  }

  Result<void> open(const ClientOptions& options) {
    auto public_key = transport::public_key_of(options.secret_key);
    if (!public_key) return std::unexpected(public_key.error());
    transport::GatewayConfig config;
    config.id = "client-" + public_key->substr(0, 12);
    config.keys = {*public_key, options.secret_key};
    config.peers.push_back({kServer, options.address, options.server_key, true});
    auto gateway = transport::Gateway::start(std::move(config), *this);
    if (!gateway) return std::unexpected(gateway.error());
    gateway_ = std::move(*gateway);
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, answer_within_, [this] { return up_ || refused_; }) && up_) return {};
    if (refused_) return fail(Errc::auth, fmt::format("{} refused us: {}", options.address, down_reason_));
    return fail(Errc::unreachable, fmt::format("{} did not answer within {} s{}", options.address,
                                               answer_within_ / std::chrono::seconds(1),
                                               down_reason_.empty() ? "" : ": " + down_reason_));
  }

  Result<JsonText> ask(const std::string& verb, const JsonText& input) override {
    std::unique_lock lock(mutex_);
    auto id = ++last_id_;
    transport::Outbound message;
    message.kind = static_cast<std::uint32_t>(actors::WireKind::ask);
    message.body = actors::body_bytes(actors::AskBody{id, verb, input.text});
    told_.reset();
    lock.unlock();
    if (auto sent = gateway_->send(kServer, std::move(message)); !sent) return std::unexpected(sent.error());
    lock.lock();
    bool answered = changed_.wait_for(lock, answer_within_, [&] { return told_ && told_->id == id; });
    if (!answered)
      return fail(Errc::unreachable, "the node did not answer in time; whether it acted is unknown");
    auto json = std::move(told_->json);
    if (!json) return std::unexpected(json.error());
    return JsonText{std::move(*json)};
  }

  void on_peer_up(const std::string&, std::uint64_t) override {
    std::lock_guard lock(mutex_);
    up_ = true;
    changed_.notify_all();
  }

  void on_peer_down(const std::string&, const std::string& reason) override {
    std::lock_guard lock(mutex_);
    up_ = false;
    down_reason_ = reason;
    refused_ = reason.find("not listed") != std::string::npos;  // as the gateway says it
    changed_.notify_all();
  }

  void on_message(transport::Inbound message) override {
    if (message.kind != static_cast<std::uint32_t>(actors::WireKind::told)) return;
    auto body = actors::body_from<actors::ToldBody>(message.body);
    if (!body) return;
    std::lock_guard lock(mutex_);
    told_ = std::move(*body);
    changed_.notify_all();
  }

 private:
  Duration answer_within_;
  std::unique_ptr<transport::Gateway> gateway_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool up_ = false, refused_ = false;
  std::string down_reason_;
  std::uint64_t last_id_ = 0;
  std::optional<actors::ToldBody> told_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::connect(ClientOptions options) {
  auto client = std::make_unique<GatewayClient>(options.answer_within);
  if (auto opened = client->open(options); !opened) return std::unexpected(opened.error());
  return client;
}

}  // namespace troupe
