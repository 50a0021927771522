#include "actors/issuer_ports.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace troupe::actors {
namespace {

/// Gathers one issuer's answer, up to the bound.
class IssuerAnswer final : public http::ExchangeSink {
 public:
  explicit IssuerAnswer(std::function<void(Result<http::Response>)> done) : done_(std::move(done)) {}

  void on_head(const http::ResponseHead& head) override {
    response_.status = head.status;
    response_.headers = head.headers;
  }
  void on_body(std::string_view bytes) override {
    if (response_.body.size() + bytes.size() <= providers::Ports::answer_bytes_max)
      response_.body += bytes;
    else
      too_large_ = true;
  }
  void on_end(Result<void> ended) override {
    auto done = std::exchange(done_, {});
    if (!ended) return done(std::unexpected(ended.error()));
    if (too_large_) return done(fail(Errc::invalid_input, "an issuer's answer is too large"));
    done(std::move(response_));
  }

 private:
  std::function<void(Result<http::Response>)> done_;
  http::Response response_;
  bool too_large_ = false;
};

}  // namespace

void IssuerPorts::call(providers::IssuerCall call, std::function<void(Result<http::Response>)> done) {
  http::Timeouts timeouts;
  timeouts.connect = std::min<Duration>(timeouts.connect, call.timeout);
  timeouts.total = call.timeout;
  auto* client = call.origin.tls ? clients_.secure : clients_.plain;
  client->start(call.origin, std::move(call.request), timeouts,
                std::make_shared<IssuerAnswer>(std::move(done)));
}

Result<std::string> IssuerPorts::read_file(const std::string& path) {
  // Anything else, a pipe for one, might keep the loop waiting.
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed))
    return fail(Errc::input_missing, path + " is no regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::input_missing, path + " cannot be opened");
  std::string text(file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > file_bytes_max) return fail(Errc::invalid_input, path + " is too large");
  return text;
}

void IssuerPorts::run(const std::string& command, Duration timeout,
                      std::function<void(Result<std::string>)> done) {
  processes_.run({command, timeout, output_bytes_max}, loop_, std::move(done));
}

std::optional<std::string> IssuerPorts::variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace troupe::actors
