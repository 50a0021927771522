#include "runtime/http/lookups.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::http {
namespace {

// On a thread of its own: getaddrinfo waits for the network and cannot be interrupted.
Result<std::vector<std::string>> ask_system_resolver(const std::string& host) {
  asio::io_context unused;
  Resolver resolver(unused);
  error_code ec;
  auto found = resolver.resolve(host, "", Resolver::flags(), ec);
  if (ec) return fail(Errc::transient_server, fmt::format("cannot resolve {}: {}", host, ec.message()));
  std::vector<std::string> addresses;
  for (const auto& entry : found) addresses.push_back(entry.endpoint().address().to_string());
  return addresses;
}

}  // namespace

Lookups::Lookups(std::shared_ptr<Loop::Impl> loop, Resolve resolve)
    : loop_(std::move(loop)), resolve_(std::move(resolve)) {}

void Lookups::find(const std::string& host, Found found) {
  error_code no_address;
  asio::ip::make_address(host, no_address);
  if (!no_address) return found(std::vector{host});
  if (resolve_) return resolve_(host, std::move(found));
  auto& waiting = asking_[host];
  waiting.push_back(std::move(found));
  if (waiting.size() == 1) ask_system(host);
}

void Lookups::ask_system(const std::string& host) {
  // The loop's innards wait for these threads before they go.
  asio::post(loop_->look_up_threads(), [loop = loop_.get(), weak = weak_from_this(), host] {
    loop->post([weak, host, addresses = ask_system_resolver(host)] {
      if (auto self = weak.lock()) self->answer(host, addresses);
    });
  });
}

void Lookups::answer(const std::string& host, const Result<std::vector<std::string>>& addresses) {
  auto waiting = asking_.extract(host);
  if (!waiting) return;
  for (auto& found : waiting.mapped()) found(addresses);
}

}  // namespace troupe::http
