// What tests of the HTTP/2 side share: a server, and what its handlers keep.
#pragma once

#include "runtime/http/server.hpp"
#include "tests/http/support/exchanges.hpp"
#include "tests/http/support/h2_client.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace troupe::http::testing {

// Error codes of RFC 9113 7.
inline constexpr std::uint32_t no_error = 0, internal_error = 2, cancel = 8;

inline void echo(const Request& request, std::shared_ptr<Responder> responder) {
  const auto* host = find_header(request.headers, "host");
  responder->send({200,
                   {{"X-Target", request.target}, {"X-Host", host ? *host : "none"}, {"Connection", "keep"}},
                   request.method + " " + request.body});
}

/// A loop, a server on it, and the responders a handler keeps.
struct Http2Test : ::testing::Test {
  Loop loop;
  std::vector<std::shared_ptr<Responder>> held;

  ~Http2Test() override {
    on_loop(loop, [&] { return held.clear(), 0; });
  }
  std::unique_ptr<Server> serve(RequestHandler handler, ServerConfig config = {}) {
    auto server = Server::listen(loop, std::move(config), std::move(handler));
    EXPECT_TRUE(server) << (server ? "" : server.error().what);
    return std::move(*server);
  }
  std::string text_of(const H2Heard& heard, std::string_view name) {
    const auto* found = find_header(heard.headers, name);
    return found ? *found : "";
  }
};

}  // namespace troupe::http::testing
